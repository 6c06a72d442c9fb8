"""Audits of real images through real servers: the same answer from everywhere, each fault found, damage never a pass."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import distroless, servers, services, tools
from tests.e2e.push import push
from tests.e2e.servers import CLIENT
from tests.e2e.tars import ZSTD
from tests.e2e.test_images import HERE
from tests.sources import builder, faults

pytestmark = pytest.mark.e2e
DAY = "2026-10-01"  # after the images were made
AGED = ("--ignore", "image-base-end-of-life")  # the release of this machine may have ended
ROOT = str(Path(__file__).parents[2])


def audit(*words: str, cache: Path | None = None, **environment: str) -> tuple[int, dict[str, Any], str]:
    """Run the program as a person would; return exit code, report and what it said beside it."""
    fresh = {"LUCID_AUDIT_CACHE": str(cache)} if cache else {}
    command = [sys.executable, "-m", "lucid_audit", "image", *words, "--format", "json", "--as-of", DAY, *AGED]
    done = subprocess.run(
        [*command, *([] if cache else ["--no-cache"])],
        cwd="/",
        env={**os.environ, "PYTHONPATH": ROOT, **fresh, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def found(report: dict[str, Any], platform: str = "") -> list[tuple[str, str, str]]:
    """Return rule, place and message of every finding, perhaps of one platform."""
    return sorted(
        (one["rule"], one["location"].get("field") or one["location"].get("path"), one["message"])
        for subject in report["subjects"]
        if not platform or subject.get("platform") == platform
        for one in subject["findings"]
    )


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("images")


def test_the_sound_service_has_no_finding(images: Path) -> None:
    code, report, _ = audit(str(services.layout(images / "sound")))
    assert found(report) == []
    assert code == 0
    assert [subject.get("platform") for subject in report["subjects"]] == [None, "linux/amd64", "linux/arm64"]
    for subject in report["subjects"][1:]:
        assert subject["facts"]["base"].startswith("gcr.io/distroless/python3-debian1")
        assert "by the digests" in subject["facts"]["base"]


@pytest.mark.parametrize("family", ["static", "base", "cc", "python3"])
@pytest.mark.parametrize("variant", ["nonroot", "debug-nonroot"])
def test_a_stock_base_has_no_finding_of_its_own(images: Path, family: Any, variant: Any) -> None:
    folder = distroless.layout(images / f"{family}-{variant}", family, variant)
    _, report, _ = audit(str(folder), "--profile", "strict")
    debug = {"final-base-debug"} if "debug" in variant else set()
    # There is no service in it.
    assert {rule for rule, *_ in found(report)} - {"command-missing", "health-check-missing"} == debug
    for subject in report["subjects"][1:]:
        count = len(distroless.base(family, subject["platform"].split("/")[1], variant).layers)
        assert subject["facts"]["base"].endswith(f"by the digests of its {count} layers")


FAULTS = {
    "root-user": [("final-user-root", "config.User")],
    "renamed-busybox": [("shell-present", "/app/helper")],
    "copied-bash": [("shell-present", "/bin/bash")],
    "buried-secret": [("secret-file-buried", "/app/.env")],
    "setuid-file": [("binary-library-missing", "/app/id"), ("set-id-program", "/app/id")],  # id wants libselinux, too
    "wrong-architecture": [("platform-mismatch", "architecture")],
    "flattened": [("base-unconfirmed", "rootfs.diff_ids")],
    "replaced-library": [("base-file-changed", "/usr/lib/python3.11/http/server.py")],
    "copied-library": [],
    "shell-form": [("command-needs-shell", "config.Entrypoint")],
    "shell-probe": [("health-check-needs-shell", "config.Healthcheck")],
    "debug-base": [("final-base-debug", "rootfs.diff_ids")],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_where_it_is_and_nothing_else(images: Path, fault: str) -> None:
    if fault == "replaced-library" and not Path("/usr/lib/python3.11").exists():
        pytest.skip("the path is that of another release")
    place = services.layout(images / fault, fault)
    _, report, _ = audit(str(place), "--platform", "linux/arm64")
    expected = [*FAULTS[fault]]
    if fault == "wrong-architecture":
        _, report, _ = audit(str(place))
        expected += [("digest-for-several-platforms", "manifests")]
    assert sorted({(rule, at) for rule, at, _ in found(report)}) == sorted(expected)


def test_the_same_answer_from_everywhere(images: Path, registry: str, engine: str, tmp_path: Path) -> None:
    place = services.single(images / "one", HERE, "renamed-busybox")
    name = tools.load(engine, place, "team/clock:1")
    saved = tmp_path / "saved.tar"
    tools.run(CLIENT, "-H", engine, "save", "-o", str(saved), name)
    digest = push(place, registry, "team/clock", "1")
    packed = Path(shutil.make_archive(str(tmp_path / "layout"), "tar", place))
    reports = {
        "registry": audit(f"{registry}/team/clock:1"),
        "registry by digest": audit(f"{registry}/team/clock@{digest}"),
        "engine": audit(f"docker-daemon:{name}", DOCKER_HOST=engine),
        "layout": audit(str(place)),
        "layout in a tar": audit(str(packed)),
        "archive of skopeo": audit(str(tools.docker_archive(place, tmp_path / "skopeo.tar", "team/clock:1"))),
        "archive of the engine": audit(str(saved)),
        "archive of newer engines": audit(str(tools.newer_archive(place, tmp_path / "new.tar", "team/clock:1"))),
    }
    expected = found(reports["layout"][1])
    assert [rule for rule, _, _ in expected] == ["shell-present"]
    for name, (code, report, _) in reports.items():
        assert found(report) == expected, name
        assert code == 1, name
        (subject,) = report["subjects"]
        assert subject["facts"]["runs"] == reports["layout"][1]["subjects"][0]["facts"]["runs"], name
    kept = {name: report["subjects"][0]["digest"] for name, (_, report, _) in reports.items()}
    assert {kept[name] for name in ("registry", "registry by digest", "layout", "layout in a tar")} == {digest}


def test_attestations_and_compression_change_nothing(images: Path, registry: str) -> None:
    for number, (attestations, media_type) in enumerate((("platform", ZSTD), ("artifact", ZSTD))):
        place = services.layout(images / f"attested-{number}", "setuid-file", attestations, media_type)  # type: ignore[arg-type]
        push(place, registry, "team/attested", str(number))
        for name in (str(place), f"{registry}/team/attested:{number}"):
            code, report, _ = audit(name)
            assert (
                sorted(rule for rule, _, _ in found(report)) == ["binary-library-missing"] * 2 + ["set-id-program"] * 2
            )
            assert code == 1
            assert report["subjects"][0]["facts"]["attestations"] == "2"


def test_an_unchanged_tag_costs_one_head(images: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    place = services.layout(images / "cached")
    with servers.registry() as host:
        push(place, host, "team/cached", "1")
        first = audit(f"{host}/team/cached:1", cache=log)
        # The registry is gone from here on for everything but the tag's digest: blobs are in the cache.
        second = audit(f"{host}/team/cached:1", cache=log)
    assert first[:2] == second[:2]
    third = audit(f"{host}/team/cached:1", cache=log)
    assert third[0] == 3, "a tag that cannot be asked for is no pass, whatever the cache has"


def damaged(images: Path, tmp_path: Path, number: int) -> tuple[Path, Path]:
    """Return a copy of the sound layout and one of its layers that is large enough to be damaged."""
    sound = services.single(images / f"damaged-{number}", HERE)
    place = tmp_path / "layout"
    shutil.copytree(sound, place)
    layer = max((place / "blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    return place, layer


@pytest.mark.parametrize("number", range(4))
def test_damage_is_never_a_pass(images: Path, tmp_path: Path, number: int) -> None:
    place, layer = damaged(images, tmp_path, number)
    data = layer.read_bytes()
    half = len(data) // 2
    if number == 0:
        layer.write_bytes(data[:half] + bytes([data[half] ^ 1]) + data[half + 1 :])
    elif number == 1:
        layer.write_bytes(data[:half])
    elif number == 2:
        layer.write_bytes(data + b"more")
    else:
        layer.unlink()
    code, report, said = audit(str(place))
    assert code == 3
    assert found(report) == []
    assert len(said.strip().splitlines()) == 1, said
    assert layer.name[:12] in said


def test_sources_that_were_tried_are_named(tmp_path: Path) -> None:
    gone = f"unix://{tmp_path}/none.sock"
    code, report, said = audit("127.0.0.1:9/team/none:1", DOCKER_HOST=gone)
    assert code == 3
    assert "tried engine" in said
    assert "127.0.0.1:9 does not answer" in said
    assert report["subjects"][0]["problems"]


def test_interrupted(tmp_path: Path) -> None:
    """One interrupt ends the program while a layer is still arriving."""
    store = faults.Store(builder.image())
    with faults.serving(faults.always(store, "/blobs/", faults.Reply(200, b"\0", length=None, stall=30))) as server:
        command = [sys.executable, "-m", "lucid_audit", "image", f"{server.place}/{faults.REPOSITORY}:1", "--no-cache"]
        process = subprocess.Popen(
            command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": ROOT}, stderr=subprocess.PIPE, text=True
        )
        while not server.asked("/blobs/"):
            time.sleep(0.05)
        time.sleep(0.3)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert process.returncode == 130
        assert time.monotonic() - start < 3
        assert "Traceback" not in said
