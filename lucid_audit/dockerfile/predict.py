"""Predict the container that a stage gives: its effective configuration and what is known of its files.

Inheritance follows BuildKit's dispatch: ENTRYPOINT empties a CMD that was not set in the same stage, the last of each
instruction wins, and everything not set comes from the stage or the image it is built on.
"""

from __future__ import annotations

from lucid_audit.container.config import Argv, Container, Health, Traced
from lucid_audit.dockerfile.model import Command, CommandLine, Healthcheck, Pairs, Plain
from lucid_audit.dockerfile.placements import files_of
from lucid_audit.dockerfile.stage_tree import Trees
from lucid_audit.dockerfile.stages import Graph, Stage, Step
from lucid_audit.dockerfile.verify import nanoseconds
from lucid_audit.text import Span
from lucid_audit.values import Unknown, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def predict(stage: Stage, trees: Trees) -> Container:
    """Return the container that ``stage`` gives when it is the target."""
    graph, state = trees.graph, _inherited(stage)
    for part in stage.lineage():
        state["cmd_here"] = False
        for step in part.steps:
            _apply(step, state)
    from_ = stage.from_.image.span
    return Container(
        stage_place=stage.from_.span,
        image=Traced(stage.root.ref, stage.root.from_.image.span, stage.parent is not None),
        base=stage.base,
        user=state["user"],
        previous_user=state["previous_user"],
        entrypoint=state["entrypoint"],
        cmd=state["cmd"],
        health=state["health"],
        workdir=state["workdir"],
        shell=state["shell"],
        stop_signal=state["stop_signal"],
        env={
            **{k: Traced(v, from_, inherited=True) for k, v in (stage.base.env if stage.base else {}).items()},
            **state["env"],
        },
        env_open=stage.end.open,
        labels=state["labels"],
        ports=tuple(state["ports"]),
        volumes=tuple(state["volumes"]),
        platform=_platform(stage, graph),
        files=files_of(stage, trees),
    )


def _platform(stage: Stage, graph: Graph) -> Traced[str] | None:
    if stage.platform is not None and stage.from_.platform is not None:
        return Traced(stage.platform, stage.from_.platform.span)
    if graph.settings.platform:
        return Traced(graph.settings.platform, stage.from_.span)
    return None


def _inherited(stage: Stage) -> dict[str, Any]:
    """Return what the base image alone gives; unknown where the catalogue does not say."""
    base = stage.base
    place = stage.root.from_.image.span
    absent = Traced(None, place, inherited=True)

    def field(what: str) -> Traced[Any]:
        if base is None:
            return Traced(Unknown(f"{stage.root.from_.image.raw} is not in the catalogue"), place, inherited=True)
        value = getattr(base, what)
        if value is None:
            return Traced(Unknown(f"the {what} of {base.ref.familiar} is not listed"), place, inherited=True)
        return Traced(value, place, inherited=True)

    def command(what: str) -> Traced[Any]:
        traced = field(what)
        words = traced.known()
        return traced if words is None else Traced(Argv(words) if words else None, place, inherited=True)

    return {
        "user": field("user"),
        "previous_user": None,
        "entrypoint": command("entrypoint"),
        "cmd": command("cmd"),
        "health": absent if base is not None else field("health check"),
        "workdir": field("workdir"),
        "shell": absent,
        "stop_signal": absent,
        "env": {},
        "labels": {},
        "ports": [],
        "volumes": [],
        "cmd_here": False,
    }


def _apply(step: Step, state: dict[str, Any]) -> None:
    """Let one instruction change the configuration."""
    instruction = step.instruction
    if isinstance(instruction, Command):
        if instruction.keyword == "CMD":
            state["cmd"], state["cmd_here"] = Traced(_argv(instruction.command), instruction.span), True
        elif instruction.keyword == "ENTRYPOINT":
            state["entrypoint"] = Traced(_argv(instruction.command), instruction.span)
            if not state["cmd_here"]:
                state["cmd"] = Traced(None, instruction.span)
        elif instruction.keyword == "SHELL":
            state["shell"] = Traced(tuple(word.raw for word in instruction.command.args), instruction.span)
    elif isinstance(instruction, Healthcheck):
        state["health"] = Traced(_health(instruction), instruction.span)
    elif isinstance(instruction, Pairs):
        if instruction.keyword in ("ENV", "LABEL"):
            target = state["env" if instruction.keyword == "ENV" else "labels"]
            for pair in instruction.pairs:
                key = step.scope.text(pair.key)
                if key is not None and pair.value is not None:
                    span = Span(pair.key.span.start, pair.value.span.end)
                    target[key] = Traced(step.scope.value(pair.value), span)
    elif isinstance(instruction, Plain):
        _apply_plain(step, instruction, state)


def _apply_plain(step: Step, instruction: Plain, state: dict[str, Any]) -> None:
    keyword, scope = instruction.keyword, step.scope
    if keyword == "USER":
        state["previous_user"] = None if state["user"].inherited else state["user"]
        state["user"] = Traced(scope.value(instruction.word), instruction.word.span)
    elif keyword == "STOPSIGNAL":
        state["stop_signal"] = Traced(scope.value(instruction.word), instruction.word.span)
    elif keyword == "WORKDIR":
        value = step.destination(instruction.word)
        clean: Value = value if isinstance(value, Unknown) else value.rstrip("/") or "/"
        state["workdir"] = Traced(clean, instruction.word.span)
    elif keyword in ("EXPOSE", "VOLUME"):
        state["ports" if keyword == "EXPOSE" else "volumes"].extend(
            Traced(scope.value(word), word.span) for word in instruction.words
        )


def _argv(command: CommandLine) -> Argv | None:
    """An empty JSON array unsets the inherited value, as ``ENTRYPOINT []`` does."""
    if command.exec_form:
        return Argv(tuple(word.raw for word in command.args)) if command.args else None
    return Argv((command.text,), shell=True)


def _health(instruction: Healthcheck) -> Health:
    def flag(name: str) -> str | None:
        found = instruction.flag(name)
        return found.value.raw if found is not None and found.value is not None else None

    retries = flag("retries")
    return Health(
        _argv(instruction.command) if instruction.command is not None else None,
        _seconds(flag("interval")),
        _seconds(flag("timeout")),
        _seconds(flag("start-period")),
        int(retries) if retries is not None and retries.isdigit() else None,
    )


def _seconds(duration: str | None) -> float | None:
    """Return a Go duration in seconds; None when there is none."""
    value = nanoseconds(duration) if duration is not None else None
    return value / 1e9 if value is not None else None
