from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from jsonschema import Draft202012Validator

from lucid_audit.finding import Location, Problem, Report, Skipped, SubjectReport
from lucid_audit.report import render
from lucid_audit.report.entries import entries
from lucid_audit.report.escape import visible
from tests.report.samples import EOL, REPORTS, finding, report

POSITION = {
    "type": "object",
    "required": ["line"],
    "additionalProperties": False,
    "properties": {"line": {"type": "integer", "minimum": 1}, "column": {"type": "integer", "minimum": 1}},
}
NAMED = {"type": "object", "additionalProperties": False, "properties": {"url": {"type": "string"}}}
DIAGNOSTIC = {
    "type": "object",
    "required": ["message", "location"],
    "additionalProperties": False,  # reviewdog refuses fields that it does not know
    "properties": {
        "message": {"type": "string", "minLength": 1},
        "severity": {"enum": ["ERROR", "WARNING", "INFO"]},
        "code": {**NAMED, "properties": {"value": {"type": "string"}, "url": {"type": "string"}}},
        "location": {
            "type": "object",
            "required": ["path"],
            "additionalProperties": False,
            "properties": {
                "path": {"type": "string", "minLength": 1},
                "range": {
                    "type": "object",
                    "required": ["start"],
                    "additionalProperties": False,
                    "properties": {"start": POSITION, "end": POSITION},
                },
            },
        },
    },
}
VALIDATOR = Draft202012Validator(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "diagnostics": {"type": "array", "items": DIAGNOSTIC},
            "source": {**NAMED, "properties": {"name": {"type": "string"}, "url": {"type": "string"}}},
        },
    }
)


def loaded(run: Report) -> list[dict[str, Any]]:
    data = json.loads(render(run, "rdjson"))
    VALIDATOR.validate(data)
    assert data["source"]["name"] == "lucid-audit"
    found: list[dict[str, Any]] = data["diagnostics"]
    return found


def test_a_finding_is_a_diagnostic() -> None:
    (found,) = loaded(report(finding()))
    assert (found["message"], found["severity"], found["code"]["value"]) == (EOL, "ERROR", "base-eol")
    assert found["location"] == {
        "path": "api/Dockerfile",
        "range": {"start": {"line": 3, "column": 6}, "end": {"line": 3, "column": 12}},
    }


def test_columns_count_bytes() -> None:
    (found,) = loaded(report(finding(1, 3, 5), lines={1: "a\U00010400b\udcffc"}))
    assert found["location"]["range"] == {"start": {"line": 1, "column": 6}, "end": {"line": 1, "column": 8}}


def test_without_the_text_of_its_last_line_a_span_is_whole_lines() -> None:
    found = finding()
    wide = type(found)("a", found.severity, "m", found.location._replace(end_line=5))
    (diagnostic,) = loaded(report(wide))
    assert diagnostic["location"]["range"] == {"start": {"line": 3}, "end": {"line": 5}}


def test_unreadable_and_skipped_are_said() -> None:
    subject = SubjectReport(
        "dockerfile",
        "b",
        problems=(Problem("not there", Location("b")),),
        skipped=(Skipped("user", "no value", Location()),),
    )
    problem, skipped = loaded(Report((subject,)))
    assert (problem["severity"], problem["code"], problem["location"]) == (
        "ERROR",
        {"value": "unreadable"},
        {"path": "b"},
    )
    assert (skipped["severity"], skipped["message"]) == ("INFO", "1 check skipped, which is no pass: user")


@given(REPORTS)
def test_every_report_is_read_and_nothing_is_lost(run: Report) -> None:
    found = loaded(run)
    skips = [one for one in found if one["code"]["value"] == "skipped"]
    assert len(skips) == sum(bool(subject.skipped) for subject in run.subjects)
    said = [one["message"] for one in found if one["code"]["value"] != "skipped"]
    assert said == [visible(entry.text) for entry in entries(run)]
    json.dumps(found, ensure_ascii=False).encode("utf-8")
