"""What imports reach, against Python itself: real packages with and without each of the packages that they need.

The oracle is the image's own interpreter, run in its own file system. Where it starts, nothing may be found; where it ends
with ModuleNotFoundError, the module that it names must be among the findings, or told as unknown.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest

from lucid_audit.audit import Request, run
from lucid_audit.finding import SubjectReport
from tests.e2e import cache, distroless, layout, services
from tests.e2e.layout import Image
from tests.e2e.tars import Layer, Member, directory, file, of, whiteout

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root")]

SITE = f"usr/local/lib/python{distroless.release().python}/dist-packages"
PACKAGES = ("fastapi", "flask", "requests", "sqlalchemy", "httpx", "aiohttp", "pyyaml", "celery", "django", "boto3", "paramiko",
            "rich")  # fmt: skip
STARTS = {  # what a program imports, and the packages of which one is left out
    "fastapi": ("starlette", "pydantic", "pydantic_core", "annotated_types", "typing_extensions.py", "anyio", "idna"),
    "flask": ("werkzeug", "jinja2", "click", "itsdangerous", "markupsafe", "blinker"),
    "requests": (
        "urllib3",
        "certifi",
        "charset_normalizer",
    ),  # idna is imported by a loop over names, which is not followed
    "sqlalchemy.orm": ("typing_extensions.py",),
    "httpx": ("httpcore", "anyio", "h11", "certifi", "idna"),
    "aiohttp": ("multidict", "yarl", "frozenlist", "aiosignal", "attr", "attrs", "propcache"),
    "yaml": ("_yaml",),
    "celery.app.base": ("kombu", "billiard", "vine", "amqp", "dateutil", "six.py", "click"),
    "django.db": ("asgiref", "sqlparse"),
    "boto3": ("botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six.py"),
    "paramiko": ("cryptography", "nacl", "bcrypt", "cffi"),
    "rich.markdown": ("pygments", "markdown_it", "mdurl"),
}


def _install(place: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "-q", "--target", str(place / "site"), "--only-binary=:all:",
               "--no-compile", "--python-version", distroless.release().python, *PACKAGES]  # fmt: skip
    subprocess.run([*command, "--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_28_x86_64"], check=True)


def _site(root: Path) -> Iterator[Member]:
    yield directory(SITE)
    for path in sorted(root.rglob("*")):
        inner = f"{SITE}/{path.relative_to(root)}"
        if path.is_dir():
            yield directory(inner)
        elif path.is_file():
            yield file(inner, path.read_bytes())


@pytest.fixture(scope="module")
def image() -> Image:
    """An image with all of the packages; its layers come last to first."""
    name = cache.key(distroless.release().python, *PACKAGES)
    base = distroless.base("python3", "amd64", "nonroot")
    site = of(_site(cache.kept("site", name, _install) / "site"), "COPY site")
    return base._replace(layers=(*base.layers, site), config={**base.config, "WorkingDir": "/app"})


@pytest.fixture(scope="module")
def root(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's file system, unpacked."""
    place = tmp_path_factory.mktemp("root")
    with tarfile.open(fileobj=BytesIO(services.flatten(image.layers).tar())) as archive:
        archive.extractall(place, filter="fully_trusted")
    return place


def _python(root: Path, module: str, *program: str, **env: str) -> str:
    """Return the module that the image's own Python does not find, "" when it finds all."""
    words = program or ("-c", f"import {module}")
    command = ["chroot", str(root), f"/usr/bin/python{distroless.release().python}", "-B", *words]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={"HOME": "/root", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **env},
        check=False,
    )
    if done.returncode == 0:
        return ""
    found = re.search(r"^ModuleNotFoundError: No module named '([\w.]+)'", done.stderr, re.MULTILINE)
    return found[1] if found is not None else f"another error: {done.stderr[-300:]}"


