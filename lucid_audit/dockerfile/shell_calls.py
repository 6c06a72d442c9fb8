"""What is found in a script: calls, with their redirections and assignments (POSIX.1-2017 XCU 2.9.1)."""

from __future__ import annotations

from lucid_audit.tuples import NamedTuple

Range = tuple[int, int]


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
