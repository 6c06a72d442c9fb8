"""What stages need of each other: stages that do not exist, that need themselves or that nothing needs."""

from __future__ import annotations

from collections.abc import Iterator

from lucid_audit.checks import Answers, check
from lucid_audit.checks.runtext import called
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.stages import Edge, Stage
from lucid_audit.finding import Hit
from lucid_audit.reference import parse

# Names that people give to stages they build one at a time, with --target.
_OTHER_TARGETS = frozenset(
    ("bench", "check", "ci", "coverage", "debug", "dev", "devcontainer", "development", "docs", "e2e", "lint", "local",
     "prod", "production", "release", "test", "tests", "unit")
)  # fmt: skip
_CLOSE = 0.8  # difflib's ratio from which a name is taken for a typing error


@check("copy-from-known")
def copy_from_known(build: Build) -> Answers:
    """Judge names in ``COPY --from`` and ``RUN --mount=from=`` that are neither a stage nor possibly an image.

    BuildKit resolves them in all stages, built or not (dockerfile2llb ``toCommand``, ``detectRunMount``); only a name that
    could be an image is pulled for the stages that reach the target alone.
    """
    for stage in build.graph.stages:
        for edge in build.graph.edges[stage.index]:
            if edge.kind != "base" and edge.stage is None:
                reached = stage.index in build.graph.reached
                why = _refused(build, stage, edge) or (_misspelt(build, stage, edge.name) if reached else "")
                if why:
                    yield Hit(edge.span, name=edge.name, why=why)


def _refused(build: Build, stage: Stage, edge: Edge) -> str:
    """Say why BuildKit takes a name neither for a stage nor for an image; "" when it may be an image."""
    name = edge.name
    if name.isascii() and name.isdigit():
        if edge.kind == "mount":
            return "a mount takes names and no numbers, so an image of that name is pulled"
        earlier = (
            f"stages 0 to {stage.index - 1} stand before it" if stage.index > 1 else "only stage 0 stands before it"
        )
        return earlier if stage.index else "no stage stands before it"
    if "$" in name:
        return ""  # in COPY the parser's matter; RUN --mount expands its from= since Dockerfile frontend 1.15
    if parse(name) is None:
        close = _close(name, _names_before(build, stage))
        return "it is no stage and cannot be the name of an image" + (f"; there is a stage {close}" if close else "")
    return ""


def _misspelt(build: Build, stage: Stage, name: str) -> str:
    """Say which stage a bare name looks like; "" when it looks like none, and for names with a registry or a tag."""
    close = _close(name, _names_before(build, stage)) if not any(char in name for char in "/:@.") else ""
    return f"no stage has that name, so an image is pulled; there is a stage {close}" if close else ""


def _names_before(build: Build, stage: Stage) -> list[str]:
    return [other.name for other in build.graph.stages[: stage.index] if other.name]


def _close(name: str, names: list[str]) -> str:
    """Return the stage whose name looks like this one, "" when none does or when it is an image everybody knows."""
    if not names:
        return ""
    from difflib import get_close_matches  # noqa: PLC0415  (only for names that fail)

    return next(iter(get_close_matches(name.lower(), names, 1, _CLOSE)), "")


@check("stage-cycle")
def stage_cycle(build: Build) -> Answers:
    """Judge needs that no order of the stages can meet: itself, each other, or one that is defined later.

    BuildKit looks for circles in all stages (``validateCircularDependency``), and for the order only in what it builds.
    """
    graph = build.graph
    needs = {edge.span: (stage, edge) for stage in graph.stages for edge in graph.edges[stage.index]}
    for problem in graph.problems:
        stage, edge = needs.get(problem.span, (None, None))
        if stage is None or edge is None or edge.stage is None:
            continue
        circle = edge.stage == stage.index or _needs(build, edge.stage, stage.index)
        if circle or stage.index in graph.reached:
            yield Hit(problem.span, what=problem.message)


def _needs(build: Build, start: int, wanted: int) -> bool:
    """Whether one stage is built from another, directly or through others."""
    seen, pending = {start}, [start]
    while pending:
        for edge in build.graph.edges[pending.pop()]:
            if edge.stage == wanted:
                return True
            if edge.stage is not None and edge.stage not in seen:
                seen.add(edge.stage)
                pending.append(edge.stage)
    return False


@check("stage-used")
def stage_used(build: Build) -> Answers:
    """Judge stages that the last stage does not need. With a target given, the others may be targets just as well."""
    if build.settings.target or build.target is None:
        return
    for stage in _unused(build):
        if _OTHER_TARGETS & set(stage.name.replace("_", "-").split("-")):
            continue
        span = stage.from_.name.span if stage.from_.name is not None else stage.from_.image.span
        yield Hit(span, stage=called(stage), target=called(build.target))


def _unused(build: Build) -> Iterator[Stage]:
    """Yield unneeded stages; one that only another unneeded stage is built from goes unnamed."""
    graph = build.graph
    left = [stage for stage in graph.stages if stage.index not in graph.reached]
    needed = {edge.stage for stage in left for edge in graph.edges[stage.index] if edge.stage != stage.index}
    return (stage for stage in left if stage.index not in needed)
