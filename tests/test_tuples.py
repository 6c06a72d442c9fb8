"""What is cheap to define does what the standard library's does."""

from __future__ import annotations

import pickle
import re
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple


class Point(NamedTuple):
    """A place."""

    x: int
    y: int = 2

    @property
    def sum(self) -> int:
        """Both."""
        return self.x + self.y


class Model(typing.NamedTuple):
    """What the standard library gives."""

    x: int
    y: int = 2


@given(st.integers(), st.integers())
def test_a_tuple_is_what_a_standard_one_is(x: int, y: int) -> None:
    assert tuple(Point(x, y)) == tuple(Model(x, y)) == Point(x, y)
    assert hash(Point(x, y)) == hash(Model(x, y))
    assert repr(Point(x)) == repr(Model(x)).replace("Model", "Point")
    assert Point(y=y, x=x)._replace(x=1) == (1, y)
    assert Point(x, y).sum == x + y
    assert pickle.loads(pickle.dumps(Point(x, y))) == Point(x, y)


def test_its_fields_cannot_be_set_and_are_checked() -> None:
    assert Point._fields == Point.__match_args__ == Model._fields
    assert not hasattr(Point(1), "__dict__")
    with pytest.raises(AttributeError):
        Point(1).x = 2  # type: ignore[misc]
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Point(1, z=3)  # type: ignore[call-arg]


def test_a_pattern_is_compiled_once_and_does_what_re_does() -> None:
    pattern = regex(r"(a)(b)?", re.IGNORECASE)
    for _ in range(2):
        assert pattern.findall("Ab a") == [("A", "b"), ("a", "")]
        assert pattern.sub("-", "cab", 1) == "c-"
        assert pattern.fullmatch("ac") is None
        assert pattern.match("ab", 1) is None
    with pytest.raises(AttributeError):
        _ = pattern.nothing  # type: ignore[attr-defined]
