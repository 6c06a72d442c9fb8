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
from sarif_pydantic import Sarif

from lucid_audit.finding import About, Finding, Location, Problem, Report, Severity, Skipped, SubjectReport
from lucid_audit.report import render
from tests.report.samples import REPORTS, finding, report

ABOUT = About("base-eol", "The base has ended", Severity.error, "Move on.", ("base",))


def loaded(run: Report) -> dict[str, Any]:
    text = render(run, "sarif")
    Sarif.model_validate_json(text)
    data: dict[str, Any] = json.loads(text)
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
        "artifactLocation": {"uri": "api/Dockerfile"},
        "region": {"startLine": 3, "startColumn": 6, "endLine": 3, "endColumn": 12},
    }
    assert re.fullmatch(r"v1:[0-9a-f]{32}", result["partialFingerprints"]["lucidAudit/v1"])
    assert run["invocations"][0]["executionSuccessful"]


def image(*findings: Finding, path: str = "", **more: Any) -> SubjectReport:
    return SubjectReport("image", "team/clock:1", findings, platform="linux/arm64", path=path, **more)


def test_an_image_has_a_place_in_a_file_too() -> None:
    place = Location(path="/bin/sh", layer=3, layer_digest="sha256:0", created_by="COPY sh /bin")
    shell = Finding("shell-present", Severity.error, "/bin/sh is dash", place)
    for path, uri in (("", "images/team/clock-1"), ("clock/Dockerfile", "clock/Dockerfile")):
        (result,) = loaded(Report((image(shell, path=path),)))["results"]
        (location,) = result["locations"]
        assert location["physicalLocation"] == {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}}
        assert location["logicalLocations"][0]["name"] == "/bin/sh"
        assert location["logicalLocations"][0]["decoratedName"] == "layer 3"
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


@given(REPORTS)
def test_every_report_is_read_and_nothing_is_lost(run: Report) -> None:
    document = loaded(run)
    assert len(document["results"]) == sum(len(subject.findings) for subject in run.subjects)
    (invocation,) = document["invocations"]
    assert len(invocation["toolExecutionNotifications"]) == run.skipped + run.problems
    for result in document["results"]:
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[A-Za-z0-9._~%/-]+", uri)
        assert not uri.startswith("/")


@pytest.mark.e2e
def test_a_program_that_is_not_ours_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "report.sarif"
    file.write_text(render(Report(report(finding()).subjects, 1, (ABOUT,)), "sarif"))
    done = subprocess.run([sys.executable, "-m", "sarif", "summary", file], capture_output=True, text=True, check=True)
    assert "error: 1" in done.stdout
