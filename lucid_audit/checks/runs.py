"""What RUN really calls: every simple command of a build's stages with its words and its place, read as a shell reads it.

``echo "apt-get install"`` calls no apt-get, and ``rm -rf /tmp/x`` does not clean the lists of packages. A script that cannot be read whole is
left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from posixpath import basename, normpath

from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.effects.site import Call
from lucid_audit.dockerfile.model import Command, SourceMap
from lucid_audit.dockerfile.mounts import parse_mount
from lucid_audit.dockerfile.stages import Stage, Step
from lucid_audit.text import SourceText, Span
from lucid_audit.tuples import NamedTuple

_BEFORE = frozenset(("sudo", "exec", "command", "env", "time", "nice", "eatmydata"))  # that start the next word


class Ran(NamedTuple):
    """One call. ``piped``: its output goes into the next call. ``operator`` joins it to the call before it."""

    stage: Stage
    step: Step
    call: Call
    span: Span
    operator: str = ""
    piped: bool = False
    by: str = ""  # sudo
    sets: tuple[tuple[str, str | None], ...] = ()  # variables for this call


class Run(NamedTuple):
    """One RUN that could be read: its calls in order, and where it mounts something."""

    stage: Stage
    step: Step
    calls: tuple[Ran, ...]
    mounts: tuple[str, ...]

    def mounted(self, path: str) -> bool:
        """Whether a path lies in a mount, so that nothing written there stays in the layer."""
        return any(path == mount or path.startswith(f"{mount.rstrip('/')}/") for mount in self.mounts)


@lru_cache(maxsize=2)  # of one file: twenty rules ask
def runs(build: Build) -> tuple[Run, ...]:
    """Return every RUN of the stages that reach the target."""
    found = []
    for stage, step in build.steps("RUN"):
        instruction = step.instruction
        if isinstance(instruction, Command):
            calls = tuple(_calls(stage, step, instruction, build.dockerfile.source))
            flags = [flag.value.raw for flag in instruction.flags if flag.name == "mount" and flag.value is not None]
            mounts = tuple(normpath(mount.target) for mount in map(parse_mount, flags) if mount.target)
            found.append(Run(stage, step, calls, mounts))
    return tuple(found)


def calls(build: Build, *names: str) -> Iterator[tuple[Run, Ran]]:
    """Yield the calls of these programs."""
    for run in runs(build):
        for ran in run.calls:
            if ran.call.name in names:
                yield run, ran


def _calls(stage: Stage, step: Step, instruction: Command, source: SourceText) -> Iterator[Ran]:
    command = instruction.command
    if command.exec_form:
        words = tuple(word.raw for word in command.args)
        if words:
            yield Ran(stage, step, Call(basename(words[0]), words[1:], words[1:], True), command.span)
        return
    if not _spoken(stage, instruction):
        return
    yield from _script(stage, step, command.source)
    if command.text.lstrip().startswith("<<"):
        from lucid_audit.dockerfile.scripts import READ, body, interpreter, named  # noqa: PLC0415  (few files have any)

        for heredoc in instruction.heredocs:
            program = named(heredoc.body)
            if not program or interpreter(program)[0] in READ:
                yield from _script(stage, step, body(source, heredoc))


def _spoken(stage: Stage, instruction: Command) -> bool:
    """Whether the shell of a RUN speaks as sh does: not PowerShell, cmd or an interpreter that SHELL names."""
    words: tuple[str, ...] = ()
    for step in stage.all_steps():
        if step.instruction is instruction:
            break
        if step.instruction.keyword == "SHELL" and isinstance(step.instruction, Command):
            words = tuple(word.raw for word in step.instruction.command.args)
    root = stage.root.ref
    if not words and (root is None or "windows" not in str(root)):
        return True
    from lucid_audit.dockerfile.scripts import OTHERS, READ, first_shell, interpreter  # noqa: PLC0415  (few files have SHELL)

    name = interpreter(words or first_shell(stage.root))[0]
    return name in READ or name in OTHERS


def _script(stage: Stage, step: Step, source: SourceMap) -> Iterator[Ran]:
    """Yield the calls of a text that a shell reads."""
    from lucid_audit.dockerfile.shell import parse_script  # noqa: PLC0415  (only where a rule asks what is called)

    lookup = {name: value for name, value in step.scope.values.items() if isinstance(value, str)}
    script = parse_script(source.text, lookup.get)
    commands = script.commands if script.complete else ()
    for number, command in enumerate(commands):
        argv, raw, by, first = command.argv, command.raw, "", 0
        while (
            argv
            and argv[0] in _BEFORE
            and len(argv) > 1
            and not (argv[1] or "-").startswith("-")
            and "=" not in (argv[1] or "")
        ):
            by, argv, raw, first = by or str(argv[0]), argv[1:], raw[1:], first + 1
        if not argv or argv[0] is None:
            continue
        if len(argv) > 3 and argv[1:3] == ("-m", "pip") and basename(argv[0]).startswith("python"):
            argv, raw, first = argv[2:], raw[2:], first + 2  # pip by its module
        span = source.span(command.spans[first][0], command.spans[-1][1])
        piped = number + 1 < len(commands) and commands[number + 1].operator == "|"
        yield Ran(
            stage,
            step,
            Call(basename(str(argv[0])), argv[1:], raw[1:], command.certain),
            span,
            command.operator,
            piped,
            by,
            command.assignments,
        )
