"""Word expansion as BuildKit does it: quotes, escapes and ``$``, with a third answer for what cannot be known.

Source of the behaviour: BuildKit ``frontend/dockerfile/shell/lex.go``. It mimics a POSIX shell, and differs from one in
what it leaves out (no nested commands, no arithmetic) and in ``#``, ``%`` and ``/`` patterns, which know ``*`` and ``?``
but no brackets.
"""

from __future__ import annotations

from collections.abc import Callable

from lucid_audit.dockerfile.patterns import PatternError, replace, trim_prefix, trim_suffix
from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown, Value

Lookup = Callable[[str], Value | None]  # None: certainly not set
SPECIAL_PARAMETERS = frozenset("@*#?-$!0")
_ORDINARY = regex(r"[^$'\"\\`/}]+")  # what means nothing anywhere: taken in one step
_SPACE = regex("[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")  # Go's unicode.IsSpace
_NAME = regex("[A-Za-z_][A-Za-z_0-9]*")  # the ASCII start of a name, which mostly is all of it


class Expansion(NamedTuple):
    """What a word expands to. ``text`` is None when something unknown is in it, or when it does not expand at all."""

    text: str | None
    unknown: tuple[Unknown, ...] = ()
    used: tuple[str, ...] = ()  # variables referred to, in order
    undefined: tuple[str, ...] = ()  # of these, the ones that are not set and gave nothing
    error: str | None = None  # why BuildKit refuses the word


class ExpansionError(Exception):
    """BuildKit refuses the word; the message says why."""


def plain(raw: str, escape: str) -> bool:
    """Whether a word is what it expands to, as nearly every word is."""
    return "$" not in raw and '"' not in raw and "'" not in raw and escape not in raw


def expand(raw: str, lookup: Lookup, escape: str = "\\", *, quotes: bool = True) -> Expansion:
    """Expand one word and take its quotes off. ``quotes`` False keeps them, as in the body of a heredoc. Never raises."""
    if plain(raw, escape):
        return Expansion(raw)
    lexer = _Lexer(raw, lookup, escape, quotes)
    try:
        return lexer.answer(lexer.until("", raw_escapes=False))
    except ExpansionError as error:
        return lexer.answer(None, str(error))
    except RecursionError:
        return Expansion(None, (), (), (), "substitutions are nested too deeply")


def expand_words(raw: str, lookup: Lookup, escape: str = "\\") -> tuple[Expansion, ...]:
    """Expand and split at blanks outside quotes, those in the values of variables too: how EXPOSE is read. Never raises.

    A word that comes to nothing is none, not even when it is quoted. What is unknown is one word here and may become
    several, or none. A refused text gives one Expansion with the error. Variables of a word that came to nothing are
    named with the word behind it.
    """
    if plain(raw, escape):
        return tuple(Expansion(word) for word in _parts(raw) if word)
    lexer = _Lexer(raw, lookup, escape, True)
    try:
        return lexer.words()
    except ExpansionError as error:
        return (lexer.answer(None, str(error)),)
    except RecursionError:
        return (Expansion(None, (), (), (), "substitutions are nested too deeply"),)


def _parts(text: str) -> list[str]:
    """Split at every blank. Without one nothing is compiled: of blanks, only the ordinary one is printable."""
    return [text] if " " not in text and text.isprintable() else _SPACE.split(text)


