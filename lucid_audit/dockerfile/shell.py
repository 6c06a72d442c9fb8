"""RUN text as simple commands: what is called with which words, and whether it surely runs. Best effort, and it says so.

Source: POSIX.1-2017, Shell Command Language, sections 2.9 (commands) and 2.10 (grammar); of bash ``[[ ]]``, ``&>``,
``<<<`` and functions.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lucid_audit.dockerfile.shell_calls import Range, Redirect, Script, SimpleCommand
from lucid_audit.dockerfile.shell_match import ScriptError, body_end, delimiter, matching
from lucid_audit.dockerfile.shell_words import Lookup, Nested, read_word, substitutions, unchanged
from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple

__all__ = ["DEPTH_LIMIT", "Redirect", "Script", "SimpleCommand", "parse_script"]

DEPTH_LIMIT = 20  # of $( ) inside $( )
_BLANK = regex(r"(?:[ \t]|\r(?=\n|\Z)|\\\r?\n)+")
_NOTHING = regex(r"(?:[ \t]|\r(?=\n|\Z)|\\\r?\n)+|#[^\n]*")  # blanks, or a comment where a word could start
_PLAIN_WORD = regex(r"(?:[ \t]|\\\r?\n)*([\w./:@%+,=-]+)(?=[ \t\n;&|)]|\Z)", re.ASCII)  # most words are such
_OPERATOR = regex(r"&&|\|\||;;&?|;&|;|\|&?|&(?!>)|\n|\(|\)")
_REDIRECT = regex(r"(\d*)(<<<|<<-?|<>|<&|>>|>\||>&|&>>|&>|<|>)")
_ASSIGNMENT = regex(r"([A-Za-z_]\w*)\+?=", re.ASCII)
_FUNCTION = regex(r"[ \t]+[^\s(){};&|<>]+(?:[ \t]*\([ \t]*\))?")
_PARENTHESES = regex(r"\([ \t]*\)")
_USED = regex(r"\$\{?([A-Za-z_]\w*)", re.ASCII)
_IN_TEST = regex(r"&&|\|\||[<>()|&;\n]")  # of [[ ]]: words there, not operators
_JOINS = {"|&": "|", ";;": ";", ";&": ";", ";;&": ";", ")": ";"}
_OPENING = frozenset(("if", "while", "until", "{"))
_MIDDLE = frozenset(("then", "do", "else", "elif"))
_CLOSING = frozenset(("fi", "done", "esac", "}"))


def parse_script(text: str, lookup: Lookup | None = None) -> Script:
    """Read a script. ``lookup`` gives the values of variables that are known. Never raises; takes linear time.

    A variable that the script may set itself is not known, whatever ``lookup`` says.
    """
    names = dict.fromkeys(_USED.findall(text)) if lookup is not None and "$" in text else ()
    return _parsed(text, tuple((name, lookup(name)) for name in names) if lookup is not None else ())


@lru_cache(maxsize=64)  # the tree and the rules ask for the same RUN, and the files of a repository repeat each other
def _parsed(text: str, known: tuple[tuple[str, str | None], ...]) -> Script:
    return _Parser(text, unchanged(text, dict(known).get), 0, True).parse()


class _Scope(NamedTuple):
    """A compound command that is open. ``perhaps`` is the parser's outside of it."""

    name: str
    certain: bool
    perhaps: bool


