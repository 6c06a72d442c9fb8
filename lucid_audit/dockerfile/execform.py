"""The exec form of a command line that needs no shell."""

from __future__ import annotations

import re

from lucid_audit.dockerfile.shell_calls import plain_command
from lucid_audit.regex import regex

# Commands that only a shell has (POSIX.1-2017, sections 2.14 and 1.7; bash).
BUILTINS = frozenset(  # a list of forty lines would read worse
    ". : alias bg break cd command continue declare dirs eval exec exit export fc fg getopts hash jobs let "  # noqa: SIM905
    "local popd pushd read readonly return set shift shopt source times trap type typeset ulimit umask unalias unset wait".split()
)

_QUOTED = regex(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.", re.DOTALL)


def exec_form(text: str) -> tuple[str, ...] | None:
    """Return the argument vector of a command line that needs no shell, or None when it needs one."""
    plain = plain_command(text)
    if plain is not None:
        return None if plain[0] in BUILTINS else plain
    from lucid_audit.dockerfile.shell import parse_script  # noqa: PLC0415  (see plain_command)

    script = parse_script(text)
    if not script.complete or len(script.commands) != 1:
        return None
    command = script.commands[0]
    if command.assignments or command.redirects or command.depth or not command.argv or None in command.argv:
        return None
    words = tuple(word or "" for word in command.argv)
    if words[0] in BUILTINS or any(char in _QUOTED.sub("", raw) for raw in command.raw for char in "*?[~{"):
        return None
    return None if re.search(r"[&;|#\n]|^\s*[!({]", _QUOTED.sub("", text)) else words