class _Lexer:
    """One pass over one word. An unknown value contributes no text; its reason is kept."""

    def __init__(self, raw: str, lookup: Lookup, escape: str, quotes: bool) -> None:
        self.raw, self.end, self.at = raw, len(raw), 0
        self.lookup, self.escape, self.quotes = lookup, escape, quotes
        self.raw_escapes = False
        self.unknown: list[Unknown] = []
        self.used: list[str] = []
        self.undefined: list[str] = []

    def peek(self) -> str:
        return self.raw[self.at] if self.at < self.end else ""

    def next(self) -> str:
        char = self.peek()
        self.at += 1
        return char

    def answer(self, text: str | None, error: str | None = None) -> Expansion:
        known = None if self.unknown else text
        return Expansion(known, tuple(self.unknown), tuple(self.used), tuple(self.undefined), error)

    def words(self) -> tuple[Expansion, ...]:
        found: list[Expansion] = []
        parts: list[str] = []
        while self.at < self.end:
            text, splits = self.piece()
            first, *rest = _parts(text) if splits else (text,)
            parts.append(first)
            for part in rest:
                self.end_word(parts, found)
                parts = [part]
        self.end_word(parts, found)
        return tuple(found)

    def end_word(self, parts: list[str], found: list[Expansion]) -> None:
        text = "".join(parts)
        if text or self.unknown:
            found.append(self.answer(text))
            self.unknown, self.used, self.undefined = [], [], []

    def until(self, stop: str, *, raw_escapes: bool) -> str:
        """Expand up to the character ``stop`` and pass it; "" is the end of the word."""
        outer, self.raw_escapes = self.raw_escapes, raw_escapes
        out: list[str] = []
        while self.at < self.end:
            if stop and self.raw[self.at] == stop:
                self.at += 1
                self.raw_escapes = outer
                return "".join(out)
            out.append(self.piece()[0])
        if stop:
            raise ExpansionError(f"the word ends before the closing {stop}")
        self.raw_escapes = outer
        return "".join(out)

    def piece(self) -> tuple[str, bool]:
        """Read and expand the next piece, and say whether blanks in it separate words."""
        run = _ORDINARY.match(self.raw, self.at)
        if run is not None:
            self.at = run.end()
            return run[0], True
        char = self.raw[self.at]
        if char == "$":
            return self.dollar(), True
        if char == "'" and self.quotes:
            return self.single_quoted(), False
        if char == '"' and self.quotes:
            return self.double_quoted(), False
        self.at += 1
        if char == self.escape:
            return (char if self.raw_escapes else "") + self.next(), False
        return char, True

    def single_quoted(self) -> str:
        close = self.raw.find("'", self.at + 1)
        if close < 0:
            raise ExpansionError("a single quote is not closed")
        text = self.raw[self.at + 1 : close]
        self.at = close + 1
        return text

    def double_quoted(self) -> str:
        """Inside double quotes the escape character escapes only ``"``, ``$`` and itself; else it stays."""
        self.at += 1
        out: list[str] = []
        while True:
            run = _ORDINARY.match(self.raw, self.at)
            if run is not None:
                out.append(run[0])
                self.at = run.end()
            char = self.peek()
            if char == "":
                raise ExpansionError("a double quote is not closed")
            if char == '"':
                self.at += 1
                return "".join(out)
            if char == "$":
                out.append(self.dollar())
                continue
            self.at += 1
            if char == self.escape:
                if self.raw_escapes:
                    out.append(char)
                following = self.peek()
                if following == "":
                    continue
                if following in ('"', "$", self.escape):
                    char = self.next()
            out.append(char)

    def dollar(self) -> str:
        self.at += 1
        if self.peek() != "{":
            name = self.name()
            return self.plain(name) if name else "$"
        self.at += 1
        if self.peek() == "":
            raise ExpansionError("a ${ is not closed")
        if self.peek() in "{}:":
            raise ExpansionError("a ${…} has no variable name")
        name = self.name()
        modifier = self.next()
        if modifier == "}":
            return self.plain(name)
        if modifier == "/":
            return self.replaced(name)
        null_is_unset = modifier == ":"
        kind = self.next() if null_is_unset else modifier
        if not kind:
            raise ExpansionError("a ${ is not closed")
        if kind not in "+-?#%" and not null_is_unset:
            raise ExpansionError(f"the modifier {modifier} is not supported in ${{…}}")
        self.used.append(name)
        before = len(self.unknown), len(self.undefined)
        word = self.until("}", raw_escapes=kind in "#%")
        return self.modified(name, kind, word, null_is_unset, before)

    def modified(self, name: str, kind: str, word: str, null_is_unset: bool, before: tuple[int, int]) -> str:
        """Apply ``:-  -  :+  +  :?  ?  #  ##  %  %%``. ``before``: how much was unknown and undefined before the word."""
        value = self.lookup(name)
        if kind in "#%":
            return self.trimmed(name, kind, word, before[0])
        if kind not in "+-?":
            raise ExpansionError(f"the modifier :{kind} is not supported in ${{…}}")
        if isinstance(value, Unknown):
            self.unknown.append(value)
            return ""
        absent = value is None or (null_is_unset and value == "")
        if (kind == "-" and absent) or (kind == "+" and not absent):
            return word
        # The word is not used, so nothing in it matters.
        del self.unknown[before[0] :], self.undefined[before[1] :]
        if kind == "+":
            return ""
        if absent:
            why = "is not allowed to be unset" if value is None else "is not allowed to be empty"
            raise ExpansionError(f"{name}: {word or why}")
        return value or ""

    def trimmed(self, name: str, kind: str, word: str, unknown_before: int) -> str:
        greedy = word.startswith(kind)
        trim = trim_suffix if kind == "%" else trim_prefix
        return self.matched(name, unknown_before, lambda value: trim(word[greedy:], value, greedy))

    def replaced(self, name: str) -> str:
        """``${name/pattern/replacement}``, or every match with a second slash."""
        everywhere = self.peek() == "/"
        self.at += everywhere
        self.used.append(name)
        before = len(self.unknown)
        pattern = self.until("/", raw_escapes=True)
        replacement = self.until("}", raw_escapes=True)
        return self.matched(name, before, lambda value: replace(pattern, replacement, value, everywhere=everywhere))

    def matched(self, name: str, unknown_before: int, change: Callable[[str], str]) -> str:
        """Apply a pattern to a value; to "" when there is none, because a wrong pattern is refused all the same."""
        pattern_known = len(self.unknown) == unknown_before
        known = self.known(name, self.lookup(name)) or ""
        if not pattern_known:
            return ""
        try:
            return change(known)
        except PatternError as error:
            raise ExpansionError(str(error)) from None

    def plain(self, name: str) -> str:
        self.used.append(name)
        return self.known(name, self.lookup(name)) or ""

    def known(self, name: str, value: Value | None) -> str | None:
        """Return a value's text, or note why there is none and return None."""
        if isinstance(value, Unknown):
            self.unknown.append(value)
            return None
        if value is None:
            self.undefined.append(name)
        return value

    def name(self) -> str:
        """Read a variable name: digits, one special parameter, or letters, digits and underscores."""
        start, char = self.at, self.peek()
        if char.isdecimal():
            while self.peek().isdecimal():
                self.at += 1
        elif char in SPECIAL_PARAMETERS and char:
            self.at += 1
        else:
            run = _NAME.match(self.raw, self.at)
            self.at = run.end() if run is not None else start
            while (char := self.peek()) and (char == "_" or char.isalpha() or char.isdecimal()):
                self.at += 1
        return self.raw[start : self.at]
