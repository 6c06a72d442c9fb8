"""Applies a policy's waivers to the reports of a run, and judges the waivers by what they did."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lucid_audit.container.config import Field, Place
from lucid_audit.dates import date
from lucid_audit.engine import Where, collect
from lucid_audit.finding import Finding, Location, SubjectReport, Suppressed
from lucid_audit.record import replace
from lucid_audit.rules import ActiveRule
from lucid_audit.waiver import Applied, Waiver, Waivers

BY = "policy"
Names = Callable[[SubjectReport], Sequence[str]]


def waive(
    subjects: Sequence[SubjectReport], waivers: Sequence[Waiver], rules: Sequence[ActiveRule], day: date, names: Names
) -> tuple[list[SubjectReport], Waivers]:
    """Take what is waived out of what counts. ``names`` gives the names that a subject goes by."""
    asked = {active.rule.id for active in rules}
    used: list[set[str]] = [set() for _ in waivers]
    met: list[bool] = [False for _ in waivers]
    missed = [0 for _ in waivers]
    reports = []
    for subject in subjects:
        called = names(subject)
        covering = [number for number, one in enumerate(waivers) if one.covers(subject.kind, called)]
        kept: list[Finding] = []
        silenced = list(subject.suppressed)
        for finding in subject.findings:
            by = [number for number in covering if waivers[number].named(finding.rule)]
            for number in by:
                used[number].add(waivers[number].named(finding.rule))
            holding = next((number for number in by if waivers[number].holds(day)), None)
            if holding is None:
                kept.append(finding)
                for number in by[:1]:
                    missed[number] += 1
            else:
                silenced.append(Suppressed(finding, waivers[holding].reason, BY, 0))
        for number in covering:
            met[number] = met[number] or not subject.problems
        reports.append(replace(subject, findings=tuple(kept), suppressed=tuple(silenced)))
    idle = [
        tuple(
            name
            for name, ids in one.rules.items()
            if not asked.isdisjoint(ids) and name not in used[number] and met[number]
        )
        for number, one in enumerate(waivers)
    ]
    return reports, Waivers(tuple(map(Applied, waivers, idle, missed)))


def judge(waivers: Waivers, rules: Sequence[ActiveRule], path: str, lines: Sequence[str] = ()) -> SubjectReport:
    """Judge the waivers themselves. ``path`` is the policy, ``lines`` its text for excerpts."""

    def locate(place: Place) -> Location:
        number = int(place.field.partition(".")[2]) if isinstance(place, Field) else 0
        line = waivers.applied[number].waiver.line
        return Location(path, line, 1, line, 1)

    def identify(place: Place) -> tuple[str, str]:
        number = int(place.field.partition(".")[2]) if isinstance(place, Field) else 0
        return "", " ".join((*waivers.applied[number].waiver.rules, waivers.applied[number].waiver.reason))

    where = Where(path, locate, identify)
    findings, skipped = collect({"policy": waivers}, rules, where)
    shown = tuple(
        (number, lines[number - 1]) for number in sorted({f.location.line for f in findings}) if number <= len(lines)
    )
    return SubjectReport("policy", path, tuple(findings), skipped, lines=shown)
