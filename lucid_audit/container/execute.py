"""How the runtime finds the program: the effective argument vector, PATH, and the shell that shell form needs.

Facts: OCI image-spec ``config.md`` (Entrypoint and Cmd are joined), Dockerfile reference ("Understand how CMD and
ENTRYPOINT interact"), ``execvpe(3)`` for the search along PATH.
"""

from __future__ import annotations

from posixpath import basename

from lucid_audit.container.config import Argv, Container, Traced
from lucid_audit.container.files import SHELLS, Answer, State
from lucid_audit.values import Unknown

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
WRAPPERS = frozenset(("tini", "tini-static", "dumb-init", "catatonit"))  # they pass signals on and reap children
DEFAULT_SHELL = ("/bin/sh", "-c")


def search_path(container: Container) -> tuple[str, ...] | Unknown:
    """Return the folders of PATH in order, or why they are not known."""
    traced = container.env.get("PATH")
    if traced is None:
        return Unknown(container.env_open) if container.env_open else tuple(DEFAULT_PATH.split(":"))
    if isinstance(traced.value, Unknown):
        return traced.value
    return tuple(folder for folder in traced.value.split(":") if folder)


def find_program(container: Container, program: str) -> Answer:
    """Answer whether a program is found: by its path, from the working directory, or along PATH."""
    if program.startswith("/"):
        return container.files.find(program)
    if "/" in program:
        workdir = container.workdir.value
        if isinstance(workdir, Unknown):
            return Answer(State.UNKNOWN, workdir.reason)
        return container.files.find(f"{workdir}/{program}")
    path = search_path(container)
    if isinstance(path, Unknown):
        return Answer(State.UNKNOWN, path.reason)
    return container.files.which(program, path)


def shell_of(container: Container) -> tuple[str, ...]:
    """Return the shell that shell form uses: SHELL's, else ``/bin/sh -c``."""
    return container.shell.known() or DEFAULT_SHELL


def find_shell(container: Container) -> Answer:
    """Answer whether the shell that shell form uses is there."""
    return find_program(container, shell_of(container)[0])


def effective(container: Container) -> Traced[Argv | None]:
    """Return what starts: ENTRYPOINT followed by CMD; a shell-form ENTRYPOINT ignores CMD. The place is what decides argv0."""
    entrypoint, cmd = container.entrypoint, container.cmd
    if isinstance(entrypoint.value, Unknown):
        return Traced(entrypoint.value, entrypoint.place, entrypoint.inherited)
    if entrypoint.value is None:
        return cmd
    if entrypoint.value.shell:
        return entrypoint
    if isinstance(cmd.value, Unknown):
        return Traced(cmd.value, cmd.place, cmd.inherited)
    if cmd.value is None:
        return entrypoint
    added = (*shell_of(container), *cmd.value.args) if cmd.value.shell else cmd.value.args
    return Traced(Argv((*entrypoint.value.args, *added)), entrypoint.place, entrypoint.inherited)


def unwrapped(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return what an init such as ``tini --`` starts (tini(1), dumb-init's README); the very words when there is none."""
    if not words or basename(words[0]) not in WRAPPERS:
        return words
    at = 1
    while at < len(words) and words[at].startswith("-"):
        if words[at] == "--":
            return words[at + 1 :]
        at += 2 if words[at] in ("-p", "-e", "-r", "--rewrite") else 1
    return words[at:]


def is_shell(program: str) -> bool:
    """Whether a program's name is that of a shell."""
    return basename(program) in SHELLS


def after_env(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return what env(1) starts, () when that is not plain to see. ``-S`` splits its argument at blanks."""
    words = list(argv[1:])
    while words:
        word = words[0]
        if word in ("-S", "--split-string") and len(words) > 1:
            words[:2] = words[1].split()
        elif word.startswith("-S") and len(word) > 2:
            words[:1] = word[2:].split()
        elif word in ("-i", "-", "--ignore-environment") or word.startswith("-"):
            return ()
        elif "=" in word:
            if word.startswith("PATH="):
                return ()
            del words[0]
        else:
            return tuple(words)
    return ()
