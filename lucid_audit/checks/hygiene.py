"""Spelling and layout of a Dockerfile: what is deprecated, has no effect or depends on an unseen working directory."""

from __future__ import annotations

from lucid_audit.checks import Answers, check
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Pairs, Plain
from lucid_audit.finding import Hit, Skip
from lucid_audit.regex import rx
from lucid_audit.text import Span
from lucid_audit.values import Unknown

# ``# check=skip=…`` above an instruction is BuildKit's suppression of that instruction, so only ``error`` is lost.
_DIRECTIVE = r"(?i)(syntax|escape)\s*=\s*\S+|(check)\s*=\s*error=\w+"


@check("workdir-relative")
def workdir_relative(build: Build) -> Answers:
    """Judge the first WORKDIR of each lineage: a relative one depends on the base image (BuildKit WorkdirRelativePath)."""
    for stage in build.stages:
        own = [step for step in stage.instructions("WORKDIR") if not step.onbuild]
        parent = stage.parent
        inherited = parent is not None and any(s.instruction.keyword == "WORKDIR" for s in parent.all_steps())
        if not own or inherited or not isinstance(own[0].instruction, Plain):
            continue
        word = own[0].instruction.word
        path = own[0].scope.value(word)
        if isinstance(path, Unknown):
            yield Skip(word.span, path.reason)
        elif not path.startswith(("/", "\\")) and path[1:2] != ":":
            start = own[0].workdir
            where = f"{start.rstrip('/')}/{path}" if isinstance(start, str) else "a folder that the base image decides"
            yield Hit(word.span, path=path, where=where)


@check("maintainer-deprecated")
def maintainer_deprecated(build: Build) -> Answers:
    """Judge MAINTAINER, deprecated since Docker 1.13."""
    for _, step in build.steps("MAINTAINER"):
        if isinstance(step.instruction, Plain):
            yield Hit(step.instruction.keyword_span)


@check("key-value-legacy")
def key_value_legacy(build: Build) -> Answers:
    """Judge ENV and LABEL written ``key value`` instead of ``key=value``."""
    for _, step in build.steps("ENV", "LABEL"):
        if isinstance(step.instruction, Pairs):
            for pair in step.instruction.pairs:
                if pair.legacy:
                    yield Hit(pair.key.span, keyword=step.instruction.keyword, key=pair.key.raw)


@check("directive-without-effect")
def directive_without_effect(build: Build) -> Answers:
    """Judge comments that are written as parser directives but stand where BuildKit reads no directive any more."""
    dockerfile = build.dockerfile
    source = dockerfile.source
    taken = {directive.name for directive in dockerfile.directives}
    places = {directive.span.start for directive in dockerfile.directives}
    last = max((source.position(d.span.start).line for d in dockerfile.directives), default=0)
    line = last + 1 if last else (2 if source.text.startswith("#!") else 1)
    for comment in dockerfile.comments:
        match = rx(_DIRECTIVE).fullmatch(comment.text) if "=" in comment.text else None
        if match is not None and comment.span.start not in places:
            name = (match[1] or match[2]).lower()
            if name not in taken:
                taken.add(name)
                yield Hit(comment.span, directive=name, line=line)


@check("empty-continuation")
def empty_continuation(build: Build) -> Answers:
    """Judge blank lines inside a continued instruction (BuildKit NoEmptyContinuation)."""
    source = build.dockerfile.source
    previous = -1
    for span in build.dockerfile.empty_continuations:
        line = source.position(span.start).line
        if line != previous + 1:
            yield Hit(Span(span.start, span.end))
        previous = line


@check("trigger-valid")
def trigger_valid(build: Build) -> Answers:
    """Judge ONBUILD triggers: BuildKit reads one only when another file is built FROM the image, and fails there."""
    for problem in build.dockerfile.problems:
        if problem.level == "trigger":
            yield Hit(problem.span, problem=problem.message)
