"""A view on a stream of byte blocks: take some bytes, look at a body in pieces, skip the rest."""

from __future__ import annotations

from collections.abc import Iterator


class Blocks:
    """Reads forward through an iterator of blocks without joining more of them than was asked for.

    ``position`` is the number of bytes that were taken or skipped so far.
    """

    __slots__ = ("_at", "_before", "_block", "_source")

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._block = b""
        self._at = 0
        self._before = 0  # bytes of the blocks before this one

    @property
    def position(self) -> int:
        """Bytes passed so far."""
        return self._before + self._at

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes; fewer only where the stream ends."""
        end = self._at + size
        if end <= len(self._block):
            taken = self._block[self._at : end]
            self._at = end
            return taken
        return b"".join(self.pieces(size))

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield the next ``size`` bytes in pieces, as they lie in the blocks; fewer only where the stream ends."""
        while size > 0:
            if self._at == len(self._block) and not self._advance():
                return
            piece = self._block[self._at : self._at + size]
            self._at += len(piece)
            size -= len(piece)
            yield piece

    def skip(self, size: int) -> int:
        """Pass over ``size`` bytes and return how many there were."""
        left = size
        while left > 0:
            if self._at == len(self._block) and not self._advance():
                break
            step = min(left, len(self._block) - self._at)
            self._at += step
            left -= step
        return size - left

    def rest(self) -> Iterator[bytes]:
        """Yield everything to the end."""
        if self._at < len(self._block):
            piece = self._block[self._at :]
            self._at = len(self._block)
            yield piece
        while self._advance():
            self._at = len(self._block)
            yield self._block

    def _advance(self) -> bool:
        for block in self._source:
            if block:
                self._before += len(self._block)
                self._block, self._at = block, 0
                return True
        return False
