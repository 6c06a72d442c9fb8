"""Words of a shell script: quotes, escapes, substitutions. One pass, nothing is executed.

Source: POSIX.1-2017, Shell Command Language, sections 2.2 (quoting), 2.3 (token recognition), 2.6 (expansions); of bash
``$'…'`` and process substitution.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lucid_audit.dockerfile.shell_match import ScriptError, matching
from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple

Lookup = Callable[[str], str | None]
PLAIN = regex(r"[^ \t\r\n'\"\\$`|&;()<>]+")
NAME = regex(r"[A-Za-z_]\w*|[0-9@*#?$!-]", re.ASCII)
BRACED = regex(r"\{([A-Za-z_]\w*)\}", re.ASCII)
_BACKQUOTED = regex(r"`([^`\\]*(?:\\.[^`\\]*)*)`", re.DOTALL)
_SUBSTITUTION = regex(r"\\.|\$\((?!\()|`", re.DOTALL)
_BACKQUOTE_ESCAPE = regex(r"\\([$`\\])")
_NAMES = regex(r"\w+")
_SPLITS = regex(r"[ \t\n*?\[]")  # what makes several words, or other ones, of a value without quotes
_ANSI = regex(r"[^\\']+|\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}
_SETS = regex(
    r"([A-Za-z_]\w*)(?::?[+]?=|\[)|\b(?:for|select|read|unset|getopts|mapfile|readarray|printf[ \t]+-v)\b([^;&|\n]*)",
    re.ASCII,
)
_SETS_ANYTHING = regex(r"(?:^|[\s;&|(])(?:eval|source|\.)[ \t]")


class Nested(NamedTuple):
    """The script of a substitution and where it stands; not ``exact`` when escapes were taken off it."""

    script: str
    start: int
    end: int
    exact: bool = True


class ShellWord(NamedTuple):
    """One word. ``text`` is None when an expansion in it cannot be known; ``nested`` are the scripts of ``$(…)``."""

    text: str | None
    end: int
    nested: tuple[Nested, ...]


def read_word(script: str, at: int, lookup: Lookup, *, split: bool = False) -> ShellWord:
    """Read the word that starts at ``at``. ``split``: values without quotes are split into fields (section 2.6.5).

    Raises:
        ScriptError: a quote or a substitution in it is not closed.

    """
    return _Reader(script, lookup, split).word(at)


class _Reader:
    def __init__(self, script: str, lookup: Lookup, split: bool) -> None:
        self.script, self.lookup, self.split = script, lookup, split
        self.nested: list[Nested] = []
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
                    self.parts.append(script[at + 1 : at + 2] or char)
                at += 2
            elif char == "'":
                close = self.find("'", at + 1)
                self.parts.append(script[at + 1 : close])
                at = close + 1
            elif char == '"':
                at = self.double(at + 1)
            elif char in "$`":
                at = self.expansion(at, quoted=False)
            elif char == "\r" and script[at + 1 : at + 2] != "\n":
                self.parts.append(char)
                at += 1
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
        following = script[at + 1 : at + 2]
        if script[at] == "`" or following == "(":
            self.known = False
            close = len(script) if script[at] == "`" else matching(script, at + 1) + 1
            nested, end = substitutions(script, at, close, first=not script.startswith("((", at + 1))
            self.nested.extend(nested)
            return end
        if following == "{":
            return self.braced(at + 1, quoted=quoted)
        if following == "'" and not quoted:
            return self.ansi(at + 2)
        name = NAME.match(script, at + 1)
        if name is None:
            self.parts.append("$")
            return at + 1
        if script.startswith("\\\n", name.end()):  # the name may go on in the next line
            self.known = False
        self.value(name[0], quoted=quoted)
        return name.end()

    def braced(self, at: int, *, quoted: bool) -> int:
        simple = BRACED.match(self.script, at)
        if simple is not None:
            self.value(simple[1], quoted=quoted)
            return simple.end()
        self.known = False
        close = matching(self.script, at, quoted=quoted)
        self.nested.extend(substitutions(self.script, at + 1, close)[0])
        return close + 1

    def value(self, name: str, *, quoted: bool) -> None:
        value = self.lookup(name)
        if value is None or (self.split and not quoted and (not value or _SPLITS.search(value))):
            self.known = False
        else:
            self.parts.append(value)

    def ansi(self, at: int) -> int:
        """``$'…'``: the escapes of bash; a byte that is no character of its own is not known."""
        script = self.script
        while (piece := _ANSI.match(script, at)) is not None:
            at = piece.end()
            number = piece[1] or piece[2] or piece[3]
            if number or piece[4]:
                code = int(number, 16) if number else int(piece[4], 8)
                if 0 < code < (0xD800 if piece[2] or piece[3] else 0x80):
                    self.parts.append(chr(code))
                else:
                    self.known = False
            elif piece[5]:
                char = piece[5]
                self.parts.append(_ESCAPES.get(char, char if char in "\\'\"?" else "\\" + char))
            else:
                self.parts.append(piece[0])
        return self.find("'", at) + 1


def substitutions(script: str, at: int, end: int, *, first: bool = False) -> tuple[list[Nested], int]:
    """Return the scripts of ``$(…)`` and backquotes in ``script[at:end]``, or only the first, and where the reading ended.

    For what is expanded but is no list of words: ``${x:-…}``, arithmetic, the body of a here-document.

    Raises:
        ScriptError: one of them is not closed.

    """
    found: list[Nested] = []
    while not (first and found) and (match := _SUBSTITUTION.search(script, at, end)) is not None:
        start, at = match.span()
        if match[0] == "$(":
            close = matching(script, start + 1)
            found.append(Nested(script[at:close], at, close))
            at = close + 1
        elif match[0] == "`":
            quoted = _BACKQUOTED.match(script, start, end)
            if quoted is None:
                raise ScriptError("a ` is not closed")
            text = quoted[1]  # section 2.6.3: there a backslash escapes $, ` and itself
            found.append(Nested(_BACKQUOTE_ESCAPE.sub(r"\1", text), start + 1, quoted.end() - 1, "\\" not in text))
            at = quoted.end()
    return found, at if first and found else end


def unchanged(text: str, lookup: Lookup | None) -> Lookup:
    """Return a lookup without the variables that a script may set itself."""
    if lookup is None or _SETS_ANYTHING.search(text):
        return lambda _: None
    changed: set[str] = set()
    for name, names in _SETS.findall(text):
        changed.update((name, *_NAMES.findall(names)))
    return lambda name: None if name in changed else lookup(name)
