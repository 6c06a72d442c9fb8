"""Mends one source: tries the fixes of its findings one by one, judges the text anew after each, and keeps what helps.

Kept is an edit after which the file still parses, its finding is gone, and no rule finds more than before. What an edit uncovers (an exec
form whose program is not there) may be mended in the same step. The result is a fixed point: mending it again changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import pairwise

from lucid_audit.dockerfile.build import Build
from lucid_audit.finding import Finding, SubjectReport
from lucid_audit.fixes import Edit, Fault, load
from lucid_audit.text import SourceText, Span
from lucid_audit.tuples import NamedTuple

STEPS = 200  # edits of one file; nobody's has as many findings that can be mended
DEPTH = 2  # further edits that what one edit uncovers may take

Look = Callable[[SourceText], tuple[SubjectReport, Sequence[Build]]]


class Mended(NamedTuple):
    """A source after its fixes, and the findings that they took away, in the order they went."""

    source: SourceText
    fixed: tuple[Finding, ...]


class _State(NamedTuple):
    source: SourceText
    report: SubjectReport
    builds: Sequence[Build]

    @property
    def counts(self) -> Counter[str]:
        return Counter(finding.rule for finding in self.report.findings)


def mend(source: SourceText, look: Look, *, unsafe: bool, rules: Collection[str] | None = None) -> Mended:
    """Apply all fixes that help. ``look`` judges a text; ``unsafe``: also those that may change what the container does.

    ``rules``: mend findings of these only, None for all. What else ``look`` finds is compared all the same.
    """
    state = _State(source, *look(source))
    fixed: list[Finding] = []
    while len(fixed) < STEPS:
        found = next(_steps(state, look, rules, unsafe=unsafe), None)
        if found is None:
            break
        finding, state = found
        fixed.append(finding)
    return Mended(state.source, tuple(fixed))


def _steps(
    state: _State, look: Look, rules: Collection[str] | None, *, unsafe: bool
) -> Iterator[tuple[Finding, _State]]:
    """Yield every finding that can be mended now, with what the file is then."""
    for finding in state.report.findings:
        if rules is not None and finding.rule not in rules:
            continue
        after = _attempt(state, finding, look, state.counts, DEPTH, unsafe=unsafe)
        if after is not None and after.counts[finding.rule] < state.counts[finding.rule]:
            yield finding, after


def _attempt(
    state: _State, finding: Finding, look: Look, before: Counter[str], depth: int, *, unsafe: bool
) -> _State | None:
    """Try the fixes of one finding; return the state in which no rule finds more than it did ``before``."""
    for one in load().get(finding.rule, ()):
        edits = _agreed(state, finding, one.propose) if unsafe or not one.unsafe else ()
        text = applied(state.source.text, edits)
        if text is None or text == state.source.text:
            continue
        source = SourceText(state.source.path, text, bom=state.source.bom)
        after = _State(source, *look(source))
        if after.report.problems:
            continue
        more = after.counts - before
        if not more:
            return after
        for other in after.report.findings if depth else ():
            if other.rule in more:
                further = _attempt(after, other, look, before, depth - 1, unsafe=unsafe)
                if further is not None:
                    return further
    return None


def _agreed(state: _State, finding: Finding, propose: Callable[[Fault], Sequence[Edit]]) -> Sequence[Edit]:
    """Return the edits of a fix, when it proposes the same for every build of the file."""
    place = finding.location
    if not place.line or not state.builds:
        return ()
    span = Span(state.source.offset(place.line, place.column), state.source.offset(place.end_line, place.end_column))
    proposals = [tuple(propose(Fault(build, finding, span))) for build in state.builds]
    return proposals[0] if all(one == proposals[0] for one in proposals) else ()


def applied(text: str, edits: Sequence[Edit]) -> str | None:
    """Return a text with its edits applied, None when there are none or two of them overlap."""
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    if not ordered or any(first.end > second.start for first, second in pairwise(ordered)):
        return None
    parts, at = [], 0
    for edit in ordered:
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join((*parts, text[at:]))
