from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given

from lucid_audit.finding import Finding, Location, Problem, Report, Severity, Skipped, SubjectReport
from lucid_audit.report import render
from lucid_audit.report.entries import entries
from lucid_audit.report.escape import visible
from tests.report.samples import EOL, REPORTS, finding, report


def loaded(run: Report) -> ET.Element:
    return ET.fromstring(render(run, "checkstyle"))


def test_a_finding_is_an_error_in_a_file() -> None:
    (file,) = loaded(report(finding(severity=Severity.note)))
    (error,) = file
    assert file.attrib == {"name": "api/Dockerfile"}
    assert error.attrib == {
        "line": "3",
        "column": "6",
        "severity": "info",
        "message": EOL,
        "source": "lucid-audit.base-eol",
    }


def test_platforms_of_one_image_are_one_file() -> None:
    found = Finding("user", Severity.error, "root", Location(field="config.User"))
    subjects = [SubjectReport("image", "a:1", (found,), platform=name) for name in ("linux/amd64", "linux/arm64")]
    (file,) = loaded(Report(tuple(subjects)))
    assert file.get("name") == "images/a-1"
    assert [error.get("message") for error in file] == [
        "a:1 (linux/amd64): config.User: root",
        "a:1 (linux/arm64): config.User: root",
    ]


def test_unreadable_and_skipped_are_said_and_a_clean_file_is_listed() -> None:
    broken = SubjectReport(
        "dockerfile",
        "b",
        problems=(Problem("not there", Location("b")),),
        skipped=(Skipped("user", "no value", Location()),),
    )
    clean, file = loaded(Report((*report().subjects, broken)))
    assert (clean.get("name"), len(clean)) == ("api/Dockerfile", 0)
    assert [(error.get("severity"), error.get("source")) for error in file] == [
        ("error", "lucid-audit.unreadable"),
        ("info", "lucid-audit.skipped"),
    ]


@given(REPORTS)
def test_every_report_is_xml_and_nothing_is_lost(run: Report) -> None:
    root = loaded(run)
    said = sorted(
        error.get("message", "") for error in root.iter("error") if error.get("source") != "lucid-audit.skipped"
    )
    assert said == sorted(visible(entry.text) for entry in entries(run))
    skips = [error for error in root.iter("error") if error.get("source") == "lucid-audit.skipped"]
    assert len(skips) == sum(bool(subject.skipped) for subject in run.subjects)
    names = [file.get("name") for file in root]
    assert len(set(names)) == len(names)
