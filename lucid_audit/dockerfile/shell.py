"""RUN text as simple commands: what is called with which words, and whether it surely runs. Best effort, and it says so.

Source: POSIX.1-2017, Shell Command Language, sections 2.9 (commands) and 2.10 (grammar); of bash ``[[ ]]``, ``&>``,
``<<<`` and functions.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lucid_audit.dockerfile.shell_words import Lookup, ScriptError, matching, read_word

Range = tuple[int, int]
DEPTH_LIMIT = 20  # of $( ) inside $( )
_BLANK = re.compile(r"(?:[ \t\r]|\\\r?\n)+")
_OPERATOR = re.compile(r"&&|\|\||;;&?|;&|;|\|&?|&(?!>)|\n|\(|\)")
_REDIRECT = re.compile(r"(\d*)(<<<|<<-?|<>|<&|>>|>\||>&|&>>|&>|<|>)")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\+?=")
_OPENING = frozenset(("if", "while", "until", "for", "select", "case", "{", "function"))
_MIDDLE = frozenset(("then", "do", "else", "elif"))
_CLOSING = frozenset(("fi", "done", "esac", "}"))
_CONDITIONAL = frozenset(("then", "do", "else", "elif", "case", "function"))


class Redirect(NamedTuple):
    """A redirection. ``target`` is None when it cannot be known."""

    op: str
    target: str | None
    span: Range


class SimpleCommand(NamedTuple):
    """One call. ``spans`` are offsets in the script; ``certain`` is False where it may not run although the script succeeds."""

    argv: tuple[str | None, ...]
    raw: tuple[str, ...]
    spans: tuple[Range, ...]
    assignments: tuple[tuple[str, str | None], ...]
    redirects: tuple[Redirect, ...]
    operator: str
    depth: int
    certain: bool


class Script(NamedTuple):
    """The calls of a script in order. ``complete`` is False when something could not be read; ``reason`` says what."""

    commands: tuple[SimpleCommand, ...]
    complete: bool = True
    reason: str = ""


def parse_script(text: str, lookup: Lookup | None = None) -> Script:
    """Read a script. ``lookup`` gives the values of variables that are known. Never raises; takes linear time."""
    return _parse(text, lookup or (lambda _: None), 0, True)


def _parse(text: str, lookup: Lookup, level: int, certain: bool) -> Script:
    if level > DEPTH_LIMIT:
        return Script((), False, "command substitutions are nested too deeply")
    parser = _Parser(text, lookup, level, certain)
    try:
        parser.run()
    except ScriptError as error:
        parser.finish()
        return Script(tuple(parser.commands), False, str(error))
    return Script(tuple(parser.commands), not parser.reason, parser.reason)


class _Parser:
    def __init__(self, text: str, lookup: Lookup, level: int, certain: bool) -> None:
        self.text, self.lookup, self.level, self.base = text, lookup, level, certain
        self.commands: list[SimpleCommand] = []
        self.reason = ""
        self.scopes: list[str] = []  # what is open: if then do case ( { function …
        self.operator, self.perhaps = "", False  # perhaps: behind a || of this list
        self.heredocs: list[tuple[str, bool]] = []
        self.pattern = False  # in a case, before the ) of a pattern
        self.clear()

    def clear(self) -> None:
        self.argv: list[str | None] = []
        self.raw: list[str] = []
        self.spans: list[Range] = []
        self.assignments: list[tuple[str, str | None]] = []
        self.redirects: list[Redirect] = []
        self.inner: list[str] = []

    def run(self) -> None:
        text, at = self.text, 0
        while at < len(text):
            blank = _BLANK.match(text, at)
            if blank is not None:
                at = blank.end()
            elif text[at] == "#":
                line_end = text.find("\n", at)
                at = line_end if line_end >= 0 else len(text)
            elif text.startswith(("<(", ">("), at):  # process substitution
                close = matching(text, at + 1)
                self.inner.append(text[at + 2 : close])
                self.add(None, text[at : close + 1], at, close + 1)
                at = close + 1
            elif (redirect := _REDIRECT.match(text, at)) is not None:
                at = self.redirect(redirect)
            elif (operator := _OPERATOR.match(text, at)) is not None:
                at = self.on_operator(operator[0], at)
            else:
                at = self.on_word(at)
        self.finish()
        if self.scopes:
            self.reason = self.reason or f"{self.scopes[-1]} is not closed"

    def redirect(self, match: re.Match[str]) -> int:
        at = match.end()
        blank = _BLANK.match(self.text, at)
        word = read_word(self.text, blank.end() if blank else at, self.lookup)
        if match[2] in ("<<", "<<-"):
            raw = self.text[blank.end() if blank else at : word.end]
            self.heredocs.append((re.sub(r"['\"\\]", "", raw), match[2] == "<<-"))
        self.redirects.append(Redirect(match[1] + match[2], word.text, (match.start(), word.end)))
        return max(word.end, at)

    def on_operator(self, operator: str, at: int) -> int:
        after = at + len(operator)
        if self.argv and self.argv[0] == "[[" and self.raw[-1] != "]]" and operator in ("&&", "||", "(", ")"):
            self.add(operator, operator, at, after)
            return after
        if operator == "(":
            return self.parenthesis(at)
        if operator == ")" and self.pattern:
            self.clear()
            self.pattern = False
            return after
        self.finish()
        if operator == ")":
            self.leave("(")
        elif operator.startswith((";;", ";&")):
            self.pattern = True
        self.operator = operator
        if operator == "||":
            self.perhaps = True
        elif operator not in ("&&", "|", "|&"):
            self.perhaps = False
        return self.skip_heredocs(after) if operator == "\n" else after

    def parenthesis(self, at: int) -> int:
        if (self.raw and self.raw[-1].endswith("=")) or (self.assignments and self.text[at - 1] == "="):
            return matching(self.text, at) + 1  # an array
        if not self.argv and self.text.startswith("((", at):
            return matching(self.text, at) + 1  # arithmetic
        if self.pattern:
            return at + 1
        if len(self.argv) == 1:  # name ( ) { … }: what a function does runs when it is called
            self.clear()
            self.scopes.append("function")
            return matching(self.text, at) + 1
        self.finish()
        self.scopes.append("(")
        return at + 1

    def on_word(self, at: int) -> int:
        word = read_word(self.text, at, self.lookup)
        end = word.end
        if end == at:  # a character that starts no word, such as the & of &>
            return at + 1
        raw = self.text[at:end]
        self.inner.extend(word.nested)
        if self.pattern and raw != "esac":
            return end
        if raw == "in" and self.raw[:1] == ["case"] and self.argv[0] is None:
            self.clear()
            self.pattern = True
            return end
        if not self.argv and not self.assignments and self.reserved(raw):
            return end
        assignment = _ASSIGNMENT.match(raw) if not self.argv else None
        if assignment is not None:
            value = read_word(raw, assignment.end(), self.lookup).text
            self.assignments.append((assignment[1], value))
        else:
            self.add(word.text, raw, at, end)
        return end

    def add(self, text: str | None, raw: str, at: int, end: int) -> None:
        self.argv.append(text)
        self.raw.append(raw)
        self.spans.append((at, end))

    def reserved(self, word: str) -> bool:
        """Take a reserved word at the start of a command; False when it is none."""
        if word == "!":
            return True
        if word in _MIDDLE:
            if self.scopes:
                self.scopes[-1] = word
            return True
        if word in _CLOSING:
            self.pattern = False
            self.leave(word)
            return True
        if word in ("for", "select", "case", "function"):
            self.scopes.append(word)
            # "for x in a b" and "case x in" are read as a command and dropped at its end
            self.add(None, word, 0, 0)
            return True
        if word in _OPENING:
            if not (word == "{" and self.scopes and self.scopes[-1] == "function"):
                self.scopes.append(word)
            return True
        return False

    def leave(self, _closing: str) -> None:
        if self.scopes:
            self.scopes.pop()
        else:
            self.reason = self.reason or "a closing word has no opening one"

    def finish(self) -> None:
        """End the command that is being read."""
        head = self.raw[0] if self.raw else ""
        dropped = bool(head in ("for", "select", "case", "function") and self.argv[0] is None)
        depth = self.level + len(self.scopes)
        certain = self.base and not self.perhaps and not any(scope in _CONDITIONAL for scope in self.scopes)
        for script in self.inner:
            nested = _parse(script, self.lookup, self.level + 1, certain)
            self.commands.extend(nested.commands)
            self.reason = self.reason or nested.reason
        if (self.argv or self.assignments or self.redirects) and not dropped:
            self.commands.append(
                SimpleCommand(
                    tuple(self.argv), tuple(self.raw), tuple(self.spans), tuple(self.assignments),
                    tuple(self.redirects), self.operator, depth, certain,
                )
            )  # fmt: skip
        self.clear()

    def skip_heredocs(self, at: int) -> int:
        for name, tabs in self.heredocs:
            while True:
                if at >= len(self.text):
                    self.reason = self.reason or f"the here-document {name} is not closed"
                    break
                end = self.text.find("\n", at)
                end = end if end >= 0 else len(self.text)
                line = self.text[at:end].rstrip("\r")
                at = end + 1
                if (line.lstrip("\t") if tabs else line) == name:
                    break
        self.heredocs = []
        return at
