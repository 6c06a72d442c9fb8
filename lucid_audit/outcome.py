"""How a run ended: its report and the exit code that follows."""

from __future__ import annotations

from lucid_audit import errors
from lucid_audit.finding import Report, Severity
from lucid_audit.tuples import NamedTuple


class Outcome(NamedTuple):
    """The report, and the lowest severity that makes the run fail."""

    report: Report
    fail_on: Severity

    @property
    def exit_code(self) -> int:
        """3 when anything could not be read, else 1 when a finding is severe enough, else 0."""
        if self.report.problems or not self.report.subjects:
            return errors.UNREADABLE
        worst = max((f.severity for s in self.report.subjects for f in s.findings), default=0)
        return errors.FINDINGS if worst >= self.fail_on else errors.OK
