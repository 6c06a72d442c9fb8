"""The report as one table, for wide terminals and for pasting into a ticket."""

from __future__ import annotations

from collections.abc import Iterator

from lucid_audit.finding import Report
from lucid_audit.report.escape import unobeyed, visible
from lucid_audit.report.style import BY_SEVERITY, DIM, PLAIN, RED, Style
from lucid_audit.report.summary import summary
from lucid_audit.report.text import place

HEADERS = ("Place", "Severity", "Rule", "Message")
MESSAGE_WIDTH = 80  # columns; a longer message continues on the next line of its row


def render(report: Report, style: Style = PLAIN) -> str:
    """Return findings, problems and, if asked for, skipped checks as rows; then the summary unless quiet."""
    rows = list(_rows(report, style))
    table = unobeyed(f"{_table(rows)}\n") if rows else ""
    if style.quiet:
        return table
    return f"{table}\n{summary(report, style)}\n" if rows else f"{summary(report, style)}\n"


def _rows(report: Report, style: Style) -> Iterator[tuple[str, str, str, str]]:
    for subject in report.subjects:
        for problem in subject.problems:
            yield place(problem.location, subject), style.paint("unreadable", RED), "", visible(problem.message)
        for finding in subject.findings:
            severity = style.paint(finding.severity.name, BY_SEVERITY[finding.severity])
            yield place(finding.location, subject), severity, visible(finding.rule), visible(finding.message)
        if style.show_skipped and not style.quiet:
            for skip in subject.skipped:
                word = style.paint("skipped", DIM)
                yield place(skip.location, subject), word, visible(skip.rule), visible(skip.reason)


def _table(rows: list[tuple[str, str, str, str]]) -> str:
    from tabulate import tabulate  # noqa: PLC0415  (only for this format)

    # Numbers stay text: a tag such as 1.10 must not become 1.1.
    return tabulate(rows, HEADERS, "simple", disable_numparse=True, maxcolwidths=[None, None, None, MESSAGE_WIDTH])
