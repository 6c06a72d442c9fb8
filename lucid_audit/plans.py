"""The builds as which a Dockerfile is judged: one for each way in which somebody builds it, and one report of them all.

Each value comes from the strongest that gives it: the command line, the policy, compose and bake files, the file's own
head; then the guess at the context, and the Dockerfile's defaults.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from lucid_audit.dockerfile.stages import Settings, context_name
from lucid_audit.finding import Problem, SubjectReport
from lucid_audit.record import replace
from lucid_audit.surroundings import Surroundings
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from lucid_audit.builders.builder import Builder
    from lucid_audit.dockerfile.context import ContextSet
    from lucid_audit.dockerfile.model import Dockerfile
    from lucid_audit.finding import Finding

    Said = TypeVar("Said", Finding, Problem)

IMAGE = "docker-image://"  # how a named context says that it is an image
PLANS = 20  # of one file; a matrix can make hundreds that differ in a tag
HIDDEN = "***"  # how ``engine.dockerfile`` ends a line that holds a secret
UNUSED = "suppression-unused"  # the rule about comments that silence nothing
NAMED = 3  # builders that one finding names


class Plan(NamedTuple):
    """One build to judge. ``by`` names its builder in a finding, "" when nobody declares the build."""

    settings: Settings
    contexts: ContextSet | None
    note: str
    by: str = ""


def plans(dockerfile: Dockerfile, name: str, settings: Settings, places: Surroundings) -> list[Plan]:
    """Return the different builds of a file, at least one. ``name`` is "" for what has no place on disk.

    Raises:
        UsageError: the policy names a context that is not there.

    """
    builders, troubles = places.builders(name, dockerfile) if name else ((), ())
    notes = "".join(f"; not used: {trouble.said()}" for trouble in troubles[:NAMED])
    if not builders:
        contexts, note = places.contexts(name)
        return [Plan(settings, contexts, note + notes)]
    found: dict[Hashable, Plan] = {}
    for builder in builders:
        contexts, note = places.contexts(name, builder)
        plan = Plan(settings_of(settings, builder), contexts, note, builder.said(place=False))
        key = contexts.candidates[0].key if contexts is not None else "", *_differences(plan.settings)
        found.setdefault(key, plan)
        if len(found) == PLANS:
            break
    *others, last = found.values()
    return [*others, last._replace(note=last.note + notes)]


def settings_of(settings: Settings, builder: Builder) -> Settings:
    """Return the settings of a build: what the person or the policy set stays."""
    place = f"{builder.kind} {builder.name}".strip()
    declared = {
        name: Unknown(f"{place} does not say what build argument {name} is") if value is None else value
        for name, value in builder.args
    }
    return settings._replace(
        build_args={**declared, **settings.build_args},
        target=settings.target or builder.target or "",
        platforms=settings.platforms or (() if settings.platform else builder.platforms),
        contexts={context_name(name): _context(name, value, place) for name, value in builder.contexts},
    )


def _context(name: str, value: str | None, place: str) -> Value:
    """Return the image that a named context is, or what else it is."""
    if value is not None and value.startswith(IMAGE):
        return value.removeprefix(IMAGE)
    return Unknown(f"{name} is a build context that {place} gives{f', {value}' if value else ''}")


def _differences(settings: Settings) -> tuple[Hashable, ...]:
    return (
        frozenset(settings.build_args.items()),
        settings.target,
        frozenset(settings.platforms),
        frozenset(settings.contexts.items()),
    )


def merged(reports: Sequence[SubjectReport], found: Sequence[Plan]) -> SubjectReport:
    """Return one report of one file. What is true of some builds only says of which."""
    first = reports[0]
    if len(reports) == 1:
        return replace(first, note=found[0].note)
    findings = _named([_everywhere(report.findings, reports) for report in reports], found)
    return replace(
        first,
        findings=tuple(sorted(findings, key=lambda f: (f.location.line, f.location.column, f.rule))),
        skipped=tuple(dict.fromkeys(skip for report in reports for skip in report.skipped)),
        suppressed=tuple(dict.fromkeys(one for report in reports for one in report.suppressed)),
        problems=tuple(_named([report.problems for report in reports], found)),
        lines=_lines(reports),
        facts=tuple(
            fact
            for report, plan in zip(reports, found, strict=True)
            if report.facts
            for fact in (("built by", plan.by), *report.facts)
        ),
        note="; ".join(dict.fromkeys(plan.note for plan in found)),
    )


def _everywhere(findings: Sequence[Finding], reports: Sequence[SubjectReport]) -> list[Finding]:
    """Leave out what is said of a comment that silences something in another build."""
    return [one for one in findings if one.rule != UNUSED or all(one in report.findings for report in reports)]


def _lines(reports: Sequence[SubjectReport]) -> tuple[tuple[int, str], ...]:
    """Return the lines that the reports quote; one that hides a secret in one of them is hidden."""
    shown: dict[int, str] = {}
    for report in reports:
        for number, text in report.lines:
            shown[number] = min(shown.get(number, text), text, key=lambda one: (not one.endswith(HIDDEN), len(one)))
    return tuple(sorted(shown.items()))


def _named(groups: Sequence[Sequence[Said]], found: Sequence[Plan]) -> list[Said]:
    """Return what several builds say, each thing once."""
    said: dict[Said, list[str]] = {}
    for group, plan in zip(groups, found, strict=True):
        for one in group:
            said.setdefault(one, []).append(plan.by)
    return [one if len(by) == len(found) else _of(one, by) for one, by in said.items()]


def _of(one: Said, by: list[str]) -> Said:
    more = f" and {len(by) - NAMED} more" if len(by) > NAMED else ""
    message = f"{one.message} (as built by {' and by '.join(by[:NAMED])}{more})"
    return one._replace(message=message) if isinstance(one, Problem) else replace(one, message=message)
