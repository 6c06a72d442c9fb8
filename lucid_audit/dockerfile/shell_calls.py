"""What is found in a script: calls, with their redirections and assignments (POSIX.1-2017 XCU 2.9.1)."""

from __future__ import annotations

import re

from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple

Range = tuple[int, int]
RESERVED = frozenset(
    ("case", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "select", "then", "until", "while")
)
_PLAIN = regex(r"[\w./:@%+,-]+(?:[ \t]+[\w./:@%+,=-]+)*", re.ASCII)  # no character that means anything to a shell


class Redirect(NamedTuple):
    """A redirection. ``target`` is None when it cannot be known."""

    op: str
    target: str | None
    span: Range


class SimpleCommand(NamedTuple):
    """One call. ``argv`` has None for what cannot be known; ``raw`` and ``spans`` say what is written, and where in the text.

    ``operator`` joins it to what is before it: "", ``&& || ; | &`` or a newline. ``depth`` counts what it is inside of:
    ( ) { } if for while case $( ). ``certain`` is False in a condition's branches, loops, functions and behind ``||``.
    """

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


def plain_command(text: str) -> tuple[str, ...] | None:
    """Return the words of one command in which nothing means anything to a shell; None: that takes reading.

    Most commands are such, and importing and compiling what reads the others takes as long as parsing a file.
    """
    words = tuple(text.split()) if _PLAIN.fullmatch(text.strip(" \t")) else ()
    return None if not words or words[0] in RESERVED else words
