r"""``dockerfile_parse.DockerfileParser`` over our grammar, for who wants its properties and its editing.

The stock class reads bodies of here-documents as instructions, ends an instruction at a blank line and takes the
backtick of ``# escape=`` for a letter when it splits words. Here ``structure`` comes from our lexer, so that what is
built on it (``baseimage``, ``parent_images``, ``labels``, ``envs``, ``args``, ``cmd``, ``json``, the setters) reads
what BuildKit reads. Linting does not use this module.
"""

from __future__ import annotations

import dockerfile_parse

from lucid_audit.dockerfile.lexer import SPACE, Lexer
from lucid_audit.dockerfile.statement import Statement, read_statements
from lucid_audit.text import SourceText

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SPLIT_LATER = frozenset({"ARG", "ENV", "FROM", "LABEL"})  # their values go through the stock word splitter


class DockerfileParser(dockerfile_parse.DockerfileParser):  # type: ignore[misc]  # the package has no types
    """The stock parser with BuildKit's grammar; see ``dockerfile_parse`` for its use."""

    @property
    def structure(self) -> list[dict[str, Any]]:
        """Every instruction and comment: ``instruction``, ``startline`` and ``endline`` from 0, ``content``, ``value``.

        As in the stock class, comments (parser directives among them) are instructions named COMMENT, a comment inside
        a continued instruction comes before it and is no part of its content, and an instruction without arguments is
        left out. The content of an instruction has the bodies of its here-documents; its value has not.
        """
        source = SourceText("Dockerfile", "".join(self.lines).removeprefix("\ufeff"))
        lexer = Lexer(source)
        found = [_instruction(source, statement) for statement in read_statements(lexer) if not statement.blank]
        notes = [
            _entry(source, "COMMENT", comment.span.start, comment.span.end, comment.text) for comment in lexer.comments
        ]
        for directive in lexer.directives:
            text = source.slice(directive.span).lstrip("#").strip()
            notes.append(_entry(source, "COMMENT", directive.span.start, directive.span.end, text))
        commented = {note["startline"] for note in notes}
        for entry in found:
            lines = range(entry["startline"], entry["endline"] + 1)
            inside = commented.intersection(lines)
            entry["content"] = "".join(_line(source, n) for n in lines if n not in inside)
        return sorted([*notes, *found], key=lambda entry: (entry["endline"], entry["startline"]))


def _instruction(source: SourceText, statement: Statement) -> dict[str, Any]:
    value = statement.text.lstrip(SPACE)[len(statement.written) :].strip(SPACE)
    if statement.escape == "`" and statement.keyword in _SPLIT_LATER:
        value = _with_backslashes(value)
    return _entry(source, statement.keyword, statement.keyword_span.start, statement.stop, value)


def _entry(source: SourceText, name: str, start: int, end: int, value: str) -> dict[str, Any]:
    first, last = source.position(start).line - 1, source.position(end).line - 1
    return {
        "instruction": name,
        "startline": first,
        "endline": last,
        "content": "".join(_line(source, n) for n in range(first, last + 1)),
        "value": value,
    }


def _line(source: SourceText, number: int) -> str:
    """Return a line by its number from 0, with its line end."""
    starts = source.starts
    return source.text[starts[number] : starts[number + 1] if number + 1 < len(starts) else len(source.text)]


def _with_backslashes(text: str) -> str:
    """Write words whose escape character is the backtick so that a splitter that knows the backslash reads the same."""
    parts: list[str] = []
    quote, at = "", 0
    while at < len(text):
        char, following = text[at], text[at + 1 : at + 2]
        if char == "`" and quote != "'" and following:
            if not quote:
                parts.append("\\" + following)
            else:
                parts.append({'"': '\\"', "`": "`", "$": "$"}.get(following, char + following))
            at += 2
            continue
        if char == "\\" and quote != "'":
            # Between double quotes the splitter cannot tell a backslash before a quote from an escaped quote.
            parts.append('"\\\\"' if quote else "\\\\")
        else:
            quote = "" if char == quote else quote or (char if char in "'\"" else "")
            parts.append(char)
        at += 1
    return "".join(parts)
