"""Markdown: read by a parser of CommonMark, which must find in it only what the renderer itself wrote."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from markdown_it import MarkdownIt
from markdown_it.token import Token

from lucid_audit.finding import Finding, Location, Problem, Report, Severity, Skipped, SubjectReport
from lucid_audit.report import markdown, render
from lucid_audit.report.entries import entries
from lucid_audit.report.escape import visible
from lucid_audit.report.markdown import MARK, code, prose
from tests.report.samples import EOL, NASTY, REPORTS, finding, report

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
BLOCKS = {"html_block", "inline", *(f"{name}_{end}" for end in ("open", "close") for name in (
    "heading", "paragraph", "bullet_list", "list_item", "table", "thead", "tbody", "tr", "th", "td"))}  # fmt: skip
INLINE = {"text", "code_inline", "strong_open", "strong_close", "html_inline"}
PLAIN = re.compile(r"(?:[^\W_]|[ .,;:?()'%-])*")


def inert(text: str) -> list[Token]:
    """Parse Markdown, assert that nothing in it is markup of somebody else, and return the tokens that hold text."""
    tokens = PARSER.parse(text)
    assert {token.type for token in tokens} <= BLOCKS
    assert all(token.content.strip() == MARK for token in tokens if token.type == "html_block")
    holders = [token for token in tokens if token.type == "inline"]
    for child in (child for token in holders for child in token.children or []):
        assert child.type in INLINE
        assert child.type != "html_inline" or child.content == "<br>"
        if child.type == "text":  # where platforms look for mentions, references, emoji and addresses
            assert PLAIN.fullmatch(child.content), child.content
            assert not re.search(r"www\.|:[^\W_]+:|\b[0-9a-f]{7,40}\b", child.content)
    return holders


def squeezed(text: str) -> str:
    return re.sub(r"[` ]", "", text)


def said(token: Token) -> str:
    return squeezed("".join(child.content for child in token.children or []))


def test_a_table_and_then_the_findings() -> None:
    broken = SubjectReport(
        "dockerfile",
        "b",
        problems=(Problem("not there", Location("b")),),
        skipped=(Skipped("user", "no value", Location()),),
    )
    clean = SubjectReport("dockerfile", "clean")
    assert render(Report((*report(finding(), finding(9)).subjects, broken, clean), 9), "markdown") == (
        "<!-- lucid-audit -->\n"
        "### lucid-audit: 2 errors in 1 of 3 files; 1 check skipped; 1 file is unreadable or invalid\n"
        "\n"
        "| | errors | warnings | notes | skipped | unreadable |\n"
        "| --- | --: | --: | --: | --: | --: |\n"
        "| `api/Dockerfile` | 2 |  |  |  |  |\n"
        "| `b` |  |  |  | 1 | 1 |\n"
        "\n"
        "#### `api/Dockerfile`\n"
        "\n"
        "- **error** line 3: `gcr.io/distroless/python3-debian12` is not supported since `2026-05-01` (`base-eol`)"
        "<br>Move to `python3-debian13`.\n"
        "- **error** line 9: `gcr.io/distroless/python3-debian12` is not supported since `2026-05-01` (`base-eol`)\n"
        "\n"
        "#### `b`\n"
        "\n"
        "- **unreadable** not there\n"
    )


def test_a_clean_report_is_one_line() -> None:
    assert render(report(), "markdown") == f"{MARK}\n### lucid-audit: No findings in 1 file (62 rules)\n"


def test_an_image_is_named_with_its_platform_and_the_part_of_it() -> None:
    found = Finding("shell", Severity.error, "a shell", Location(path="/bin/sh", layer=3))
    text = render(Report((SubjectReport("image", "a:1", (found,), platform="linux/arm64"),)), "markdown")
    assert "#### `a:1 (linux/arm64)`\n" in text
    assert "- **error** `/bin/sh in layer 3`: a shell (`shell`)\n" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words, (really); isn't it: 65532?", "plain words, (really); isn't it: 65532?"),
        ("it runs `a b`: fine", "it runs `a b`: fine"),
        ("see http://x.y/z.", "see `http://x.y/z`."),
        ("a <b> @me c", "a `<b> @me` c"),
        ("one, a/b, c/d", "one, `a/b`, `c/d`"),
        ("un`closed", "``un`closed``"),
        ("deadbeef 1234567", "`deadbeef 1234567`"),
        ("a_b *c*", "`a_b *c*`"),
        ("A-deadbeef", "`A-deadbeef`"),
    ],
)
def test_prose(text: str, shown: str) -> None:
    assert prose(text) == shown


@given(NASTY)
def test_code_is_code_and_keeps_its_text(text: str) -> None:
    (token,) = inert(f"x {code(text)} y")
    _, span, _ = token.children or []
    assert span.type == "code_inline"
    assert span.content.strip() == visible(text).strip()


@given(NASTY)
def test_prose_is_inert_and_keeps_its_text(text: str) -> None:
    (token,) = inert(f"x: {prose(text)}")
    assert said(token) == squeezed(f"x: {visible(text)}")


@given(REPORTS)
def test_every_report_is_inert_and_nothing_is_lost(run: Report) -> None:
    text = render(run, "markdown")
    lines = [said(token) for token in inert(text)]
    for entry in entries(run):
        assert any(squeezed(visible(entry.message)) in line for line in lines)
    items = sum(token.type == "list_item_open" for token in PARSER.parse(text))
    assert items == len(list(entries(run)))
    rows = [line.split("|")[-6:-1] for line in text.splitlines() if line.startswith("| `")]
    counts = [sum(int(cell.strip() or 0) for cell in column) for column in zip(*rows, strict=True)] or [0] * 5
    assert counts == [*(run.count(s) for s in sorted(Severity, reverse=True)), run.skipped, run.problems]


def test_what_does_not_fit_in_a_comment_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markdown, "LIMIT", 600)
    text = render(report(*(finding(line) for line in range(1, 10))), "markdown")
    shown = text.count("- **error**")
    assert 0 < shown < 9
    assert text.endswith(f"\n\n**{9 - shown} findings more did not fit in a comment.**\n")
    assert EOL.split()[0] in text
