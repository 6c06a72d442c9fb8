"""Random access to the members of a tar file, without extracting it.

One pass over the headers makes an index; content is read where it lies. A compressed tar file has no places to go to,
so it is unpacked into a temporary file that has no name, as far as a limit allows.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from lucid_audit.image.source import CHUNK, DamagedError, NotFoundError, UnavailableError
from lucid_audit.sources.files import explain, open_regular, read_span
from lucid_audit.sources.headers import BLOCK, FILE, SYMLINK, Member, normalise, walk

HOPS = 16  # links in a row
GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
_OTHERS = {ZSTD: "zstd", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz"}
RATIO = 100  # a compressed tar file may unpack to this many times its size, or to 1 GiB where that is more
ALWAYS = 1 << 30
AT_MOST = 64 << 30


class _Seekable:
    """The blocks of a file in which one can go anywhere."""

    def __init__(self, file: BinaryIO) -> None:
        self.position = 0
        self._file = file

    def take(self, size: int) -> bytes:
        pieces = []
        while size > 0 and (piece := os.pread(self._file.fileno(), size, self.position)):
            pieces.append(piece)
            self.position += len(piece)
            size -= len(piece)
        return b"".join(pieces)

    def forward(self, position: int) -> None:
        self.position = position


class Members:
    """The members of an open tar file, whose owner this becomes; ``label`` says to people which file it is."""

    def __init__(self, file: BinaryIO, label: str) -> None:
        self._file = file
        self._label = label
        self._index: dict[str, Member] = {}
        self._twice: set[str] = set()
        try:
            self._read_index(os.fstat(file.fileno()).st_size)
        except OSError as error:
            file.close()
            raise explain(error, label) from None
        except DamagedError as error:
            file.close()
            raise DamagedError(f"{label}: {error}") from None

    def _read_index(self, length: int) -> None:
        for member in walk(_Seekable(self._file)):
            if member.offset + member.size + -member.size % BLOCK > length:
                raise DamagedError(f"the tar file is cut off: {member.name!r} has {member.size} bytes")
            if member.name in self._index:
                self._twice.add(member.name)
            self._index[member.name] = member

    def names(self) -> Iterator[str]:
        """Yield the names of all members."""
        return iter(self._index)

    def find(self, name: str) -> Member:
        """Return the file of that name; links are followed inside the archive.

        Raises:
            SourceError: there is none, or a chain of links leads out or nowhere.

        """
        member = self._index.get(normalise(name))
        for _ in range(HOPS):
            if member is None:
                raise NotFoundError(f"{self._label} has no {name}")
            if member.kind == FILE:
                return member
            if not member.link:
                raise DamagedError(f"{name} in {self._label} is not a file")
            member = self._index.get(_target(member))
        raise DamagedError(f"{name} in {self._label} is a link of more than {HOPS} steps")

    def size(self, name: str) -> int:
        """Return the size of a file."""
        return self.find(name).size

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the content of a file."""
        member = self.find(name)
        yield from read_span(self._file, member.offset, member.size, f"{name} in {self._label}")

    def document(self, name: str, limit: int) -> bytes:
        """Return a small file whole. Of a file that is there twice, readers would see different ones: it is refused."""
        member = self.find(name)
        if member.name in self._twice:
            raise DamagedError(f"{self._label} has {member.name} twice")
        if member.size > limit:
            raise DamagedError(f"{name} in {self._label} has {member.size} bytes, more than {limit}")
        return b"".join(self.pieces(name))

    def close(self) -> None:
        """Release the file."""
        self._file.close()


def _target(member: Member) -> str:
    """Return where a link leads: symbolic links from their folder, hard links from the top."""
    if member.kind != SYMLINK or member.link.startswith("/"):
        return normalise(member.link)
    return normalise(f"{member.name.rpartition('/')[0]}/{member.link}")


def open_members(path: Path, limit: int = AT_MOST) -> Members:
    """Open a tar file, compressed with gzip or not at all.

    Raises:
        SourceError: it cannot be read, is no tar file, is damaged, or unpacks to more than it may.

    """
    file, label = open_regular(path), str(path)
    with ExitStack() as done:
        done.callback(file.close)
        start = os.pread(file.fileno(), 8, 0)
        for magic, name in _OTHERS.items():
            if start.startswith(magic):
                raise DamagedError(f"{label} is compressed with {name}; only gzip is read here, decompress it first")
        if not start.startswith(GZIP):
            done.pop_all()
            return Members(file, label)
        size = os.fstat(file.fileno()).st_size
        allowed = min(limit, max(ALWAYS, RATIO * size))
        return Members(spool(_gunzip(read_span(file, 0, size, label), label), allowed, label), label)


def spool(pieces: Iterable[bytes], limit: int, label: str) -> BinaryIO:
    """Write pieces to a temporary file without a name.

    Raises:
        SourceError: they are more than ``limit`` bytes, the disk is full, or a piece cannot be had.

    """
    with ExitStack() as on_error:
        try:
            from tempfile import TemporaryFile  # noqa: PLC0415  (only compressed archives need one)

            file = on_error.enter_context(TemporaryFile(buffering=0))
        except OSError as error:
            raise UnavailableError(f"{label} cannot be unpacked: no temporary file ({error.strerror})") from None
        size = 0
        for piece in pieces:
            size += len(piece)
            if size > limit:
                raise DamagedError(f"{label} unpacks to more than {limit} bytes")
            try:
                _write(file, piece)
            except OSError as error:
                raise UnavailableError(f"{label} cannot be unpacked ({error.strerror})") from None
        on_error.pop_all()
    return file


def _write(file: BinaryIO, piece: bytes) -> None:
    rest = memoryview(piece)
    while rest:
        rest = rest[file.write(rest) :]


def _gunzip(pieces: Iterator[bytes], label: str) -> Iterator[bytes]:
    """Yield what gzip members decompress to: there may be several, and zeros after the last.

    Raises:
        DamagedError: the stream is cut off, damaged, or goes on with something else.

    """
    running, rest = zlib.decompressobj(31), b""
    try:
        for piece in pieces:
            rest += piece
            while rest:
                if running.eof:
                    rest = rest.lstrip(b"\0")
                    if not rest:
                        break
                    running = zlib.decompressobj(31)
                yield running.decompress(rest, CHUNK)
                rest = running.unused_data if running.eof else running.unconsumed_tail
        while not running.eof and (more := running.decompress(b"", CHUNK)):
            yield more
    except zlib.error:
        raise DamagedError(f"{label} is damaged: its gzip stream is not valid") from None
    if not running.eof:
        raise DamagedError(f"{label} is cut off: its gzip stream does not end")
