"""The test images are what they say: read, moved and run by programs that are not ours."""

from __future__ import annotations

import json
import platform
import re
import time
from pathlib import Path

import pytest

from tests.e2e import constant, distroless, layout, servers, services, tools
from tests.e2e.debs import codename
from tests.e2e.push import push
from tests.e2e.servers import CLIENT
from tests.e2e.tars import TAR, ZSTD, sha256
from tests.e2e.tools import fails, inspect, run, skopeo

pytestmark = pytest.mark.e2e
HERE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "")


def blobs(place: Path) -> list[str]:
    """The layers of a layout of one manifest, the lowest first, as paths."""
    raw = inspect(place, "--raw")
    return [str(place / "blobs" / one["digest"].replace(":", "/")) for one in raw["layers"]]


@pytest.mark.parametrize("name", constant.DIFF_IDS)
def test_a_constant_layer_is_that_of_published_images(name: str) -> None:
    assert sha256(constant.archive(name)) == constant.DIFF_IDS[name]


@pytest.mark.parametrize(("family", "bookworm", "trixie"), [("static", 12, 13), ("base", 14, 17), ("cc", 18, 21)])
def test_a_base_has_the_layers_of_its_family(
    tmp_path: Path, family: distroless.Family, bookworm: int, trixie: int
) -> None:
    place = distroless.layout(tmp_path / "image", family)
    count = bookworm if codename() == "bookworm" else trixie
    for architecture in distroless.ARCHITECTURES:
        facts = json.loads(skopeo("--override-arch", architecture, "inspect", "--config", f"oci:{place}"))
        assert facts["architecture"] == architecture
        ids = facts["rootfs"]["diff_ids"]
        assert len(ids) == count
        number = distroless.release().number
        start = ids.index(constant.DIFF_IDS["rootfs"])
        assert ids[start : start + 7] == [constant.DIFF_IDS[name] for name in constant.names(number)]


def test_a_debug_base_has_one_layer_more_and_the_users_differ_in_the_configuration_alone(tmp_path: Path) -> None:
    latest, nonroot, debug = (
        inspect(layout.single(tmp_path / v, distroless.base("static", "arm64", v)), "--config")
        for v in ("latest", "nonroot", "debug")
    )
    assert latest["rootfs"] == nonroot["rootfs"]
    assert (latest["config"]["User"], nonroot["config"]["User"]) == ("0", "65532")
    assert debug["rootfs"]["diff_ids"][:-1] == latest["rootfs"]["diff_ids"]
    assert debug["config"]["Entrypoint"] == ["/busybox/sh"]
    listing = run("tar", "-tvzf", blobs(tmp_path / "debug")[-1])
    assert "/busybox/sh -> /busybox/busybox" in listing


def test_the_same_bytes_each_time(tmp_path: Path) -> None:
    first, second = (services.layout(tmp_path / name, attestations="platform") for name in "ab")
    assert (first / "index.json").read_bytes() == (second / "index.json").read_bytes()


def test_umoci_unpacks_a_service_with_owners_modes_and_whiteouts(tmp_path: Path) -> None:
    servers.need("umoci", root=True)
    place = services.single(tmp_path / "image", "arm64", "buried-secret")
    run("umoci", "unpack", "--image", f"{place}:latest", str(tmp_path / "bundle"))
    root = tmp_path / "bundle/rootfs"
    assert (root / "app/server.py").stat().st_uid == 65532
    assert (root / "tmp").stat().st_mode & 0o7777 == 0o1777
    assert not (root / "app/.env").exists()
    assert "app/.env" in run("tar", "-tzf", blobs(place)[-2])
    assert (root / "usr/bin/python3").is_symlink()
    assert "AArch64" in run("readelf", "-h", str(root) + distroless.interpreter())
    assert (root / "var/lib/dpkg/status.d/libc6.md5sums").is_file()


def test_buildah_reads_a_base(tmp_path: Path) -> None:
    servers.need("buildah", root=True)
    place = layout.single(tmp_path / "image", distroless.base("static", HERE, "nonroot"))
    with servers.storage() as storage:
        buildah = ["buildah", *storage.words()]
        name = run(*buildah, "from", f"oci:{place}:latest").strip()
        facts = json.loads(run(*buildah, "inspect", name))
        run(*buildah, "rm", name)
    assert facts["OCIv1"]["config"]["User"] == "65532"


FAULTY = {
    "renamed-busybox": "-rwxr-xr-x 0/0 .* app/helper",
    "copied-bash": "-rwxr-xr-x 0/0 .* (usr/)?bin/bash",
    "setuid-file": "-rwsr-xr-x 0/0 .* app/id",
    "replaced-library": "http/server.py",
    "emptied-certificates": "-rw-r--r-- 0/0 +0 .* etc/ssl/certs/ca-certificates.crt",
}


@pytest.mark.parametrize("fault", FAULTY)
def test_a_fault_is_in_the_top_layer(tmp_path: Path, fault: str) -> None:
    place = services.single(tmp_path / "image", "arm64", fault)
    listing = run("tar", "--numeric-owner", "-tvzf", blobs(place)[-1])
    assert re.search(FAULTY[fault], listing)


