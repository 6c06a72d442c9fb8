r"""Here-documents in an instruction: which words announce one, and its name.

BuildKit splits the whole line with its own shell lexer (``shell/lex.go``, always with ``\`` as the escape character)
and takes every word ``<<name``. A line that lexer cannot read, such as one with an open quote, announces none.
"""

from __future__ import annotations

import re

from lucid_audit.dockerfile.lexer import SPACE
from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple

_WORD = regex(r"([0-9]*)<<(-?)[\t\n\f\r ]*([^<]*)")
_SPECIAL = "@*#?-$!0"
_NAME = regex(r"[@*#?\-$!0]|[1-9][0-9]*|[^\W\d]\w*|")
_PLAIN = regex(r"[!#%&(-\[\]-~]+")  # ASCII without blanks and what quotes: taken in one step
_TABS = regex(r"^\t+", re.MULTILINE)


class Announced(NamedTuple):
    """``<<name`` in a line: where it stands, and what it asks for."""

    start: int
    end: int
    name: str
    expand: bool
    tabs: bool
    fd: int


class _UnreadableError(Exception):
    """BuildKit's shell lexer gives up on the text."""


def announced(text: str) -> list[Announced]:
    """Return the here-documents a joined line announces, in order."""
    try:
        return [found for start, end in _words(text) if (found := heredoc_word(text[start:end], start)) is not None]
    except _UnreadableError:
        return []


def heredoc_word(word: str, start: int = 0) -> Announced | None:
    """Read one word as ``<<name``; None when it is none. ``start`` is the word's offset."""
    match = _WORD.fullmatch(word) if "<<" in word else None
    if match is None or not match[3]:
        return None
    try:
        name, quoted = _unquote(match[3])
    except _UnreadableError:
        return None
    if not name:
        return None
    fd = int(match[1] or 0) if len(match[1]) < 19 else 2**64 - 1  # Go's ParseUint stops at its largest number
    return Announced(start, start + len(word), name, not quoted, match[2] == "-", fd)


def without_tabs(body: str) -> str:
    """Return a body as ``<<-`` gives it: no tabs at the start of its lines."""
    return _TABS.sub("", body)


def _words(text: str) -> list[tuple[int, int]]:
    """Return the offsets of the words of a line, split at blanks outside quotes."""
    words: list[tuple[int, int]] = []
    start, at, size = -1, 0, len(text)
    while at < size:
        char = text[at]
        if char in SPACE:
            if start >= 0:
                words.append((start, at))
                start = -1
            at += 1
            continue
        start = at if start < 0 else start
        after = _skip(text, at)
        if char == "$" and "<" in text[at:after]:  # a substitution falls apart at its blanks, quoted or not
            for index in range(at, after):
                if text[index] in SPACE and start >= 0:
                    words.append((start, index))
                    start = -1
                elif text[index] not in SPACE and start < 0:
                    start = index
        at = after
    if start >= 0:
        words.append((start, size))
    return words


def _skip(text: str, at: int) -> int:
    """Return the offset after one element: a quoted string, a substitution, an escaped character or plain text."""
    plain = _PLAIN.match(text, at)
    if plain is not None:
        return plain.end()
    char = text[at]
    if char == "\\":
        return min(at + 2, len(text))
    if char == "'":
        return _close(text, at)
    if char in '"$':
        return _nested(text, at)
    return at + 1


def _close(text: str, at: int) -> int:
    end = text.find("'", at + 1)
    if end < 0:
        raise _UnreadableError
    return end + 1


def _nested(text: str, at: int) -> int:
    """Skip ``"..."`` or ``$...``, which nest. A stack of what has to come; no recursion, as lines are long."""
    stack: list[str] = []
    while at < len(text):
        char, top = text[at], stack[-1] if stack else ""
        if char == top:
            stack.pop()
            if top == "/":
                stack.append("}")
            at += 1
        elif char == "$":
            at = _dollar(text, at, stack)
        elif char == "\\":
            at += 2 if top != '"' or text[at + 1 : at + 2] in ('"', "$", "\\") else 1
        elif char == '"':
            stack.append(char)
            at += 1
        elif char == "'" and top != '"':
            at = _close(text, at)
        else:
            at += 1
        if not stack:
            return at
    raise _UnreadableError


def _dollar(text: str, at: int, stack: list[str]) -> int:
    """Step over ``$name``, ``${name}`` or the head of ``${name:-``, and push what closes it."""
    if not text.startswith("{", at + 1):
        return at + 2 if text[at + 1 : at + 2] in tuple(_SPECIAL) else at + 1
    if text[at + 2 : at + 3] in ("", "{", "}", ":"):
        raise _UnreadableError
    at = _NAME.match(text, at + 2).end()  # type: ignore[union-attr]  # it matches nothing, too
    char = text[at : at + 1]
    if char == "}":
        return at + 1
    if char == "/":
        stack.append("/")
        return at + 2 if text.startswith("/", at + 1) else at + 1
    if char and char in ":+-?#%":
        stack.append("}")
        return at + 2 if char == ":" else at + 1
    raise _UnreadableError


def _unquote(text: str) -> tuple[str, bool]:
    """Return a name without quotes and escapes, and whether it had quotes. Substitutions stay as they are."""
    parts: list[str] = []
    quoted, at = False, 0
    while at < len(text):
        char, after = text[at], _skip(text, at)
        if char == "'":
            quoted = True
            parts.append(text[at + 1 : after - 1])
        elif char == '"':
            quoted = True
            parts.append(re.sub(r'\\(["$\\])', r"\1", text[at + 1 : after - 1]))
        elif char == "\\":
            parts.append(text[at + 1 : after])
        elif char in SPACE:
            return "", quoted  # more than one word
        else:
            parts.append(text[at:after])
        at = after
    return "".join(parts), quoted
