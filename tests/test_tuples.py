"""What is cheap to define does what the standard library's does."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
import types
import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lucid_audit.regex
from lucid_audit import precompile
from lucid_audit.regex import regex, rx
from lucid_audit.tuples import MANY, NamedTuple


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


def test_a_constructor_does_the_same_before_and_after_it_is_compiled() -> None:
    class Fresh(NamedTuple):
        x: int
        y: int = 2

    for number in range(2 * MANY):
        assert Fresh(number) == (number, 2)
        assert Fresh(y=1, x=number) == (number, 1)
        with pytest.raises(TypeError):
            Fresh(1, 2, 3)  # type: ignore[call-arg]
        with pytest.raises(TypeError):
            Fresh(1, x=1)  # type: ignore[misc]


def test_what_a_wheel_brings_of_patterns_matches_as_re_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pattern that linting the rules' examples meets, from the table and compiled, over the examples themselves."""
    module = types.ModuleType("lucid_audit.compiled_patterns")
    made = [sys.executable, "-c", "from lucid_audit import precompile; print(precompile.source())"]
    exec(
        subprocess.run(made, check=True, capture_output=True, text=True).stdout, module.__dict__
    )  # where none is compiled yet
    assert len(module.DATA) > 100
    monkeypatch.setitem(sys.modules, module.__name__, module)
    texts = list(precompile.examples())
    lucid_audit.regex._table.cache_clear()
    rx.cache_clear()
    try:
        for text, flags in module.DATA:
            ready, compiled = rx(text, flags), re.compile(text, flags)
            assert (ready.flags, ready.groups, dict(ready.groupindex)) == (
                compiled.flags,
                compiled.groups,
                dict(compiled.groupindex),
            )
            for one in texts:
                sample: Any = one if isinstance(text, str) else one.encode()
                assert [m.span() for m in ready.finditer(sample)] == [m.span() for m in compiled.finditer(sample)]
    finally:
        rx.cache_clear()
        lucid_audit.regex._table.cache_clear()


def test_patterns_of_another_python_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("lucid_audit.compiled_patterns")
    module.__dict__.update(DATA={("a", 0): (32, (), 0, {}, (None,))}, PYTHON="cpython-30 0 0")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    lucid_audit.regex._table.cache_clear()
    rx.cache_clear()
    try:
        assert rx("a").match("a") is not None
    finally:
        rx.cache_clear()
        lucid_audit.regex._table.cache_clear()
