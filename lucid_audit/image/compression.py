"""Unpacks the stream of a layer: gzip of many members, zstd of many frames, or no compression, told by its first bytes.

Sources: RFC 1952 (members may follow each other), RFC 8878 (frames and skippable frames). The media type is not asked:
archives and mirrors change the compression and keep the name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lucid_audit.image.limits import DEFAULT, Limits
from lucid_audit.image.source import DamagedError

OUT = 1 << 19  # bytes unpacked at a time: larger blocks do not fit the processor's cache
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = b"\x2a\x4d\x18"  # after one byte from 0x50 to 0x5f


def kind_of(start: bytes) -> str:
    """Return gzip, zstd, tar, or "" for first bytes that are none of them; 512 bytes are enough."""
    if start.startswith(_GZIP):
        return "gzip"
    if start.startswith(_ZSTD) or (start[1:4] == _SKIPPABLE and 0x50 <= start[0] <= 0x5F):
        return "zstd"
    if start[257:262] == b"ustar" or (start and not start.strip(b"\0")) or _old_tar(start):
        return "tar"
    return ""


def _old_tar(start: bytes) -> bool:
    """Whether this is the header of an archive before POSIX, which has no mark but a checksum."""
    field = start[148:156].strip(b"\0 ")
    return len(start) >= 512 and field.isdigit() and _checksum(start[:512]) == int(field, 8 if _octal(field) else 10)


def _octal(digits: bytes) -> bool:
    return not set(digits) - set(b"01234567")


def _checksum(header: bytes) -> int:
    return sum(header) - sum(header[148:156]) + 256


def unpack(pieces: Iterator[bytes], limits: Limits = DEFAULT) -> Iterator[bytes]:
    """Yield the unpacked stream in blocks.

    Raises:
        DamagedError: the stream is of no known kind, damaged, cut short, or unpacks to more than it may.

    """
    start = b""
    for piece in pieces:
        start += piece
        if len(start) >= 512:
            break
    kind = kind_of(start)
    whole = _chain(start, pieces)
    if kind == "tar" or not start:
        yield from _bounded(((block, 0) for block in whole), limits)
    elif kind:
        yield from _bounded(_members(whole, _gzip() if kind == "gzip" else _zstd()), limits)
    else:
        raise DamagedError("it is neither a tar archive nor compressed with gzip or zstd")


def _bounded(blocks: Iterable[tuple[bytes, int]], limits: Limits) -> Iterator[bytes]:
    """Pass on unpacked blocks, each given with the packed bytes read so far: 0 where nothing is compressed."""
    size = 0
    for block, packed in blocks:
        size += len(block)
        if size > limits.unpacked:
            raise DamagedError(f"it unpacks to more than {limits.unpacked} bytes")
        if packed and size > limits.ratio_from and size > packed * limits.ratio:
            raise DamagedError(f"it unpacks to more than {limits.ratio} times its size, as a decompression bomb does")
        yield block


def _chain(start: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    if start:
        yield start
    yield from pieces


def _members(pieces: Iterator[bytes], new: Callable[[], Any]) -> Iterator[tuple[bytes, int]]:
    """Yield unpacked blocks and the packed bytes read so far, over all members. Zeros may follow the last one."""
    unpacker: Any = None
    packed = 0
    ended = False
    for piece in pieces:
        packed += len(piece)
        data = piece
        while data:
            if unpacker is None:
                if ended and not data.strip(b"\0"):
                    break  # padding, as tape programs leave it
                unpacker = new()
            try:
                block = unpacker.decompress(data, OUT)
                while block or not _hungry(unpacker):
                    if block:
                        yield block, packed
                    if unpacker.eof:
                        break
                    block = unpacker.decompress(_tail(unpacker), OUT)
            except Exception as error:  # zlib.error, isal's and zstd's errors have no common base
                if isinstance(error, (GeneratorExit, DamagedError)):
                    raise
                raise DamagedError(f"its compression is damaged: {error}") from None
            if not unpacker.eof:
                break
            data, unpacker, ended = unpacker.unused_data, None, True
    if unpacker is not None:
        raise DamagedError("its compressed data is cut short")


def _hungry(unpacker: Any) -> bool:
    """Whether an unpacker can go on only with more data."""
    if unpacker.eof:
        return True
    needs = getattr(unpacker, "needs_input", None)
    return bool(needs) if needs is not None else not unpacker.unconsumed_tail


def _tail(unpacker: Any) -> bytes:
    """Return what has to be handed in again: zlib gives it back, zstd keeps it."""
    tail: bytes = getattr(unpacker, "unconsumed_tail", b"")
    return tail


def deflate() -> Any:
    """Return isal's zlib, which unpacks twice as fast and packs several times as fast, where there is one; else zlib."""
    try:
        from isal import isal_zlib as library  # noqa: PLC0415
    except ImportError:
        import zlib as library  # type: ignore[no-redef]  # noqa: PLC0415
    return library


def _gzip() -> Callable[[], Any]:
    """Return a maker of gzip unpackers."""
    library = deflate()
    return lambda: library.decompressobj(wbits=31)


def _zstd() -> Callable[[], Any]:
    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdDecompressor  # noqa: PLC0415
    else:
        from backports.zstd import ZstdDecompressor  # noqa: PLC0415
    made: Callable[[], Any] = ZstdDecompressor
    return made
