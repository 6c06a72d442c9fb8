"""Conditions about the platform, against Python, which is asked what they are worth."""

from __future__ import annotations

import ast
from collections import namedtuple
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.container.imports import scan
from lucid_audit.container.python_runs import runs
from lucid_audit.container.python_tests import decided

Info = namedtuple("Info", ("major", "minor", "micro", "releaselevel", "serial"))
NUMBERS = st.integers(0, 13)
TUPLES = st.lists(NUMBERS, min_size=1, max_size=4).map(lambda parts: f"({', '.join(map(str, [3, *parts[1:]]))},)")
SIGNS = st.sampled_from(("==", "!=", "<", "<=", ">", ">="))
LEAVES = st.one_of(
    st.builds("{} {} {}".format, st.sampled_from(("sys.version_info", "sys.version_info[:2]", "sys.version_info[:3]")), SIGNS, TUPLES),
    st.builds("{} {} {}".format, st.sampled_from(("sys.version_info[0]", "sys.version_info[1]", "sys.version_info.minor", "sys.version_info.micro")), SIGNS, NUMBERS),
    st.builds("{} {} {!r}".format, st.sampled_from(("sys.platform", "os.name")), st.sampled_from(("==", "!=")), st.sampled_from(("linux", "win32", "posix", "nt"))),
    st.sampled_from(("sys.platform in ('win32', 'cygwin')", "sys.platform.startswith('lin')", "sys.platform not in {'linux'}", "TYPE_CHECKING",
                     "not typing.TYPE_CHECKING", "True", "0", "unheard")),
)  # fmt: skip
TESTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=5,
)


@given(TESTS, st.tuples(st.just(3), NUMBERS, NUMBERS), st.booleans())
def test_python_says_the_same(text: str, release: tuple[int, int, int], unheard: bool) -> None:
    names = {
        "sys": SimpleNamespace(version_info=Info(*release, "final", 0), platform="linux"),
        "os": SimpleNamespace(name="posix"),
        "typing": SimpleNamespace(TYPE_CHECKING=False),
        "TYPE_CHECKING": False,
        "unheard": unheard,
    }
    told = bool(eval(text, names))
    test = ast.parse(text, mode="eval").body
    assert decided(test, release) in (told, None)
    assert decided(test, release[:2]) in (told, None), "less is known"
    assert decided(test, ()) in (told, None)
    if "unheard" not in text:
        assert decided(test, release) is not None


@pytest.mark.parametrize(
    ("text", "release", "answer"),
    [
        ("sys.version_info >= (3, 11)", (3, 11), True),
        ("sys.version_info > (3, 11)", (3, 11), True),  # (3, 11, 0, 'final', 0) is longer
        ("sys.version_info >= (3, 11, 3)", (3, 11), None),
        ("sys.version_info >= (3, 11, 3)", (3, 11, 2), False),
        ("sys.version_info >= (3, 12, 3)", (3, 11), False),
        ("sys.version_info[:2] == (3, 11)", (3, 11), True),
        ("sys.version_info[0] < 3", (3, 11), False),
        ("sys.version_info[index] < 3", (3, 11), None),
        ("sys.version_info >= WANTED", (3, 11), None),
        ("platform.system() == 'Windows'", (), False),
        ("platform.python_implementation() != 'CPython'", (), False),
        ("sys.platform == PLATFORM", (), None),
        ("sys.version_info >= ()", (3, 11), None),
    ],
)
def test_decided(text: str, release: tuple[int, ...], answer: bool | None) -> None:
    assert decided(ast.parse(text, mode="eval").body, release) is answer


BLOCKS = st.recursive(
    st.sampled_from(("import m{n}", "from . import m{n}", "x = 1", "# words", "", "try:\n    import t\nexcept OSError:\n    pass")),
    lambda inner: st.builds(
        lambda test, then, more: f"if {test}:  # why\n{indented(then)}" + "".join(f"\n{head}:\n{indented(body)}" for head, body in more),
        st.one_of(LEAVES, st.sampled_from(("sys.version_info[0] == 2 and x", "unheard"))),
        st.lists(inner, min_size=1, max_size=3),
        st.one_of(st.just([]), st.tuples(LEAVES.map("elif {}".format), st.lists(inner, min_size=1, max_size=2)).map(lambda one: [one]),
                  st.lists(inner, min_size=1, max_size=2).map(lambda body: [("else", body)])),
    ),
    max_leaves=8,
)  # fmt: skip


def indented(some: list[str]) -> str:
    return "\n".join(f"    {line}" if line else "" for one in [*some, "pass"] for line in one.split("\n"))


@given(st.lists(BLOCKS, min_size=1, max_size=4), st.sampled_from(((3, 8), (3, 11, 2), (3, 12, 0))))
def test_the_pattern_sees_branches_as_the_parser_does(some: list[str], release: tuple[int, ...]) -> None:
    text = "\n".join(some)
    for number in range(text.count("{n}")):
        text = text.replace("{n}", str(number), 1)
    seen = [raw for raw in scan(text.encode(), release) if raw[1] != "t"]
    sure = [raw for raw in runs(ast.parse(text), release).sure if raw[1] != "t"]
    assert set(seen) <= set(sure), text
    nothing_else_decides = (
        "unheard" not in text
        and " and x" not in text
        and "True" not in text
        and "\nif 0" not in f"\n{text}"
        and "elif 0" not in text
    )
    assert not nothing_else_decides or sorted(seen) == sorted(sure), text


def test_lines_and_lists_over_lines() -> None:
    source = b"import sys\r\n\r\nif sys.version_info < (3, 11):\r\n    from old import (\r\n        a,\r\n    )\r\n    import b\r\nimport c\r\n"
    assert [(raw[1], raw[3]) for raw in scan(source, (3, 9))] == [("sys", 1), ("old", 4), ("b", 7), ("c", 8)]
    assert [raw[1] for raw in scan(source, (3, 11))] == ["sys", "c"]
    assert [raw[1] for raw in scan(source)] == ["sys", "c"]
