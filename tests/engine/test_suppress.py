"""Findings that comments silence: what counts, what stays in the reports, what the comments themselves say."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from lucid_audit.cli import cli
from lucid_audit.lint import Request, run

USER = "USER 65532:65532\n"
UNTAGGED = "FROM python\n"


def lint(folder: Path, text: str, *, suppressions: bool = True) -> tuple[list[str], list[str], int]:
    """Return the rules that count with their lines, those that are silenced, and the exit code."""
    (folder / "Dockerfile").write_text(text)
    wanted = [
        "base-untagged",
        "workdir-relative",
        "health-check-missing",
        "suppression-unknown",
        "suppression-unused",
        "suppression-malformed",
    ]
    asked = Request(
        [str(folder / "Dockerfile")], date(2026, 11, 1), select=wanted, fail_on="note", suppressions=suppressions
    )
    outcome = run(asked)
    (subject,) = outcome.report.subjects
    counted = [f"{one.location.line} {one.rule}" for one in subject.findings]
    return counted, [f"{one.finding.rule} {one.by} {one.line}" for one in subject.suppressed], outcome.exit_code


def test_the_next_instruction(tmp_path: Path) -> None:
    text = f"# lucid: ignore[base-untagged] nightly\n{UNTAGGED}HEALTHCHECK NONE\n"
    assert lint(tmp_path, text) == ([], ["base-untagged lucid 1"], 0)
    assert lint(tmp_path, text, suppressions=False) == (["2 base-untagged"], [], 1)


def test_what_has_no_line_of_its_own(tmp_path: Path) -> None:
    """What is missing is reported where the stage begins."""
    assert lint(tmp_path, "# lucid: ignore-stage[health-check-missing] a job\nFROM python:3.13\n") == (
        [],
        ["health-check-missing lucid 1"],
        0,
    )
    assert lint(tmp_path, "FROM python:3.13\n# lucid: ignore-stage[health-check-missing] a job\nUSER 1\n")[0] == []
    other = "FROM python:3.13 AS a\n# lucid: ignore-stage[health-check-missing] a job\nUSER 1\nFROM python:3.13\n"
    assert lint(tmp_path, other)[0] == ["2 suppression-unused", "4 health-check-missing"]


@pytest.mark.parametrize(
    "head",
    [
        "# check=skip=WorkdirRelativePath",
        "# check=skip=all",
        "# hadolint global ignore=DL3000",
        "# lucid: ignore-file[workdir-relative] x",
    ],
)
def test_the_whole_file(tmp_path: Path, head: str) -> None:
    counted, silenced, _ = lint(
        tmp_path, f"{head}\nFROM scratch\nHEALTHCHECK NONE\nWORKDIR a\nFROM scratch\nWORKDIR b\nHEALTHCHECK NONE\n"
    )
    assert counted == []
    assert {one.split()[0] for one in silenced} == {"workdir-relative"}


def test_comments_of_others(tmp_path: Path) -> None:
    text = "FROM python:3.13 AS a\n# check=skip=WorkdirRelativePath\nWORKDIR b\nFROM scratch\n# hadolint ignore=DL3000\nWORKDIR c\nHEALTHCHECK NONE\n"
    assert lint(tmp_path, text)[0] == []


def test_what_is_said_of_comments(tmp_path: Path) -> None:
    text = f"# lucid: ignore[base-untagged, nothing-like-it] x\n# lucid: ignore[workdir-relative] x\n# lucid: ignore\n{UNTAGGED}HEALTHCHECK NONE\n"
    assert lint(tmp_path, text)[0] == ["1 suppression-unknown", "2 suppression-unused", "3 suppression-malformed"]


def test_reports(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"# lucid: ignore[base-untagged] nightly [x](y)\n{UNTAGGED}{USER}")
    arguments = ["lint", str(tmp_path / "Dockerfile"), "--select", "base-untagged"]
    text = CliRunner().invoke(cli, arguments)
    assert text.output == "No findings in 1 file (1 rule); 1 finding suppressed\n"
    document = json.loads(CliRunner().invoke(cli, [*arguments, "--format", "json"]).output)
    (finding,) = document["subjects"][0]["findings"]
    assert finding["suppressed"] == {"by": "lucid", "line": 1, "reason": "nightly [x](y)"}
    assert (document["summary"]["suppressed"], document["summary"]["warning"]) == (1, 0)
    (result,) = json.loads(CliRunner().invoke(cli, [*arguments, "--format", "sarif"]).output)["runs"][0]["results"]
    assert result["suppressions"] == [{"kind": "inSource", "status": "accepted", "justification": "nightly [x](y)"}]
    loud = json.loads(CliRunner().invoke(cli, [*arguments, "--no-suppressions", "--format", "sarif"]).output)
    assert loud["runs"][0]["results"][0]["suppressions"] == []
    assert loud["runs"][0]["results"][0]["partialFingerprints"] == result["partialFingerprints"]


@pytest.mark.parametrize("kind", ["github", "gitlab", "checkstyle", "rdjson", "markdown", "junit", "table"])
def test_other_formats_do_not_show_them(tmp_path: Path, kind: str) -> None:
    (tmp_path / "Dockerfile").write_text(f"# lucid: ignore[base-untagged] nightly\n{UNTAGGED}{USER}")
    output = (
        CliRunner()
        .invoke(cli, ["lint", str(tmp_path / "Dockerfile"), "--select", "base-untagged", "--format", kind])
        .output
    )
    assert "has neither tag nor digest" not in output


def test_a_rule_of_ones_own_that_is_off_is_no_unknown_one(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "our-word.yaml").write_text(
        "id: our-word\ntitle: Ours\nseverity: note\ntags: [a]\nsince: 0.1.0\ncheck: maintainer-deprecated\n"
        "message: it is here\nrationale: r\nremediation: r\n"
        "examples:\n  - good: |\n      FROM a\n  - bad: |\n      FROM a\n      MAINTAINER me\n    at: {2: it is here}\n"
    )
    (tmp_path / "lucid-audit.yaml").write_text("rule_folders: [own]\nrules: {our-word: off, base-latest: off}\n")
    for name, expected in (("our-word", []), ("base-latest", []), ("our-words", ["suppression-unknown"])):
        file = tmp_path / "Dockerfile"
        file.write_text(f'FROM gcr.io/distroless/static-debian13:nonroot\n# lucid: ignore[{name}] why\nCMD ["/x"]\n')
        outcome = run(Request([str(file)], date(2026, 11, 23)))
        (subject,) = [one for one in outcome.report.subjects if one.kind == "dockerfile"]
        assert [one.rule for one in subject.findings if one.rule.startswith("suppression")] == expected
