"""What a call comes to: the program below ``env`` and ``sudo``, and the exec form of a line that needs no shell."""

from __future__ import annotations

import re

from lucid_audit.dockerfile.shell import parse_script

BUILTINS = frozenset(
    [
        ".",
        ":",
        "alias",
        "bg",
        "break",
        "cd",
        "command",
        "continue",
        "declare",
        "dirs",
        "eval",
        "exec",
        "exit",
        "export",
        "fc",
        "fg",
        "getopts",
        "hash",
        "jobs",
        "let",
        "local",
        "popd",
        "pushd",
        "read",
        "readonly",
        "return",
        "set",
        "shift",
        "shopt",
        "source",
        "times",
        "trap",
        "type",
        "typeset",
        "ulimit",
        "umask",
        "unalias",
        "unset",
        "wait",
    ]
)
_WRAPPERS = {  # program -> options that take a value
    "sudo": frozenset(("-u", "-g", "-h", "-p", "-C", "-r", "-t", "-U")),
    "env": frozenset(("-u", "-C", "--unset", "--chdir")),
    "nice": frozenset(("-n",)),
    "time": frozenset(("-f", "-o")),
    "timeout": frozenset(("-s", "-k")),
    "exec": frozenset(("-a",)),
    "command": frozenset(()),
    "nohup": frozenset(()),
    "eatmydata": frozenset(()),
}


def unwrap(argv: tuple[str | None, ...]) -> tuple[str | None, ...]:
    """Return the call below ``env``, ``sudo``, ``exec``, ``nice`` and the like."""
    while argv and (options := _WRAPPERS.get(argv[0] or "")) is not None:
        at = 1
        while at < len(argv):
            word = argv[at]
            if word is None or not (word.startswith("-") or (argv[0] in ("env", "sudo") and "=" in word)):
                break
            at += 2 if word in options else 1
        if argv[0] == "timeout":
            at += 1
        if at >= len(argv):
            return argv
        argv = argv[at:]
    return argv


_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.", re.DOTALL)


def exec_form(text: str) -> tuple[str, ...] | None:
    """Return the argument vector of a command line that needs no shell, or None when it needs one."""
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


def needs_shell(text: str) -> bool:
    """Whether a command line uses anything that only a shell does: variables, lists, patterns, builtins."""
    return exec_form(text) is None
