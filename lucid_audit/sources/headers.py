"""The members of a tar file, by their headers alone: name, place, size and link. Content is never looked at.

For archives that carry images, not for layers: owners, modes and times are of no use here. Sources: POSIX.1-2024
``pax`` (ustar and extended headers), GNU tar's manual for long names and numbers in base 256.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from lucid_audit.image.source import DamagedError

BLOCK = 512
MEMBER_LIMIT = 200_000  # members of an archive; one with a thousand images has fewer
EXTENDED_LIMIT = 1 << 20  # bytes of one extended header or long name
NAME_LIMIT = 4096  # characters of a name, as Linux has it (PATH_MAX)
NAMES_LIMIT = 64 << 20  # characters of all names and links, which are kept in memory

FILE, LINK, SYMLINK, OTHER = "file", "link", "symlink", "other"
_KINDS = {b"0": FILE, b"\0": FILE, b"7": FILE, b"1": LINK, b"2": SYMLINK, b"5": OTHER}
_KINDS |= {b"3": OTHER, b"4": OTHER, b"6": OTHER}
_LONG_NAME, _LONG_LINK, _EXTENDED, _GLOBAL = b"L", b"K", b"x", b"g"
_MEANINGFUL = ("path", "linkpath", "size")  # keywords that say which bytes are whose


class Member(NamedTuple):
    """One member. ``offset`` is where its content starts; ``link`` is the target as it is written."""

    name: str
    kind: str
    offset: int
    size: int
    link: str


class Blocks(Protocol):
    """Bytes that are read forward."""

    position: int

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes, fewer where the input ends."""

    def forward(self, position: int) -> None:
        """Go on to a later position; past the end is found out by the next ``take``."""


def walk(blocks: Blocks) -> Iterator[Member]:
    """Yield the members. Whoever takes one may read its content from ``blocks`` before going on.

    Raises:
        DamagedError: this is no tar file, it is cut off, or a header is not to be trusted.

    """
    extended: dict[str, str] = {}
    names = 0
    for _ in range(MEMBER_LIMIT):
        header = _exactly(blocks, BLOCK)
        if not any(header):
            return
        flag, stored = header[156:157], _checked_size(header)
        if flag in (_LONG_NAME, _LONG_LINK, _EXTENDED, _GLOBAL):
            _extend(extended, flag, _content(blocks, stored))
            continue
        member = _member(header, flag, stored, extended, blocks.position)
        extended = {}
        names += len(member.name) + len(member.link)
        if names > NAMES_LIMIT:
            raise DamagedError(f"the names in the tar file have more than {NAMES_LIMIT} characters")
        end = member.offset + member.size
        yield member
        blocks.forward(end + -end % BLOCK)
    raise DamagedError(f"the tar file has more than {MEMBER_LIMIT} members")


def normalise(name: str) -> str:
    """Return a name without ``.``, doubled or outer slashes, and with ``..`` resolved.

    Raises:
        DamagedError: it leads out of the archive, holds a NUL or is too long.

    """
    if "\0" in name or len(name) > NAME_LIMIT:
        raise DamagedError(f"the tar file has a member with the name {name[:80]!r}")
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            if not parts:
                raise DamagedError(f"{name[:80]!r} leads out of the tar file")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _exactly(blocks: Blocks, size: int) -> bytes:
    data = blocks.take(size)
    if len(data) != size:
        raise DamagedError(f"the tar file is cut off at byte {blocks.position}")
    return data


def _content(blocks: Blocks, size: int) -> bytes:
    if size > EXTENDED_LIMIT:
        raise DamagedError(f"an extended header of the tar file has {size} bytes, more than {EXTENDED_LIMIT}")
    return _exactly(blocks, size + -size % BLOCK)[:size]


def _checked_size(header: bytes) -> int:
    """Return the size in a header whose checksum is right; links and folders have none, whatever they say."""
    expected = _number(header[148:156])
    if expected != sum(header) - sum(header[148:156]) + 8 * 0x20:
        raise DamagedError("this is not a tar file, or a header of it is damaged")
    size = _number(header[124:136])
    return 0 if _KINDS.get(header[156:157], FILE) != FILE else size


def _number(field: bytes) -> int:
    """Read a number: octal digits, or base 256 where the first bit is set."""
    if field[0] & 0x80:
        if field[0] & 0x40:
            raise DamagedError("a header of the tar file has a negative number")
        return int.from_bytes(bytes([field[0] & 0x3F]) + field[1:], "big")
    digits = field.strip(b" \0")
    if not digits.isdigit() or b"8" in digits or b"9" in digits:
        if digits:
            raise DamagedError(f"a header of the tar file has the number {digits!r}")
        return 0
    return int(digits, 8)


def _extend(extended: dict[str, str], flag: bytes, content: bytes) -> None:
    """Add what an extended header says about the next member."""
    if flag in (_LONG_NAME, _LONG_LINK):
        keyword = "path" if flag == _LONG_NAME else "linkpath"
        extended[keyword] = content.rstrip(b"\0").decode("utf-8", "surrogateescape")
        return
    records = _records(content)
    if flag == _GLOBAL:
        # Tools disagree on whom a global header covers; one that renames or resizes has no innocent reason.
        if any(keyword in records for keyword in _MEANINGFUL):
            raise DamagedError("the tar file has a global header that renames or resizes its members")
        return
    if any(keyword.startswith("GNU.sparse.") for keyword in records):
        raise DamagedError("the tar file has a sparse member")
    extended.update((keyword, records[keyword]) for keyword in _MEANINGFUL if keyword in records)


def _records(content: bytes) -> dict[str, str]:
    """Read the records of an extended header: ``length keyword=value`` and a newline each."""
    found, position = {}, 0
    while position < len(content):
        space = content.find(b" ", position, position + 8)
        digits = content[position:space]
        length = int(digits) if space > 0 and digits.isdigit() else 0
        record = content[space + 1 : position + length]
        keyword, equals, value = record[:-1].partition(b"=")
        if not equals or not record.endswith(b"\n") or position + length > len(content):
            raise DamagedError("the tar file has an extended header that is not valid")
        found[keyword.decode("utf-8", "surrogateescape")] = value.decode("utf-8", "surrogateescape")
        position += length
    return found


def _member(header: bytes, flag: bytes, stored: int, extended: dict[str, str], offset: int) -> Member:
    """Put a member together; an extended header goes before the fields of the plain one."""
    kind = _KINDS.get(flag)
    if kind is None:
        raise DamagedError(f"the tar file has a member of the type {flag!r}")
    name = extended.get("path", "") or _name(header)
    link = extended.get("linkpath", "") or _text(header[157:257])
    if len(link) > NAME_LIMIT:
        raise DamagedError(f"the tar file has a link to {link[:80]!r}, of {len(link)} characters")
    size, said = stored, extended.get("size")
    if said is not None and kind == FILE:
        if not said.isascii() or not said.isdigit() or len(said) > 20:
            raise DamagedError(f"the tar file has a member of {said[:40]!r} bytes")
        size = int(said)
    return Member(normalise(name), kind, offset, size, link if kind in (LINK, SYMLINK) else "")


def _name(header: bytes) -> str:
    prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
    name = _text(header[:100])
    return f"{prefix}/{name}" if prefix else name


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")
