from __future__ import annotations

from unicodedata import category, east_asian_width

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.report.excerpt import CUT, WIDTH, excerpt
from tests.report.samples import NASTY


def width(text: str) -> int:
    return sum(0 if category(c) in ("Mn", "Me") else 2 if east_asian_width(c) in "WF" else 1 for c in text)


@pytest.mark.parametrize(
    ("line", "column", "end", "shown", "marker"),
    [
        ("USER root", 6, 10, "USER root", "     ~~~^"),
        ("USER root", 6, 0, "USER root", "     ~~~^"),
        ("USER 0", 6, 7, "USER 0", "     ^"),
        ("\tUSER\t0", 7, 8, "    USER    0", "            ^"),
        ("LABEL \u65e5\u672c=x", 10, 11, "LABEL \u65e5\u672c=x", "           ^"),
        ("LABEL \u65e5=x", 7, 8, "LABEL \u65e5=x", "      ~^"),
        ("A \x1b x", 5, 6, "A \\x1b x", "       ^"),
        ("e\u0301 x", 4, 5, "e\u0301 x", "  ^"),
        ("FROM x", 7, 7, "FROM x", "      ^"),
        ("FROM x", 99, 99, "FROM x", "      ^"),
        ("", 1, 1, "", "^"),
    ],
)
def test_marker_stands_under_the_span(line: str, column: int, end: int, shown: str, marker: str) -> None:
    assert excerpt(line, column, end) == (shown, marker)


def test_a_long_line_is_cut_around_the_span() -> None:
    line = "RUN " + "x" * 300 + "HERE" + "y" * 300
    shown, marker = excerpt(line, 305, 309)
    assert shown.startswith(CUT)
    assert shown.endswith(CUT)
    assert "HERE" in shown
    assert shown[marker.index("~") : len(marker)] == "HERE"


def test_a_long_span_is_shown_from_its_start() -> None:
    shown, marker = excerpt("RUN " + "x" * 5000, 1, 5005)
    assert shown == "RUN " + "x" * (WIDTH - 4) + CUT
    assert marker == "~" * (WIDTH - 1) + "^"


@given(st.one_of(st.text(max_size=300), NASTY), st.integers(1, 320), st.integers(0, 320), st.integers(30, 200))
def test_both_lines_fit_and_the_marker_ends_in_one_caret(line: str, column: int, end: int, columns: int) -> None:
    shown, marker = excerpt(line, column, end, columns)
    assert width(shown) <= columns + len(CUT)
    assert len(marker) <= columns + 1
    assert marker.lstrip(" ").rstrip("^").strip("~") == ""
