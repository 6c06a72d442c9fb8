"""What starts: whether ENTRYPOINT and CMD say something that the container can run."""

from __future__ import annotations

from posixpath import basename

from lucid_audit.checks import Answers, check
from lucid_audit.checks.runtext import rx
from lucid_audit.container.config import Argv, Container, Traced
from lucid_audit.container.execute import effective, find_program, find_shell, is_shell, shell_of
from lucid_audit.container.files import State
from lucid_audit.finding import Hit, Skip
from lucid_audit.values import Unknown

_INTERPRETER = r"(python|node|nodejs|java)[0-9.]*"
# Programs that people put first in CMD; an interpreter takes the word for the name of a script.
_PROGRAM = _INTERPRETER + r"|tini|dumb-init|sh|bash|ash|gunicorn|uvicorn|hypercorn|celery|flask|npm|yarn"


def quoted_json(argv: Argv) -> bool:
    """Whether a shell-form command is meant as a JSON array but written with single quotes."""
    text = str(argv.args[0]).strip() if argv.shell and argv.args else ""
    return text.startswith("[") and text.endswith("]") and "'" in text


def base_name(container: Container) -> str:
    """Return the base image's name for a message."""
    return container.base.ref.familiar if container.base is not None else "the image"


@check("command-form")
def command_form(container: Container) -> Answers:
    """Judge shell-form ENTRYPOINT and CMD against the shell: without one the container does not start."""
    answer = find_shell(container)
    for keyword, traced in (("ENTRYPOINT", container.entrypoint), ("CMD", container.cmd)):
        argv = traced.known()
        if argv is None or not argv.shell or quoted_json(argv):
            continue
        if keyword == "CMD" and (entry := container.entrypoint.known()) is not None and entry.shell:
            continue  # a shell-form ENTRYPOINT ignores CMD
        if answer.state is State.ABSENT:
            yield Hit(traced.place, keyword=keyword, shell=shell_of(container)[0], image=base_name(container))
        elif answer.state is State.UNKNOWN:
            yield Skip(traced.place, answer.reason)


@check("command-in-shell")
def command_in_shell(container: Container) -> Answers:
    """Judge shell-form ENTRYPOINT and CMD where there is a shell: it is process 1 then, and gets the signals."""
    if find_shell(container).state is not State.PRESENT:
        return
    for keyword, traced in (("ENTRYPOINT", container.entrypoint), ("CMD", container.cmd)):
        argv = traced.known()
        if argv is not None and argv.shell and not quoted_json(argv):
            yield Hit(traced.place, keyword=keyword)


@check("command-resolves")
def command_resolves(container: Container) -> Answers:
    """Judge whether argv0 of what starts is there, found as the runtime finds it."""
    traced = effective(container)
    argv = traced.value
    if isinstance(argv, Unknown):
        yield Skip(traced.place, argv.reason)
    elif argv is not None and argv.args and not argv.shell:
        yield from program_found(container, argv, traced)


def program_found(container: Container, argv: Argv, traced: Traced[Argv | None]) -> Answers:
    """Judge argv0: a Hit says what is there instead, a Skip why it cannot be known."""
    program = argv.args[0]
    if isinstance(program, Unknown):
        yield Skip(traced.place, program.reason)
        return
    answer = find_program(container, program)
    if answer.state is State.UNKNOWN:
        yield Skip(traced.place, f"{program}: {answer.reason}")
    elif answer.state is State.ABSENT:
        yield Hit(traced.place, program=program, image=base_name(container), hint=hint(container, program))


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
        if argv is None or argv.shell or not argv.args or not str(argv.args[0]).endswith((".sh", ".bash")):
            continue
        answer = find_program(container, "/bin/sh")
        if answer.state is State.ABSENT:
            yield Hit(place, who=who, program=argv.args[0], image=base_name(container))
        elif answer.state is State.UNKNOWN:
            yield Skip(place, answer.reason)


def hint(container: Container, program: str) -> str:
    """Say what the image has instead: its interpreter, when an interpreter is asked for."""
    interpreter = container.base.interpreter if container.base is not None else None
    if is_shell(program):
        return "; there is no shell in it"
    if interpreter is not None and basename(program).startswith(interpreter.kind):
        return f"; its interpreter is {interpreter.path}"
    return ""


@check("interpreter-once")
def interpreter_once(container: Container) -> Answers:
    """Judge CMD after an ENTRYPOINT that is an interpreter: its first word is then the script to read."""
    entry, cmd = container.entrypoint.known(), container.cmd.known()
    first = entry.known() if entry is not None and not entry.shell else None
    words = cmd.known() if cmd is not None and not cmd.shell else None
    if not first or not words:
        return
    match = rx(_INTERPRETER).fullmatch(basename(first[0]))
    if match is None or not all(word.startswith("-") for word in first[1:]):
        return
    if rx(_PROGRAM).fullmatch(basename(words[0])):
        place = container.entrypoint.place if container.cmd.inherited else container.cmd.place
        source = f"ENTRYPOINT of {base_name(container)}" if container.entrypoint.inherited else "ENTRYPOINT"
        argv = " ".join((*first, *words))
        shown = argv if len(argv) <= 80 else argv[:79] + "…"
        yield Hit(place, argv=shown, interpreter=match[1], word=words[0], source=source)


@check("command-given")
def command_given(container: Container) -> Answers:
    """Judge whether anything says what runs; an interpreter alone reads standard input and ends."""
    traced = effective(container)
    argv = traced.value
    if isinstance(argv, Unknown):
        yield Skip(traced.place, argv.reason)
    elif argv is None or not argv.args:
        yield Hit(container.stage_place, what="neither ENTRYPOINT nor CMD says what to run")
    elif len(argv.args) == 1 and container.entrypoint.inherited and rx(_INTERPRETER).fullmatch(basename(str(argv.args[0]))):
        yield Hit(container.stage_place, what=f"CMD is missing: {argv.args[0]} alone reads standard input and ends")
