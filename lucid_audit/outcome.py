"""How a run ended: its report and the exit code that follows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lucid_audit import errors
from lucid_audit.finding import Report, Severity, SubjectReport
from lucid_audit.rules import ActiveRule, about
from lucid_audit.tuples import NamedTuple


def finished(
    subjects: Iterable[SubjectReport], active: Sequence[ActiveRule], fail_on: str, *, nothing_is_fine: bool = False
) -> Outcome:
    """Put the outcome of a run together. ``fail_on`` is the severity that was asked for, "" for the usual one."""
    return Outcome(Report(tuple(subjects), len(active), about(active)), Severity[fail_on or "error"], nothing_is_fine)


class Outcome(NamedTuple):
    """The report, and the lowest severity that makes the run fail.

    ``nothing_is_fine``: a run that had nothing to judge was asked for what has changed, and nothing has.
    """

    report: Report
    fail_on: Severity
    nothing_is_fine: bool = False

    @property
    def exit_code(self) -> int:
        """3 when anything could not be read, else 1 when a finding is severe enough, else 0."""
        if self.report.problems or not (self.report.subjects or self.nothing_is_fine):
            return errors.UNREADABLE
        worst = max((f.severity for s in self.report.subjects for f in s.findings), default=0)
        return errors.FINDINGS if worst >= self.fail_on else errors.OK
