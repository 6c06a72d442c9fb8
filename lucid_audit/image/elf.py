"""The bytes of an ELF file that passes by in a stream: those in which the dynamic linker finds what it wants.

Linkers place names and versions in the first segment and the dynamic section far behind them, so of a large file its
beginning and that section are kept, and the rest is passed over.
"""

from __future__ import annotations

from lucid_audit.container.linkage import dynamic_range
from lucid_audit.image.blocks import Blocks

FIRST = 16 << 20  # bytes that are held; shells and toolboxes, which are searched for by their text, are smaller
SECTION = 1 << 20  # bytes of a dynamic section; linkers write about 500


class ElfBytes:
    """What is held of one file: ``first``, and the dynamic section where it lies behind. ``whole``: nothing was left out."""

    def __init__(self, head: bytes, stored: int, blocks: Blocks) -> None:
        self.first = head + blocks.take(min(stored, FIRST) - len(head))
        self.whole = stored <= FIRST
        self._at, self._section = 0, b""
        place = dynamic_range(self.first) if not self.whole else None
        if place is not None and place[0] >= len(self.first) and place[0] + place[1] <= stored and place[1] <= SECTION:
            blocks.skip(place[0] - len(self.first))
            self._at, self._section = place[0], blocks.take(place[1])

    def read(self, at: int, size: int) -> bytes | None:
        """Return bytes at a file offset, None when they are not held."""
        if at + size <= len(self.first):
            return self.first[at : at + size]
        start = at - self._at
        return self._section[start : start + size] if start >= 0 and start + size <= len(self._section) else None