def test_faults_of_the_index_and_of_the_configuration(tmp_path: Path) -> None:
    entries = inspect(services.layout(tmp_path / "wrong", "wrong-architecture"), "--raw")["manifests"]
    assert [entry["platform"]["architecture"] for entry in entries] == ["amd64", "arm64"]
    wrong = json.loads(skopeo("--override-arch", "arm64", "inspect", "--config", f"oci:{tmp_path / 'wrong'}"))
    assert wrong["architecture"] == "amd64"
    assert inspect(services.single(tmp_path / "root", "arm64", "root-user"), "--config")["config"]["User"] == "0"
    assert len(inspect(services.single(tmp_path / "flat", "arm64", "flattened"), "--raw")["layers"]) == 1


def test_skopeo_copies_an_index_to_a_registry_and_back(tmp_path: Path, registry: str) -> None:
    place = services.layout(tmp_path / "image", attestations="platform")
    away = f"docker://{registry}/greeter:1"
    skopeo("copy", "-q", "--all", "--preserve-digests", "--dest-tls-verify=false", f"oci:{place}:latest", away)
    raw = skopeo("inspect", "--raw", "--tls-verify=false", away)
    assert json.loads(raw) == inspect(place, "--raw")
    assert len(json.loads(raw)["manifests"]) == 4
    back = tmp_path / "back"
    skopeo("--override-arch", "arm64", "copy", "-q", "--src-tls-verify=false", away, f"oci:{back}:latest")
    assert inspect(back, "--config")["architecture"] == "arm64"


def test_an_index_is_pushed_byte_for_byte_with_zstd_layers_and_artifacts(tmp_path: Path, registry: str) -> None:
    place = services.layout(tmp_path / "image", attestations="artifact", media_type=ZSTD)
    digest = push(place, registry, "greeter", "zstd")
    away = f"docker://{registry}/greeter:zstd"
    raw = skopeo("inspect", "--raw", "--tls-verify=false", away)
    assert sha256(raw.encode()) == digest
    assert json.loads(raw)["manifests"][3]["artifactType"] == layout.ATTESTATION
    back = tmp_path / "back"
    words = ["copy", "-q", "--src-tls-verify=false", "--dest-decompress", away, f"oci:{back}:latest"]
    skopeo("--override-arch", "arm64", *words)
    there = json.loads(skopeo("--override-arch", "arm64", "inspect", "--config", f"oci:{place}"))
    assert inspect(back, "--config")["rootfs"] == there["rootfs"]


def loaded(engine: str, folder: Path, fault: str = "") -> str:
    return tools.load(engine, services.single(folder / "image", HERE, fault), f"greeter:{fault or 'sound'}")


def health(engine: str, name: str) -> str:
    """Start a container and return what the engine itself says of its health in the end."""
    docker = [CLIENT, "-H", engine]
    quick = ["--health-interval=500ms", "--health-retries=3"]
    container = run(*docker, "run", "-d", "--net=none", *quick, name).strip()
    try:
        for _ in range(100):
            state = run(*docker, "inspect", "-f", "{{.State.Health.Status}}", container).strip()
            if state != "starting":
                break
            time.sleep(0.2)
        return state
    finally:
        run(*docker, "rm", "-f", container)


def test_the_sound_service_starts_and_is_healthy(tmp_path: Path, engine: str) -> None:
    name = loaded(engine, tmp_path)
    assert health(engine, name) == "healthy"
    who = [CLIENT, "-H", engine, "run", "--rm", "--net=none", "--entrypoint", "/usr/bin/python3", name, "-c"]
    assert run(*who, "import os, ssl, sqlite3, ctypes; print(os.getuid(), os.getcwd())") == "65532 /app\n"


def test_a_shell_form_does_not_start(tmp_path: Path, engine: str) -> None:
    name = loaded(engine, tmp_path, "shell-form")
    assert "/bin/sh" in fails(CLIENT, "-H", engine, "run", "--rm", "--net=none", name)


def test_a_shell_probe_never_becomes_healthy(tmp_path: Path, engine: str) -> None:
    assert health(engine, loaded(engine, tmp_path, "shell-probe")) == "unhealthy"


def test_podman_answers_on_its_socket(tmp_path: Path) -> None:
    servers.need("skopeo", "podman", root=True)
    place = layout.single(tmp_path / "image", distroless.base("static", HERE, "nonroot"))
    archive = tools.docker_archive(place, tmp_path / "archive.tar", "base:static")
    with servers.podman_service() as address:
        run("podman", "--remote", "--url", address, "load", "-i", str(archive))
        facts = json.loads(run("podman", "--remote", "--url", address, "image", "inspect", "base:static"))
    assert facts[0]["Config"]["User"] == "65532"


def test_an_archive_of_a_newer_engine_is_a_layout_with_one_file_more(tmp_path: Path) -> None:
    place = services.single(tmp_path / "image", "arm64", media_type=TAR)
    archive = tools.newer_archive(place, tmp_path / "archive.tar", "greeter:1")
    old = json.loads(skopeo("--override-arch", "arm64", "inspect", "--config", f"docker-archive:{archive}"))
    assert old["rootfs"] == inspect(place, "--config")["rootfs"]
    new = json.loads(skopeo("inspect", "--config", "--raw", f"oci-archive:{archive}"))
    assert new["config"]["Healthcheck"]["Test"] == services.HEALTH
