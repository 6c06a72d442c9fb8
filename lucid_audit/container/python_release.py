"""The release of an interpreter, as far as it is known: ``sys.version_info`` decides which branch of a source runs.

A service that was tried on 3.11.7 in the builder may take another branch on Debian 12's 3.11.2, and need another package.
Debian stays with the release that a suite came out with, so its catalogue entry has all three numbers.

Facts: deb-control(5) (``Package:``, ``Version:``), distroless' PACKAGE_METADATA (``/var/lib/dpkg/status.d``).
"""

from __future__ import annotations

import re

from lucid_audit.container.config import Container
from lucid_audit.regex import regex

Release = tuple[int, ...]  # (3, 11, 2), (3, 11), or () where nothing is known

_DEBIAN = "/usr/bin/python"  # where its packages put interpreters
_VERSION = regex(rb"^Version:[ \t]*(?:\d+:)?(\d+\.\d+\.\d+)", re.MULTILINE)


def release_of(container: Container, real: str, version: str) -> Release:
    """Return the release of the interpreter at ``real``, a path without links, whose language ``version`` is ``3.11``."""
    told = _recorded(container, version) if real == f"{_DEBIAN}{version}" else ""
    if not told:
        interpreter = container.base.interpreter if container.base is not None else None
        told = (interpreter.release or "") if interpreter is not None and interpreter.path == real else ""
    full = numbers(told)
    return full if full[:2] == numbers(version) else numbers(version)


def numbers(version: str) -> Release:
    """Return the numbers of a version, () when it has anything else."""
    parts = version.split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()


def _recorded(container: Container, version: str) -> str:
    """Return the upstream version of Debian's package of an interpreter, "" when no record says."""
    package = f"python{version}-minimal"
    record = container.files.read(f"/var/lib/dpkg/status.d/{package}")
    if not isinstance(record, bytes):
        status = container.files.read("/var/lib/dpkg/status")
        if not isinstance(status, bytes):
            return ""
        record = (b"\n" + status).partition(f"\nPackage: {package}\n".encode())[2].partition(b"\n\n")[0]
    found = _VERSION.search(record)
    return found[1].decode() if found is not None else ""
