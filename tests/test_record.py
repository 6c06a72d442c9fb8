from __future__ import annotations

import pickle
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.record import REQUIRED, Field, fields, record, replace


@record
class Point:
    """A place."""

    x: int
    y: int = 2

    @property
    def sum(self) -> int:
        """Both."""
        return self.x + self.y


@record
class Named(Point):
    """A place with a name."""

    name: str = ""


@record(eq=False)
class Identity:
    """Equal to nothing but itself."""

    x: list[int]


@dataclass(frozen=True, slots=True)
class Model:
    """What the standard library gives."""

    x: int
    y: int = 2


@given(st.integers(), st.integers())
def test_a_record_is_what_a_dataclass_is(x: int, y: int) -> None:
    assert repr(Point(x, y)) == repr(Model(x, y)).replace("Model", "Point")
    assert (Point(x) == Point(y)) is (Model(x) == Model(y))
    assert hash(Point(x, y)) == hash(Model(x, y))
    assert Point(x=x, y=y) == Point(x, y)


def test_fields_of_the_base_come_first() -> None:
    assert Named(1, 2, "a").sum == 3
    assert fields(Named) == (Field("x", REQUIRED), Field("y", 2), Field("name", ""))
    assert Named.__match_args__ == ("x", "y", "name")
    assert Named(1, 2) != Point(1, 2)
    assert isinstance(Named(1), Point)
    assert Named.__doc__ == "A place with a name."


def test_a_record_has_slots_and_no_dictionary() -> None:
    assert not hasattr(Named(1), "__dict__")
    with pytest.raises(AttributeError):
        setattr(Named(1), "other", 2)  # noqa: B010


def test_a_record_is_frozen() -> None:
    point = Named(1)
    with pytest.raises(AttributeError, match="cannot change x: a Named is frozen"):
        setattr(point, "x", 2)  # noqa: B010
    with pytest.raises(AttributeError, match="cannot change x: a Named is frozen"):
        delattr(point, "x")
    assert point.x == 1


def test_arguments_are_checked() -> None:
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Point(1, z=2)  # type: ignore[call-arg]


def test_replace_and_pickle_keep_the_rest() -> None:
    assert replace(Named(1, 5, "a"), x=9) == Named(9, 5, "a")
    assert pickle.loads(pickle.dumps(Named(1, 5, "a"))) == Named(1, 5, "a")


def test_identity() -> None:
    one = Identity([1])
    assert one == one  # noqa: PLR0124
    assert one != Identity([1])
    assert len({one, Identity([1])}) == 2
