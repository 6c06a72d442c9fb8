"""Native libraries inside a jar: for which machines it brings them, in itself or in jars within it.

A library such as a driver of a database ships one shared object per platform inside its jar and unpacks the one that it needs. Only
ELF files count; those whose path names another system than Linux do not.
"""

from __future__ import annotations

import io
import zipfile

from lucid_audit.container.jar import BROKEN
from lucid_audit.container.program import read_program
from lucid_audit.regex import regex

FILES = 2000  # entries of an archive whose beginning is read
NESTED = 128 << 20  # bytes of archives within an archive that are read, all in all
_ONE = 32 << 20  # bytes of one of them
_HEAD = 64  # bytes of an ELF file: its header
_LIBRARY = regex(r".*\.(?:so(?:\.[\d.]+)?|jnilib|node)")
_OTHER = regex(
    r".*(?<![a-z])(?:android|freebsd|openbsd|netbsd|dragonfly|sunos|solaris|illumos|aix|hpux|mac(?:os)?x?|darwin|osx|win(?:dows)?)(?![a-z]).*"
)

# Of each archive: its name within the file, "" for itself; a first library; the machines, sorted.
Natives = list[list[str]]


def natives(data: bytes) -> Natives:
    """Return what native libraries an archive has; nothing where it has none, or cannot be read. Never raises."""
    found: Natives = []
    if b"PK\x05\x06" in data:
        _look(data, "", found)
    return found


def _look(data: bytes, name: str, found: Natives) -> None:
    machines: dict[str, str] = {}
    left, nested = FILES, NESTED
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                inside = info.filename
                if not name and inside.endswith(".jar") and info.file_size <= min(_ONE, nested):
                    nested -= info.file_size
                    with archive.open(info) as file:
                        _look(file.read(_ONE), inside, found)
                elif left and _LIBRARY.fullmatch(inside) and _OTHER.match(inside.lower()) is None:
                    left -= 1
                    with archive.open(info) as file:
                        program = read_program(file.read(_HEAD))
                    if program is not None and program.type == "shared":
                        machines.setdefault(program.architecture, inside)
    except BROKEN:
        return  # what was found so far is true, but not all
    if machines:
        found.append([name, min(machines.values()), *sorted(machines)])
