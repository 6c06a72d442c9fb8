"""Words of a shell script: quotes, escapes, substitutions. One pass, nothing is executed.

Source: POSIX.1-2017, Shell Command Language, sections 2.2 (quoting), 2.3 (token recognition), 2.6 (expansions); of bash
``$'…'`` and process substitution.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

Lookup = Callable[[str], str | None]
PLAIN = re.compile(r"[^\s'\"\\$`|&;()<>]+")
NAME = re.compile(r"[A-Za-z_]\w*|[0-9@*#?$!-]")
BRACED = re.compile(r"\{([A-Za-z_]\w*)\}")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}


class ScriptError(Exception):
    """The text ends inside a quote or a substitution; the message says which."""


class ShellWord(NamedTuple):
    """One word. ``text`` is None when an expansion in it cannot be known; ``nested`` are the scripts of ``$(…)``."""

    text: str | None
    end: int
    nested: tuple[str, ...]


def read_word(script: str, at: int, lookup: Lookup) -> ShellWord:
    """Read the word that starts at ``at``.

    Raises:
        ScriptError: a quote or a substitution in it is not closed.

    """
    return _Reader(script, lookup).word(at)


class _Reader:
    def __init__(self, script: str, lookup: Lookup) -> None:
        self.script, self.lookup = script, lookup
        self.nested: list[str] = []
        self.parts: list[str] = []
        self.known = True

    def word(self, at: int) -> ShellWord:
        script, end = self.script, len(self.script)
        while at < end:
            plain = PLAIN.match(script, at)
            if plain is not None:
                self.parts.append(plain[0])
                at = plain.end()
                continue
            char = script[at]
            if char == "\\":
                if script[at + 1 : at + 2] != "\n":
                    self.parts.append(script[at + 1 : at + 2])
                at += 2
            elif char == "'":
                close = self.find("'", at + 1)
                self.parts.append(script[at + 1 : close])
                at = close + 1
            elif char == '"':
                at = self.double(at + 1)
            elif char in "$`":
                at = self.expansion(at, quoted=False)
            else:
                break
        return ShellWord("".join(self.parts) if self.known else None, min(at, end), tuple(self.nested))

    def find(self, char: str, at: int) -> int:
        close = self.script.find(char, at)
        if close < 0:
            raise ScriptError(f"a {char} is not closed")
        return close

    def double(self, at: int) -> int:
        script = self.script
        while at < len(script):
            char = script[at]
            if char == '"':
                return at + 1
            if char == "\\" and script[at + 1 : at + 2] in ("$", "`", '"', "\\", "\n"):
                self.parts.append("" if script[at + 1] == "\n" else script[at + 1])
                at += 2
            elif char in "$`":
                at = self.expansion(at, quoted=True)
            else:
                self.parts.append(char)
                at += 1
        raise ScriptError('a " is not closed')

    def expansion(self, at: int, *, quoted: bool) -> int:
        script = self.script
        if script[at] == "`":
            close = self.find("`", at + 1)
            self.nested.append(script[at + 1 : close])
            self.known = False
            return close + 1
        following = script[at + 1 : at + 2]
        if following == "(":
            close = matching(script, at + 1)
            if script.startswith("((", at + 1):
                self.known = False  # arithmetic
            else:
                self.nested.append(script[at + 2 : close])
                self.known = False
            return close + 1
        if following == "{":
            return self.braced(at + 1)
        if following == "'" and not quoted:
            return self.ansi(at + 2)
        name = NAME.match(script, at + 1)
        if name is None:
            self.parts.append("$")
            return at + 1
        self.value(name[0])
        return name.end()

    def braced(self, at: int) -> int:
        simple = BRACED.match(self.script, at)
        if simple is not None:
            self.value(simple[1])
            return simple.end()
        self.known = False
        return matching(self.script, at) + 1

    def value(self, name: str) -> None:
        value = self.lookup(name)
        if value is None:
            self.known = False
        else:
            self.parts.append(value)

    def ansi(self, at: int) -> int:
        """``$'…'``: the common escapes; what else stands behind a backslash is kept with it."""
        script = self.script
        while at < len(script) and script[at] != "'":
            if script[at] == "\\" and at + 1 < len(script):
                char = script[at + 1]
                self.parts.append(_ESCAPES.get(char, char if char in "\\'\"" else "\\" + char))
                at += 2
            else:
                self.parts.append(script[at])
                at += 1
        if at >= len(script):
            raise ScriptError("a ' is not closed")
        return at + 1


_INTERESTING = re.compile(r"[(){}'\"\\`]")
_CLOSING = {"(": ")", "{": "}"}


def matching(script: str, at: int) -> int:
    """Return where the bracket at ``at`` is closed, quotes passed over.

    Raises:
        ScriptError: it is not closed.

    """
    opening, closing = script[at], _CLOSING[script[at]]
    depth, position = 0, at
    while True:
        found = _INTERESTING.search(script, position)
        if found is None:
            raise ScriptError(f"a {opening} is not closed")
        char, position = found[0], found.end()
        if char == opening:
            depth += 1
        elif char == closing:
            depth -= 1
            if depth == 0:
                return found.start()
        elif char == "\\":
            position += 1
        elif char in ("'", "`"):
            close = script.find(char, position)
            position = close + 1 if close >= 0 else len(script)
        elif char == '"':
            position = _after_quoted(script, position)


_IN_QUOTES = re.compile(r'["\\]')


def _after_quoted(script: str, at: int) -> int:
    while (found := _IN_QUOTES.search(script, at)) is not None:
        if found[0] == '"':
            return found.end()
        at = found.end() + 1
    return len(script)
