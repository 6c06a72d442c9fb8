"""Shell form and exec form as text: RUN where there is no shell, SHELL that names none, JSON that is none, repetition."""

from __future__ import annotations

from collections.abc import Iterator

from lucid_audit.checks import Answers, check
from lucid_audit.container.execute import DEFAULT_PATH, DEFAULT_SHELL
from lucid_audit.container.files import Answer, Files, State
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Command, CommandLine, Healthcheck, Instruction, Plain, Transfer
from lucid_audit.dockerfile.stages import Stage, Step
from lucid_audit.finding import Hit, Skip
from lucid_audit.text import Span

_PATH = tuple(DEFAULT_PATH.split(":"))


def _which(files: Files, program: str, step: Step) -> Answer:
    path = step.scope.values.get("PATH")
    return files.which(program, tuple(path.split(":")) if isinstance(path, str) else _PATH)


def _runs(stage: Stage) -> Iterator[tuple[Step, Command, tuple[str, ...]]]:
    """Yield the stage's own RUNs with the shell in force."""
    shell: tuple[str, ...] = DEFAULT_SHELL
    for step in stage.all_steps():
        instruction = step.instruction
        if isinstance(instruction, Command):
            if instruction.keyword == "SHELL":
                shell = tuple(word.raw for word in instruction.command.args) or DEFAULT_SHELL
            elif instruction.keyword == "RUN" and step in stage.steps:
                yield step, instruction, shell


def _program(command: Command, shell: tuple[str, ...]) -> str:
    """Return the program that a shell-form RUN starts: a lone here-document may bring its own interpreter."""
    if len(command.heredocs) == 1 and command.command.text.strip().startswith("<<"):
        body = command.heredocs[0].body
        if body.startswith("#!"):
            return (body[2:].split("\n", 1)[0].split() or [""])[0]
    return shell[0]


@check("run-form")
def run_form(build: Build) -> Answers:
    """Judge shell-form RUN in stages whose base is known to have no shell; exec form is legal there."""
    for stage in build.stages:
        if stage.base is None or not stage.base.closed:
            continue
        for step, command, shell in _runs(stage):
            if command.command.exec_form:
                continue
            program = _program(command, shell)
            answer = _which(build.files_before(stage, command), program, step)
            if answer.state is State.ABSENT:
                yield Hit(command.keyword_span, shell=program, image=stage.base.ref.familiar)
            elif answer.state is State.UNKNOWN:
                yield Skip(command.keyword_span, answer.reason)


@check("shell-exists")
def shell_exists(build: Build) -> Answers:
    """Judge SHELL in stages whose base is known to have no such program."""
    for stage, step in build.steps("SHELL"):
        instruction = step.instruction
        if stage.base is None or not stage.base.closed or not isinstance(instruction, Command):
            continue
        if instruction.command.args:
            word = instruction.command.args[0]
            if _which(build.files_before(stage, instruction), word.raw, step).state is State.ABSENT:
                yield Hit(word.span, shell=word.raw, image=stage.base.ref.familiar)


def _command(instruction: Instruction) -> CommandLine | None:
    return instruction.command if isinstance(instruction, Command | Healthcheck) else None


@check("json-quotes")
def json_quotes(build: Build) -> Answers:
    """Judge arrays in single quotes: JSON knows double quotes only, so the whole is taken as shell text or as words."""
    keywords = ("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "SHELL", "VOLUME", "COPY", "ADD")
    for _, step in build.steps(*keywords):
        instruction = step.instruction
        command = _command(instruction)
        if command is not None:
            text, span = ("" if command.exec_form else command.text.strip()), command.span
        elif isinstance(instruction, Plain | Transfer):
            words = (
                instruction.words if isinstance(instruction, Plain) else (*instruction.sources, instruction.destination)
            )
            text = " ".join(word.raw for word in words)
            span = Span(words[0].span.start, words[-1].span.end)
        else:
            continue
        if text.startswith(("['", "[ '")) and text.endswith("]"):
            yield Hit(span, keyword=instruction.keyword)


@check("command-once")
def command_once(build: Build) -> Answers:
    """Judge repeated CMD, ENTRYPOINT and HEALTHCHECK in one stage; the earlier ones, which have no effect, are named."""
    for stage in build.stages:
        last: dict[str, Instruction] = {}
        for step in reversed(stage.steps):
            instruction = step.instruction
            if instruction.keyword in ("CMD", "ENTRYPOINT", "HEALTHCHECK") and not step.onbuild:
                winner = last.setdefault(instruction.keyword, instruction)
                if winner is not instruction:
                    line = build.dockerfile.source.position(winner.span.start).line
                    yield Hit(instruction.keyword_span, keyword=instruction.keyword, line=line)
