"""The bytes of an ELF file that passes by in a stream: those in which the dynamic linker finds what it wants.

Linkers place names and versions at the beginning and the dynamic section behind the code; tools that change a library's names append a
small segment to it. So of a large file its beginning and its small segments of data are kept, and the rest is passed over.
"""

from __future__ import annotations

from lucid_audit.container.linkage import segments
from lucid_audit.image.blocks import Blocks

WHOLE = (
    16 << 20
)  # bytes of a program that is held as it is: shells and toolboxes, which are searched for by their text, are smaller
FIRST = 1 << 20  # bytes of the beginning of another file
NAMES = 16 << 20  # bytes of a first segment without code: names and versions are in there, and little else
SMALL = 1 << 20  # bytes of another segment without code


class ElfBytes:
    """What is held of one file: ``first``, and parts of what lies behind. ``whole``: nothing was left out.

    ``executable``: it may be a program, which is searched for by its text.
    """

    def __init__(self, head: bytes, stored: int, blocks: Blocks, *, executable: bool) -> None:
        found = sorted(segments(head), key=lambda one: (one[0], -one[1]))  # what holds others comes before them
        named = max((end for start, end, code in found if start == 0 and not code and end <= NAMES), default=0)
        search = executable or not found  # where the program headers lie behind, all the rest may too
        size = stored if search and stored <= WHOLE else max(FIRST, named, len(head))
        self.first = head + blocks.take(min(stored, size) - len(head))
        self.whole = len(self.first) == stored
        self._parts: list[tuple[int, bytes]] = []
        at = len(self.first)
        for start, end, code in found:
            if not self.whole and not code and at <= start < end <= stored and end - start <= SMALL:
                blocks.skip(start - at)
                self._parts.append((start, blocks.take(end - start)))
                at = end

    def read(self, at: int, size: int) -> bytes | None:
        """Return bytes at a file offset, None when they are not held."""
        for start, data in ((0, self.first), *self._parts):
            if start <= at and at + size <= start + len(data):
                return data[at - start : at - start + size]
        return None
