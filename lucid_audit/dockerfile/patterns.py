"""Patterns of ``${x#p}``, ``${x%p}`` and ``${x/p/r}``: ``*`` and ``?`` without brackets.

Source of the behaviour: ``convertShellPatternToRegex``, ``trimPrefix`` and ``trimSuffix`` in BuildKit
``frontend/dockerfile/shell/lex.go``. As there, ``*`` and ``?`` do not cross a newline. Go's regular expressions take
linear time and Python's do not, so a pattern is matched here as a set of states in the bits of a number.
"""

from __future__ import annotations

REPLACE_LIMIT = 20_000  # characters of a value in which matches are looked for


class PatternError(Exception):
    """The pattern has an escape that means nothing, or the value is too long to search."""


def trim_prefix(pattern: str, value: str, greedy: bool) -> str:
    """Take the shortest (or longest, when ``greedy``) match of ``pattern`` off the start of ``value``.

    Raises:
        PatternError: the pattern is not valid.

    """
    end = _match(_tokens(pattern), value, 0, greedy=greedy)
    return value[end:] if end is not None else value


def trim_suffix(pattern: str, value: str, greedy: bool) -> str:
    """Take the shortest (or longest) match off the end: the reversed pattern off the start of the reversed value.

    Raises:
        PatternError: the pattern is not valid.

    """
    end = _match(_tokens(pattern)[::-1], value[::-1], 0, greedy=greedy)
    return value[: len(value) - end] if end is not None else value


def replace(pattern: str, replacement: str, value: str, *, everywhere: bool) -> str:
    """Replace the first (or every) longest match of ``pattern``; the replacement is literal.

    Raises:
        PatternError: the pattern is not valid, or the value is longer than ``REPLACE_LIMIT``.

    """
    tokens = _tokens(pattern)
    if len(value) > REPLACE_LIMIT:
        raise PatternError(f"the value is longer than {REPLACE_LIMIT} characters")
    out: list[str] = []
    at = 0
    while at <= len(value):
        end = _match(tokens, value, at, greedy=True)
        if end is None and tokens[:1] == ["*"] and "\n" not in value:
            break  # a leading star has tried every later place too
        if end is not None:
            out.append(replacement)
            if not everywhere:
                return "".join(out) + value[end:]
        if end is None or end == at:
            out.append(value[at : at + 1])
            at += 1
        else:
            at = end
            if at == len(value):
                break
    return "".join(out) + value[at:]


def _match(tokens: list[str], value: str, start: int, *, greedy: bool) -> int | None:
    """Return where the shortest or longest match from ``start`` ends, or None. Bit i: i tokens are matched."""
    stars = sum(1 << at for at, token in enumerate(tokens) if token == "*")
    steps: dict[str, int] = {}
    final = 1 << len(tokens)
    active = 1 | ((1 & stars) << 1)
    end = start if active & final else None
    for at in range(start, len(value)):
        if end is not None and not greedy:
            break
        char = value[at]
        if char not in steps:
            wild = "" if char == "\n" else "?"
            steps[char] = sum(1 << i for i, token in enumerate(tokens) if _takes(token, char, wild))
        active = (active & steps[char]) << 1 | (active & stars if char != "\n" else 0)
        active |= (active & stars) << 1
        if not active:
            break
        if active & final:
            end = at + 1
    return end


def _tokens(pattern: str) -> list[str]:
    """Split into ``*``, ``?`` and literal characters; a literal star or question mark carries its backslash."""
    tokens: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "\\":
            following = pattern[at : at + 1]
            if following and following in "}/":
                continue  # the escape only kept the character from ending the substitution
            if not following or following not in "*?\\":
                raise PatternError(f"the pattern {pattern} has an escape \\{following} that means nothing")
            char += following
            at += 1
        if char != "*" or tokens[-1:] != ["*"]:  # two stars match what one does
            tokens.append(char)
    return tokens


def _takes(token: str, char: str, wild: str) -> bool:
    """Whether a token matches a character; ``wild`` is the token that matches it whatever it is."""
    if token in ("*", "?"):
        return token == wild
    return token[-1] == char
