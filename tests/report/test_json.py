from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from jsonschema import Draft202012Validator

from lucid_audit.finding import Finding, Location, Report, Severity, SubjectReport
from lucid_audit.fingerprint import named
from lucid_audit.report import render
from tests.report.samples import REPORTS, finding, report

SCHEMA = json.loads(Path(__file__).parent.parent.parent.joinpath("docs/report.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


def loaded(run: Report) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(render(run, "json"))
    VALIDATOR.validate(data)
    return data


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_shape() -> None:
    data = loaded(report(finding()))
    assert data["version"] == 1
    assert data["tool"]["name"] == "lucid-audit"
    assert data["summary"] == {"error": 1, "warning": 0, "note": 0, "skipped": 0, "suppressed": 0, "problems": 0}
    (found,) = data["subjects"][0]["findings"]
    assert found["location"] == {"file": "api/Dockerfile", "line": 3, "column": 6, "end_line": 3, "end_column": 12}
    assert found["suppressed"] is None
    assert (found["rule"], found["severity"]) == ("base-eol", "error")


def test_places_that_are_no_span() -> None:
    found = [Finding("user", Severity.note, "m", place) for place in (Location(field="config.User"), Location("x"))]
    locations = [item["location"] for item in loaded(report(*found))["subjects"][0]["findings"]]
    assert locations == [{"field": "config.User"}, {"file": "x"}]


@given(REPORTS)
def test_every_report_fits_the_schema_and_strict_readers(run: Report) -> None:
    json.dumps(loaded(run), ensure_ascii=False).encode("utf-8")  # no lone surrogates


def prints(*found: Finding, path: str = "") -> list[str]:
    return [name for *_, name in named(SubjectReport("dockerfile", "api/Dockerfile", found, path=path))]


def test_a_fingerprint_survives_moved_lines_and_new_messages() -> None:
    moved = Finding("base-eol", Severity.note, "other", Location("x", 9, 9, 9, 9), "", "stage 0", "FROM x")
    assert prints(finding(line=3)) == prints(moved)


def test_a_fingerprint_depends_on_rule_path_stage_instruction_and_ordinal() -> None:
    place = Location("x", 1, 1, 1, 2)
    variants = [
        *prints(finding(), finding()),
        *prints(finding(rule="other")),
        *prints(finding(), path="other/api/Dockerfile"),
        *prints(Finding("base-eol", Severity.error, "m", place, "", "build", "FROM x")),
        *prints(Finding("base-eol", Severity.error, "m", place, "", "stage 0", "FROM y")),
    ]
    assert len(set(variants)) == len(variants)


def test_the_fingerprint_of_today_is_the_fingerprint_of_version_1() -> None:
    # Stored baselines hold these: whoever changes this line must raise fingerprint.VERSION.
    assert prints(finding()) == ["v1:334f6d1acda722da05c8b98a86c8c267"]
