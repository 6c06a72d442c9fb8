from __future__ import annotations

from lucid_audit.finding import Location, Problem, Report, Skipped, SubjectReport
from lucid_audit.report import render
from lucid_audit.report.style import Style
from tests.report.samples import EOL, finding, report


def test_rows_and_summary() -> None:
    subject = SubjectReport(
        "dockerfile",
        "1.10",
        problems=(Problem("not there", Location("1.10")),),
        skipped=(Skipped("base-eol", "no value", Location("1.10", 2, 1, 2, 9)),),
    )
    run = Report((*report(finding()).subjects, subject), 62)
    lines = [line.split() for line in render(run, "table", Style(show_skipped=True)).splitlines()]
    assert lines[0] == ["Place", "Severity", "Rule", "Message"]
    assert lines[2] == ["api/Dockerfile:3:6", "error", "base-eol", *EOL.split()]
    assert lines[3] == ["1.10", "unreadable", "not", "there"]
    assert lines[4] == ["1.10:2:1", "skipped", "base-eol", "no", "value"]
    assert lines[-1][:2] == ["1", "error"]
    assert "skipped  " not in render(run, "table")


def test_a_clean_table_is_the_summary() -> None:
    assert render(report(), "table") == "No findings in 1 file (62 rules)\n"
    assert render(report(), "table", Style(quiet=True)) == ""
