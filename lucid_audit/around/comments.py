"""Comments in compose files, bake files, workflows and pipelines that silence findings: ``# lucid: ignore[rule-id] reason``.

It silences the entry in whose line it stands, else the next one, with all that is written further to the right below it;
``ignore-file`` silences everything. What an inline Dockerfile says is not this file's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from sys import maxsize

from lucid_audit.dockerfile.suppressions import Silent, Suppression, own
from lucid_audit.record import record
from lucid_audit.regex import regex
from lucid_audit.text import SourceText, Span

ENDS = (".yaml", ".yml", ".hcl")
_COMMENT = regex(r"^(?:.*[ \t])?(#)[ \t]*(lucid[ \t]*:[ \t]*ignore.*?)[ \t\r]*$")
_INLINE = regex(r"""[ \t]*(?:-[ \t]+)?["']?dockerfile[_-]inline["']?[ \t]*[:=][ \t]*(?:[|>]|<<-?(\w+))""")


@record(eq=False)
class Comments:
    """The suppressions of one file, for the checks that judge them. ``silent`` is None until they are applied."""

    suppressions: tuple[Suppression, ...]
    silent: Silent | None = None
    known: frozenset[str] = frozenset()  # ids of all rules, where there are more than the built-in ones


def comments(source: SourceText) -> tuple[Suppression, ...]:
    """Return the suppressions of a file in the order of their lines, malformed ones too."""
    if "lucid" not in source.text or not source.path.endswith(ENDS):
        return ()
    lines = source.text.split("\n")
    return tuple(_suppressions(source, lines))


def _suppressions(source: SourceText, lines: list[str]) -> Iterator[Suppression]:
    inline, ending = -1, ""  # how far right the Dockerfile begins that stands in this file, or the word that ends it
    for number, line in enumerate(lines, 1):
        if inline >= 0 and line.strip():
            if ending and line.strip() == ending:
                inline, ending = -1, ""
            elif ending or _indent(line) > inline:
                continue
            else:
                inline = -1
        opened = _INLINE.match(line)
        if opened is not None:
            inline, ending = _indent(line), opened[1] or ""
        match = _COMMENT.search(line)
        if match is None:
            continue
        at = source.offset(number)
        scopes: Mapping[str, Callable[[Span], Span]] = {
            "instruction": partial(_entry, source, lines, number),
            "file": whole,
        }
        found = own(match[2], Span(at + match.start(1), at + match.end(2)), scopes)
        if found is not None:
            yield found


def whole(_: Span) -> Span:
    """Return all of a file, and what is about none of its lines."""
    return Span(0, maxsize)


def _entry(source: SourceText, lines: list[str], number: int, _: Span) -> Span:
    """Return the entry of a comment's own line, or the next one."""
    first = number
    while first <= len(lines) and _blank(lines[first - 1]):
        first += 1
    return block(source, lines, first) if first <= len(lines) else Span(maxsize, maxsize)


def block(source: SourceText, lines: list[str], first: int) -> Span:
    """Return a line, counted from 1, with what is written further to the right below it."""
    indent, last = _indent(lines[first - 1]), first
    for number in range(first + 1, len(lines) + 1):
        if _blank(lines[number - 1]):
            continue
        if _indent(lines[number - 1]) <= indent:
            break
        last = number
    return Span(source.offset(first), source.offset(last) + len(lines[last - 1]) + 1)


def _blank(line: str) -> bool:
    text = line.strip()
    return not text or text.startswith("#")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
