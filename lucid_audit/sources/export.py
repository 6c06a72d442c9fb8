"""An engine's export of one image as a stream: which member is which blob, told before its content comes.

Nothing is written to disk, except a layer that cannot be told by its name or by what comes before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lucid_audit.image.descriptor import hasher
from lucid_audit.image.source import DamagedError
from lucid_audit.sources.archive import CONFIG_LIMIT
from lucid_audit.sources.files import read_span
from lucid_audit.sources.headers import FILE, Member, walk
from lucid_audit.sources.legacy import identify
from lucid_audit.sources.members import AT_MOST, spool

# ``<digest>.json`` is a configuration everywhere; ``<digest>.tar`` Podman's layers; ``blobs/`` Docker 25 and newer.
_NAMED = re.compile(r"([0-9a-f]{64})\.(?:json|tar)|blobs/sha256/([0-9a-f]{64})")
_IN_FOLDER = re.compile(r"([0-9a-f]{64})/(json|layer\.tar)")


class Part(NamedTuple):
    """One blob of an export. Its pieces have to be taken before the next part."""

    digest: str
    size: int
    pieces: Iterator[bytes]


class Piped:
    """The blocks of a tar file that comes in pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.position = 0
        self._pieces = pieces
        self._held = b""

    def take(self, size: int) -> bytes:
        """Return the next bytes, fewer where the stream ends."""
        return b"".join(self._next(size))

    def forward(self, position: int) -> None:
        """Drop what comes before a position."""
        for _ in self._next(position - self.position):
            pass

    def span(self, member: Member) -> Iterator[bytes]:
        """Yield the content of the member that was reached.

        Raises:
            DamagedError: the stream ends in it.

        """
        if self.position != member.offset:
            raise DamagedError(f"{member.name} was asked for when the export had gone on")
        yield from self._next(member.size)
        if self.position != member.offset + member.size:
            raise DamagedError(f"the export is cut off in {member.name}")

    def _next(self, size: int) -> Iterator[bytes]:
        while size > 0:
            piece = self._held or next(self._pieces, b"")
            if not piece:
                return
            piece, self._held = piece[:size], piece[size:]
            size -= len(piece)
            self.position += len(piece)
            yield piece


def parts(stream: Iterator[bytes], diff_ids: Sequence[str]) -> Iterator[Part]:
    """Yield the blobs of an export in its order, each under the digest that it should have.

    Raises:
        SourceError: the export is cut off or is no tar file.

    """
    blocks = Piped(stream)
    folder, document = "", b""
    for member in walk(blocks):
        if member.kind != FILE:
            continue  # a link: the layer it leads to comes under its own name
        if named := _NAMED.fullmatch(member.name):
            yield Part(f"sha256:{named[1] or named[2]}", member.size, blocks.span(member))
        elif inside := _IN_FOLDER.fullmatch(member.name):
            if inside[2] == "json":
                folder = inside[1]
                document = b"".join(blocks.span(member)) if member.size <= CONFIG_LIMIT else b""
                continue
            digest = identify(inside[1], document, diff_ids) if folder == inside[1] else ""
            yield Part(digest, member.size, blocks.span(member)) if digest else _spooled(blocks, member)


def _spooled(blocks: Piped, member: Member) -> Part:
    """Return a layer that only its content names."""
    running = hasher("sha256:")

    def hashed() -> Iterator[bytes]:
        for piece in blocks.span(member):
            running.update(piece)
            yield piece

    file = spool(hashed(), AT_MOST, member.name)

    def again() -> Iterator[bytes]:
        with file:
            yield from read_span(file, 0, member.size, member.name)

    return Part(f"sha256:{running.hexdigest()}", member.size, again())
