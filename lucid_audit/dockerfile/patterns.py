"""Patterns of ``${x#p}``, ``${x%p}`` and ``${x/p/r}``: ``*`` and ``?`` without brackets.

Source of the behaviour: ``convertShellPatternToRegex``, ``trimPrefix`` and ``trimSuffix`` in BuildKit
``frontend/dockerfile/shell/lex.go``. As there, ``*`` and ``?`` do not cross a newline.
"""

from __future__ import annotations

import re


class PatternError(Exception):
    """The pattern has an escape that means nothing."""


def trim_prefix(pattern: str, value: str, greedy: bool) -> str:
    """Take the shortest (or longest, when ``greedy``) match of ``pattern`` off the start of ``value``.

    Raises:
        PatternError: the pattern is not valid.

    """
    found = re.match(_regex(_tokens(pattern), greedy=greedy), value)
    return value[found.end() :] if found else value


def trim_suffix(pattern: str, value: str, greedy: bool) -> str:
    """Take the shortest (or longest) match off the end: the reversed pattern off the start of the reversed value.

    Raises:
        PatternError: the pattern is not valid.

    """
    found = re.match(_regex(_tokens(pattern)[::-1], greedy=greedy), value[::-1])
    return value[: len(value) - found.end()] if found else value


def replace(pattern: str, replacement: str, value: str, *, everywhere: bool) -> str:
    """Replace the first (or every) longest match of ``pattern``; the replacement is literal.

    Raises:
        PatternError: the pattern is not valid.

    """
    return re.sub(_regex(_tokens(pattern), greedy=True), lambda _: replacement, value, count=0 if everywhere else 1)


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
        tokens.append(char)
    return tokens


def _regex(tokens: list[str], *, greedy: bool) -> str:
    wild = {"*": ".*" if greedy else ".*?", "?": "."}
    return "".join(wild.get(token) or re.escape(token[-1]) for token in tokens)
