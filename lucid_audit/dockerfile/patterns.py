"""Patterns of ``${x#p}``, ``${x%p}`` and ``${x/p/r}``: ``*`` and ``?`` without brackets.

Source of the behaviour: ``convertShellPatternToRegex``, ``trimPrefix`` and ``trimSuffix`` in BuildKit
``frontend/dockerfile/shell/lex.go``. As there, ``*`` and ``?`` do not cross a newline.

Go's regular expressions take linear time and Python's do not: ``*a*a*a*b`` on a long value never ends there. So all
ways to match are followed at once, as bits of one number (the shift-and algorithm).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lucid_audit.regex import regex


class PatternError(Exception):
    """The pattern has an escape that means nothing."""


def trim_prefix(pattern: str, value: str, greedy: bool) -> str:
    """Take the shortest (or longest, when ``greedy``) match of ``pattern`` off the start of ``value``.

    Raises:
        PatternError: the pattern is not valid.

    """
    end = _Pattern(_tokens(pattern)).match(value, 0, greedy=greedy)
    return value if end is None else value[end:]


def trim_suffix(pattern: str, value: str, greedy: bool) -> str:
    """Take the shortest (or longest) match off the end: the reversed pattern off the start of the reversed value.

    Raises:
        PatternError: the pattern is not valid.

    """
    end = _Pattern(_tokens(_reversed(pattern))).match(value[::-1], 0, greedy=greedy)
    return value if end is None else value[: len(value) - end]


def replace(pattern: str, replacement: str, value: str, *, everywhere: bool) -> str:
    """Replace the first (or every) longest match of ``pattern``.

    Every match: by Go's ``ReplaceAllString``, where an empty match right behind another does not count (``${x//*/y}`` is
    one ``y``) and ``$`` in the replacement refers to groups. There are none but ``$0``, the match.

    Raises:
        PatternError: the pattern is not valid.

    """
    tokens = _tokens(pattern)
    forward, backward = _Pattern(tokens), _Pattern(tokens[::-1])
    # Read from the right, a match ends where it starts: what is not in here need not be tried.
    starts = sorted(len(value) - end for end in backward.ends(value[::-1], 0, anywhere=True))
    out: list[str] = []
    done = free = 0  # value[:done] is in ``out``; the next match starts at ``free`` or later
    for start in starts:
        if start < free:
            continue
        end = forward.match(value, start, greedy=True)
        if end is None:
            continue
        out.append(value[done:start])
        if end > done or start == 0:
            out.append(_filled(replacement, value[start:end]) if everywhere else replacement)
        done, free = end, max(end, start + 1)
        if not everywhere:
            break
    return "".join((*out, value[done:]))


_GROUP = regex(r"\$(?:(\$)|(\w+)|\{(\w+)\})")


def _filled(template: str, match: str) -> str:
    """Replace ``$0`` by the match, ``$$`` by a dollar and other names by nothing, as Go's ``Regexp.Expand``."""
    if "$" not in template:
        return template
    return _GROUP.sub(lambda ref: "$" if ref[1] else match if (ref[2] or ref[3]) == "0" else "", template)


class _Pattern:
    """A pattern, ready to match. Bit ``i`` of a state says that the first ``i`` tokens can have matched so far."""

    def __init__(self, tokens: list[str]) -> None:
        # Of several stars in a row one is enough; and then an empty match of a star is a single shift.
        tokens = [token for at, token in enumerate(tokens) if token != "*" or tokens[at - 1 : at] != ["*"]]
        self.stars = sum(1 << at for at, token in enumerate(tokens) if token == "*")
        self.any = sum(1 << at for at, token in enumerate(tokens) if token == "?")
        self.literals: dict[str, int] = {}
        for at, token in enumerate(tokens):
            if token not in ("*", "?"):
                self.literals[token[-1]] = self.literals.get(token[-1], 0) | 1 << at
        self.accept = 1 << len(tokens)

    def ends(self, value: str, start: int, *, anywhere: bool = False) -> Iterator[int]:
        """Yield, in order, where a match that starts at ``start`` (or ``anywhere`` behind it) can end."""
        stars, any_, literals, accept = self.stars, self.any, self.literals, self.accept
        first = 1 | (stars & 1) << 1
        state = first
        if state & accept:
            yield start
        for at in range(start, len(value)):
            char = value[at]
            step = literals.get(char, 0)
            wide, stay = (0, 0) if char == "\n" else (any_, stars)
            state = (state & (step | wide)) << 1 | state & stay
            state |= (state & stars) << 1
            if anywhere:
                state |= first
            elif not state:
                return
            if state & accept:
                yield at + 1

    def match(self, value: str, start: int, *, greedy: bool) -> int | None:
        """Return the end of the shortest (or longest) match that starts at ``start``, or None.

        A star stays in its line, so which line a token is in follows from the pattern alone. Hence the first match that
        a backtracking search would find is also the shortest (lazy stars) or the longest (greedy ones).
        """
        found: int | None = None
        for end in self.ends(value, start):
            found = end
            if not greedy:
                break
        return found


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


def _reversed(pattern: str) -> str:
    """Turn a pattern around; what a backslash escapes stays behind it. A last backslash comes to stand first, as there."""
    return "".join(re.findall(r"\\.|.", pattern, re.DOTALL)[::-1])
