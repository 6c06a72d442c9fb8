"""Debian packages of two architectures: fetched with apt into the cache, read without installing them.

The package lists have a folder of their own, so the machine's apt and dpkg stay as they are.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache as once
from functools import wraps
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar
from urllib.parse import unquote

import pytest

from tests.e2e import cache
from tests.e2e.tars import Layer, Member, directory, file, layer, pack

Parameters = ParamSpec("Parameters")
Made = TypeVar("Made")


class Deb(NamedTuple):
    package: str
    version: str
    architecture: str  # the one asked for; the package itself may be for all
    path: Path


@once
def machine() -> str:
    """The Debian release of this machine: bookworm, trixie; empty when it is not Debian."""
    words = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return words.get("VERSION_CODENAME", "").strip('"') if words.get("ID") == "debian" else ""


_chosen: list[str] = []  # the innermost last


def codename() -> str:
    """The Debian release to make images of: this machine's, unless a test or the environment names another."""
    return _chosen[-1] if _chosen else os.environ.get("LUCID_AUDIT_E2E_DEBIAN") or machine()


@contextmanager
def of_release(name: str) -> Iterator[None]:
    """Make images of this Debian release meanwhile."""
    _chosen.append(name)
    try:
        yield
    finally:
        _chosen.pop()


def per_release(make: Callable[Parameters, Made]) -> Callable[Parameters, Made]:
    """Keep what a function returns, for each Debian release of its own."""

    @once
    def kept(_: str, *arguments: Parameters.args, **named: Parameters.kwargs) -> Made:
        return make(*arguments, **named)

    @wraps(make)
    def of_now(*arguments: Parameters.args, **named: Parameters.kwargs) -> Made:
        return kept(codename(), *arguments, **named)  # type: ignore[arg-type]  # they are strings

    return of_now


def _sources(home: Path) -> dict[str, str]:
    """Apt's settings that make it read this machine's sources for another release."""
    if codename() == machine():
        return {}
    parts = home / "sources"
    parts.mkdir(exist_ok=True)
    for source in Path("/etc/apt").glob("sources.list*/*.sources"):
        text = source.read_text()
        if machine() + "-security" in text or f"{machine()}-updates" in text:  # Debian's own, not a third party's
            (parts / source.name).write_text(text.replace(machine(), codename()))
    return {"Dir::Etc::SourceList": "/dev/null", "Dir::Etc::SourceParts": str(parts)}


def _apt(architecture: str, *words: str, where: Path) -> subprocess.CompletedProcess[str]:
    home = cache.folder("apt", codename(), architecture)
    for part in ("lists/partial", "archives/partial"):
        (home / part).mkdir(parents=True, exist_ok=True)
    options = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Sandbox::User": "root",
        "Dir::State::Lists": f"{home}/lists",
        "Dir::State::Status": "/dev/null",
        "Dir::Cache": str(home),
        "Acquire::Languages": "none",
        **_sources(home),
    }
    settings = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    return subprocess.run(
        ["apt-get", "-q", *settings, *words], cwd=where, capture_output=True, text=True, check=False, timeout=300
    )


def fetch(packages: Sequence[str], architecture: str) -> list[Deb]:
    """Return the packages in the order asked for; those that are not in the cache are downloaded."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None or not codename():
        pytest.skip("needs apt-get and dpkg-deb on Debian")
    place = cache.folder("debs", codename(), architecture)
    if not all(_found(place, name) for name in packages):
        with cache.alone("debs", f"{codename()}-{architecture}"):
            _download([name for name in packages if not _found(place, name)], architecture, place)
    return [_deb(place, name, architecture) for name in packages]


def _download(names: Sequence[str], architecture: str, place: Path) -> None:
    if not names:
        return
    with tempfile.TemporaryDirectory(dir=place) as part:  # a download that was cut short must not stay
        result = _apt(architecture, "download", *names, where=Path(part))
        if result.returncode != 0:  # no lists yet, or old ones
            _apt(architecture, "update", where=Path(part))
            result = _apt(architecture, "download", *names, where=Path(part))
        if result.returncode != 0:
            pytest.skip(f"cannot download packages for {architecture}: {result.stderr.strip()[-300:]}")
        for path in Path(part).glob("*.deb"):
            path.rename(place / path.name)


def closure(packages: Sequence[str], architecture: str) -> list[str]:
    """Return the names of packages with everything that they depend on, as apt would install them on an empty system."""
    with tempfile.TemporaryDirectory() as part:
        words = ("install", "--simulate", "--no-install-recommends", *packages)
        result = _apt(architecture, *words, where=Path(part))
        if result.returncode != 0:
            _apt(architecture, "update", where=Path(part))
            result = _apt(architecture, *words, where=Path(part))
    if result.returncode != 0:
        pytest.skip(f"cannot resolve packages for {architecture}: {result.stderr.strip()[-300:]}")
    return [line.split()[1].partition(":")[0] for line in result.stdout.splitlines() if line.startswith("Inst ")]


def _found(place: Path, name: str) -> list[Path]:
    return sorted(place.glob(f"{name}_*.deb"))


def _deb(place: Path, name: str, architecture: str) -> Deb:
    path = _found(place, name)[-1]
    return Deb(name, unquote(path.stem.split("_")[1]), architecture, path)


def members(deb: Deb) -> Iterator[Member]:
    """Yield what the package would install."""
    data = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(deb.path)], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for info in archive:
            stream = archive.extractfile(info) if info.isreg() else None
            yield info, stream.read() if stream is not None else b""


def control(deb: Deb) -> dict[str, bytes]:
    """Return the package's control files: control, md5sums, conffiles and its scripts."""
    data = subprocess.run(["dpkg-deb", "--ctrl-tarfile", str(deb.path)], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        streams = ((info.name.removeprefix("./"), archive.extractfile(info)) for info in archive if info.isreg())
        return {name: stream.read() for name, stream in streams if stream is not None}


def content(package: str, architecture: str, path: str) -> bytes:
    """Return one file of a package; releases differ in whether /bin and /lib are below /usr."""
    (deb,) = fetch([package], architecture)
    wanted = path.strip("/").removeprefix("usr/")
    for info, data in members(deb):
        if info.isreg() and info.name.removeprefix("./").removeprefix("usr/") == wanted:
            return data
    raise FileNotFoundError(f"{package} has no {path}")


def deb_layer(deb: Deb, created_by: str) -> Layer:
    """Return the layer of one package: its files and its entry under var/lib/dpkg/status.d."""
    name = cache.key(deb.path.read_bytes(), cache.makers())

    def make(place: Path) -> None:
        made = layer(_archive(deb))
        (place / "layer").write_text(json.dumps({**made._asdict(), "blob": str(made.blob)}))

    kept = json.loads((cache.kept("deb-layers", name, make) / "layer").read_text())
    return Layer(**{**kept, "blob": Path(kept["blob"]), "created_by": created_by})


def _archive(deb: Deb) -> bytes:
    own = list(members(deb))
    present = {info.name.rstrip("/") for info, _ in own}
    return pack([*own, *(one for one in status(deb) if one[0].name not in present)])


def status(deb: Deb) -> list[Member]:
    """Return the package's entry in the list of what is installed, with the folders above it."""
    about = control(deb)
    place = "./var/lib/dpkg/status.d"
    found = [directory("./var/lib/dpkg"), directory(place), file(f"{place}/{deb.package}", about["control"])]
    if "md5sums" in about:
        found.append(file(f"{place}/{deb.package}.md5sums", about["md5sums"]))
    return found
