"""Logical lines: directives, comments, continuations, raw bodies, and where every character stands."""

from __future__ import annotations

import pytest

from lucid_audit.dockerfile.lexer import LINE_LIMIT, Lexer
from lucid_audit.dockerfile.model import SourceMap
from lucid_audit.text import SourceText, Span


def lex(text: str) -> tuple[Lexer, list[SourceMap]]:
    lexer = Lexer(SourceText("Dockerfile", text))
    return lexer, list(lexer.lines())


def joined(text: str) -> list[str]:
    return [line.text for line in lex(text)[1]]


def test_lines_are_stripped_at_the_left_and_keep_their_right() -> None:
    assert joined("FROM a \n\n  \u2003RUN b\t\r\n") == ["FROM a ", "RUN b\t"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RUN a \\\n  b", ["RUN a   b"]),
        ("RUN a\\ \t\nb", ["RUN ab"]),
        ("RUN a\\\r\nb\r\n", ["RUN ab"]),
        ("RUN a \\\\\nRUN b", ["RUN a \\\\", "RUN b"]),
        ("RUN a \\\\\\\nRUN b", ["RUN a \\\\\\", "RUN b"]),
        ("RUN a\\\n# c\n \t# d\nb", ["RUN ab"]),
        ("RUN a\\\n\n  \nb", ["RUN ab"]),
        ("RUN a\\\n# c\\\nb", ["RUN ab"]),
        ("RUN a\\\n#b", ["RUN a"]),
        ("RUN a\\\nb#c", ["RUN ab#c"]),
        ("\\\nRUN a", ["RUN a"]),
        ("RUN a\\", ["RUN a"]),
        ("\\", [""]),
        ("RUN a`\nb", ["RUN a`", "b"]),
        ("# escape=`\nRUN a`\nb\\\nc", ["RUN ab\\", "c"]),
    ],
)
def test_continuations(text: str, expected: list[str]) -> None:
    assert joined(text) == expected


def test_every_character_of_a_continued_line_knows_its_place() -> None:
    text = "RUN one \\\n# why\n\n  two\\\n\tthree\n"
    lexer, lines = lex(text)
    line = lines[0]
    for offset, char in enumerate(line.text):
        assert text[line.at(offset)] == char
    two = line.text.index("two")
    assert text[slice(*line.span(two, two + 3))] == "two"
    assert text[slice(*line.span(two, len(line.text)))] == "two\\\n\tthree"
    assert line.slice(two, two + 3).span(0, 3) == line.span(two, two + 3)
    assert lexer.empty_continuations == [Span(16, 16)]
    assert [(c.text, text[slice(*c.span)]) for c in lexer.comments] == [("why", "# why")]


def test_an_empty_range_stands_behind_what_is_before_it() -> None:
    line = lex("ENV a=\\\n  \\\n b=c")[1][0]
    assert line.text == "ENV a=   b=c"
    assert line.span(6, 6) == Span(6, 6)
    assert SourceMap("", ((0, 5), (0, 9))).span(0, 0) == Span(9, 9)


@pytest.mark.parametrize(
    ("text", "directives", "escape"),
    [
        ("# syntax=docker/dockerfile:1\nFROM a", [("syntax", "docker/dockerfile:1")], "\\"),
        ("#syntax = a = b \r\n# ESCAPE\t=`\n# check=skip=all", [("syntax", "a = b"), ("escape", "`"), ("check", "skip=all")], "`"),
        ("  # escape=`", [("escape", "`")], "`"),
        ("\ufeff# escape=`", [], "\\"),
        ("\n# escape=`", [], "\\"),
        ("# a\n# escape=`", [], "\\"),
        ("# foo=bar\n# escape=`", [], "\\"),
        ("FROM a\n# escape=`", [], "\\"),
        ("# escape=\nFROM a", [], "\\"),
        ("#!/usr/bin/env x\n# escape=`\n# syntax=a\n# check=b\n# syntax=c\nFROM a", [("syntax", "a"), ("check", "b")], "\\"),
    ],
)  # fmt: skip
def test_directives(text: str, directives: list[tuple[str, str]], escape: str) -> None:
    lexer, _ = lex(text)
    assert [(d.name, d.value) for d in lexer.directives] == directives
    assert lexer.escape == escape
    assert not lexer.problems
    for directive in lexer.directives:
        written = text[slice(*directive.span)]
        assert written.startswith("#")
        assert written.endswith(directive.value)


def test_what_is_no_directive_is_a_comment() -> None:
    lexer, _ = lex("#!x\n# escape=`\nFROM a\n# syntax=b\n#\n")
    assert [c.text for c in lexer.comments] == ["!x", "escape=`", "syntax=b", ""]


@pytest.mark.parametrize(
    ("text", "message", "written"),
    [
        ("# escape=x\nFROM a", "escape must be \\ or `, not x", "# escape=x"),
        ("# escape= \nFROM a", "escape must be \\ or `, not  ", "# escape="),
        ("# check=a\n # Check=b \nFROM a", "the check directive is given twice", "# Check=b"),
    ],
)
def test_bad_directives(text: str, message: str, written: str) -> None:
    lexer, _ = lex(text)
    assert [(p.message, text[slice(*p.span)], p.level) for p in lexer.problems] == [(message, written, "parser")]


@pytest.mark.parametrize(
    ("size", "end", "refused"), [(0, "", False), (0, "\n", False), (1, "", True), (1, "\nRUN a", True)]
)
@pytest.mark.parametrize("char", ["x", "é"])
def test_the_limit_of_a_line_counts_bytes(char: str, size: int, end: str, refused: bool) -> None:
    line = "#x" + (char * LINE_LIMIT).encode()[: LINE_LIMIT - 2 + size].decode("utf-8", "ignore").ljust(0)
    line += "x" * (LINE_LIMIT + size - len(line.encode()))
    lexer, _ = lex("FROM a\n" + line + end)
    assert bool(lexer.problems) is refused
    if refused:
        assert lexer.problems[0].span == Span(7, 7 + len(line))


def test_bodies_are_read_raw() -> None:
    text = "RUN x\n# no comment\r\n\n\tEND\nEND\r\nRUN y"
    lexer = Lexer(SourceText("Dockerfile", text))
    lines = lexer.lines()
    assert next(lines).text == "RUN x"
    body = lexer.body("END", tabs=False)
    assert body.text == text[slice(*body.span)] == "# no comment\r\n\n\tEND\n"
    assert body.terminated
    assert next(lines).text == "RUN y"
    assert not lexer.comments


def test_a_terminator_may_stand_behind_tabs_or_be_missing() -> None:
    lexer = Lexer(SourceText("Dockerfile", "a\n\t\tEND\nb"))
    assert lexer.body("END", tabs=True).text == "a\n"
    body = lexer.body("END", tabs=False)
    assert (body.text, body.terminated) == ("b", False)
