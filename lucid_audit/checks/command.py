"""What starts: whether ENTRYPOINT and CMD say something that the container can run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from posixpath import basename, dirname

from lucid_audit.checks import Answers, check
from lucid_audit.checks.arrays import meant_as_array
from lucid_audit.container.accounts import measured
from lucid_audit.container.config import Argv, Container, Place
from lucid_audit.container.execute import (
    effective,
    find_program,
    find_shell,
    is_shell,
    shell_of,
    unwrapped,
)
from lucid_audit.container.files import PROGRAM_DIRECTORIES, SHELLS, State
from lucid_audit.container.interpret import PYTHON_SCRIPTS
from lucid_audit.container.launch import launch
from lucid_audit.finding import Hit, Skip
from lucid_audit.regex import rx
from lucid_audit.values import Unknown

_INTERPRETER = r"(python|node|nodejs|java)[0-9.]*"
# Programs that people put first in CMD; an interpreter takes the word for the name of a script.
_PROGRAM = _INTERPRETER + r"|tini|dumb-init|sh|bash|ash"
# Scripts that an installer writes: run by their path they are what an interpreter wants, by their name alone not.
_SCRIPTS = {
    "python": PYTHON_SCRIPTS,
    "node": r"npm|npx|yarn|pnpm|next|nest|tsx|ts-node|nodemon|pm2",
}
# Options whose argument, or program, is the next word: CMD may well give it.
_TAKES_WORD = {
    "python": r"-[a-zA-Z]*[mcWX]",
    "node": r"-[a-zA-Z]*[eprC]|--(eval|print|require|import|loader|experimental-loader|conditions|env-file|title)",
    "java": r"-cp|-classpath|--class-path|-p|--module-path|-m|--module|--add-modules",
}


def in_shell(argv: Argv) -> bool:
    """Whether a command is in shell form on purpose; an array in single quotes is not, and has rules of its own."""
    return argv.shell and not (argv.args and meant_as_array(str(argv.args[0])))


def base_name(container: Container) -> str:
    """Return what a message says has or lacks something: the base of a build, or the image that was read."""
    return container.base.ref.familiar if container.base is not None and not measured(container) else "the image"


def not_copied(container: Container) -> str:
    """Say why something the base lacks is missing from a build; an image lacks what it lacks."""
    return "" if measured(container) else ", and nothing copies it there"


def _in_shell(container: Container) -> Iterator[tuple[str, Argv, Place]]:
    """Yield those of ENTRYPOINT and CMD that a shell has to run."""
    entry, cmd = container.entrypoint.known(), container.cmd.known()
    if entry is not None and in_shell(entry):
        yield "ENTRYPOINT", entry, container.entrypoint.place
    if cmd is not None and in_shell(cmd) and (entry is None or not entry.shell):  # a shell-form ENTRYPOINT ignores CMD
        yield "CMD", cmd, container.cmd.place


@check("command-form")
def command_form(container: Container) -> Answers:
    """Judge shell-form ENTRYPOINT and CMD against the shell: without one the container does not start."""
    for keyword, argv, place in _in_shell(container):
        answer = find_shell(container)
        if answer.state is State.ABSENT:
            text = str(argv.args[0]) if argv.args else ""
            shell, image = shell_of(container)[0], base_name(container)
            result = _result(container, keyword, shell)
            yield Hit(place, keyword=keyword, shell=shell, image=image, result=result, instead=_instead(keyword, text))
        elif answer.state is State.UNKNOWN:
            yield Skip(place, answer.reason)


def _result(container: Container, keyword: str, shell: str) -> str:
    """Say what becomes of shell form: behind an exec-form ENTRYPOINT of one's own it is a list of odd arguments."""
    entry = container.entrypoint.known()
    if keyword == "CMD" and entry is not None and entry.args and not container.entrypoint.inherited:
        return f"{entry.args[0]} is started with {shell} as its argument"
    return "the container cannot start"


def _instead(keyword: str, text: str) -> str:
    """Say how the command reads as an array, when nothing in it needs a shell."""
    from lucid_audit.dockerfile.execform import exec_form  # noqa: PLC0415  (only for those who get it wrong)

    words = exec_form(text)
    return f"; write {keyword} [{', '.join(map(_literal, words))}]" if words else ""


