"""This project's own image: its Dockerfile's default build, without a network, for both platforms; then set on itself.

The bases are made of Debian packages of the release that the Dockerfile names. BuildKit builds both platforms on this
machine's own, as ``docker buildx build --platform linux/amd64,linux/arm64`` does; only the finished image is emulated.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e import debs, distroless, emulator, servers, start_bases, tools
from tests.e2e import layout as layouts
from tests.e2e.cache import kept, key
from tests.e2e.layout import Image
from tests.e2e.servers import CLIENT
from tests.e2e.tars import Member, directory, file
from tests.e2e.test_audit import DAY, ROOT

pytestmark = pytest.mark.e2e
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
PIP = "[global]\nno-index = true\nfind-links = /wheels\n"
SUITE, NUMBER = "trixie", "13"  # the Dockerfile's defaults
TAGS = ("manylinux2014", "manylinux_2_17", "manylinux_2_28")


def _wheels(folder: Path) -> None:
    """Let pip fetch what the image's requirements are, for the interpreter of the base on both machines, and pip itself."""
    wanted = tomllib.loads(Path(ROOT, "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    words = [sys.executable, "-m", "pip", "download", "-q", "--no-cache-dir", "-d", str(folder), "--only-binary=:all:"]
    words += ["--python-version", distroless.release().python, "--implementation", "cp"]
    for machine in MACHINES.values():
        platforms = [word for tag in TAGS for word in ("--platform", f"{tag}_{machine}")]
        subprocess.run([*words, *platforms, *wanted, "pip"], check=True, timeout=300)


def _pip() -> list[Member]:
    """Return pip, its configuration and the wheels where the builder's Python finds them."""
    import zipfile

    wanted = Path(ROOT, "pyproject.toml").read_bytes()
    folder = kept("wheels", key(wanted, distroless.release().python, *TAGS, *MACHINES), _wheels)
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


def _builder() -> Image:
    """Return what stands for the official Python image: Debian's interpreter where that image has its own, and pip."""
    release = distroless.release()
    packages = (*start_bases.SLIM, *release.libraries, *release.base)
    layer = start_bases.slim_layer(packages, [*start_bases.interpreter(release.python), *_pip()])
    return Image("amd64", {"Env": [start_bases.SEARCH], "Cmd": ["python3"]}, (layer,))


class Own(NamedTuple):
    """An engine that has built the image for both platforms, and where they are published."""

    engine: str
    published: str  # one reference, of an index of both

    def name(self, architecture: str) -> str:
        return f"{self.published}-{architecture}"

    def docker(self, *words: str) -> str:
        return tools.run(CLIENT, "-H", self.engine, *words)

    def inside(self, architecture: str, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run the image as a person would: nothing but the mounted folder, no network, no writable root."""
        mount, network = more.get("mount"), more.get("network", "none")
        command = [
            CLIENT,
            "-H",
            self.engine,
            "run",
            "--rm",
            "--platform",
            f"linux/{architecture}",
            "--network",
            network,
        ]
        command += ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
        command += ["-v", f"{mount}:/work:ro"] if mount else []
        command += ["--entrypoint", more["program"]] if "program" in more else []
        return subprocess.run(
            [*command, self.name(architecture), *words], capture_output=True, text=True, check=False, timeout=600
        )


def _build(engine: str, architecture: str, name: str) -> None:
    words = [
        CLIENT,
        "-H",
        engine,
        "build",
        "-q",
        "--network",
        "none",
        "--platform",
        f"linux/{architecture}",
        "-t",
        name,
    ]
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
    built = subprocess.run([*words, ROOT], capture_output=True, text=True, check=False, timeout=400, env=environment)
    assert built.returncode == 0, built.stderr[-3000:]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    if platform.machine() != MACHINES["amd64"]:
        pytest.skip(f"no builder for {platform.machine()}")
    folder = tmp_path_factory.mktemp("own")
    with servers.engine() as engine, servers.registry() as host, debs.of_release(SUITE):
        made = Own(engine, f"{host}/lucid-audit:own")
        place = layouts.single(folder / "builder", _builder())
        tools.load(engine, place, f"python:{distroless.release().python}-slim-{SUITE}")
        for architecture in MACHINES:  # an engine of this age holds one platform of a name, so one after the other
            base = layouts.single(folder / architecture, distroless.base("python3", architecture, "nonroot"))
            tools.load(engine, base, f"gcr.io/distroless/python3-debian{NUMBER}:nonroot")
            _build(engine, architecture, made.name(architecture))
            made.docker("push", "-q", made.name(architecture))
        index = ["--config", str(folder / "client"), "manifest"]
        tools.run(CLIENT, *index, "create", "--insecure", made.published, *map(made.name, MACHINES))
        tools.run(CLIENT, *index, "push", "--insecure", made.published)
        with emulator.arm64():
            yield made


@pytest.mark.parametrize("architecture", MACHINES)
def test_it_runs_as_65532_and_has_no_shell(own: Own, architecture: str) -> None:
    done = own.inside(architecture, "--version")
    assert done.returncode == 0, done.stderr
    assert "lucid-audit" in done.stdout
    told = "import os, platform; print(platform.machine(), os.getuid(), os.getgid())"
    assert own.inside(architecture, "-c", told, program="/usr/bin/python3").stdout.split() == [
        MACHINES[architecture], "65532", "65532",
    ]  # fmt: skip
    (facts,) = json.loads(own.docker("image", "inspect", own.name(architecture)))
    assert (facts["Architecture"], facts["Config"]["User"]) == (architecture, "65532:65532")
    assert facts["Config"]["Labels"]["com.lucid.platform"] == architecture
    assert own.inside(architecture, "-c", "true", program="/bin/sh").returncode != 0


@pytest.mark.parametrize("architecture", MACHINES)
def test_its_extension_modules_are_those_of_its_platform(own: Own, architecture: str) -> None:
    """Wheels of the other platform would import too, in their slow pure Python form: the compiled one has to be there."""
    told = "import isal.igzip, yaml, lucid_audit.compiled, rpds, backports.zstd; print(yaml.__with_libyaml__)"
    done = own.inside(architecture, "-c", told, program="/usr/bin/python3")
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize("architecture", MACHINES)
def test_patterns_compiled_on_the_builder_are_those_of_the_platform(own: Own, architecture: str) -> None:
    """What the builder's matching engine made is what that of the image makes: it may be used where the versions agree."""
    told = (
        "from lucid_audit.compiled_patterns import DATA; from lucid_audit.precompile import tabulate; "
        "print(len(DATA), tabulate(list(DATA)) == DATA)"
    )
    count, same = own.inside(architecture, "-c", told, program="/usr/bin/python3").stdout.split()
    assert int(count) > 20
    assert same == "True"


@pytest.mark.parametrize(
    ("architecture", "profile"), [("amd64", "recommended"), ("amd64", "lucid"), ("arm64", "lucid")]
)
def test_it_lints_the_dockerfile_that_it_is_built_from(own: Own, architecture: str, profile: str) -> None:
    words = ("lint", "--as-of", DAY, "--profile", profile, "--fail-on", "note", "Dockerfile")
    done = own.inside(architecture, *words, mount=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "suppressed" in done.stdout


WAIVER = """\
waivers:
  - {rules: [health-check-missing], reason: a command that ends by itself answers no requests}
"""


@pytest.fixture
def work(own: Own, tmp_path: Path) -> Path:
    """A folder that the image's user can read, with the images as archives and the policy that waives the health check."""
    for architecture in MACHINES:
        own.docker("save", "-o", str(tmp_path / f"{architecture}.tar"), own.name(architecture))
    (tmp_path / "policy.yaml").write_text(WAIVER)
    for one in tmp_path.iterdir():
        one.chmod(0o644)
    tmp_path.chmod(0o755)
    return tmp_path


def passes(subject: dict[str, Any], architecture: str) -> None:
    """It is no worse than what it demands of others: only the health check is missing, and that is waived."""
    assert subject["platform"].startswith(f"linux/{architecture}")
    assert [one["message"] for one in subject["findings"] if one["suppressed"] is None] == []
    assert [one["rule"] for one in subject["findings"]] == ["health-check-missing"]
    assert subject["problems"] == []
    assert f"python3-debian{NUMBER}" in subject["facts"]["base"]
    assert "nothing that is known keeps it from starting" in subject["facts"]["starts"]


def options() -> list[str]:
    """Return what all audits ask for. The image is of today; that Debian 13 will have ended one day is not its fault."""
    aged = [word for rule in ("end-of-life", "near-end-of-life") for word in ("--ignore", f"image-base-{rule}")]
    return ["--as-of", datetime.now(UTC).date().isoformat(), "--fail-on", "note", "--format", "json", "--why", *aged]


@pytest.mark.parametrize("architecture", MACHINES)
def test_it_is_a_gate_on_itself(own: Own, architecture: str, work: Path) -> None:
    """The saved image, audited by the image."""
    words = ("image", *options(), "--policy", "policy.yaml", f"docker-archive:{architecture}.tar")
    done = own.inside(architecture, *words, mount=work)
    assert done.returncode == 0, done.stdout + done.stderr
    (subject,) = json.loads(done.stdout)["subjects"]
    passes(subject, architecture)


def outside(*words: str) -> tuple[int, dict[str, Any]]:
    """Audit with this machine's own interpreter."""
    done = subprocess.run(
        [sys.executable, "-m", "lucid_audit", "image", *words],
        cwd="/",
        env={**os.environ, "PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("architecture", MACHINES)
def test_it_audits_both_platforms_of_its_index(own: Own, architecture: str, work: Path) -> None:
    """From the registry, as a person would, and word for word what this machine's own interpreter says."""
    words = [*options(), "--no-cache", own.published, "--policy"]
    code, report = outside(*words, str(work / "policy.yaml"))
    assert code == 0, report
    index, *subjects = report["subjects"]
    assert (index["findings"], index["problems"]) == ([], [])
    for one, expected in zip(subjects, MACHINES, strict=True):
        passes(one, expected)
    done = own.inside(architecture, "image", *words, "policy.yaml", mount=work, network="host")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout) == report


def test_without_the_waiver_it_does_not_pass(own: Own) -> None:
    code, report = outside(*options(), "--no-cache", own.published)
    assert code == 1
    assert {one["rule"] for subject in report["subjects"] for one in subject["findings"]} == {"health-check-missing"}
