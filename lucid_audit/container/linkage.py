"""What a program or library wants from the dynamic linker, and what it offers: the dynamic section of an ELF file.

Sources: System V ABI, chapter 5 ("Dynamic Section"), its GNU additions as the Linux Standard Base has them (chapter
"Symbol Versioning"). Everything is found by program headers, as the linker does it: section headers may be stripped.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Read = Callable[
    [int, int], bytes | None
]  # the bytes at a file offset, as many as asked for; None when they were not kept

LIMIT = 64 << 20  # bytes of a file that is read whole

_PT_LOAD, _PT_DYNAMIC, _PF_X = 1, 2, 1
_NEEDED, _STRTAB, _STRSZ, _SONAME, _RPATH, _RUNPATH = 1, 5, 10, 14, 15, 29
_FLAGS_1, _VERDEF, _VERDEFNUM, _VERNEED, _VERNEEDNUM = 0x6FFFFFFB, 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
_NODEFLIB = 0x800  # DF_1_NODEFLIB: neither the cache nor the default folders
_WEAK = 0x2  # VER_FLG_WEAK: a version that may be missing
_TAGS_LIMIT = 4096  # entries of a dynamic section; linkers write about thirty
_VERSIONS_LIMIT = 65536  # of one file: their numbers have 16 bits
_NAME_LIMIT = 4096  # bytes of a name (PATH_MAX)


class Linkage(NamedTuple):
    """The dynamic section of one file. A program without one is static and has an empty linkage.

    ``needed`` are the DT_NEEDED names in order, ``rpath`` and ``runpath`` colon-separated folders as they stand.
    ``wants`` has (library, versions) that must be defined there, weak ones left out; ``gives`` the versions defined here.
    ``default``: False when the file forbids the cache and the default folders.
    """

    needed: tuple[str, ...] = ()
    soname: str = ""
    rpath: str = ""
    runpath: str = ""
    wants: tuple[tuple[str, tuple[str, ...]], ...] = ()
    gives: tuple[str, ...] = ()
    default: bool = True


def slices(content: bytes) -> Read:
    """Return a reader of a whole file, or of its beginning."""
    return lambda at, size: content[at : at + size] if at + size <= len(content) else None


def segments(head: bytes) -> list[tuple[int, int, bool]]:
    """Return file offset, end and whether it holds code of each segment that is loaded, as a file's first bytes tell."""
    elf = _Elf.of(slices(head))
    found = [(start, start + length, code) for _, start, length, code in elf.loads] if elf is not None else []
    inside = elf.dynamic if elf is not None else None
    return [*found, (inside[0], sum(inside), False)] if inside is not None else found


def revive(raw: list[Any] | None) -> Linkage | None:
    """Return a linkage that went through JSON."""
    if raw is None:
        return None
    needed, soname, rpath, runpath, wants, gives, default = raw
    pairs = tuple([(library, tuple(versions)) for library, versions in wants])
    return Linkage(tuple(needed), soname, rpath, runpath, pairs, tuple(gives), default)


def read_linkage(read: Read) -> Linkage | None:
    """Return the linkage of an ELF file; None when it is damaged or what it needs was not kept. Never raises."""
    elf = _Elf.of(read)
    if elf is None:
        return None
    if elf.dynamic is None:
        return Linkage()
    tags = elf.tags()
    if tags is None:
        return None
    try:
        return _read(elf, tags)
    except (_Lost, struct.error):
        return None


class _Lost(Exception):  # noqa: N818  (no error: bytes that are not at hand)
    pass


def _read(elf: _Elf, tags: list[tuple[int, int]]) -> Linkage:
    one = dict(reversed(tags))  # the first of a kind counts
    strings = _Strings(elf, one.get(_STRTAB, 0), one.get(_STRSZ, 0))
    needed = tuple(strings.at(value) for tag, value in tags if tag == _NEEDED)
    runpath = strings.at(one[_RUNPATH]) if _RUNPATH in one else ""
    return Linkage(
        needed,
        strings.at(one[_SONAME]) if _SONAME in one else "",
        strings.at(one[_RPATH]) if _RPATH in one and _RUNPATH not in one else "",  # ld.so(8): ignored beside RUNPATH
        runpath,
        _wants(elf, strings, one[_VERNEED], one.get(_VERNEEDNUM, 0)) if _VERNEED in one else (),
        _gives(elf, strings, one[_VERDEF], one.get(_VERDEFNUM, 0)) if _VERDEF in one else (),
        not one.get(_FLAGS_1, 0) & _NODEFLIB,
    )


