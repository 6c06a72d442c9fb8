from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given

from lucid_audit.finding import Finding, Location, Problem, Report, Severity, Skipped, SubjectReport
from lucid_audit.report import render
from lucid_audit.report.escape import visible
from tests.report.samples import EOL, REPORTS, finding, report

BROKEN = SubjectReport("dockerfile", "b", problems=(Problem("not there", Location("b")),))
UNSURE = SubjectReport("dockerfile", "c", skipped=(Skipped("user", "no value", Location("c", 2, 1, 2, 9)),))


def loaded(run: Report) -> ET.Element:
    return ET.fromstring(render(run, "junit"))


def test_a_finding_is_a_failure() -> None:
    (suite,) = loaded(report(finding()))
    (case,) = suite
    assert suite.attrib == {"name": "api/Dockerfile", "tests": "1", "failures": "1", "errors": "0", "skipped": "0"}
    assert case.attrib == {"classname": "api/Dockerfile", "name": "base-eol", "file": "api/Dockerfile", "line": "3"}
    (failure,) = case
    assert failure.attrib == {"type": "error", "message": EOL}
    assert (failure.text or "").startswith(f"api/Dockerfile:3:6: error: {EOL} [base-eol]\n")


def test_an_unreadable_file_is_an_error_and_a_clean_one_passes() -> None:
    root = loaded(Report((*report().subjects, BROKEN, UNSURE)))
    assert root.attrib == {"name": "lucid-audit", "tests": "4", "failures": "0", "errors": "1", "skipped": "1"}
    shapes = [[(case.get("name"), [outcome.tag for outcome in case]) for case in suite] for suite in root]
    assert shapes == [
        [("no findings", [])],
        [("unreadable", ["error"])],
        [("no findings", []), ("user", ["skipped"])],
    ]


def test_tests_have_names_of_their_own_that_no_line_changes() -> None:
    part = Finding("user", Severity.note, "m", Location(path="/bin/sh", layer=2))
    cases = loaded(report(finding(3), finding(9), part)).iter("testcase")
    assert [case.get("name") for case in cases] == ["base-eol", "base-eol (2)", "user at /bin/sh in layer 2"]


@given(REPORTS)
def test_every_report_is_xml_that_counts_and_says_everything(run: Report) -> None:
    root = loaded(run)
    outcomes = {"failure": "failures", "error": "errors", "skipped": "skipped"}
    for suite in (root, *root):
        for tag, count in outcomes.items():
            assert int(suite.get(count, "")) == len(list(suite.iter(tag)))
        assert int(suite.get("tests", "")) == len(list(suite.iter("testcase")))
    assert len(root) == len(run.subjects)
    for subject, suite in zip(run.subjects, root, strict=True):
        said = [item.get("message") for item in suite.iter() if item.tag in outcomes]
        expected = [*(p.message for p in subject.problems), *(f.message for f in subject.findings)]
        assert said == [visible(text) for text in (*expected, *(s.reason for s in subject.skipped))]
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(set(names)) == len(names)


@pytest.mark.e2e
def test_a_reader_that_is_not_ours_counts_the_same(tmp_path: Path) -> None:
    junitparser = pytest.importorskip("junitparser")
    file = tmp_path / "junit.xml"
    file.write_text(render(Report((*report(finding(), finding()).subjects, BROKEN, UNSURE)), "junit"), "utf-8")
    read = junitparser.JUnitXml.fromfile(str(file))
    assert (read.tests, read.failures, read.errors, read.skipped) == (5, 2, 1, 1)
    outcomes = [type(result).__name__ for suite in read for case in suite for result in case.result]
    assert outcomes == ["Failure", "Failure", "Error", "Skipped"]
