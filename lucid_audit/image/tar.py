"""A reader of tar streams: entries in their order, each with its body still to be read. Nothing is ever extracted.

Formats: POSIX.1-2017 ``pax`` (ustar and extended headers), and GNU tar's long names, base-256 numbers and sparse files
(GNU tar manual, "Basic Tar Format"). Where they leave a choice, Go's ``archive/tar`` is followed, because that is what
engines unpack layers with: links, directories and devices have no body whatever their size says, and an archive may
end without the two blocks of zeros. Python's own ``tarfile`` is not used: it takes a truncated archive for a short one,
and reads extended headers of any size into memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple
from zlib import adler32

from lucid_audit.image.blocks import Blocks
from lucid_audit.image.limits import DEFAULT, Limits
from lucid_audit.image.source import DamagedError

BLOCK = 512
_ZEROS = bytes(BLOCK)
_HEADER_ONLY = "hlcbdp"
# typeflag to kind: f file, h hard link, l symbolic link, c and b devices, d directory, p fifo
_KINDS = {48: "f", 0: "f", 55: "f", 83: "f", 49: "h", 50: "l", 51: "c", 52: "b", 53: "d", 54: "p"}
_SPARSE = 83
_XATTR = "SCHILY.xattr."
_XATTR_LIBARCHIVE = "LIBARCHIVE.xattr."
_MAX = 1 << 63  # sizes are int64 in every engine


class Member(NamedTuple):
    """One entry as the archive has it. ``name`` and ``link`` are not normalised; ``size`` is that of the file.

    ``stored`` is how many bytes of the archive its body takes: less than ``size`` for a sparse file. ``data`` says
    whether the body, read in order, is the file.
    """

    name: str
    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    link: str
    stored: int
    data: bool
    device: tuple[int, int]
    xattrs: dict[str, bytes]


class TarReader:
    """Iterates over the members of a tar stream. The body of each is in ``blocks`` until the next one is asked for."""

    def __init__(self, source: Iterator[bytes], limits: Limits = DEFAULT) -> None:
        self.blocks = Blocks(source)
        self.limits = limits
        self._global: dict[str, str] = {}
        self._count = 0

    def __iter__(self) -> Iterator[Member]:
        """Yield the members up to the end of the archive, and read on to the end of the stream.

        Raises:
            DamagedError: the archive is cut short, is no archive, or breaks a limit.

        """
        blocks = self.blocks
        while (header := self._header()) is not None:
            member = self._member(header)
            if member is None:
                continue
            self._count += 1
            if self._count > self.limits.entries:
                raise DamagedError(f"the layer has more than {self.limits.entries} entries")
            end = blocks.position + member.stored
            yield member
            left = end - blocks.position
            padding = -member.stored % BLOCK
            if left + padding and blocks.skip(left + padding) < left:
                raise DamagedError(f"the archive is cut short in {member.name!r}")
        self._drain()

    def _header(self) -> bytes | None:
        """Return the next header, or None at the end of the archive."""
        header = self.blocks.take(BLOCK)
        if not header:
            return None
        if len(header) < BLOCK:
            raise DamagedError("the archive is cut short in a header")
        if header == _ZEROS:
            following = self.blocks.take(BLOCK)
            if following.strip(b"\0"):
                raise DamagedError("the archive goes on after a block of zeros")
            return None
        field = header[148:156]
        said = _number(field, "checksum")
        if _sum(header) - sum(field) + 256 != said and _signed_sum(header) != said:
            raise DamagedError("a header of the archive has a wrong checksum")
        return header

    def _drain(self) -> None:
        for piece in self.blocks.rest():
            if piece.strip(b"\0"):
                raise DamagedError("there is data after the end of the archive")

    def _member(self, header: bytes) -> Member | None:
        """Read one member, its extended headers included; None for a global header that nothing follows."""
        pax: dict[str, str] = {}
        name = link = None
        flag = header[156]
        while flag in b"xgLK":
            body = self._extension(header)
            if flag == 120:
                pax.update(_pax(body))
            elif flag == 103:
                self._global.update(_pax(body))
            elif flag == 76:
                name = _text(body)
            else:
                link = _text(body)
            following = self._header()
            if following is None:
                if flag == 103:
                    return None
                raise DamagedError("the archive ends after an extended header")
            header = following
            flag = header[156]
        kind = _KINDS.get(flag)
        if kind is None:
            raise DamagedError(f"the archive has an entry of the unknown type {chr(flag)!r}")
        return self._plain(header, kind, {**self._global, **pax}, name, link)

    def _extension(self, header: bytes) -> bytes:
        size = _number(header[124:136], "size")
        if size > self.limits.pax:
            raise DamagedError(f"an extended header has {size} bytes, more than {self.limits.pax}")
        body = self.blocks.take(size)
        if len(body) < size or self.blocks.skip(-size % BLOCK) < -size % BLOCK:
            raise DamagedError("the archive is cut short in an extended header")
        return body

    def _plain(self, header: bytes, kind: str, pax: dict[str, str], name: str | None, link: str | None) -> Member:
        if name is None:
            name = _text(header[:100])
            if header[257:263] == b"ustar\0" and header[345]:
                name = f"{_text(header[345:500])}/{name}"
        if link is None:
            link = _text(header[157:257]) if header[157] else ""
        mode = _repeated(header[100:108], "mode") & 0o7777
        uid, gid = _repeated(header[108:116], "uid"), _repeated(header[116:124], "gid")
        size = _number(header[124:136], "size")
        xattrs: dict[str, bytes] = {}
        data = True
        if pax:
            name, link = pax.get("path", name), pax.get("linkpath", link)
            uid, gid, size = (
                _decimal(pax.get(key), value) for key, value in (("uid", uid), ("gid", gid), ("size", size))
            )
            xattrs = _xattrs(pax)
        if kind == "f" and name.endswith("/"):
            kind = "d"  # how archives before POSIX mark a directory
        stored = 0 if kind in _HEADER_ONLY else size
        if header[156] == _SPARSE:
            size, data = _number(header[483:495], "size"), False
            extended = header[482]
            while extended:
                more = self.blocks.take(BLOCK)
                if len(more) < BLOCK:
                    raise DamagedError("the archive is cut short in the map of a sparse file")
                extended = more[504]
        elif "GNU.sparse.major" in pax or "GNU.sparse.size" in pax or "GNU.sparse.realsize" in pax:
            name = pax.get("GNU.sparse.name", name)
            size, data = _decimal(pax.get("GNU.sparse.realsize", pax.get("GNU.sparse.size")), size), False
        if "\0" in name or "\0" in link:
            raise DamagedError("the archive has a name with a NUL byte")
        device = (_number(header[329:337], "device"), _number(header[337:345], "device")) if kind in "cb" else (0, 0)
        return Member(name, kind, mode, uid, gid, size if kind == "f" else 0, link, stored, data, device, xattrs)


def _number(field: bytes, what: str) -> int:
    """Read octal digits between blanks and NULs, or GNU's base-256; never negative, never above int64."""
    if field[0] & 0x80:
        if field[0] & 0x40:
            raise DamagedError(f"a header of the archive has a negative {what}")
        value = int.from_bytes(bytes((field[0] & 0x7F,)) + field[1:], "big")
    else:
        digits = field.split(b"\0", 1)[0].strip()
        if not digits:
            return 0
        try:
            value = int(digits, 8)
        except ValueError:
            raise DamagedError(f"a header of the archive has no number for its {what}") from None
        if value < 0:
            raise DamagedError(f"a header of the archive has a negative {what}")
    if value >= _MAX:
        raise DamagedError(f"a header of the archive has the {what} {value}")
    return value