class _Strings:
    """The string table: names by their offset."""

    def __init__(self, elf: _Elf, address: int, size: int) -> None:
        self._elf, self._address, self._size = elf, address, size

    def at(self, offset: int) -> str:
        size = min(_NAME_LIMIT, self._size - offset)
        if offset < 0 or size <= 0:
            raise _Lost
        name, end, _ = self._elf.bytes(self._address + offset, size).partition(b"\0")
        if not end:
            raise _Lost
        return name.decode("utf-8", "surrogateescape")


def _wants(elf: _Elf, strings: _Strings, address: int, count: int) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Read DT_VERNEED: for each library a chain of versions. The layout is the same in both classes."""
    wants: list[tuple[str, tuple[str, ...]]] = []
    left = _VERSIONS_LIMIT
    for _ in range(min(count, _VERSIONS_LIMIT)):
        _version, versions, file, first, following = elf.unpack("HHIII", address)
        names, at = [], address + first
        for _ in range(versions):
            left -= 1
            if left < 0:
                raise _Lost
            _hash, flags, _other, name, step = elf.unpack("IHHII", at)
            if not flags & _WEAK:
                names.append(strings.at(name))
            at += step
        wants.append((strings.at(file), tuple(names)))
        if not following:
            break
        address = address + following
    return tuple(wants)


def _gives(elf: _Elf, strings: _Strings, address: int, count: int) -> tuple[str, ...]:
    """Read DT_VERDEF: the first name of each definition is the version, the others are what it goes back to."""
    gives: list[str] = []
    for _ in range(min(count, _VERSIONS_LIMIT)):
        _version, _flags, _index, _names, _hash, first, following = elf.unpack("HHHHIII", address)
        (name,) = elf.unpack("I", address + first)
        gives.append(strings.at(name))
        if not following:
            break
        address = address + following
    return tuple(gives)


class _Elf:
    """The parts of an ELF file that say where the rest is."""

    def __init__(self, read: Read, order: str, wide: bool) -> None:
        self.read, self.order, self.wide = read, order, wide
        self.loads: list[
            tuple[int, int, int, bool]
        ] = []  # address, file offset, length and code of each loaded segment
        self.dynamic: tuple[int, int] | None = None  # file offset and length

    @classmethod
    def of(cls, read: Read) -> _Elf | None:
        """Read the program headers; None when this is no whole ELF header."""
        ident = read(0, 16)
        if ident is None or not ident.startswith(b"\x7fELF") or ident[4] not in (1, 2) or ident[5] not in (1, 2):
            return None
        elf = cls(read, "<" if ident[5] == 1 else ">", ident[4] == 2)
        offset, size, count = (32, 54, 56) if elf.wide else (28, 42, 44)
        place, sizes = read(offset, 8 if elf.wide else 4), read(size, 4)
        if place is None or sizes is None:
            return None
        (start,) = struct.unpack(elf.order + ("Q" if elf.wide else "I"), place)
        size, count = struct.unpack(elf.order + "HH", sizes)
        if size < (56 if elf.wide else 32):
            return elf if not count else None
        for number in range(count):
            header = read(start + number * size, 56 if elf.wide else 32)
            if header is None:
                return None
            elf._segment(header)
        return elf

    def _segment(self, header: bytes) -> None:
        if self.wide:
            kind, flags, start, address, _p, length = struct.unpack_from(self.order + "IIQQQQ", header)
        else:
            kind, start, address, _p, length, _m, flags = struct.unpack_from(self.order + "IIIIIII", header)
        if kind == _PT_LOAD:
            self.loads.append((address, start, length, bool(flags & _PF_X)))
        elif kind == _PT_DYNAMIC:
            self.dynamic = start, length

    def tags(self) -> list[tuple[int, int]] | None:
        """Return the entries of the dynamic section up to DT_NULL, None when they were not kept."""
        start, length = self.dynamic or (0, 0)
        size = 16 if self.wide else 8
        data = self.read(start, min(length // size, _TAGS_LIMIT) * size)
        if data is None:
            return None
        tags = []
        for tag, value in struct.iter_unpack(self.order + ("QQ" if self.wide else "II"), data):
            if tag == 0:
                break
            tags.append((tag, value))
        return tags

    def bytes(self, address: int, size: int) -> bytes:
        """Return up to ``size`` bytes at an address of memory, fewer at the end of its segment."""
        for base, start, length, _ in self.loads:
            if base <= address < base + length:
                data = self.read(start + address - base, min(size, base + length - address))
                if data is not None:
                    return data
        raise _Lost

    def unpack(self, layout: str, address: int) -> tuple[int, ...]:
        """Return the numbers at an address; raises _Lost, or struct.error where the segment ends."""
        layout = self.order + layout
        return struct.unpack(layout, self.bytes(address, struct.calcsize(layout)))
