"""Small ELF files for tests: a header, program headers, and a dynamic section with what it points to."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

MACHINES = {"386": 3, "arm": 40, "amd64": 62, "arm64": 183, "riscv64": 243, "s390x": 22}
NARROW, BIG = ("386", "arm"), ("s390x",)
BASE = 0x400000  # the address of the file's first byte in memory


def elf(
    architecture: str,
    contains: Sequence[str] = (),
    interpreter: str = "",
    *,
    needed: Sequence[str] = (),
    soname: str = "",
    rpath: str = "",
    runpath: str = "",
    wants: Mapping[str, Sequence[str]] | None = None,
    weak: Mapping[str, Sequence[str]] | None = None,
    gives: Sequence[str] = (),
    default: bool = True,
    gap: int = 0,
    code: bool = False,
) -> bytes:
    """Return a program, or a library when it has a soname. ``gap`` bytes lie before the dynamic section.

    ``code``: the segment that is loaded may be executed.
    """
    order, wide = ">" if architecture in BIG else "<", architecture not in NARROW
    dynamic = bool(needed or soname or rpath or runpath or wants or weak or gives)
    name = interpreter.encode() + b"\0" if interpreter else b""
    headers = (1 if name else 0) + (2 if dynamic else 0)
    body = _Body(order, wide, (64 + 56 * headers) if wide else (52 + 32 * headers))
    interp = body.place(name)
    segments = [(3, interp, len(name))] if name else []
    if dynamic:
        tags = [(1, body.text(one)) for one in needed]
        tags += [(14, body.text(soname))] if soname else []
        tags += [(15, body.text(rpath))] if rpath else []
        tags += [(29, body.text(runpath))] if runpath else []
        tags += [] if default else [(0x6FFFFFFB, 0x800)]
        tags += body.wants(wants or {}, weak or {}) + body.gives(gives)
        start = body.place(body.strings)
        tags += [(5, BASE + start), (10, len(body.strings)), (0, 0)]
        body.place(bytes(gap))
        section = b"".join(struct.pack(order + ("QQ" if wide else "II"), *tag) for tag in tags)
        segments.append((2, body.place(section), len(section)))
    body.place(b"\0".join(word.encode() for word in contains))
    if dynamic:
        segments.append((1, 0, body.end))
    return _head(architecture, order, wide, segments, (3 if soname else 2, 5 if code else 4)) + body.data


def sketched(spec: Mapping[str, Any]) -> bytes:
    """Return the file that a sketch describes: ``{elf: arm64, needed: [libx.so.1]}``, with other keys of its own."""
    keys = ("contains", "interpreter", "needed", "soname", "rpath", "runpath", "wants", "weak", "gives")
    return elf(spec["elf"], **{key: spec[key] for key in keys if key in spec})


class _Body:
    """What follows the headers, filled from the front."""

    def __init__(self, order: str, wide: bool, start: int) -> None:
        self.order, self.wide, self.start = order, wide, start
        self.data, self.strings = b"", b"\0"

    @property
    def end(self) -> int:
        return self.start + len(self.data)

    def place(self, data: bytes) -> int:
        self.data += bytes(-self.end % 8)
        at = self.end
        self.data += data
        return at

    def text(self, word: str) -> int:
        at = len(self.strings)
        self.strings += word.encode() + b"\0"
        return at

    def wants(self, wants: Mapping[str, Sequence[str]], weak: Mapping[str, Sequence[str]]) -> list[tuple[int, int]]:
        libraries = {**dict.fromkeys(wants), **dict.fromkeys(weak)}
        records = b""
        for number, library in enumerate(libraries):
            versions = [(one, 0) for one in wants.get(library, ())] + [(one, 2) for one in weak.get(library, ())]
            size = 16 * (1 + len(versions))
            last = number == len(libraries) - 1
            head = struct.pack(self.order + "HHIII", 1, len(versions), self.text(library), 16, 0 if last else size)
            records += head
            for at, (one, flags) in enumerate(versions):
                step = 0 if at == len(versions) - 1 else 16
                records += struct.pack(self.order + "IHHII", 0, flags, at + 2, self.text(one), step)
        return [(0x6FFFFFFE, BASE + self.place(records)), (0x6FFFFFFF, len(libraries))] if libraries else []

    def gives(self, gives: Sequence[str]) -> list[tuple[int, int]]:
        records = b""
        for number, version in enumerate(gives):
            step = 0 if number == len(gives) - 1 else 28
            records += struct.pack(self.order + "HHHHIII", 1, 0, number + 1, 1, 0, 20, step)
            records += struct.pack(self.order + "II", self.text(version), 0)
        return [(0x6FFFFFFC, BASE + self.place(records)), (0x6FFFFFFD, len(gives))] if gives else []


def _head(
    architecture: str, order: str, wide: bool, segments: list[tuple[int, int, int]], kind: tuple[int, int]
) -> bytes:
    ident = b"\x7fELF" + bytes((2 if wide else 1, 2 if order == ">" else 1, 1)) + bytes(9)
    layout = order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH")
    sizes = (64, 56) if wide else (52, 32)
    type_, flags = kind
    head = ident + struct.pack(
        layout, type_, MACHINES[architecture], 1, 0, sizes[0], 0, 0, *sizes, len(segments), 0, 0, 0
    )
    for part, at, size in segments:
        if wide:
            head += struct.pack(order + "IIQQQQQQ", part, flags, at, BASE + at, BASE + at, size, size, 8)
        else:
            head += struct.pack(order + "IIIIIIII", part, at, BASE + at, BASE + at, size, size, flags, 8)
    return head