def _literal(word: str) -> str:
    """Return a JSON string. Most words are written as they are, and importing ``json`` costs as much as all checks."""
    if '"' not in word and "\\" not in word and word.isprintable():
        return f'"{word}"'
    import json  # noqa: PLC0415

    return json.dumps(word, ensure_ascii=False)


@check("command-in-shell")
def command_in_shell(container: Container) -> Answers:
    """Judge shell-form ENTRYPOINT and CMD where there is a shell: it is process 1 then, and gets the signals.

    ``exec program`` replaces the shell. Whoever sets SHELL wants one (BuildKit JSONArgsRecommended exempts it too).
    """
    if container.shell.known() is not None:
        return
    for keyword, argv, place in _in_shell(container):
        replaced = str(argv.args[0]).lstrip().startswith("exec ") if argv.args else False
        if not replaced and find_shell(container).state is not State.ABSENT:
            yield Hit(place, keyword=keyword)


@check("command-resolves")
def command_resolves(container: Container) -> Answers:
    """Judge whether argv0 of what starts is there, found as the runtime finds it; after tini also what tini starts."""
    traced = effective(container)
    argv = traced.value
    if isinstance(argv, Unknown):
        yield Skip(traced.place, argv.reason)
    elif argv is not None and argv.args and not argv.shell:
        yield from program_found(container, argv, traced.place)
        words = argv.known() or ()
        started = unwrapped(words)
        cmd = container.cmd.known()
        if started and started is not words and (cmd is None or not cmd.shell):
            place = traced.place if cmd is None else container.cmd.place
            yield from program_found(container, Argv(started), place)


def program_found(container: Container, argv: Argv, place: Place) -> Answers:
    """Judge argv0: a Hit says what is there instead, a Skip why it cannot be known."""
    program = argv.args[0]
    if isinstance(program, Unknown):
        yield Skip(place, program.reason)
        return
    answer = find_program(container, program)
    if answer.state is State.UNKNOWN:
        yield Skip(place, f"{program}: {answer.reason}")
    elif answer.state is State.ABSENT and not _dangles(container, program):
        image, copied = base_name(container), not_copied(container)
        yield Hit(place, program=program, image=image, copied=copied, hint=_hint(container, program))


def _dangles(container: Container, program: str) -> bool:
    """Whether a program is a link that leads nowhere, which has a rule of its own."""
    end = launch(container, (program,)).end
    return end is not None and end.kind == "link"


def _hint(container: Container, program: str) -> str:
    """Say what the image has instead: its interpreter, when an interpreter is asked for."""
    base = container.base
    if base is not None and is_shell(program):
        return f"; its shell is {base.shell}" if base.shell else "; there is no shell in it"
    interpreter = base.interpreter if base is not None else None
    if interpreter is not None and basename(program).startswith(interpreter.kind):
        return f"; its interpreter is {interpreter.path}"
    return ""


@check("script-has-shell")
def script_has_shell(container: Container) -> Answers:
    """Judge shell scripts as argv0 of what starts and of the health check: the shell of their first line is not there."""
    health = container.health.known()
    probe = health.argv if health is not None else None
    started = effective(container)
    for who, argv, place in (
        ("the container starts", started.known(), started.place),
        ("the health check runs", probe, container.health.place),
    ):
        words = unwrapped(argv.known() or ()) if argv is not None and not argv.shell else ()
        if not words or not words[0].endswith((".sh", ".bash")):
            continue
        if find_program(container, words[0]).state is State.ABSENT:
            continue  # that it is missing is said already
        if _read(container, words):
            continue  # its first line is known, and what that means is said by the chain of what starts
        answer = find_program(container, "/bin/sh")
        shell = container.base.shell if container.base is not None else ""
        if answer.state is State.UNKNOWN:
            yield Skip(place, answer.reason)
        elif answer.state is State.ABSENT and (shell or any(_other_shells(container))):
            yield Skip(
                place, f"the first line of {words[0]} is not read, and there is a shell elsewhere than at /bin/sh"
            )
        elif answer.state is State.ABSENT:
            yield Hit(place, who=who, program=words[0], image=base_name(container))


