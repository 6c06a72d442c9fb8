"""Text to logical lines: parser directives, comments, continuations, and the raw lines of here-documents.

Source of every rule: BuildKit ``frontend/dockerfile/parser/parser.go`` and ``directives.go``.
"""

from __future__ import annotations

import re
from itertools import pairwise

from lucid_audit.dockerfile.model import Comment, Directive, SourceMap, SyntaxProblem
from lucid_audit.regex import regex
from lucid_audit.text import SourceText, Span
from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
"""What Go's ``unicode.IsSpace`` calls a space. Python's own ``str.strip`` also takes U+001C to U+001F, Go does not."""

ASCII_SPACE = "\t\n\v\f\r "
"""The part of ``SPACE`` that is ASCII."""

LINE_LIMIT = 65_535
"""Bytes of UTF-8 in one physical line, its line feed not counted: the buffer of BuildKit's line scanner."""

_DIRECTIVE = regex(r"([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=(.*)", re.DOTALL)
_DIRECTIVES = ("syntax", "escape", "check")
_REGEX_SPACE = "\t\n\f\r "  # what ``\s`` of Go's regular expressions is: no vertical tab


class Body(NamedTuple):
    """Lines of a here-document: as written, the file span they cover, and whether the terminator was found."""

    text: str
    span: Span
    terminated: bool


class Lexer:
    """A cursor over one file. Reads logical lines; the parser asks for here-document bodies in between."""

    def __init__(self, source: SourceText) -> None:
        self.escape = "\\"
        self.directives: list[Directive] = []
        self.comments: list[Comment] = []
        self.empty_continuations: list[Span] = []
        self.problems: list[SyntaxProblem] = []
        self.end = 0  # offset after the last line read, its line end not counted
        self._text = source.text
        self._next = 0  # offset of the next physical line
        if len(self._text) > LINE_LIMIT // 4:
            self._check_lengths(source)
        self._read_directives()

    def lines(self) -> Iterator[SourceMap]:
        """Yield every logical line: leading space and comments gone, continuations joined. May be blank at the end."""
        size = len(self._text)
        while self._next < size:
            start = self._next
            line = self._physical()
            stripped = line.lstrip(SPACE)
            if not stripped:
                continue
            start += len(line) - len(stripped)
            if stripped[0] == "#":
                self._comment(start, stripped)
                continue
            cut = self._continuation(stripped)
            if cut < 0:
                yield SourceMap(stripped, ((0, start),))
            else:
                yield self._continued(stripped[:cut], start)

    def body(self, name: str, *, tabs: bool) -> Body:
        """Read lines up to one that is ``name``; ``tabs``: leading tabs before the terminator do not count."""
        start, size = self._next, len(self._text)
        while self._next < size:
            at = self._next
            line = self._physical()
            if (line.lstrip("\t") if tabs else line) == name:
                return Body(self._text[start:at], Span(start, at), terminated=True)
        return Body(self._text[start:], Span(start, size), terminated=False)

    def _physical(self) -> str:
        """Read one physical line, without its line end."""
        start = self._next
        feed = self._text.find("\n", start)
        stop = len(self._text) if feed < 0 else feed
        self._next = stop if feed < 0 else feed + 1
        line = self._text[start:stop].rstrip("\r\n")
        self.end = start + len(line)
        return line

    def _continuation(self, line: str) -> int:
        """Return where the continuation character of a line stands, or -1. A doubled one is no continuation."""
        body = line.rstrip(" \t")
        if not body or body[-1] != self.escape or body[-2:-1] == self.escape:
            return -1
        return len(body) - 1

    def _continued(self, first: str, start: int) -> SourceMap:
        parts, pieces, size = [first], [(0, start)], len(first)
        while self._next < len(self._text):
            at = self._next
            line = self._physical()
            stripped = line.lstrip(SPACE)
            if not stripped:
                self.empty_continuations.append(Span(at, self.end))
                continue
            if stripped[0] == "#":
                self._comment(at + len(line) - len(stripped), stripped)
                continue
            cut = self._continuation(line)
            part = line if cut < 0 else line[:cut]
            if part:
                pieces.append((size, at))
                parts.append(part)
                size += len(part)
            if cut < 0:
                break
        return SourceMap("".join(parts), tuple(pieces))

    def _comment(self, start: int, line: str) -> None:
        end = start + len(line.rstrip(SPACE))
        self.comments.append(Comment(line[1:].strip(SPACE), Span(start, end)))

    def _read_directives(self) -> None:
        """Read the block of directives at the top.

        After a ``#!`` line BuildKit's parser sees no directive, so ``escape`` has no effect there; the search for
        ``syntax`` and ``check`` skips that line.
        """
        shebang = self._text.startswith("#!")
        if shebang:
            self._comment(0, self._physical())
        seen: set[str] = set()
        while self._next < len(self._text):
            start = self._next
            line = self._physical()
            stripped = line if shebang else line.lstrip(SPACE)
            found = _directive(stripped)
            if found is None:
                self._next = start
                break
            start += len(line) - len(stripped)
            self._directive(*found, Span(start, start + len(stripped.rstrip(SPACE))), seen, shebang=shebang)

    def _directive(self, name: str, value: str, span: Span, seen: set[str], *, shebang: bool) -> None:
        if shebang and (name in seen or name == "escape"):
            self._comment(span.start, self._text[span.start : span.end])
        elif name in seen:
            self.problems.append(SyntaxProblem(f"the {name} directive is given twice", span, "parser"))
        elif name == "escape" and value not in ("\\", "`"):
            self.problems.append(SyntaxProblem(f"escape must be \\ or `, not {value}", span, "parser"))
        else:
            self.directives.append(Directive(name, value, span))
            if name == "escape":
                self.escape = value
        seen.add(name)

    def _check_lengths(self, source: SourceText) -> None:
        starts = [*source.starts, len(source.text) + 1]
        for start, after in pairwise(starts):
            if after - start > LINE_LIMIT // 4:
                size = len(source.text[start : after - 1].encode("utf-8", "surrogateescape"))
                if size > LINE_LIMIT:
                    message = f"the line has {size} bytes; BuildKit reads at most {LINE_LIMIT}"
                    self.problems.append(SyntaxProblem(message, Span(start, after - 1), "parser"))


def _directive(line: str) -> tuple[str, str] | None:
    """Return the name and value of a directive line, or None when it is none."""
    match = _DIRECTIVE.match(line[1:].lstrip(SPACE)) if line.startswith("#") and "=" in line else None
    if match is None:
        return None
    name = match[1].lower()
    # A value of blanks only is a value: BuildKit's expression asks for at least one character and leaves the last.
    value = match[2].strip(_REGEX_SPACE) or match[2][-1:]
    return (name, value) if value and name in _DIRECTIVES else None
