"""Measures the audit of a Python image with a virtual environment of 150 distributions, whose imports are followed.

The image is made of this machine's Python, its standard library and libraries, and of the wheels that ``environment.txt`` pins, byte code
included as pip leaves it. The limit is that of ``images``: what nobody can leave out, over the same layers.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

from images import LIMIT, Run, once, turns, verdict
from layout import Layout

PINS = Path(__file__).with_name("environment.txt")
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
PLATFORMS = ("manylinux2014_{0}", "manylinux_2_17_{0}", "manylinux_2_28_{0}")
VENV = f"app/.venv/lib/python{VERSION}/site-packages"
COLD, WARM = 2.0, 0.3  # times the limit; seconds
ROUNDS = 7
MAIN = """import boto3
import celery
import fastapi
import httpx
import redis
import sentry_sdk
import sqlalchemy.orm
import structlog
import uvicorn
from cryptography.fernet import Fernet
from google.cloud import storage
from jinja2 import Environment
from opentelemetry.sdk.trace import TracerProvider
from pydantic_settings import BaseSettings
"""
LEFT_OUT = ("test", "site-packages", "__pycache__", "idlelib", "turtledemo", "ensurepip")


def wheels(scratch: Path) -> list[Path]:
    """Fetch the pinned wheels for this Python."""
    place = scratch / "wheels"
    machine = os.uname().machine
    words = [word for name in PLATFORMS for word in ("--platform", name.format(machine))]
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--only-binary=:all:",
        "--python-version",
        VERSION,
    ]
    subprocess.run([*command, *words, "-d", str(place), "-r", str(PINS)], check=True)
    return sorted(place.glob("*.whl"))


def unpack(paths: list[Path], place: Path) -> None:
    """Lay wheels out as pip does, scripts aside, and compile them."""
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(place)
    for data in place.glob("*.data"):
        for kind in ("purelib", "platlib"):
            if (data / kind).is_dir():
                shutil.copytree(data / kind, place, dirs_exist_ok=True)
        shutil.rmtree(data)
    subprocess.run(
        [sys.executable, "-m", "compileall", "-q", "-j", "0", str(place)], check=False, stdout=subprocess.DEVNULL
    )


def system(site: Path) -> bytes:
    """Return the archive of the interpreter, the standard library, and the libraries that they and the wheels need."""
    program = Path(sys.executable).resolve()
    library = Path(sysconfig.get_path("stdlib"))
    modules = [*(library / "lib-dynload").glob("*.so"), *site.rglob("*.so")]
    listed = subprocess.run(
        ["ldd", str(program), *map(str, modules)], capture_output=True, text=True, check=False
    ).stdout
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.add(program, f"usr/bin/python{VERSION}")
        for path in sorted(
            {os.path.normpath(path) for path in re.findall(r"(?:=>|^)\s+(/\S+) \(0x", listed, re.MULTILINE)}
        ):
            if not path.startswith(f"{site}/"):
                tar.add(Path(path).resolve(), path.strip("/"))
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(folder)
        for path in sorted(library.rglob("*")):
            inner = path.relative_to(library)
            if path.is_file() and not {*inner.parts} & {*LEFT_OUT} and not inner.parts[0].startswith("config-"):
                tar.add(path.resolve(), f"usr/lib/python{VERSION}/{inner}", recursive=False, filter=_whole)
    return out.getvalue()


def _whole(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Give whole seconds, as builders do: parts of them take a header more for each file."""
    info.mtime = int(info.mtime)
    return info


def environment(place: Path) -> bytes:
    """Return the archive of the virtual environment."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        _text(
            tar, "app/.venv/pyvenv.cfg", f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {VERSION}\n"
        )
        link = tarfile.TarInfo("app/.venv/bin/python")
        link.type, link.linkname = tarfile.SYMTYPE, f"/usr/bin/python{VERSION}"
        tar.addfile(link)
        for path in sorted(place.rglob("*")):
            tar.add(path, f"{VENV}/{path.relative_to(place)}", recursive=False, filter=_whole)
    return out.getvalue()


def _text(tar: tarfile.TarFile, name: str, text: str) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(text), 0o644
    tar.addfile(info, io.BytesIO(text.encode()))


def application() -> bytes:
    """Return the archive of the program."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        _text(tar, "app/main.py", MAIN)
    return out.getvalue()


def image(scratch: Path) -> tuple[Layout, int]:
    """Write the image; return it with the number of distributions in it."""
    paths = wheels(scratch)
    site = scratch / "site"
    unpack(paths, site)
    made = Layout(scratch / "environment")
    layers = [made.layer(archive) for archive in (system(site), environment(site), application())]
    made.image("one", layers, {"Entrypoint": ["/app/.venv/bin/python"], "Cmd": ["/app/main.py"], "WorkingDir": "/app"})
    return made, len(paths)


def report(program: str, scratch: Path, variables: dict[str, str]) -> str:
    """Measure and return the section of ``RESULTS.md``. ``program`` is the installed command."""
    made, count = image(scratch)
    variables = {**variables, "LUCID_AUDIT_CACHE": str(scratch / "environment-cache")}
    python, place = str(Path(program).parent / "python"), str(made.folder)
    reached = modules(program, place, variables)
    runs = [
        Run("the limit: read, hash, inflate, hash", (python, "-c", LIMIT, place)),
        Run("lucid-audit, nothing cached", (program, "image", place, "--no-cache")),
        Run("lucid-audit, layers cached", (program, "image", place)),
    ]
    once(runs[2], variables)  # fills the cache
    took = turns(runs, variables, ROUNDS)
    limit, cold, warm = took
    rows = (
        ("cold audit: times the limit", f"{cold.middle / limit.middle:.2f}", f"at most {COLD:.0f}", verdict(cold.middle / limit.middle, COLD)),
        ("layers cached: seconds in all", f"{warm.middle:.2f}", f"at most {WARM}", verdict(warm.middle, WARM)),
    )  # fmt: skip
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    times = "".join(
        f"| {run.name} | {one.shown()} | {one.peak:.0f} MiB |\n" for run, one in zip(runs, took, strict=True)
    )
    return f"""## An image with a virtual environment

| what | reached | target | |
|---|---|---|---|
{table}
| {count} distributions, {made.size / 1e6:.0f} MB packed, {reached} modules reached from the program, {ROUNDS} runs each in turns | wall clock, median (lowest to highest) | peak memory |
|---|---|---|
{times}
The image is this machine's Python {VERSION} with its standard library, the wheels that `bench/environment.txt` pins with their byte code, and a
program that imports {MAIN.count("import ")} of them. Every audit follows all imports and the libraries of all extension modules that are reached.
"""


def modules(program: str, place: str, variables: dict[str, str]) -> int:
    """Return how many modules the proof says are reached, and stop when it finds that the program does not start."""
    done = subprocess.run(
        [program, "image", place, "--why", "--no-cache"], capture_output=True, text=True, env=variables, check=False
    )
    found = re.search(r"imports reach (\d+) modules", done.stdout)
    if found is None or "✗" in done.stdout:
        sys.exit(f"the program in the environment does not start: {done.stdout[-2000:]}{done.stderr[-500:]}")
    return int(found[1])
