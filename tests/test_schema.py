from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from lucid_audit.catalogue import schema
from lucid_audit.policy_file import rules_schema
from lucid_audit.schema import convert, fits, params_schema
from tests.rulebook import Words, book


@dataclass(frozen=True, slots=True)
class Every:
    """Every kind of parameter."""

    text: str
    numbers: tuple[int, ...] = ()
    maybe: float | None = None
    flags: dict[str, bool] = field(default_factory=dict)


def test_the_schema_of_parameters() -> None:
    assert params_schema(Every) == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "text": {"type": "string"},
            "numbers": {"type": "array", "items": {"type": "integer"}},
            "maybe": {"anyOf": [{"type": "number"}]},
            "flags": {"type": "object", "additionalProperties": {"type": "boolean"}},
        },
        "required": ["text"],
    }
    assert params_schema(None) == {"type": "object", "additionalProperties": False}


def test_convert_makes_tuples_and_refuses_what_is_not_there() -> None:
    assert convert(Words, {"allowed": ["a"]}) == Words(("a",))
    assert convert(None, {}) is None
    with pytest.raises(TypeError, match="no parameters, not x"):
        convert(None, {"x": 1})
    with pytest.raises(TypeError):
        convert(Words, {})


WORD = st.sampled_from(
    ["on", "off", "note", "error", "profile", "fail_on", "rules", "severity", "params", "allowed", "limit", "ignore", "x",
     "first-word", "word-allowed", "contexts", "bases", "mirrors"]
)  # fmt: skip
DATA = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.floats(allow_nan=False), WORD),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORD, inner, max_size=4)),
    max_leaves=8,
)
SCHEMAS: list[dict[str, Any]] = [
    schema("policy"),
    {"properties": {"rules": rules_schema(book())}},
    params_schema(Every),
]


@given(st.one_of(DATA, st.fixed_dictionaries({}, optional={"rules": DATA, "ignore": DATA, "bases": DATA})))
def test_what_fits_is_valid_for_jsonschema(data: Any) -> None:
    for shape in SCHEMAS:
        if fits(data, shape, shape):
            assert Draft202012Validator(shape).is_valid(data)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"profile": "strict", "fail_on": "note", "ignore": ["a"], "build_args": {"A": "b"}},
        {"rules": {"first-word": "off", "word-allowed": {"severity": "note", "params": {"limit": 3}}}},
        {"rules": {"first-word": False}, "bases": {"mirrors": {"a/": "b/"}, "images": {"x": {"like": "y"}}}},
    ],
)
def test_a_valid_policy_fits_without_jsonschema(data: Any) -> None:
    for shape in SCHEMAS[:2]:
        assert fits(data, shape, shape)
