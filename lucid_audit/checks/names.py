"""Names of stages, and how keywords are written."""

from __future__ import annotations

from lucid_audit.checks import Answers, check
from lucid_audit.dockerfile.build import Build
from lucid_audit.finding import Hit

RESERVED = ("scratch", "context")  # BuildKit ReservedStageName


@check("stage-name-duplicate")
def stage_name_duplicate(build: Build) -> Answers:
    """Judge stage names that are used twice: BuildKit lower-cases them and the last one wins."""
    first: dict[str, int] = {}
    source = build.dockerfile.source
    for stage in build.graph.stages:
        word = stage.from_.name
        if word is None:
            continue
        if stage.name in first:
            yield Hit(word.span, name=word.raw, line=first[stage.name])
        first[stage.name] = source.position(word.span.start).line


@check("stage-name-reserved")
def stage_name_reserved(build: Build) -> Answers:
    """Judge stage names that already mean something: the empty image and the build context."""
    for stage in build.graph.stages:
        if stage.name in RESERVED and stage.from_.name is not None:
            yield Hit(stage.from_.name.span, name=stage.from_.name.raw)


@check("stage-name-casing")
def stage_name_casing(build: Build) -> Answers:
    """Judge stage names with capital letters, which BuildKit lower-cases."""
    for stage in build.graph.stages:
        word = stage.from_.name
        if word is not None and word.raw != word.raw.lower():
            yield Hit(word.span, name=word.raw, lower=word.raw.lower())


@check("from-as-casing")
def from_as_casing(build: Build) -> Answers:
    """Judge AS against the case of its FROM (BuildKit FromAsCasing); a FROM of mixed case has none to follow."""
    source = build.dockerfile.source
    for stage in build.graph.stages:
        span = stage.from_.as_span
        if span is not None:
            keyword, word = source.slice(stage.from_.keyword_span), source.slice(span)
            if (keyword.isupper() and not word.isupper()) or (keyword.islower() and not word.islower()):
                yield Hit(span, word=word, keyword=keyword)


@check("instruction-casing")
def instruction_casing(build: Build) -> Answers:
    """Judge keywords against the case of most others (BuildKit ConsistentInstructionCasing); a tie goes to capitals."""
    source = build.dockerfile.source
    first = build.graph.stages[0].from_.span.start if build.graph.stages else 0
    words = [
        (i.keyword_span, source.slice(i.keyword_span)) for i in build.dockerfile.instructions if i.span.start >= first
    ]
    upper = sum(word.isupper() for _, word in words) >= sum(word.islower() for _, word in words)
    for span, word in words:
        if word != (word.upper() if upper else word.lower()):
            yield Hit(span, word=word, wanted=word.upper() if upper else word.lower())
