"""The engine: one subject, the active rules, one report. Pure: no clock, no environment, no input or output."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from lucid_audit.container.config import Field, Place
from lucid_audit.dockerfile.build import Build
from lucid_audit.errors import InternalError
from lucid_audit.finding import Finding, Hit, Location, Problem, Skip, Skipped, SubjectReport
from lucid_audit.rules import ActiveRule
from lucid_audit.text import SourceText

SECRET = "secret"  # the tag of rules whose findings must not be quoted


def judge(build: Build, rules: Sequence[ActiveRule]) -> SubjectReport:
    """Judge one Dockerfile by every rule. A file that BuildKit refuses is reported as such and not judged.

    Raises:
        InternalError: a check crashed; the message names the rule and the file.

    """
    source = build.dockerfile.source
    refused = tuple(problem for problem in build.dockerfile.problems if problem.level != "trigger")
    if build.target is None:
        refused += build.graph.problems
    if refused:
        problems = tuple(Problem(p.message, locate(source, p.span)) for p in refused)
        return SubjectReport("dockerfile", source.path, problems=problems, lines=_lines(source, problems))
    findings: dict[tuple[str, Location, str], Finding] = {}
    skipped: dict[Skipped, None] = {}
    for active in rules:
        for answer in _answers(build, active):
            if isinstance(answer, Skip):
                skipped[Skipped(active.rule.id, answer.reason, locate(source, answer.at))] = None
            else:
                finding = _finding(build, active, answer)
                findings.setdefault((finding.rule, finding.location, finding.message), finding)
    ordered = tuple(sorted(findings.values(), key=lambda f: (f.location.line, f.location.column, f.rule)))
    quiet = {active.rule.id for active in rules if SECRET in active.rule.tags}
    lines = _masked(_lines(source, ordered), [f.location for f in ordered if f.rule in quiet])
    return SubjectReport("dockerfile", source.path, ordered, tuple(skipped), lines=lines)


def _answers(build: Build, active: ActiveRule) -> list[Hit | Skip]:
    check = active.rule.check
    subject = build if check.subject == "dockerfile" else build.container
    if subject is None:
        return []
    try:
        return list(check.run(subject) if check.params is None else check.run(subject, active.params))
    except Exception as error:
        name = build.dockerfile.source.path
        raise InternalError(f"rule {active.rule.id} failed on {name}: {type(error).__name__}: {error}") from error


def _finding(build: Build, active: ActiveRule, hit: Hit) -> Finding:
    rule = active.rule
    try:
        message = rule.message.format(**hit.values)
    except (KeyError, IndexError, ValueError) as error:
        raise InternalError(f"rule {rule.id}: its message needs {error}, which the check does not give") from error
    stage, instruction = _identity(build, hit.at)
    source = build.dockerfile.source
    return Finding(rule.id, active.severity, message, locate(source, hit.at), rule.remediation, stage, instruction)


def _identity(build: Build, place: Place) -> tuple[str, str]:
    """Name the stage and the instruction a place lies in, in words that do not change when lines move."""
    if isinstance(place, Field):
        return "", place.field
    instructions = build.dockerfile.instructions
    at = bisect_right(instructions, place.start, key=lambda i: i.span.start) - 1
    if at < 0:
        return "", ""
    stage = bisect_right(build.graph.stages, place.start, key=lambda s: s.from_.span.start) - 1
    text = " ".join(build.dockerfile.source.slice(instructions[at].span).split())
    return build.graph.stages[stage].label if stage >= 0 else "", text


def locate(source: SourceText, place: Place) -> Location:
    """Turn a place into lines and columns."""
    if isinstance(place, Field):
        return Location(field=place.field)
    start, end = source.position(place.start), source.position(max(place.end, place.start))
    return Location(source.path, start.line, start.column, end.line, end.column)


def _lines(source: SourceText, places: Sequence[Finding | Problem]) -> tuple[tuple[int, str], ...]:
    wanted = sorted({place.location.line for place in places if place.location.line})
    return tuple((number, source.line(number)) for number in wanted)


def _masked(lines: tuple[tuple[int, str], ...], secret: Sequence[Location]) -> tuple[tuple[int, str], ...]:
    """Hide what follows a secret's name, or the secret itself where that is what was found: reports get published."""
    shown = dict(lines)
    for place in sorted(secret, key=lambda place: -place.column):
        text = shown[place.line]
        named = place.end_line == place.line and text[place.end_column - 1 : place.end_column] in ("=", " ")
        shown[place.line] = text[: place.end_column if named else place.column - 1] + "***"
    return tuple(shown.items())
