"""Variables after which programs trust whoever answers: in the container, and while it is built."""

from __future__ import annotations

from collections.abc import Iterator

from lucid_audit.checks import Answers, check
from lucid_audit.checks.runs import runs
from lucid_audit.container.config import Container
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Pairs
from lucid_audit.finding import Hit
from lucid_audit.record import record
from lucid_audit.text import Span


@record
class Checks:
    """``values``: ``NAME=value`` pairs that turn the check of certificates off; a value ``*`` is any but no."""

    values: tuple[str, ...]


@check("variables-turn-checks-off")
def variables_turn_checks_off(container: Container, params: Checks) -> Answers:
    """Judge variables of the container after which its programs trust whoever answers."""
    for pair in params.values:
        name, _, value = pair.partition("=")
        traced = container.env.get(name)
        known = traced.known() if traced is not None else None
        if traced is None or known is None or traced.inherited:
            continue
        if _means(known, value):
            yield Hit(traced.place, name=name, value=known)


@check("build-variables-turn-checks-off")
def build_variables_turn_checks_off(build: Build, params: Checks) -> Answers:
    """Judge the same variables where only the build sees them: ARG, ENV of other stages, and what RUN sets for its calls."""
    wanted = dict(pair.split("=", 1) for pair in params.values)
    for name, value, span in _set(build):
        if value is not None and name in wanted and _means(value, wanted[name]):
            yield Hit(span, name=name, value=value)


def _set(build: Build) -> Iterator[tuple[str, str | None, Span]]:
    final = {stage.index for stage in build.target.lineage()} if build.target is not None else set()
    for stage, step in build.steps("ARG", "ENV"):
        instruction = step.instruction
        if isinstance(instruction, Pairs) and not (instruction.keyword == "ENV" and stage.index in final):
            for pair in instruction.pairs:
                if pair.value is not None:
                    yield pair.key.raw, step.scope.text(pair.value), pair.key.span
    for run in runs(build):
        for ran in run.calls:
            words = ran.call.words if ran.call.name in ("export", "env") else ()
            pairs = [word.partition("=") for word in words if word is not None and "=" in word]
            for name, value in (*ran.sets, *((name, value) for name, _, value in pairs)):
                yield name, value, ran.span


def _means(value: str, wanted: str) -> bool:
    """Whether a value is the one that turns the check off; ``*`` is any but no."""
    return value == wanted or (wanted == "*" and value.lower() not in ("", "0", "false", "no", "off"))
