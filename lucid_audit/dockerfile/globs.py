"""Go's path rules, which decide what COPY sources and ``.dockerignore`` lines mean: ``filepath.Clean`` and ``.Match``.

Both are lexical and use ``/`` only, as BuildKit does on Linux.
"""

from __future__ import annotations

import re
from posixpath import normpath

from lucid_audit.tuples import NamedTuple

WILDCARDS = "*?["


class BadPatternError(ValueError):
    """A glob that ``filepath.Match`` refuses; the message says why."""


class Token(NamedTuple):
    """One element of a glob.

    ``kind`` is "char", "star", "any" or "class". ``text`` is the character, or the class as a regular expression.
    ``raw`` is the element as written.
    """

    kind: str
    text: str
    raw: str


def clean(path: str) -> str:
    """Return the shortest path that means the same: ``filepath.Clean``. "" becomes "."; "//" at the start becomes "/"."""
    short = normpath(path.replace("\0", "\ufffd"))  # the C version of normpath stops at NUL, which no file name holds
    return short[1:] if short.startswith("//") else short


def has_wildcards(name: str) -> bool:
    """Whether BuildKit takes a source for a pattern: an unescaped ``*``, ``?`` or ``[``."""
    if "*" not in name and "?" not in name and "[" not in name:
        return False  # the quick way for nearly every name
    at = 0
    while at < len(name):
        if name[at] in WILDCARDS:
            return True
        at += 2 if name[at] == "\\" else 1
    return False


def tokens(pattern: str) -> list[Token]:
    """Take a glob apart.

    Raises:
        BadPatternError: ``filepath.Match`` calls it malformed.

    """
    found: list[Token] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        end = at + 1
        if char == "*":
            found.append(Token("star", "", char))
        elif char == "?":
            found.append(Token("any", "", char))
        elif char == "[":
            text, end = _class(pattern, at)
            found.append(Token("class", text, pattern[at:end]))
        elif char == "\\":
            if end == len(pattern):
                raise BadPatternError("nothing follows its last backslash")
            end += 1
            found.append(Token("char", pattern[at + 1], pattern[at:end]))
        else:
            found.append(Token("char", char, char))
        at = end
    return found


def _class(pattern: str, start: int) -> tuple[str, int]:
    """Return the class that opens at ``start`` as a regular expression, and where it ends."""
    at = start + 1
    negated = pattern.startswith("^", at)  # Go does not know the "!" of shells
    at += negated
    ranges = []
    empty = True
    while empty or not pattern.startswith("]", at):
        low, at = _class_char(pattern, at)
        high = low
        if pattern.startswith("-", at):
            high, at = _class_char(pattern, at + 1)
        empty = False
        if low <= high:
            ranges.append(f"{re.escape(low)}-{re.escape(high)}")
    if not ranges:
        return (r"[\s\S]" if negated else "(?!)"), at + 1
    return f"[{'^' * negated}{''.join(ranges)}]", at + 1


def _class_char(pattern: str, at: int) -> tuple[str, int]:
    if at < len(pattern) and pattern[at] in "-]":
        raise BadPatternError(f"{pattern[at]} in [ ] has to be escaped with a backslash")
    if pattern.startswith("\\", at):
        at += 1
    if at + 1 >= len(pattern):  # even a complete character still needs its closing bracket
        raise BadPatternError("its [ is not closed")
    return pattern[at], at + 1


def element(pattern: str) -> re.Pattern[str] | None:
    """Compile a glob for one path element, to be used with ``fullmatch``; None when it is malformed.

    BuildKit ignores the error of a malformed source pattern: it just never matches. All but the last ``*`` take the
    shortest text that fits and keep it, so that matching time does not explode.
    """
    try:
        parsed = tokens(pattern)
    except BadPatternError:
        return None
    chunks = [""]
    for token in parsed:
        if token.kind == "star":
            chunks.append("")
        else:
            chunks[-1] += atom(token)
    first, *rest = chunks
    if not rest:
        return re.compile(first)
    middle = "".join(f"(?>[^/]*?{chunk})" for chunk in rest[:-1] if chunk)
    return re.compile(f"{first}{middle}[^/]*{rest[-1]}")


def atom(token: Token) -> str:
    """Return the regular expression of a token that stands for exactly one character."""
    if token.kind == "any":
        return "[^/]"
    return token.text if token.kind == "class" else re.escape(token.text)
