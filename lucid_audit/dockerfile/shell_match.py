"""Where a bracket of a shell script is closed: one pass with a stack of what is open, so nesting costs no recursion.

Source: POSIX.1-2017, Shell Command Language, sections 2.2 (quoting), 2.6.2 to 2.6.4 (which text a substitution takes),
2.7.4 (here-documents) and 2.9.4 (``case``, whose patterns end with a bracket that opens nothing).
"""

from __future__ import annotations

import re

from lucid_audit.regex import regex


class ScriptError(Exception):
    """The text ends inside a quote or a substitution; the message says which."""


_ANYWHERE = r"\\.|\$\$|`[^`\\]*(?:\\.[^`\\]*)*`|\$\(\(|\$[({]|\""
_QUOTE = r"|\$?'"
# What matters in a script, in double quotes, in ${ }, in ${ } within double quotes, and in arithmetic.
_TOKENS = {
    "(": regex(
        _ANYWHERE + _QUOTE + r"|[()\n]|(?<![^\s;&|()])#[^\n]*|<<<|<<-?|;;|;&"
        r"|(?<![^\s;&|()])(?:case|in|esac)(?![^\s;&|()<>])",
        re.DOTALL,
    ),
    '"': regex(_ANYWHERE, re.DOTALL),
    "{": regex(_ANYWHERE + _QUOTE + r"|\}", re.DOTALL),
    '"{': regex(_ANYWHERE + r"|\}", re.DOTALL),
    "((": regex(_ANYWHERE + r"|[()]", re.DOTALL),
}
_OPENS = {"$((": "((", "$(": "(", "${": "{", '"': '"'}
_CLOSES = {"(": ")", '"': '"', "{": "}", '"{': "}", "((": ")"}
_QUOTES = regex(r"['\"\\]")
_ANSI = regex(r"(?:[^'\\]|\\.)*'", re.DOTALL)
_DELIMITER = regex(r"[ \t]*((?:'[^']*'|\"[^\"]*\"|\\.|[^\s;&|<>()'\"\\])+)", re.DOTALL)
_BEFORE_COMMAND = regex(r"(?:\A|[\n;&|(){`]|\b(?:then|do|else|elif|if|while|until|!))[ \t]*\Z")
_LOOK_BACK = 64  # characters before a reserved word that decide whether it is one


class _Open:
    """One thing that is open. ``cases``: of each ``case`` in it, what is read now: word, pattern or body."""

    __slots__ = ("cases", "heredocs", "kind", "start")

    def __init__(self, kind: str, start: int) -> None:
        self.kind, self.start = kind, start
        self.cases: list[str] = []
        self.heredocs: list[tuple[str, bool]] = []


def matching(script: str, at: int, *, quoted: bool = False) -> int:
    """Return where the bracket at ``at`` is closed. ``quoted``: it is a ``${`` in double quotes.

    Raises:
        ScriptError: it is not closed.

    """
    kind = "((" if script.startswith("((", at) else script[at]
    stack = [_Open('"{' if quoted and kind == "{" else kind, at + 1)]
    position = at + 1
    while True:
        top = stack[-1]
        found = _TOKENS[top.kind].search(script, position)
        if found is None:
            raise ScriptError(f"a {script[at]} is not closed")
        token, position = found[0], found.end()
        if token == _CLOSES[top.kind] and not _ends_pattern(top, token):
            stack.pop()
            if not stack:
                return found.start()
        elif token in _OPENS:
            inner = _OPENS[token]
            if inner == "((":
                position -= 1  # its two brackets are closed one by one
                stack.append(_Open("((", position - 1))
            else:
                stack.append(_Open('"{' if inner == "{" and top.kind == '"' else inner, position))
        elif token == "(":
            if not (top.cases and top.cases[-1] == "pattern"):
                stack.append(_Open("((" if script.startswith("((", found.start()) else top.kind, position))
        elif token in ("'", "$'"):
            position = _after_single(script, position, token)
        elif top.kind == "(":
            position = _word(script, found, top)


def _ends_pattern(top: _Open, token: str) -> bool:
    """Whether a bracket ends a pattern of ``case``; then what follows is its body."""
    if token != ")" or not top.cases or top.cases[-1] != "pattern":
        return False
    top.cases[-1] = "body"
    return True


def _after_single(script: str, at: int, token: str) -> int:
    if token == "'":
        return (script.find("'", at) + 1) or len(script)
    close = _ANSI.match(script, at)
    return close.end() if close is not None else len(script)


def _word(script: str, found: re.Match[str], top: _Open) -> int:
    """Take what matters only in a script, and return where to go on: lines, here-documents, ``case``."""
    token, at = found[0], found.end()
    reading = top.cases[-1] if top.cases else ""
    if token == "\n":
        for name, tabs in top.heredocs:
            body = body_end(script, at, name, tabs=tabs)
            at = body[1] if body is not None else len(script)
        if top.heredocs:
            top.heredocs = []
    elif token in ("<<", "<<-") and (name_ := _DELIMITER.match(script, at)) is not None:
        top.heredocs.append((delimiter(name_[1]), token == "<<-"))
        return name_.end()
    elif token == "case" and reading != "pattern" and _starts_command(script, found.start(), top):
        top.cases.append("word")
    elif (token == "in" and reading == "word") or (token[0] == ";" and reading == "body"):
        top.cases[-1] = "pattern"
    elif token == "esac" and (
        reading == "pattern" or (reading == "body" and _starts_command(script, found.start(), top))
    ):
        top.cases.pop()
    return at


def _starts_command(script: str, at: int, top: _Open) -> bool:
    """Whether a command may start here, as far as what stands just before tells."""
    before = script[max(top.start, at - _LOOK_BACK) : at].replace("\\\n", "  ")
    return _BEFORE_COMMAND.search(before) is not None


def delimiter(raw: str) -> str:
    """Return the word that ends a here-document: section 2.7.4, quotes come off and nothing is expanded."""
    return _QUOTES.sub("", raw)


def body_end(script: str, at: int, name: str, *, tabs: bool) -> tuple[int, int] | None:
    """Return where the line that ends a here-document starts, and where the next one does; None when there is none."""
    while at < len(script):
        end = script.find("\n", at)
        end = end if end >= 0 else len(script)
        line = script[at:end].rstrip("\r")
        if (line.lstrip("\t") if tabs else line) == name:
            return at, end + 1
        at = end + 1
    return None