def _audit(place: Path, image: Image, module: str, left_out: str) -> SubjectReport:
    layers: list[Layer] = [of([directory("app"), file("app/main.py", f"import {module}\n")], "COPY main.py")]
    if left_out:
        layers.append(of([whiteout(f"{SITE}/{left_out}")], "RUN rm"))
    made = image._replace(layers=(*image.layers, *layers), config={**image.config, "Cmd": ["/app/main.py"]})
    name = layout.single(place / f"{module}-{left_out}", made)
    outcome = run(Request([f"oci:{name}"], date(2026, 11, 1), dict(os.environ), select=["import-missing"]))
    (subject,) = outcome.report.subjects
    return subject


@pytest.mark.parametrize("module", STARTS)
def test_python_agrees(image: Image, root: Path, tmp_path: Path, module: str) -> None:
    for left_out in ("", *STARTS[module]):
        there = root / SITE / left_out
        aside = root / "aside"
        if left_out:
            there.rename(aside)
        missing = _python(root, module)
        if left_out:
            aside.rename(there)
        subject = _audit(tmp_path, image, module, left_out)
        found = [finding.message for finding in subject.findings]
        told = [*found, *(skipped.reason for skipped in subject.skipped)]
        if not missing:
            assert found == [], (left_out, found)
        else:
            assert any(f" imports {missing}," in words or f"whether {missing} " in words for words in told), (
                left_out, missing, told)  # fmt: skip


ZIPPED = {"flask": STARTS["flask"], "requests": STARTS["requests"], "httpx": ("httpcore", "h11"),
          "celery.app.base": ("kombu", "billiard", "vine"), "rich.markdown": STARTS["rich.markdown"]}  # fmt: skip

LARGE = ("botocore", "django", "sqlalchemy", "cryptography")  # not among these, and archives are read up to a size


def _zipped(site: Path, module: str, left_out: str) -> bytes:
    """Return an application with all packages but one, and without extension modules."""
    out = BytesIO()
    out.write(b"#!/usr/bin/python3\n")
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__main__.py", f"import {module}\n")
        for path in sorted(site.rglob("*")):
            inner = path.relative_to(site)
            if inner.parts[0] in (left_out, *LARGE) or path.suffix in (".so", ".pyc"):
                continue
            if path.is_dir():
                archive.mkdir(str(inner))  # as zipapp does; else only newer releases find a namespace
            else:
                archive.writestr(str(inner), path.read_bytes())
    return out.getvalue()


@pytest.mark.parametrize("module", ZIPPED)
@pytest.mark.parametrize("name", ["app.pyz", "lib.zip"])
def test_python_agrees_on_archives(image: Image, root: Path, tmp_path: Path, module: str, name: str) -> None:
    bare = image._replace(layers=image.layers[:-1])
    for left_out in ("", *ZIPPED[module]):
        packed = _zipped(root / SITE, module, left_out)
        (root / "app").mkdir(exist_ok=True)
        (root / "app" / name).write_bytes(packed)
        program = [f"/app/{name}"] if name == "app.pyz" else ["/app/main.py"]
        (root / "app/main.py").write_text(f"import {module}\n")
        env = {} if name == "app.pyz" else {"PYTHONPATH": f"/app/{name}"}
        missing = _python(root, module, "-S", *program, **env)
        layer = of(
            [directory("app"), file(f"app/{name}", packed), file("app/main.py", f"import {module}\n")], "COPY app"
        )
        config = {
            **bare.config,
            "Cmd": program,
            "Env": [*bare.config.get("Env", []), *(f"{k}={v}" for k, v in env.items())],
        }
        place = layout.single(
            tmp_path / f"{module}-{left_out}", bare._replace(layers=(*bare.layers, layer), config=config)
        )
        (subject,) = run(
            Request([f"oci:{place}"], date(2026, 11, 1), dict(os.environ), select=["import-missing"])
        ).report.subjects
        found = [finding.message for finding in subject.findings]
        if not missing:
            assert found == [], (left_out, found)
        else:
            assert any(f" imports {missing}," in words for words in found), (left_out, missing, found, subject.skipped)
