from __future__ import annotations

import re
from urllib.parse import unquote

from hypothesis import given

from lucid_audit.finding import Finding, Location, Problem, Report, Severity, Skipped, SubjectReport
from lucid_audit.report import render
from lucid_audit.report.entries import entries
from lucid_audit.report.escape import visible
from lucid_audit.report.github import SHOWN
from tests.report.samples import EOL, REPORTS, finding, report

COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")


def shown(run: Report) -> tuple[list[tuple[str, dict[str, str], str]], list[str]]:
    """Read what the runner would: annotations, and the lines of its log."""
    commands, log = [], []
    for line in render(run, "github").splitlines():
        if line.startswith("::"):
            match = COMMAND.fullmatch(line)
            assert match, line
            pairs = [pair.partition("=") for pair in match[2].split(",")]
            commands.append((match[1], {key: unquote(value) for key, _, value in pairs}, unquote(match[3])))
        else:
            log.append(line)
    return commands, log


def test_a_finding_is_an_annotation() -> None:
    text = render(report(finding()), "github")
    assert text == (
        "::error file=api/Dockerfile,line=3,endLine=3,col=6,endColumn=12,title=lucid-audit%3A base-eol::"
        f"{EOL} - Move to python3-debian13.\n"
        "lucid-audit: 1 error in 1 of 1 file\n"
    )


def test_a_span_of_lines_has_no_columns() -> None:
    place = finding().location._replace(end_line=5)
    ((_, properties, _),), _ = shown(report(Finding("a", Severity.note, "m", place)))
    assert properties == {"file": "api/Dockerfile", "line": "3", "endLine": "5", "title": "lucid-audit: a"}


def test_ten_of_a_level_are_annotated_the_gravest_first_and_the_cut_is_said() -> None:
    broken = SubjectReport("dockerfile", "b", problems=(Problem("not there", Location("b")),))
    many = [finding(line, severity=severity) for severity in Severity for line in range(1, 13)]
    commands, log = shown(Report((*report(*many).subjects, broken), 9))
    levels = [level for level, _, _ in commands]
    assert levels == ["error"] * SHOWN + ["warning"] * SHOWN + ["notice"] * SHOWN
    assert commands[0][1]["title"] == "lucid-audit: unreadable"
    assert commands[-1][2] == (
        "Annotated: 10 of 13 errors, 10 of 12 warnings, 9 of 12 notices, "
        "for the platform shows no more. The log of this step has all."
    )
    assert len(log) == 3 + 2 + 3 + 1
    assert "error: api/Dockerfile:12:6: " + EOL + " [base-eol]" in log


def test_an_image_without_a_dockerfile_has_no_file() -> None:
    found = Finding("user", Severity.error, "root", Location(field="config.User"))
    for dockerfile, file in (("", None), ("a/Dockerfile", "a/Dockerfile")):
        subject = SubjectReport("image", "team/a:1", (found,), platform="linux/arm64", dockerfile=dockerfile)
        ((_, properties, text),), _ = shown(Report((subject,)))
        assert properties.get("file") == file
        assert text == "team/a:1 (linux/arm64): config.User: root"


def test_nothing_in_a_report_is_a_command() -> None:
    found = Finding("a", Severity.note, "x\n::stop-commands::y ##[add-path]z 100%", Location("a,b:c", 1, 1, 1, 2))
    subject = SubjectReport("dockerfile", "a,b:c", (found,) * 12)
    text = render(Report((subject,)), "github")
    assert "file=a%2Cb%3Ac," in text
    assert "100%25" in text
    assert not re.search(r"^::(?!notice )|##\[", text, re.MULTILINE)


def test_skipped_checks_are_in_the_log() -> None:
    subject = SubjectReport("dockerfile", "b", skipped=(Skipped("user", "no value", Location()),) * 2)
    _, log = shown(Report((subject,), 9))
    assert log[0] == "skipped: b: 2 checks skipped, which is no pass: user"
    assert log[1].endswith("2 checks skipped")


@given(REPORTS)
def test_every_report_is_lines_the_runner_reads_and_nothing_is_lost(run: Report) -> None:
    commands, log = shown(run)
    said = [text for _, _, text in commands] + log
    assert all(line.isprintable() for line in said)
    assert "##[" not in render(run, "github")
    for entry in entries(run):
        message = visible(entry.message).replace("##[", "##\\x5b")
        assert any(message in line for line in said)
    assert sum(line.startswith("skipped: ") for line in log) == sum(bool(s.skipped) for s in run.subjects)
    assert len(commands) == len(list(entries(run)))
