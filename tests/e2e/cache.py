"""What the end-to-end tests make once and keep between runs: Debian packages, layers. Outside the repository."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path


def folder(*parts: str) -> Path:
    """Return a folder of the cache; it exists."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    path = Path(home, "lucid-audit-tests", *parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def key(*parts: str | bytes) -> str:
    """Return a name for something made of these parts and of nothing else."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:40]


@cache
def makers() -> str:
    """A digest of the modules of this package that make bytes: when they change, what they made is made again."""
    here = Path(__file__).parent
    return key(*(f.read_bytes() for f in sorted(here.glob("*.py")) if f.stem in {"tars", "debs"}))


@contextmanager
def alone(kind: str, name: str) -> Iterator[None]:
    """One process at a time does this."""
    with (folder(kind) / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def kept(kind: str, name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder ``kind/name``; ``make`` fills it, once for all processes, and it appears only when complete."""
    place = folder(kind) / name
    if place.exists():
        return place
    with alone(kind, name):
        if not place.exists():
            new = place.with_name(f"{name}.new")
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir()
            make(new)
            new.rename(place)
    return place
