from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given

from lucid_audit.finding import Location, Problem, Report, Skipped, SubjectReport
from lucid_audit.report import render
from lucid_audit.report.escape import visible
from tests.report.samples import EOL, REPORTS, finding, report


def loaded(run: Report) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = json.loads(render(run, "gitlab"))
    return data


def test_a_finding_is_an_issue() -> None:
    assert loaded(report(finding())) == [
        {
            "description": EOL,
            "check_name": "base-eol",
            "fingerprint": "334f6d1acda722da05c8b98a86c8c267",
            "severity": "critical",
            "location": {"path": "api/Dockerfile", "lines": {"begin": 3}},
        }
    ]
    assert loaded(report()) == []


def test_what_could_not_be_read_blocks_and_what_was_skipped_is_counted() -> None:
    place = Location("b/Dockerfile")
    subject = SubjectReport(
        "dockerfile",
        "./b/Dockerfile",
        skipped=(Skipped("user", "no value", place), Skipped("base-eol", "no value", place)),
        problems=(Problem("not there", place),),
    )
    problem, skipped = loaded(Report((subject,)))
    assert (problem["severity"], problem["check_name"], problem["description"]) == (
        "blocker",
        "unreadable",
        "not there",
    )
    assert problem["location"] == {"path": "b/Dockerfile", "lines": {"begin": 1}}
    assert (skipped["severity"], skipped["check_name"]) == ("info", "skipped")
    assert skipped["description"] == "2 checks skipped, which is no pass: base-eol, user"


@given(REPORTS)
def test_every_report_has_what_gitlab_asks_for_and_nothing_is_lost(run: Report) -> None:
    issues = loaded(run)
    skips = sum(bool(subject.skipped) for subject in run.subjects)
    assert len(issues) == run.problems + sum(len(s.findings) for s in run.subjects) + skips
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert re.fullmatch("[0-9a-f]{32}", issue["fingerprint"])
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert issue["location"]["lines"]["begin"] >= 1
        assert not {"", ".", ".."} & set(issue["location"]["path"].split("/"))
        json.dumps(issue, ensure_ascii=False).encode("utf-8")
    for subject in run.subjects:
        for finding_ in subject.findings:
            assert any(issue["description"].endswith(visible(finding_.message)) for issue in issues)
