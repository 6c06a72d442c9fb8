"""What holds for all formats: each is documented, and everything that fails is said in each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lucid_audit.finding import Location, Problem, Report, SubjectReport
from lucid_audit.report import FOR_PEOPLE, FORMATS, render
from tests.report.samples import finding, report

PAGE = Path(__file__).parent.parent.parent.joinpath("docs/formats.md").read_text("utf-8")
BROKEN = SubjectReport("dockerfile", "web/Dockerfile", problems=(Problem("gone", Location("web/Dockerfile")),))


def test_every_format_has_a_row_with_a_command() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| `lucid-audit .*` \|$", PAGE, re.MULTILINE)
    assert tuple(sorted(rows)) == tuple(sorted(FORMATS))
    for name in set(FORMATS) - {"text"}:
        assert re.search(rf"--format {name}\b|--output {name}=", PAGE)
    assert set(FOR_PEOPLE) < set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_findings_and_what_could_not_be_read_are_in_every_format(name: str) -> None:
    text = render(Report((*report(finding()).subjects, BROKEN), 62), name)
    assert text.endswith("\n")
    for words in ("api/Dockerfile", "base-eol", "web/Dockerfile", "gone"):
        assert words in text


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_the_same_each_time(name: str) -> None:
    run = Report((*report(finding(), finding(9)).subjects, BROKEN), 62)
    assert render(run, name) == render(run, name)
