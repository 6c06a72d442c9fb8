"""Judges one Dockerfile, and the container it predicts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from lucid_audit.checks.secret import is_value
from lucid_audit.container.config import Place
from lucid_audit.container.tree import Made
from lucid_audit.dockerfile.build import Build
from lucid_audit.engine import Where, collect, part
from lucid_audit.finding import Finding, Location, Problem, SubjectReport, Suppressed
from lucid_audit.rules import ActiveRule
from lucid_audit.text import SourceText, Span

LAST = ("suppression-unknown", "suppression-unused")  # checks that want to know what was silenced
SECRET = "secret"  # the tag of rules whose findings must not be quoted


def judge(build: Build, rules: Sequence[ActiveRule], *, why: bool = False, suppressions: bool = True) -> SubjectReport:
    """Judge one Dockerfile by every rule. A file that BuildKit refuses is reported as such and not judged.

    ``why``: the report opens with the whole container that is predicted. ``suppressions``: comments silence findings.

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
    subjects = {"dockerfile": build, "container": build.container}
    where = Where(source.path, lambda place: locate(source, place), lambda place: _identity(build, place))
    findings, skipped = collect(subjects, rules, where)
    suppressed: tuple[Suppressed, ...] = ()
    if suppressions and build.suppressions:
        from lucid_audit.engine.suppress import silence  # noqa: PLC0415  (few files have any)

        findings, suppressed, build.silent = silence(build.suppressions, source, findings, rules)
        last = [active for active in rules if active.rule.check_name in LAST]
        findings += collect(subjects, last, where)[0]
    ordered = tuple(sorted(findings, key=lambda f: (f.location.line, f.location.column, f.rule)))
    quiet = {active.rule.id for active in rules if SECRET in active.rule.tags}
    lines = _masked(_lines(source, ordered), [f.location for f in ordered if f.rule in quiet])
    facts = _facts(build) if why else ()
    return SubjectReport("dockerfile", source.path, ordered, skipped, lines=lines, facts=facts, suppressed=suppressed)


def _facts(build: Build) -> tuple[tuple[str, str], ...]:
    """Return the predicted container in words."""
    from lucid_audit.container import why  # noqa: PLC0415  (only for those who ask)

    def where(place: object) -> str:
        words, span = (place.words, place.span) if isinstance(place, Made) else ("", place)
        line = f"line {build.dockerfile.source.position(span.start).line}" if isinstance(span, Span) else ""
        return ", ".join(part for part in (words, line) if part)

    return why.why(build.container, where, is_value) if build.container is not None else ()


def _identity(build: Build, place: Place) -> tuple[str, str]:
    """Name the stage and the instruction a place lies in, in words that do not change when lines move."""
    if not isinstance(place, Span):
        return "", part(place)
    instructions = build.dockerfile.instructions
    at = bisect_right(instructions, place.start, key=lambda i: i.span.start) - 1
    if at < 0:
        return "", ""
    stage = bisect_right(build.graph.stages, place.start, key=lambda s: s.from_.span.start) - 1
    text = " ".join(build.dockerfile.source.slice(instructions[at].span).split())
    return build.graph.stages[stage].label if stage >= 0 else "", text


def locate(source: SourceText, place: Place) -> Location:
    """Turn a place into lines and columns."""
    if not isinstance(place, Span):
        return Location(field=part(place))
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
