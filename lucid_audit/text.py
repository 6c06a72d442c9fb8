"""Source text, and places in it.

Offsets count characters of the decoded text, from 0. Lines end at LF only, as BuildKit reads them; lines and columns
are counted from 1 and computed when somebody asks, because most spans are never shown.
"""

from __future__ import annotations

from bisect import bisect_right

from lucid_audit.tuples import NamedTuple

BOM = b"\xef\xbb\xbf"


class Span(NamedTuple):
    """A half-open range of character offsets in one source text."""

    start: int
    end: int


class Position(NamedTuple):
    """A place for people: line and column, both from 1, the column in characters."""

    line: int
    column: int


class SourceText:
    """One decoded file. Undecodable bytes survive as surrogates, so that ``encode()`` gives the file back exactly."""

    __slots__ = ("_starts", "bom", "path", "text")

    def __init__(self, path: str, text: str, *, bom: bool = False) -> None:
        self.path = path
        self.text = text
        self.bom = bom
        self._starts: list[int] | None = None

    @classmethod
    def decode(cls, path: str, data: bytes) -> SourceText:
        """Decode UTF-8; a leading byte order mark is noted and taken off, as BuildKit does."""
        bom = data.startswith(BOM)
        return cls(
            path,
            data[len(BOM) :].decode("utf-8", "surrogateescape") if bom else data.decode("utf-8", "surrogateescape"),
            bom=bom,
        )

    def encode(self) -> bytes:
        """Return the bytes of the file."""
        return (BOM if self.bom else b"") + self.text.encode("utf-8", "surrogateescape")

    @property
    def starts(self) -> list[int]:
        """Offsets at which lines start."""
        if self._starts is None:
            starts = [0]
            find, at = self.text.find, self.text.find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = find("\n", at + 1)
            self._starts = starts
        return self._starts

    def position(self, offset: int) -> Position:
        """Return the line and column of a character offset."""
        starts = self.starts
        line = bisect_right(starts, offset)
        return Position(line, offset - starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """Return one line by its number from 1, without its line end; empty when there is no such line."""
        starts = self.starts
        if not 1 <= number <= len(starts):
            return ""
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")

    def offset(self, line: int, column: int = 1) -> int:
        """Return the character offset of a line and column."""
        return self.starts[line - 1] + column - 1

    def slice(self, span: Span) -> str:
        """Return the text a span covers, as written."""
        return self.text[span.start : span.end]
