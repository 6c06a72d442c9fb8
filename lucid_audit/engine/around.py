"""Judges what surrounds images: compose services and build commands, one report for each file that has any."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lucid_audit.around.call import BuildCall
from lucid_audit.around.service import Deployment
from lucid_audit.container.config import Place
from lucid_audit.engine import Where, collect, part
from lucid_audit.finding import Finding, Location, Skipped, SubjectReport
from lucid_audit.rules import ActiveRule
from lucid_audit.text import SourceText, Span


def judge(subjects: Iterable[Deployment | BuildCall], rules: Sequence[ActiveRule]) -> tuple[SubjectReport, ...]:
    """Judge every subject by the rules of its kind. Subjects of one file are one report, in the order of their files.

    Raises:
        InternalError: a check crashed; the message names the rule and the file.

    """
    files: dict[tuple[str, str], tuple[SourceText, dict[Finding, None], dict[Skipped, None]]] = {}
    for one in subjects:
        kind = "compose" if isinstance(one, Deployment) else "build-command"
        source = one.standing
        named = one.service.name if isinstance(one, Deployment) else one.dockerfile
        _, findings, skipped = files.setdefault((kind, source.path), (source, {}, {}))
        found, skips = collect({kind: one}, rules, _where(source, named))
        findings.update(dict.fromkeys(found))
        skipped.update(dict.fromkeys(skips))
    return tuple(_report(kind, *parts) for (kind, _), parts in files.items())


def _where(source: SourceText, named: str) -> Where:
    def locate(place: Place) -> Location:
        if not isinstance(place, Span):
            return Location(source.path, field=part(place))
        start, end = source.position(place.start), source.position(max(place.end, place.start))
        return Location(source.path, start.line, start.column, end.line, end.column)

    return Where(source.path, locate, lambda place: (named, part(place) if not isinstance(place, Span) else ""))


def _report(kind: str, source: SourceText, findings: Iterable[Finding], skipped: Iterable[Skipped]) -> SubjectReport:
    ordered = tuple(sorted(findings, key=lambda f: (f.location.line, f.location.column, f.rule, f.message)))
    lines = sorted({f.location.line for f in ordered if f.location.line})
    return SubjectReport(
        kind, source.path, ordered, tuple(skipped), lines=tuple((number, source.line(number)) for number in lines)
    )
