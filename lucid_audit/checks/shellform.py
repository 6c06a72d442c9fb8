"""Shell form in a build: RUN where there is no shell, SHELL that names none, instructions that are repeated."""

from __future__ import annotations

from collections.abc import Iterator

from lucid_audit.bases import Base
from lucid_audit.checks import Answers, check
from lucid_audit.checks.arrays import meant_as_array
from lucid_audit.container.execute import DEFAULT_PATH, DEFAULT_SHELL
from lucid_audit.container.files import Answer, Files, State
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Command, Instruction
from lucid_audit.dockerfile.placements import files_of
from lucid_audit.dockerfile.stages import Stage, Step
from lucid_audit.finding import Hit, Skip
from lucid_audit.regex import rx

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


def _shell_may_miss(base: Base) -> bool:
    """Whether the question of a shell is worth asking: a base with a shell has most often the others that people name."""
    return base.closed or not base.has_shell


def _program(command: Command, shell: tuple[str, ...]) -> str:
    """Return the program that a shell-form RUN starts: a lone here-document may bring its own interpreter."""
    if len(command.heredocs) == 1 and rx(r"<<-?\S+").fullmatch(command.command.text.strip()):
        body = command.heredocs[0].body
        if body.startswith("#!"):
            return (body[2:].split("\n", 1)[0].split() or [""])[0]
    return shell[0]


@check("run-form")
def run_form(build: Build) -> Answers:
    """Judge shell-form RUN in stages whose base is known to have no shell; exec form is legal there."""
    for stage in build.stages:
        if stage.base is None or not _shell_may_miss(stage.base):
            continue
        for step, command, shell in _runs(stage):
            if command.command.exec_form or meant_as_array(command.command.text):
                continue
            program = _program(command, shell)
            answer = _which(build.files_before(stage, command), program, step)
            if answer.state is State.ABSENT:
                yield Hit(command.keyword_span, shell=program, image=stage.base.ref.familiar)
            elif answer.state is State.UNKNOWN:
                yield Skip(command.keyword_span, answer.reason)
                break  # the same answer holds for the rest of the stage


@check("shell-exists")
def shell_exists(build: Build) -> Answers:
    """Judge SHELL in stages that have no such program, not even at their end: it may be copied after SHELL."""
    for stage, step in build.steps("SHELL"):
        instruction = step.instruction
        if stage.base is None or not _shell_may_miss(stage.base) or not isinstance(instruction, Command):
            continue
        if instruction.command.args:
            word = instruction.command.args[0]
            if _which(files_of(stage, build.trees), word.raw, step).state is State.ABSENT:
                yield Hit(word.span, shell=word.raw, image=stage.base.ref.familiar)


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