def _read(container: Container, words: tuple[str, ...]) -> bool:
    """Whether the content of a script is known."""
    chain = launch(container, words)
    return not any(kind == "format" for kind, _ in chain.doubts) and (chain.end is None or chain.end.kind != "unknown")


def _other_shells(container: Container) -> Iterator[str]:
    """Yield the paths of shells that are known to be somewhere else than at /bin/sh."""
    if measured(container):
        paths = (f"{folder}/{name}" for folder in PROGRAM_DIRECTORIES for name in sorted(SHELLS))
        yield from (path for path in paths if container.files.find(path).state is State.PRESENT)
    for placement in container.files.placements:
        if placement.path is not None and is_shell(placement.path):
            yield placement.path


@check("interpreter-once")
def interpreter_once(container: Container) -> Answers:
    """Judge CMD after an ENTRYPOINT that is an interpreter: its first word is then the script to read."""
    entry, cmd = container.entrypoint.known(), container.cmd.known()
    first = unwrapped(entry.known() or ()) if entry is not None and not entry.shell else ()
    words = (cmd.known() or ()) if cmd is not None else ()
    if cmd is not None and cmd.shell:
        # Where there is no shell, that is what is wrong and what is said.
        words = (*shell_of(container), *words) if in_shell(cmd) and find_shell(container).state is State.PRESENT else ()
    if not first or not words:
        return
    match = rx(_INTERPRETER).fullmatch(basename(first[0]))
    if match is None or not _wants_script(match[1], first[1:]):
        return
    if _is_program(container, match[1], words[0]):
        place = container.entrypoint.place if container.cmd.inherited else container.cmd.place
        base = container.base.ref.familiar if container.base is not None else "the image"
        source = f"ENTRYPOINT of {base}" if container.entrypoint.inherited else "ENTRYPOINT"
        argv = " ".join((*first, *words))
        shown = argv if len(argv) <= 80 else argv[:79] + "…"
        yield Hit(place, argv=shown, interpreter=match[1], word=words[0], source=source)


def _wants_script(kind: str, options: Sequence[str]) -> bool:
    """Whether an interpreter takes the next word for a script: ``python3 -u`` does, ``python3 -m`` wants a module."""
    if not all(option.startswith("-") for option in options):
        return False
    return not options or rx(_TAKES_WORD.get(kind.replace("nodejs", "node"), "")).fullmatch(options[-1]) is None


def _is_program(container: Container, kind: str, word: str) -> bool:
    """Whether a word names a program, and no script or folder of that name was put into the working directory."""
    name, folder = basename(word), dirname(word)
    if folder:
        return rx(_PROGRAM).fullmatch(name) is not None and basename(folder) in ("bin", "sbin", "busybox")
    scripts = _SCRIPTS.get(kind.replace("nodejs", "node"), "")
    if rx(f"{_PROGRAM}|{scripts}" if scripts else _PROGRAM).fullmatch(name) is None:
        return False
    workdir = container.workdir.known()
    answer = container.files.find(f"{workdir}/{word}") if workdir is not None else None
    if measured(container):
        return answer is None or answer.state is not State.PRESENT  # what lies there is what the word means
    placed = answer.placed if answer is not None else None
    if answer is None or placed is None:
        return True
    # What is copied from a folder of programs, or to that very name, may be a script that is meant.
    return basename(placed.path or name) != name and basename(placed.origin.rstrip("/")) not in ("bin", "sbin", name)


@check("command-given")
def command_given(container: Container) -> Answers:
    """Judge whether anything says what runs; an interpreter alone reads standard input and ends."""
    traced = effective(container)
    argv = traced.value
    if isinstance(argv, Unknown):
        yield Skip(traced.place, argv.reason)
    elif argv is None or not argv.args:
        yield Hit(container.stage_place, what="neither ENTRYPOINT nor CMD says what to run")
    elif container.entrypoint.inherited and container.cmd.known() is None and not argv.shell:
        words = argv.known() or ("",)
        match = rx(_INTERPRETER).fullmatch(basename(words[0]))
        if match is not None and _wants_script(match[1], words[1:]):
            ends = "has no program to run" if match[1] == "java" else "reads standard input and ends"
            yield Hit(container.stage_place, what=f"CMD is missing: {' '.join(words)} alone {ends}")
