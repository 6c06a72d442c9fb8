"""Takes findings out that a comment silences, and says which comments silence nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from sys import maxsize

from lucid_audit.dockerfile.suppressions import EVERY, Silent, Suppression, covers
from lucid_audit.finding import Finding, Suppressed
from lucid_audit.rules import ActiveRule
from lucid_audit.text import SourceText, Span
from lucid_audit.tuples import NamedTuple


class Silenced(NamedTuple):
    """Findings that count, those that do not, and what is to be said of the comments themselves."""

    findings: list[Finding]
    suppressed: tuple[Suppressed, ...]
    silent: Silent


def silence(
    suppressions: Sequence[Suppression], offsets: SourceText, findings: Sequence[Finding], rules: Sequence[ActiveRule]
) -> Silenced:
    """Apply the comments of a file to its findings."""
    found = tuple(one for one in suppressions if not one.problem)
    asked = {active.rule.id: active for active in rules}
    kept: list[Finding] = []
    suppressed: list[Suppressed] = []
    used: set[tuple[int, str]] = set()
    for finding in findings:
        at = offsets.offset(finding.location.line, finding.location.column) if finding.location.line else -1
        by = None
        for number, one in enumerate(found):
            name = (
                _name(one, finding, asked[finding.rule]) if one.scope.start <= at < one.scope.end or _whole(one) else ""
            )
            if name:
                used.add((number, name))
                by = by or one
        if by is None:
            kept.append(finding)
        else:
            line = offsets.position(by.span.start).line
            suppressed.append(Suppressed(finding, by.reason, by.dialect, line))
    own = [(number, one, name) for number, one in enumerate(found) if one.dialect == "lucid" for name in one.names]
    unused = tuple((one, name) for number, one, name in own if name in asked and (number, name) not in used)
    unasked = tuple((one, name) for _, one, name in own if name not in asked)
    return Silenced(kept, tuple(suppressed), Silent(unused, unasked))


def _whole(one: Suppression) -> bool:
    """Whether a comment is about the whole file, so also about what has no line."""
    return one.scope == Span(0, maxsize)


def _name(one: Suppression, finding: Finding, active: ActiveRule) -> str:
    """Return the name by which a comment means a finding, "" when it does not."""
    if one.dialect == "lucid":
        return finding.rule if finding.rule in one.names else ""
    if one.dialect == "shellcheck":
        return next((name for name in one.names if finding.code and covers(name, finding.code)), "")
    others: Mapping[str, Sequence[str]] = active.rule.raw.get("equivalents", {})
    equivalent = others.get(one.dialect, ())
    if one.dialect == "buildkit" and EVERY in map(str.lower, one.names):
        return EVERY if equivalent else ""
    meant = {name.lower() for name in (*equivalent, *filter(None, (finding.code,)))}
    return next((name for name in one.names if name.lower() in meant), "")
