"""A real registry, filled by a real program, audited as people audit."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lucid_audit.audit import Request, run
from lucid_audit.finding import Report
from lucid_audit.image.descriptor import Platform, sha256
from lucid_audit.image.manifest import OCI_INDEX, OCI_MANIFEST
from tests.e2e import servers
from tests.e2e.tools import skopeo
from tests.sketch import AS_OF
from tests.sources.builder import REF_NAME, Image, blob_path, descriptor, image_of, index, manifest, noise, tar, write

pytestmark = pytest.mark.e2e
PLATFORMS = (Platform("linux", "amd64"), Platform("linux", "arm64"))
PASSWORD = "p:4ss-w0rd-zzz"
HASHED = "$2b$04$dkSqSLzPiwxO0TAgx3Iir.dX16cs58Zj7ftHcnIaHD9BiHrfFZvZe"  # the password, by bcrypt


class Running:
    """A registry with an index of two platforms."""

    def __init__(self, host: str, log: Path) -> None:
        self.host, self.log = host, log
        self.digest = ""

    @property
    def requests(self) -> list[str]:
        """What was asked so far: method and path."""
        return re.findall(r'"((?:GET|HEAD|POST|PUT) \S+) HTTP', self.log.read_text())

    def since(self, count: int) -> list[str]:
        time.sleep(0.2)  # the log is written after the answer
        return self.requests[count:]


def layers(platform: Platform) -> Image:
    parts = [
        tar({"etc/passwd": b"app:x:1000:1000::/:/none\n"}),
        tar({f"app/{platform.architecture}": noise("x", 400_000)}),
    ]
    return image_of(parts, compressed=True, architecture=platform.architecture)


def layout(folder: Path) -> tuple[Path, str]:
    """Write a layout of an index; return it and the digest of the index."""
    tree: dict[str, bytes | str] = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
    entries = []
    for platform in PLATFORMS:
        made = layers(platform)
        for data in (manifest(made), made.config, *made.layers):
            tree[blob_path(sha256(data))] = data
        where = {"os": platform.os, "architecture": platform.architecture}
        entries.append(descriptor(manifest(made), OCI_MANIFEST, platform=where))
    inner = index(entries)
    tree[blob_path(sha256(inner))] = inner
    tree["index.json"] = index([descriptor(inner, OCI_INDEX, annotations={REF_NAME: "1"})])
    return write(folder, tree), sha256(inner)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    servers.need("docker-registry", "skopeo")
    with servers.logged_registry() as (host, log):
        running = Running(host, log)
        place, running.digest = layout(tmp_path_factory.mktemp("layout") / "image")
        words = ["copy", "-q", "--all", "--preserve-digests", "--dest-tls-verify=false"]
        skopeo(*words, f"oci:{place}:1", f"docker://{host}/team/app:1")
        yield running


def audit(folder: Path, name: str, **more: object) -> Report:
    environ = {"HOME": str(folder), "LUCID_AUDIT_CACHE": str(folder / "cache")}
    return run(Request((f"docker://{name}",), AS_OF, environ, **more)).report  # type: ignore[arg-type]


def problem(report: Report) -> str:
    """Return why the one image could not be read."""
    ((only,),) = [subject.problems for subject in report.subjects]
    return only.message


def sound(report: Report, digest: str) -> None:
    assert not report.problems, report.problems
    whole, *images = report.subjects
    assert whole.digest == digest
    assert [image.platform for image in images] == ["linux/amd64", "linux/arm64"]


def test_by_tag_and_by_digest(registry: Running, tmp_path: Path) -> None:
    sound(audit(tmp_path / "tag", f"{registry.host}/team/app:1"), registry.digest)
    sound(audit(tmp_path / "digest", f"{registry.host}/team/app@{registry.digest}"), registry.digest)


def test_one_platform(registry: Running, tmp_path: Path) -> None:
    report = audit(tmp_path, f"{registry.host}/team/app:1", platform=("linux/arm64",))
    assert [image.platform for image in report.subjects[1:]] == ["linux/arm64"]


def test_the_second_run_asks_for_the_digest_alone(registry: Running, tmp_path: Path) -> None:
    count = len(registry.requests)
    sound(audit(tmp_path, f"{registry.host}/team/app:1"), registry.digest)
    first = registry.since(count)
    assert sum("/manifests/" in line and line.startswith("GET") for line in first) == 3
    assert sum("/blobs/" in line for line in first) == 5  # two configurations; one of three layers is shared
    count = len(registry.requests)
    sound(audit(tmp_path, f"{registry.host}/team/app:1"), registry.digest)
    assert registry.since(count) == ["HEAD /v2/team/app/manifests/1"]
    count = len(registry.requests)
    sound(audit(tmp_path, f"{registry.host}/team/app@{registry.digest}"), registry.digest)
    assert registry.since(count) == []


def test_what_is_not_there(registry: Running, tmp_path: Path) -> None:
    for name, said in (("team/app:2", "no such tag or digest"), ("team/other:1", "was not found")):
        assert said in problem(audit(tmp_path, f"{registry.host}/{name}"))


def test_a_password(tmp_path: Path) -> None:
    place, digest = layout(tmp_path / "image")
    users = tmp_path / "users"
    users.write_text(f"me:{HASHED}\n")
    settings = f"auth: {{htpasswd: {{realm: here, path: {users}}}}}\n"
    with servers.registry(settings) as host:
        words = ["copy", "-q", "--all", f"--dest-creds=me:{PASSWORD}", "--dest-tls-verify=false"]
        skopeo(*words, f"oci:{place}:1", f"docker://{host}/team/app:1")
        assert "no credentials are stored" in problem(audit(tmp_path, f"{host}/team/app:1"))
        stored = {"auth": base64.b64encode(f"me:{PASSWORD}".encode()).decode()}
        (tmp_path / ".docker").mkdir()
        (tmp_path / ".docker/config.json").write_text(json.dumps({"auths": {host: stored}}))
        sound(audit(tmp_path, f"{host}/team/app:1"), digest)