_repeated = lru_cache(maxsize=256)(_number)  # modes and owners are few


def _decimal(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdigit()) or len(text) > 20 or int(text) >= _MAX:
        raise DamagedError(f"an extended header has the number {text[:40]!r}")
    return int(text)


def _sum(header: bytes) -> int:
    """Add the bytes of a header up, ten times as fast as ``sum``: the lower half of an Adler-32 is 1 more, of up to 256 bytes exactly."""
    return (adler32(header[:256]) & 0xFFFF) + (adler32(header[256:]) & 0xFFFF) - 2


def _signed_sum(header: bytes) -> int:
    """The checksum as some old programs made it, with signed bytes."""
    return sum(byte - 256 if byte > 127 else byte for byte in header[:148] + b" " * 8 + header[156:])


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _pax(body: bytes) -> dict[str, str]:
    """Read the records of an extended header: length, blank, key, equals sign, value, line feed."""
    found: dict[str, str] = {}
    at = 0
    while at < len(body) and body[at]:
        blank = body.find(b" ", at, at + 20)
        digits = body[at:blank] if blank > at else b""
        if not digits.isdigit():
            raise DamagedError("an extended header of the archive cannot be read")
        end = at + int(digits)
        if end > len(body) or end <= blank + 1 or body[end - 1] != 10:
            raise DamagedError("an extended header of the archive cannot be read")
        key, equals, value = body[blank + 1 : end - 1].partition(b"=")
        if not equals:
            raise DamagedError("an extended header of the archive cannot be read")
        found[key.decode("utf-8", "surrogateescape")] = value.decode("utf-8", "surrogateescape")
        at = end
    return found


def _xattrs(pax: dict[str, str]) -> dict[str, bytes]:
    """Return extended attributes by name; libarchive writes them in base64 and percent-encodes names."""
    found = {}
    for key, value in pax.items():
        if key.startswith(_XATTR):
            found[key.removeprefix(_XATTR)] = value.encode("utf-8", "surrogateescape")
        elif key.startswith(_XATTR_LIBARCHIVE):
            from base64 import b64decode  # noqa: PLC0415  (few archives have them)
            from urllib.parse import unquote  # noqa: PLC0415

            try:
                decoded = b64decode(value + "=" * (-len(value) % 4))
            except ValueError:
                raise DamagedError("an extended attribute of the archive cannot be read") from None
            found.setdefault(unquote(key.removeprefix(_XATTR_LIBARCHIVE)), decoded)
    return found
