"""Words and JSON arrays, as BuildKit splits an instruction's arguments (``parser/line_parsers.go``)."""

from __future__ import annotations

import re
from functools import cache

from lucid_audit.dockerfile.lexer import ASCII_SPACE, SPACE
from lucid_audit.dockerfile.model import SourceMap, Word
from lucid_audit.regex import regex, rx
from lucid_audit.tuples import NamedTuple

WORD = regex(r"[^\t\v\f\r ]+")
"""A word of FROM, EXPOSE, VOLUME, COPY and ADD: quotes mean nothing there."""

_JSON_SPACE = regex(r"[ \t\n\r]*")
_JSON_STRING = regex(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')


class Array(NamedTuple):
    """The outcome of reading an argument as a JSON array.

    ``words`` is None when it is none: the shell form. ``refused``: an array, but not of strings, which is an error.
    """

    words: tuple[Word, ...] | None
    refused: bool = False


_NO_ARRAY = Array(None)


def plain_words(source: SourceMap, start: int, end: int) -> tuple[Word, ...]:
    """Return the words of ``text[start:end]``, split at blanks."""
    span = source.span
    return tuple([Word(m[0], span(m.start(), m.end())) for m in WORD.finditer(source.text, start, end)])


@cache
def _quoted(escape: str, ascii_only: bool) -> re.Pattern[str]:
    """Compile the pattern of a word that may have quotes; its escape character is ``escape``."""
    mark, space = re.escape(escape), ASCII_SPACE if ascii_only else SPACE  # the longer one takes as long as 20 patterns
    return rx(
        # Possessive quantifiers: no way back, so a line of any length costs one pass.
        rf"""(?:[^{space}'"{mark}]++|{mark}(?:.|\Z)|'[^']*+(?:'|\Z)"""
        rf"""|"(?:[^"{mark}]++|{mark}.)*+(?:"|{mark}?\Z))++""",
        re.DOTALL,
    )


def quoted_words(source: SourceMap, start: int, end: int, escape: str) -> list[tuple[str, int]]:
    """Return the words of ``text[start:end]`` with their offsets, split at blanks outside quotes; quotes stay.

    An escape character with nothing after it is dropped, as BuildKit does.
    """
    text = source.text
    words = []
    for match in _quoted(escape, text.isascii()).finditer(text, start, end):
        raw = match[0]
        if match.end() == end and _dangling(raw, escape):
            raw = raw[:-1]
        if raw:
            words.append((raw, match.start()))
    return words


def _dangling(raw: str, escape: str) -> bool:
    """Tell whether the last character of the last word is an escape character that escapes nothing."""
    if not raw.endswith(escape):
        return False
    at, quote = 0, ""
    while at < len(raw):
        char = raw[at]
        if char == escape and quote != "'":
            if at + 1 == len(raw):
                return True
            at += 1
        elif char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        at += 1
    return False


def json_array(source: SourceMap, start: int, end: int) -> Array:
    """Read ``text[start:end]``, which has no outer blanks, as Go reads JSON: an array of strings or nothing."""
    text = source.text
    if not text.startswith("[", start):
        return _NO_ARRAY
    at = _JSON_SPACE.match(text, start + 1, end).end()  # type: ignore[union-attr]  # it matches nothing, too
    words: list[Word] = []
    while True:
        match = _JSON_STRING.match(text, at, end)
        if match is None:
            break
        words.append(Word(_decode(match[0]), source.span(at, match.end())))
        at = _JSON_SPACE.match(text, match.end(), end).end()  # type: ignore[union-attr]
        if not text.startswith(",", at, end):
            break
        at = _JSON_SPACE.match(text, at + 1, end).end()  # type: ignore[union-attr]
    closed = text.startswith("]", at, end) and (match is not None or not words)
    if closed and at + 1 == end:
        return Array(tuple(words))
    return Array(None, refused=not closed and _is_json(text[start:end]))


def _decode(literal: str) -> str:
    """Return the string of a valid literal. What is no Unicode text is U+FFFD: lone surrogates, undecodable bytes."""
    value = literal[1:-1]
    if "\\" in value:
        import json  # noqa: PLC0415  (its import costs as much as parsing a file, and few strings have escapes)

        value = json.loads(literal)
    return value if value.isascii() else re.sub("[\ud800-\udfff]", "\ufffd", value)


def _is_json(text: str) -> bool:
    """Tell whether Go decodes a text as JSON: no NaN, no number that a float cannot hold."""
    import json  # noqa: PLC0415  (for what looks like an array and is none)

    try:
        json.loads(text, parse_constant=_refuse, parse_float=_number, parse_int=_number)
    except RecursionError:
        return True  # nested deeper than Python reads: an array of arrays, which is refused either way
    except ValueError:
        return False
    return True


def _number(text: str) -> float:
    value = float(text)
    return _refuse(text) if value in (float("inf"), float("-inf")) else value


def _refuse(text: str) -> float:
    raise ValueError(text)
