"""Debian source packages: fetched with apt into the cache; their archives are read, never unpacked."""

from __future__ import annotations

import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import cache, debs

LIMIT = 1 << 20  # bytes of one file


def archives(package: str) -> list[Path]:
    """Return the upstream archives of a source package."""
    place = cache.folder("sources", debs.machine(), package)
    if not list(place.glob("*.orig*.tar.*")):
        with cache.alone("sources", package):
            _download(package, place)
    return sorted(place.glob("*.orig*.tar.*"))


def _download(package: str, place: Path) -> None:
    mirror = _mirror()
    home = cache.folder("apt", debs.machine(), "source")
    for part in ("lists/partial", "archives/partial"):
        (home / part).mkdir(parents=True, exist_ok=True)
    (home / "sources.list").write_text(f"deb-src {mirror} {debs.machine()} main\n")
    options = {
        "Dir::Etc::SourceList": f"{home}/sources.list",
        "Dir::Etc::SourceParts": "-",
        "Dir::State::Lists": f"{home}/lists",
        "Dir::Cache": str(home),
        "APT::Sandbox::User": "root",
    }
    settings = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    for words in (["update"], ["source", "--download-only", package]):
        done = subprocess.run(
            ["apt-get", "-q", *settings, *words], cwd=place, capture_output=True, check=False, timeout=300
        )
    if done.returncode != 0:
        pytest.skip(f"cannot download the source of {package}: {done.stderr.decode()[-300:]}")


def _mirror() -> str:
    """Return the address of Debian that this machine's apt uses."""
    for file in sorted(Path("/etc/apt").glob("sources.list*")) + sorted(Path("/etc/apt").glob("sources.list.d/*")):
        text = file.read_text() if file.is_file() else ""
        match = re.search(r"^URIs: *(\S+/debian)/?$", text, re.MULTILINE) or re.search(
            rf"^deb (?:\[[^]]*\] )?(\S+/debian)/? {debs.machine()} ", text, re.MULTILINE
        )
        if match is not None:
            return match[1]
    pytest.skip("this machine's apt knows no mirror of Debian")


def texts(package: str, pattern: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a source package whose name matches."""
    for archive in archives(package):
        with tarfile.open(archive) as opened:
            for member in opened:
                name = member.name.rpartition("/")[2]
                if member.isreg() and member.size <= LIMIT and re.fullmatch(pattern, name):
                    stream = opened.extractfile(member)
                    if stream is not None:
                        yield member.name, stream.read()
