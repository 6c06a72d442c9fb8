"""Arrays that are no JSON, against shell text that starts with a bracket for good reason."""

from __future__ import annotations

import pytest

from lucid_audit.checks.arrays import broken, meant_as_array, single_quoted


@pytest.mark.parametrize(
    "text", ["['a','b']", "['/data']", "[ 'a', 'b' ]", "[\"a\", 'b']", "['a' 'b']", " ['a', 'it\"s'] ", "['a',]"]
)
def test_single_quotes(text: str) -> None:
    assert single_quoted(text)
    assert meant_as_array(text)
    assert not broken(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('["a" "b"]', "a comma is missing between two strings"),
        ('["it\'s" "b"]', "a comma is missing between two strings"),
        ('["a", "b",]', "a comma stands before the closing bracket"),
        (r'["c:\app.exe"]', "a backslash has to be doubled"),
        ('["a", b]', "it does not parse"),
        ('["a", "b"] # c', "something follows the closing bracket"),
        ('["a"', "the closing bracket is missing"),
        ("[“a”]", "its quotes are typographic"),
    ],
)
def test_broken(text: str, why: str) -> None:
    assert broken(text) == why
    assert meant_as_array(text)


def test_an_array_with_an_operator_is_broken_but_meant_for_a_shell() -> None:
    for text in ('["a"] && b', '["a"] || exit 1', '["a"] > /log', '["a"] | b'):
        assert broken(text)
        assert not meant_as_array(text)


@pytest.mark.parametrize(
    "text", ["[ 'a' = 'a' ]", "[ 'a' ]", '[ "$x" = "y" ]', "[ -f /x ]", "[[ 'a' == 'a' ]]", "echo ['a']", "", "[a, b]"]
)
def test_shell_text(text: str) -> None:
    assert not single_quoted(text)
    assert not broken(text)
    assert not meant_as_array(text)
