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

    BuildKit takes a number for an index of the stages before, any other unknown name for an image; ``--from`` of COPY is
    not expanded (Dockerfile reference, "COPY --from").
    """
    for stage in build.stages:
        for edge in build.graph.edges[stage.index]:
            if edge.kind != "base" and edge.stage is None and (why := _unknown(build, stage, edge)):
                yield Hit(edge.span, name=edge.name, why=why)


def _unknown(build: Build, stage: Stage, edge: Edge) -> str:
    """Say why a name is certainly wrong; "" when it may be an image."""
    name = edge.name
    if name.isascii() and name.isdigit():
        earlier = f"stages 0 to {stage.index - 1} stand before it" if stage.index > 1 else "only stage 0 stands before it"
        return earlier if stage.index else "no stage stands before it"
    if "$" in name:
        # RUN --mount expands its from= since Dockerfile frontend 1.15; before that, and in COPY, it is a literal name.
        return "--from does not expand variables; name the image in a FROM of its own" if edge.kind == "copy" else ""
    names = [other.name for other in build.graph.stages[: stage.index] if other.name]
    if parse(name) is None:
        close = _close(name, names)
        return "it is no stage and cannot be the name of an image" + (f"; there is a stage {close}" if close else "")
    bare = not any(char in name for char in "/:@.")
    close = _close(name, names) if bare else ""
    return f"no stage has that name, so an image is pulled; there is a stage {close}" if close else ""


def _close(name: str, names: list[str]) -> str:
    """Return the stage whose name looks like this one, "" when none does or when it is an image everybody knows."""
    if not names:
        return ""
    from difflib import get_close_matches  # noqa: PLC0415  (only for names that fail)

    return next(iter(get_close_matches(name.lower(), names, 1, _CLOSE)), "")


@check("stage-cycle")
def stage_cycle(build: Build) -> Answers:
    """Judge needs that no order of the stages can meet: itself, each other, or one that is defined later."""
    spans = {edge.span for stage in build.stages for edge in build.graph.edges[stage.index]}
    for problem in build.graph.problems:
        if problem.span in spans:
            yield Hit(problem.span, what=problem.message)


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
