"""The sources in a layer, packed while it is read and unpacked one by one: Python and JavaScript, metadata, small archives.

Thousands of them are in an image and a proof reads hundreds, so they are kept compressed, many in one block.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from posixpath import basename
from typing import NamedTuple

from lucid_audit.container.distributions import tops
from lucid_audit.image.compression import deflate
from lucid_audit.image.sealed import seal, unseal

BLOCK = 1 << 18  # bytes of sources that are packed together
HELD = 96  # blocks that are held unpacked: a proof goes back and forth among them
FILE_LIMIT = 4 << 20  # bytes of one source
ARCHIVE_LIMIT = 32 << 20  # bytes of one archive
SCRIPT_LIMIT = 1 << 16  # bytes of an executable script without an ending
_SOURCES = (".py", ".pth", "._pth", ".js", ".cjs", ".mjs", ".class")
BYTE_CODE = 16  # bytes of a compiled module that lies where its source would be
_RECORD = ".dist-info/RECORD"
_NAMES = ("METADATA", "WHEEL", "package.json", "pyvenv.cfg")
_ARCHIVES = (".pyz", ".pyzw", ".jar", ".war", ".egg", ".whl", ".zip")

Place = tuple[int, int, int]  # block, first byte and length of a source in it


class Kept(NamedTuple):
    """Packed sources: the place of each by its path. ``full``: the limit was reached, so the layer may have more."""

    places: Mapping[str, Place]
    blocks: Sequence[bytes]
    full: bool = False


class Texts:
    """Sources by path. ``fetch`` is called when the first of them is asked for."""

    def __init__(self, fetch: Callable[[], Kept]) -> None:
        self._fetch = fetch
        self._block = lru_cache(maxsize=HELD)(self._unpack)

    @cached_property
    def kept(self) -> Kept:
        """Everything there is."""
        return self._fetch()

    def get(self, path: str) -> bytes | None:
        """Return the content of a source, None when it was not kept."""
        place = self.kept.places.get(path)
        if place is None:
            return None
        block, start, length = place
        return self._block(block)[start : start + length]

    def _unpack(self, number: int) -> bytes:
        return bytes(deflate().decompress(self.kept.blocks[number]))


class TextsWriter:
    """Collects sources. ``limit`` bounds the packed bytes in memory."""

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._compress = deflate().compress
        self._index: dict[str, Place] = {}
        self._blocks: list[bytes] = []
        self._open: list[bytes] = []
        self._filled = 0
        self.full = False

    def add(self, path: str, content: bytes) -> None:
        """Keep a source; the last one of a path counts."""
        if self.full:
            self.forget(path)
            return
        self._index[path] = len(self._blocks), self._filled, len(content)
        self._open.append(content)
        self._filled += len(content)
        if self._filled >= BLOCK:
            self._close()

    def forget(self, path: str) -> None:
        """Drop a source: the layer has something else at its path."""
        self._index.pop(path, None)

    def _close(self) -> None:
        packed = self._compress(b"".join(self._open), 1)
        self._open, self._filled = [], 0
        self._size += len(packed)
        self.full = self._size > self._limit
        self._blocks.append(packed)

    def finish(self) -> Texts:
        """Return what was collected."""
        if self._open:
            self._close()
        kept = Kept(self._index, self._blocks, self.full)
        return Texts(lambda: kept)


def text_part(path: str, content: bytes) -> bytes:
    """Return what is kept of a source: of byte code only who made it, of the list of a distribution's files the first parts."""
    if path.endswith(".pyc"):
        return content[:BYTE_CODE]
    return "\n".join(tops(content)).encode("utf-8", "replace") if path.endswith(_RECORD) else content


def text_limit(path: str) -> int:
    """Return how large a file of this name may be to be kept, in bytes; 0 for names that nobody reads as a source."""
    if path.endswith(".pyc"):
        return 0 if "/__pycache__/" in path else FILE_LIMIT
    if path.endswith((*_SOURCES, _RECORD)) or basename(path) in _NAMES:
        return FILE_LIMIT
    return ARCHIVE_LIMIT if path.endswith(_ARCHIVES) else 0


def dump(kept: Kept) -> bytes:
    """Return sources as bytes, for the cache."""
    head = json.dumps([kept.places, [len(block) for block in kept.blocks], kept.full], separators=(",", ":")).encode()
    return seal(b"".join((len(head).to_bytes(8, "big"), head, *kept.blocks)))


def load(sealed: bytes) -> Kept:
    """Return what ``dump`` wrote; nothing, and that it is not all, when it is damaged."""
    nothing = Kept({}, (), full=True)
    data = unseal(sealed)
    if data is None:
        return nothing
    at = 8 + int.from_bytes(data[:8], "big")
    try:
        index, sizes, full = json.loads(data[8:at])
        places = {path: (int(block), int(start), int(length)) for path, (block, start, length) in index.items()}
        ends = list(accumulate(map(int, sizes), initial=at))
        blocks = [data[start:end] for start, end in pairwise(ends)]
    except (ValueError, TypeError, AttributeError):
        return nothing
    return Kept(places, blocks, bool(full))