class _Parser:
    def __init__(
        self, text: str, lookup: Lookup, level: int, certain: bool, place: tuple[int, int, bool] = (0, 0, True)
    ) -> None:
        self.text, self.lookup, self.level, self.base = text, lookup, level, certain
        self.start, self.stop, self.exact = place
        self.commands: list[SimpleCommand] = []
        self.reason = ""
        self.scopes: list[_Scope] = []  # what is open: if then do case ( { …
        self.operator, self.perhaps = "", False  # perhaps: behind a || of this list
        self.waiting = False  # behind && || |, where newlines do not count
        self.body = False  # what comes next is the body of a function: it runs when that is called
        self.heredocs: list[tuple[str, bool, bool, bool]] = []
        self.pattern = False  # in a case, before the ) of a pattern
        self.clear()

    def clear(self) -> None:
        self.argv: list[str | None] = []
        self.raw: list[str] = []
        self.spans: list[Range] = []
        self.assignments: list[tuple[str, str | None]] = []
        self.redirects: list[Redirect] = []
        self.inner: list[Nested] = []

    def parse(self) -> Script:
        if self.level > DEPTH_LIMIT:
            return Script((), False, "command substitutions are nested too deeply")
        try:
            self.run()
        except ScriptError as error:
            self.reason = str(error)
            self.finish()
        return Script(tuple(self.commands), not self.reason, self.reason)

    def run(self) -> None:
        text, at = self.text, 0
        while at < len(text):
            if self.raw and not self.pattern and self.raw[0] != "case" and (word := _PLAIN_WORD.match(text, at)):
                at = word.end()
                self.add(word[1], word[1], word.start(1), at)
                continue
            if (nothing := _NOTHING.match(text, at)) is not None:
                at = nothing.end()
            elif self.raw and self.raw[0] == "[[" and self.raw[-1] != "]]" and (sign := _IN_TEST.match(text, at)):
                at = sign.end()
                if sign[0] != "\n":
                    self.add(sign[0], sign[0], sign.start(), at)
            elif text.startswith(("<(", ">("), at):  # process substitution
                close = matching(text, at + 1)
                self.inner.append(Nested(text[at + 2 : close], at + 2, close))
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
            self.reason = self.reason or f"{self.scopes[-1].name} is not closed"
        elif self.waiting:
            self.reason = self.reason or f"nothing follows {self.operator}"
        elif self.heredocs:
            self.reason = self.reason or f"the here-document {self.heredocs[0][0]} is not closed"

    def place(self, start: int, end: int) -> Range:
        """Return where a range of this script is in the whole; the whole substitution when that cannot be said."""
        return (self.start + start, self.start + end) if self.exact else (self.start, self.stop)

    def certain(self) -> bool:
        return (self.scopes[-1].certain if self.scopes else self.base) and not self.perhaps

    def open(self, name: str, *, conditional: bool = False) -> None:
        self.scopes.append(_Scope(name, self.certain() and not (conditional or self.body), self.perhaps))
        self.perhaps = self.waiting = self.body = False

    def redirect(self, match: re.Match[str]) -> int:
        blank = _BLANK.match(self.text, match.end())
        at = blank.end() if blank else match.end()
        word = read_word(self.text, at, self.lookup)
        if word.end == at:
            self.reason = self.reason or f"nothing follows {match[2]}"
        text = word.text
        if match[2] in ("<<", "<<-"):
            raw = self.text[at : word.end]
            text = delimiter(raw)
            self.heredocs.append((text, match[2] == "<<-", text != raw, self.certain()))
        else:
            self.inner.extend(word.nested)
        self.redirects.append(
            Redirect(match[1] + match[2], text, self.place(match.start(), max(word.end, match.end())))
        )
        return max(word.end, match.end())

    def on_operator(self, operator: str, at: int) -> int:
        after = at + len(operator)
        if operator == "(":
            return self.parenthesis(at)
        if operator in (")", "|") and self.pattern:  # "a|b)" of a case
            self.clear()
            self.pattern = operator == "|"
            return after
        if operator == "\n" and (self.pattern or (self.waiting and not self.raw and not self.assignments)):
            return self.skip_heredocs(after)
        self.finish()
        if operator == ")":
            self.leave()
        elif operator.startswith((";;", ";&")):
            self.pattern = bool(self.scopes) and self.scopes[-1].name == "case"
        self.operator = _JOINS.get(operator, operator)
        self.waiting = self.operator in ("&&", "||", "|")
        if self.operator == "||":
            self.perhaps = True
        elif not self.waiting and operator != ")":
            self.perhaps = False
        return self.skip_heredocs(after) if operator == "\n" else after

    def parenthesis(self, at: int) -> int:
        text = self.text
        if at and text[at - 1] == "=" and (self.raw or self.assignments):  # an array
            if not self.raw:
                self.assignments[-1] = (self.assignments[-1][0], None)
            return self.not_words(at)
        if (not self.raw or self.raw == ["for"]) and text.startswith("((", at):  # arithmetic
            self.waiting = False
            return self.not_words(at)
        if self.pattern:
            return at + 1
        parentheses = _PARENTHESES.match(text, at)
        if len(self.raw) == 1 and parentheses is not None:
            self.clear()
            self.body = True
            return parentheses.end()
        if self.raw:
            self.reason = self.reason or "a ( is in the middle of a command"
        self.finish()
        self.open("(")
        return at + 1

    def not_words(self, at: int) -> int:
        close = matching(self.text, at)
        self.inner.extend(substitutions(self.text, at, close)[0])
        return close + 1

    def on_word(self, at: int) -> int:
        word = read_word(self.text, at, self.lookup, split=True)
        end = word.end
        if end == at:  # a character that starts no word, such as the & of &>
            return at + 1
        raw = self.text[at:end]
        if self.pattern and raw != "esac":
            return end
        if raw == "in" and len(self.raw) == 2 and self.raw[0] == "case" and self.argv[0] is None:
            self.finish()
            self.pattern = True
            return end
        if not self.raw and not self.assignments and (past := self.reserved(raw, at, end)) is not None:
            return past
        self.inner.extend(word.nested)
        assignment = _ASSIGNMENT.match(raw) if not self.raw else None
        if assignment is not None:
            value = read_word(raw, assignment.end(), self.lookup).text
            self.assignments.append((assignment[1], value))
        else:
            self.add(word.text, raw, at, end)
        return end

    def add(self, text: str | None, raw: str, at: int, end: int) -> None:
        self.argv.append(text)
        self.raw.append(raw)
        self.spans.append(self.place(at, end))

    def reserved(self, word: str, at: int, end: int) -> int | None:
        """Take a reserved word at the start of a command (section 2.4) and say what it reaches to; None if it is none."""
        if word in _MIDDLE:
            if self.scopes:
                self.scopes[-1] = _Scope(word, False, self.scopes[-1].perhaps)
            self.perhaps = False
        elif word in _CLOSING:
            self.pattern = False
            self.leave()
        elif word == "function" and (name := _FUNCTION.match(self.text, end)) is not None:
            self.body = True
            return name.end()
        elif word in ("for", "select", "case"):
            self.open(word, conditional=word == "case")
            # "for x in a b" and "case x in" are read as a command and dropped at its end
            self.add(None, word, at, end)
        elif word in _OPENING:
            self.open(word)
        elif word != "!":
            return None
        return end

    def leave(self) -> None:
        self.waiting = False
        if self.scopes:
            self.perhaps = self.scopes.pop().perhaps
        else:
            self.reason = self.reason or "a closing word has no opening one"

    def finish(self) -> None:
        """End the command that is being read."""
        head = self.raw[0] if self.raw else ""
        dropped = head in ("for", "select", "case") and self.argv[0] is None
        certain = self.certain()
        self.descend(self.inner, certain)
        if self.raw or self.assignments or self.redirects:
            self.waiting = self.body = False
            if not dropped:
                self.commands.append(
                    SimpleCommand(
                        tuple(self.argv), tuple(self.raw), tuple(self.spans), tuple(self.assignments),
                        tuple(self.redirects), self.operator, self.level + len(self.scopes), certain,
                    )
                )  # fmt: skip
        self.clear()

    def descend(self, inner: list[Nested], certain: bool) -> None:
        """List the commands of substitutions."""
        for script, start, end, exact in inner:
            place = (*self.place(start, end), exact and self.exact)
            nested = _Parser(script, self.lookup, self.level + 1, certain, place).parse()
            self.commands.extend(nested.commands)
            self.reason = self.reason or nested.reason

    def skip_heredocs(self, at: int) -> int:
        for name, tabs, quoted, certain in self.heredocs:
            end = body_end(self.text, at, name, tabs=tabs)
            if end is None:
                self.reason = self.reason or f"the here-document {name} is not closed"
                at = len(self.text)
                break
            if not quoted:
                self.descend(substitutions(self.text, at, end[0])[0], certain)
            at = end[1]
        self.heredocs = []
        return at
