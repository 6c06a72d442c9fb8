"""This project's own image: built from its Dockerfile as it is, without a network, then set on itself under the real engine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import distroless, servers, start_bases, tools
from tests.e2e import layout as layouts
from tests.e2e.cache import kept, key
from tests.e2e.layout import Image
from tests.e2e.servers import CLIENT
from tests.e2e.tars import Member, directory, file
from tests.e2e.test_audit import DAY, ROOT

pytestmark = pytest.mark.e2e
NAME = "lucid-audit:own"
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}
PIP = "[global]\nno-index = true\nfind-links = /wheels\n"
SUITES = {"12": "bookworm", "13": "trixie"}


def _wheels(folder: Path) -> None:
    """Let pip fetch what the image's requirements are, for the interpreter of the base, and pip itself."""
    wanted = tomllib.loads(Path(ROOT, "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    version, machine = distroless.release().python, platform.machine()
    words = [sys.executable, "-m", "pip", "download", "-q", "--no-cache-dir", "-d", str(folder), "--only-binary=:all:"]
    words += ["--python-version", version, "--implementation", "cp"]
    words += [
        word
        for tag in ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34")
        for word in ("--platform", f"{tag}_{machine}")
    ]
    subprocess.run([*words, *wanted, "pip"], check=True, timeout=300)


def _builder() -> list[Member]:
    """Return pip, its configuration and the wheels where the builder's Python finds them."""
    import zipfile

    wanted = Path(ROOT, "pyproject.toml").read_bytes()
    folder = kept("wheels", key(wanted, distroless.release().python, platform.machine()), _wheels)
    made = [directory("wheels"), directory("etc"), file("etc/pip.conf", PIP)]
    made += [file(f"wheels/{one.name}", one.read_bytes()) for one in sorted(folder.iterdir())]
    (pip,) = folder.glob("pip-*.whl")
    place = f"usr/local/lib/python{distroless.release().python}"  # where Debian and others both look
    with zipfile.ZipFile(pip) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        folders = sorted({"/".join(name.split("/")[:n]) for name in names for n in range(1, name.count("/") + 1)})
        made += [directory(f"{place}/{one}") for one in folders]
        made += [file(f"{place}/{name}", archive.read(name)) for name in names]
    return made


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """An engine that has built the image, with bases made of Debian packages, and the image's name."""
    if platform.machine() not in MACHINE:
        pytest.skip(f"no base for {platform.machine()}")
    release, folder = distroless.release(), tmp_path_factory.mktemp("own")
    suite, architecture = SUITES[release.number], MACHINE[platform.machine()]
    with servers.engine() as engine:
        base = layouts.single(folder / "base", distroless.base("python3", architecture, "nonroot"))
        tools.load(engine, base, f"gcr.io/distroless/python3-debian{release.number}:nonroot")
        packages = (*start_bases.SLIM, *release.libraries, *release.base)
        environment = {"Env": [start_bases.SEARCH], "Cmd": ["python3"]}
        builder = Image(
            architecture,
            environment,
            (start_bases.slim_layer(packages, [*start_bases.interpreter(release.python), *_builder()]),),
        )
        tools.load(engine, layouts.single(folder / "builder", builder), f"python:{release.python}-slim-{suite}")
        arguments = {"PYTHON": release.python, "SUITE": suite, "DEBIAN": release.number}
        words = [CLIENT, "-H", engine, "build", "-q", "--network", "none", "-t", NAME]
        words += [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
        built = subprocess.run(
            [*words, ROOT],
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
            env={**os.environ, "DOCKER_BUILDKIT": "1"},
        )
        assert built.returncode == 0, built.stderr[-3000:]
        yield engine, NAME


def inside(engine: str, *words: str, mount: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the image as a person would: nothing but the mounted folder, no network, no writable root."""
    command = [CLIENT, "-H", engine, "run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL"]
    command += ["--security-opt", "no-new-privileges", *(["-v", f"{mount}:/work:ro"] if mount else []), NAME, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_it_runs_as_65532_and_has_no_shell(own: tuple[str, str]) -> None:
    engine, name = own
    done = inside(engine, "--version")
    assert done.returncode == 0, done.stderr
    assert "lucid-audit" in done.stdout
    facts = json.loads(tools.run(CLIENT, "-H", engine, "image", "inspect", name))[0]["Config"]
    assert facts["User"] == "65532:65532"
    assert facts["Labels"]["org.opencontainers.image.title"] == "lucid-audit"
    tools.fails(CLIENT, "-H", engine, "run", "--rm", "--entrypoint", "/bin/sh", name, "-c", "true")


def test_it_lints_the_dockerfile_that_it_is_built_from(own: tuple[str, str]) -> None:
    for profile in ("recommended", "lucid"):
        done = inside(
            own[0], "lint", "--as-of", DAY, "--profile", profile, "--fail-on", "note", "Dockerfile", mount=Path(ROOT)
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "suppressed" in done.stdout


def test_it_is_a_gate_on_itself(own: tuple[str, str], tmp_path: Path) -> None:
    """The saved image, audited by the image: it is no worse than what it demands of others."""
    tools.run(CLIENT, "-H", own[0], "save", "-o", str(tmp_path / "own.tar"), own[1])
    (tmp_path / "own.tar").chmod(0o644)
    tmp_path.chmod(0o755)
    (tmp_path / "policy.yaml").write_text(WAIVER)
    (tmp_path / "policy.yaml").chmod(0o644)
    words = ("image", "--why", "--policy", "policy.yaml", "--fail-on", "note", "docker-archive:own.tar")
    done = inside(own[0], *words, "--format", "json", mount=tmp_path)
    assert done.returncode in (0, 1), done.stderr
    (subject,) = json.loads(done.stdout)["subjects"]
    counted = [one for one in subject["findings"] if one["suppressed"] is None]
    assert {one["rule"] for one in counted} <= DATED, [one["message"] for one in counted]
    assert [one["rule"] for one in subject["findings"] if one["suppressed"]] == ["health-check-missing"]
    assert subject["problems"] == []
    assert "python3" in subject["facts"]["base"]
    shown = inside(own[0], *words, mount=tmp_path)
    assert "nothing that is known keeps it from starting" in shown.stdout


WAIVER = """\
waivers:
  - {rules: [health-check-missing], reason: a command that ends by itself answers no requests}
"""
DATED = {"image-base-end-of-life", "image-base-near-end-of-life"}  # of the Debian that this machine has packages of
