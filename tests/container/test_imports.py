"""The imports of a source: what the pattern sees, against Python's own parser."""

from __future__ import annotations

import ast
import re
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.container.imports import _IMPORT, _MAKES, Import, changes_path, defines, imports, is_dynamic
from lucid_audit.container.python_sources import _statements


def confirmed(source: bytes, one: Import) -> bool:
    return one.line in next(iter(_statements(source, ())), [])


NAMES = st.sampled_from(("a", "b.c", "d.e.f", "json"))
TAKEN = st.lists(st.sampled_from(("x", "y as z", "w")), min_size=1, max_size=3)
STATEMENTS = st.one_of(
    st.lists(NAMES, min_size=1, max_size=3).map(lambda names: f"import {', '.join(names)}"),
    NAMES.map(lambda name: f"import {name} as q  # why"),
    st.builds(lambda name, what: f"from {name} import {', '.join(what)}", NAMES, TAKEN),
    st.builds(
        lambda dots, name, what: f"from {dots}{name} import (\n    {', '.join(what)},  # all\n)",
        st.sampled_from(("", ".", "..")),
        NAMES,
        TAKEN,
    ),
    st.sampled_from(
        ("from . import x", "x = 1", "try:\n    import t\nexcept ImportError:\n    pass", "def f():\n    import g")
    ),
)


@given(st.lists(STATEMENTS, max_size=8))
def test_the_parser_sees_the_same(statements: list[str]) -> None:
    source = "\n".join(statements).encode()
    wanted: list[tuple[str, str, int]] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            wanted += [(alias.name, "", node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = ["top", "inner"][: 3 - node.level] if node.level else []
            module = ".".join([*above, *filter(None, [node.module])])
            wanted += [(module, alias.name, node.lineno) for alias in node.names]
    assert [tuple(one) for one in imports(source, "top.inner")] == wanted
    assert all(confirmed(source, one) for one in imports(source, "top.inner"))


def test_words_in_a_text_are_not_confirmed() -> None:
    source = b'"""\nimport this\n"""\nimport that\n'
    first, second = imports(source, "")
    assert (first.module, second.module) == ("this", "that")
    assert not confirmed(source, first)
    assert confirmed(source, second)
    assert not confirmed(b"import x\nsyntax error here", Import("x", "", 1)), "what cannot be read proves nothing"


@given(st.binary(max_size=80))
def test_any_bytes(source: bytes) -> None:
    for one in imports(source, "p"):
        confirmed(source, one)
    defines(source, "p", "x")


@pytest.mark.parametrize(
    ("source", "own", "library"),
    [
        (b"sys.path.insert(0, 'x')", True, True),
        (b"def f():\n    sys.path.append('x')", True, False),
        (b"sys.path += ['x']", True, True),
        (b"print(sys.path)", False, False),
    ],
)
def test_who_changes_the_path(source: bytes, own: bool, library: bool) -> None:
    assert changes_path(source, own=True) is own
    assert changes_path(source, own=False) is library


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        (b"from . import x", False),
        (b"import x", False),
        (b"x = 1", True),
        (b"class x: pass", True),
        (b"from .other import x", True),
        (b"from .other import *", True),
        (b"", False),
    ],
)
def test_who_defines_a_name(source: bytes, answer: bool) -> None:
    assert defines(source, "p", "x") is answer


def test_dynamic() -> None:
    assert is_dynamic(b"sys.modules['a.b'] = c")
    assert not is_dynamic(b"import a.b")


class Counting(bytes):
    """Bytes that count what is searched for in them."""

    searched = 0

    def __radd__(self, before: bytes) -> Counting:
        return Counting(before + bytes(self))

    def find(self, *words: object) -> int:
        at = super().find(*words)  # type: ignore[arg-type]
        start = words[1] if len(words) > 1 else 0
        assert isinstance(start, int)
        type(self).searched += (at if at >= 0 else len(self)) - start
        return at


@pytest.mark.parametrize("end", [b"", b")"])
def test_lists_without_an_end_are_looked_for_once(end: bytes) -> None:
    Counting.searched = 0
    source = Counting(b"from x import (\n" * 2000 + end)
    assert [one.line for one in imports(source, "")] == [1] * len(end)
    assert Counting.searched <= len(source) + 1


@pytest.mark.parametrize("pattern", [_IMPORT, _MAKES], ids=["imports", "names"])
@pytest.mark.parametrize("begin", [b"from", b"from ", b"from .", b"from . ", b"from a", b"import", b"import ("])
@pytest.mark.parametrize("more", [b" ", b".", b"a", b"\t", b"("])
def test_patterns_take_linear_time(pattern: re.Pattern[bytes], begin: bytes, more: bytes) -> None:
    def seconds(length: int) -> float:
        source = b"\n" + (begin + more * 50) * (length // 50) + b"\n" + begin + more * length
        start = process_time()
        pattern.search(source)
        list(pattern.finditer(source))
        return process_time() - start

    small, large = (min(seconds(length) for _ in range(3)) for length in (2000, 32_000))
    assert large < 16 * 6 * max(small, 0.0002), "sixteen times the bytes; quadratic time is 256 times as long"
