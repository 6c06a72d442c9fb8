"""Shell text in YAML, with its place in the file."""

from __future__ import annotations

import re

from lucid_audit.builders.command import BuildCommand
from lucid_audit.builders.pieces import Piece
from lucid_audit.builders.yamltree import load
from lucid_audit.text import SourceText, Span
from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lucid_audit.yamlsource import Document, Path


class Pipeline(NamedTuple):
    """The builds of one file, and why it could not be read, "" when it could."""

    builds: tuple[BuildCommand, ...] = ()
    problem: str = ""


class Reader:
    """One YAML file with its text: where a value of it is."""

    def __init__(self, path: str, text: str) -> None:
        self.source = SourceText(path, text)
        self.document: Document = load(path, text)

    def piece(self, at: Path, value: str, written: str = "") -> Piece:
        """Return a text value with its place: exact where it is a literal block or stands in its line as it is.

        ``written`` is how it is written, when ``value`` has other characters in the same number.
        """
        number = self.document.line(at)
        line = self.source.line(number)
        after = re.search(r":[ \t]+[|>][-+0-9]*[ \t]*(?:#.*)?$|^\s*-[ \t]+[|>][-+0-9]*[ \t]*$", line)
        if after is not None:
            first = number + 1
            while self.source.line(first) == "" and first < number + 20:
                first += 1
            indent = len(self.source.line(first)) - len(self.source.line(first).lstrip(" "))
            if "|" in after[0] and first == number + 1:
                return Piece(value, self.source.offset(first) + indent, indent)
            return Piece(value, self.source.offset(min(first, len(self.source.starts))), exact=False)
        column = line.find(written or value) if "\n" not in value else -1
        start = self.source.offset(number)
        if column >= 0:
            return Piece(value, start + column)
        return Piece(value, start + len(line) - len(line.lstrip()), exact=False, end=start + len(line))

    def span(self, at: Path) -> Span:
        """Return the line of a key without its indentation."""
        number = self.document.line(at)
        line, start = self.source.line(number), self.source.offset(number)
        return Span(start + len(line) - len(line.lstrip(" -")), start + len(line.rstrip()))
