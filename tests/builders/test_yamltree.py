from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.builders.yamltree import YamlError, load


def test_merges_aliases_and_scalars_as_compose_reads_them() -> None:
    text = (
        "a: &a {x: 1, y: 3.10}\nb: &b {x: 2, z: yes}\nc:\n  <<: [*a, *b]\n  y: True\nd: !reset null\ne: !override [1]\n"
    )
    document = load("f", text)
    assert document.data["c"] == {"x": "1", "y": "true", "z": "yes"}
    assert document.data["a"]["y"] == "3.1", "a number loses its last zero, as in compose"
    assert (document.data["d"], document.data["e"]) == (None, ["1"])
    assert document.line(("c", "y")) == 5


def test_the_last_key_and_the_first_document_count() -> None:
    assert load("f", "a: 1\na: 2\n? [x]\n: 1\n---\nb: 1\n").data == {"a": "2"}
    assert load("f", "").data is None


BOMB = "a: &a [1,2,3,4,5,6,7,8,9]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in pairwise("abcdef")
)


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "- " * 50_000, "a: &a [*a]", "a: [", "\0", "a: *none", "{" * 70 + "}" * 70, BOMB],
)
def test_what_is_too_deep_too_much_or_no_yaml_is_refused(text: str) -> None:
    with pytest.raises(YamlError):
        load("f", text)


@given(st.text(alphabet="ab:-[]{}&*!<>|'\"\n #,?%@`0.~", max_size=80))
def test_nothing_else_is_raised(text: str) -> None:
    with suppress(YamlError):
        load("f", text)
