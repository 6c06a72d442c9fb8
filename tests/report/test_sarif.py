"""SARIF: read by a model of the standard that is not ours, with a place in a file for everything."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft4Validator, FormatChecker
from sarif_pydantic import Sarif

from lucid_audit.finding import About, Finding, Location, Problem, Report, Severity, Skipped, SubjectReport
from lucid_audit.report import render, sarif
from tests.report.samples import REPORTS, finding, report

ABOUT = About("base-eol", "The base has ended", Severity.error, "Move on.", ("base",))
SCHEMA = json.loads(Path(__file__).with_name("data").joinpath("sarif-schema-2.1.0.json").read_text("utf-8"))
VALIDATOR = Draft4Validator(SCHEMA, format_checker=FormatChecker())


def loaded(run: Report) -> dict[str, Any]:
    text = render(run, "sarif")
    Sarif.model_validate_json(text)
    data: dict[str, Any] = json.loads(text)
    VALIDATOR.validate(data)
    (one,) = data["runs"]
    assert data["version"] == "2.1.0"
    return dict(one)


def test_the_shape() -> None:
    run = loaded(Report(report(finding()).subjects, 1, (ABOUT,)))
    (result,) = run["results"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == ("base-eol", 0, "error")
    assert rule["id"] == "base-eol"
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "api/Dockerfile", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3, "startColumn": 6, "endLine": 3, "endColumn": 12},
    }
    assert re.fullmatch(r"v1:[0-9a-f]{32}", result["partialFingerprints"]["lucidAudit/v1"])
    assert run["invocations"][0]["executionSuccessful"]


def image(*findings: Finding, dockerfile: str = "", **more: Any) -> SubjectReport:
    return SubjectReport("image", "team/clock:1", findings, platform="linux/arm64", dockerfile=dockerfile, **more)


def test_an_image_has_a_place_in_a_file_too() -> None:
    place = Location(path="/bin/sh", layer=3, layer_digest="sha256:0", created_by="COPY sh /bin")
    shell = Finding("shell-present", Severity.error, "/bin/sh is dash", place)
    for path, uri in (("", "images/team/clock-1"), ("clock/Dockerfile", "clock/Dockerfile")):
        (result,) = loaded(Report((image(shell, dockerfile=path),)))["results"]
        (location,) = result["locations"]
        assert location["physicalLocation"] == {
            "artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": 1},
        }
        assert location["logicalLocations"][0]["name"] == "/bin/sh"
        assert location["logicalLocations"][0]["properties"]["layer"] == "3"
        assert result["message"]["text"] == "team/clock:1 (linux/arm64): /bin/sh is dash"


def test_platforms_of_one_image_are_told_apart() -> None:
    same = Finding("final-user-root", Severity.error, "root", Location(field="config.User"), instruction="config.User")
    both = Report(tuple(SubjectReport("image", "a:1", (same,), platform=p) for p in ("linux/amd64", "linux/arm64")))
    prints = {result["partialFingerprints"]["lucidAudit/v1"] for result in loaded(both)["results"]}
    assert len(prints) == 2


def test_what_could_not_be_read_or_judged_is_said() -> None:
    subject = image(
        problems=(Problem("cut short", Location()),), skipped=(Skipped("base-eol", "not known", Location()),)
    )
    (invocation,) = loaded(Report((subject,)))["invocations"]
    assert not invocation["executionSuccessful"]
    assert [note["level"] for note in invocation["toolExecutionNotifications"]] == ["error", "note"]


def test_a_failed_run_and_a_run_without_subjects_are_no_success() -> None:
    assert loaded(report())["invocations"][0]["executionSuccessful"]
    assert not loaded(Report(()))["invocations"][0]["executionSuccessful"]


def test_columns_are_code_points_and_the_root_is_named() -> None:
    run = loaded(report(finding()))
    assert run["columnKind"] == "unicodeCodePoints"
    assert set(run["originalUriBaseIds"]) == {"%SRCROOT%"}


def test_a_rule_is_explained_in_text_and_in_markdown() -> None:
    about = ABOUT._replace(tags=tuple(f"t{number}" for number in range(30)))
    (rule,) = loaded(Report(report().subjects, 1, (about,)))["tool"]["driver"]["rules"]
    assert rule["help"]["text"].startswith("Move on.")
    assert rule["help"]["markdown"].startswith("Move on.")
    assert rule["fullDescription"]["text"] == "The base has ended. Move on."
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert len(rule["properties"]["tags"]) == sarif.TAGS


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ('CMD ["a"]', 'CMD ["a"]'),
        ("a\\b", "a\\b"),
        ("see [this](http://x)", "see \\[this\\](http://x)"),
        ("\\](1)", "\\\\\\](1)"),
    ],
)
def test_a_message_has_no_links(message: str, text: str) -> None:
    found = Finding("a", Severity.note, message, Location("x", 1, 1, 1, 2))
    (result,) = loaded(report(found))["results"]
    assert result["message"]["text"] == text


@pytest.mark.parametrize("name", ["../../a/../img.tar", "/a//b/./img.tar", "reg:5000/a b@sha256:0"])
def test_the_made_up_path_of_an_image_is_a_plain_one(name: str) -> None:
    found = Finding("a", Severity.note, "m", Location(field="config.User"))
    (result,) = loaded(Report((SubjectReport("image", name, (found,)),)))["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"images(/[a-z0-9-]+(\.[a-z]+)?)+", uri)


def test_more_results_than_a_platform_takes_are_cut_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "RESULTS", 2)
    run = loaded(report(*(finding(severity=severity) for severity in Severity)))
    assert [result["level"] for result in run["results"]] == ["error", "warning"]
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"] == "1 less severe findings are left out"


@given(REPORTS)
def test_every_report_is_read_and_nothing_is_lost(run: Report) -> None:
    document = loaded(run)
    assert len(document["results"]) == sum(len(subject.findings) for subject in run.subjects)
    (invocation,) = document["invocations"]
    assert len(invocation["toolExecutionNotifications"]) == run.skipped + run.problems
    for result in document["results"]:
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[A-Za-z0-9._~%/-]+", uri)
        assert not {"", ".", ".."} & set(uri.split("/"))


@pytest.mark.e2e
def test_a_program_that_is_not_ours_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "report.sarif"
    file.write_text(render(Report(report(finding()).subjects, 1, (ABOUT,)), "sarif"))
    done = subprocess.run([sys.executable, "-m", "sarif", "summary", file], capture_output=True, text=True, check=True)
    assert "error: 1" in done.stdout
