"""The engine: one subject, the active rules, what they answer. Pure: no clock, no environment, no input or output.

``dockerfile`` and ``image`` judge the two kinds of subject; this module is what they share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lucid_audit.container.config import Field, LayerPath, Place
from lucid_audit.errors import InternalError
from lucid_audit.finding import Finding, Hit, Location, Skip, Skipped
from lucid_audit.rules import ActiveRule
from lucid_audit.tuples import NamedTuple


class Where(NamedTuple):
    """How places of a subject are said. ``identify`` names stage and instruction in words that survive moved lines."""

    name: str
    locate: Callable[[Place], Location]
    identify: Callable[[Place], tuple[str, str]]


def collect(
    subjects: Mapping[str, object], rules: Sequence[ActiveRule], where: Where
) -> tuple[list[Finding], tuple[Skipped, ...]]:
    """Ask every rule about the subject of its kind; the same finding at the same place counts once.

    Raises:
        InternalError: a check crashed; the message names the rule and the subject.

    """
    findings: dict[tuple[str, Location, str], Finding] = {}
    skipped: dict[Skipped, None] = {}
    for active in rules:
        for answer in _answers(subjects, active, where.name):
            if isinstance(answer, Skip):
                skipped[Skipped(active.rule.id, answer.reason, where.locate(answer.at))] = None
            else:
                finding = _finding(active, answer, where)
                findings.setdefault((finding.rule, finding.location, finding.message), finding)
    return list(findings.values()), tuple(skipped)


def _answers(subjects: Mapping[str, object], active: ActiveRule, name: str) -> list[Hit | Skip]:
    subject = subjects.get(active.rule.subject)
    if subject is None:
        return []
    check = active.check
    try:
        return list(check.run(subject) if check.params is None else check.run(subject, active.params))
    except Exception as error:
        raise InternalError(f"rule {active.rule.id} failed on {name}: {type(error).__name__}: {error}") from error


def _finding(active: ActiveRule, hit: Hit, where: Where) -> Finding:
    rule = active.rule
    try:
        message = rule.message.format(**hit.values)
    except (KeyError, IndexError, ValueError) as error:
        raise InternalError(f"rule {rule.id}: its message needs {error}, which the check does not give") from error
    stage, instruction = where.identify(hit.at)
    code = str(hit.values.get("code", ""))
    return Finding(rule.id, active.severity, message, where.locate(hit.at), rule.remediation, stage, instruction, code)


def part(place: Field | LayerPath) -> str:
    """Name a part of an image: its field or its path."""
    return place.field if isinstance(place, Field) else place.path
