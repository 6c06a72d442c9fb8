from __future__ import annotations

import re
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.finding import Report
from lucid_audit.report import render
from lucid_audit.report.escape import unobeyed, visible, well_formed
from lucid_audit.report.style import Style
from tests.report.samples import NASTY, REPORTS

SGR = re.compile(r"\x1b\[(0|2|32|1|1;3[136])m")
HARMFUL = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\\ text", "plain\\ text"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("two\nlines\r", "two\\x0alines\\x0d"),
        ("abc\u202edcb", "abc\\u202edcb"),
        ("caf\xe9 \u65e5\u672c", "caf\xe9 \u65e5\u672c"),
        ("no\xa0break", "no\\xa0break"),
        (b"\xff".decode("utf-8", "surrogateescape"), "\\xff"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("", ""),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.one_of(st.text(), NASTY))
def test_visible_text_has_nothing_to_hide(text: str) -> None:
    shown = visible(text)
    assert not {category(char) for char in shown} & HARMFUL
    assert visible(shown) == shown


@given(st.one_of(st.text(), NASTY))
def test_well_formed_text_encodes_and_keeps_the_rest(text: str) -> None:
    shown = well_formed(text)
    shown.encode("utf-8")
    if not any(category(char) == "Cs" for char in text):
        assert shown == text


@given(REPORTS, st.sampled_from(["text", "table"]), st.builds(Style, st.booleans(), st.booleans(), st.booleans()))
def test_no_report_contains_a_control_character_of_its_subject(report: Report, name: str, style: Style) -> None:
    shown = render(report, name, style)
    if style.colour:
        shown = SGR.sub("", shown)
    assert not {category(char) for char in shown.replace("\n", "")} & HARMFUL


@given(REPORTS, st.booleans())
def test_a_subject_adds_no_lines_of_its_own(report: Report, show_skipped: bool) -> None:
    style = Style(quiet=True, show_skipped=show_skipped)
    expected = sum(len(subject.findings) + len(subject.problems) for subject in report.subjects)
    assert render(report, "text", style).count("\n") == expected


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("::error::x", "\\x3a:error::x"),
        ("a\n  ::add-mask::x\n", "a\n  \\x3a:add-mask::x\n"),
        ("C::method and std::string", "C::method and std::string"),
        ("x ##[group]y", "x \\x23#[group]y"),
        ("##vso[task.setvariable]", "\\x23#vso[task.setvariable]"),
        ("##teamcity[x]", "\\x23#teamcity[x]"),
        ("## a heading", "## a heading"),
    ],
)
def test_runners_obey_nothing(line: str, shown: str) -> None:
    assert unobeyed(line) == shown
