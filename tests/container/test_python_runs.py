"""Which imports surely run: our reading of statements against Python, which is told to run them."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid_audit.container.python_runs import runs


def read(source: str) -> tuple[list[str], list[str], list[str]]:
    """Return the modules that are surely imported, those that are when it is the program, and those that may be."""
    found = runs(ast.parse(source))
    more = [raw[1] for raw in found.as_main if raw not in found.sure]
    return [raw[1] for raw in found.sure], more, [raw[1] for raw, _ in found.may]


@pytest.mark.parametrize(
    ("source", "sure", "main", "may"),
    [
        ("import a\nfrom b import c, d\n", ["a", "b", "b"], [], []),
        ("def f():\n    import a\nf()\n", ["a"], [], []),
        ("def f():\n    import a\n", [], [], ["a"]),
        ("def f():\n    g()\ndef g():\n    import a\nx = [f()]\n", ["a"], [], []),
        ("def f():\n    import a\nif x:\n    f()\n", [], [], ["a"]),
        ("def f():\n    import a\nx and f()\nf() if x else 1\nlambda: f()\n[f() for _ in x]\n", [], [], ["a"]),
        ("def f():\n    import a\nf() and x\n", ["a"], [], []),
        (
            "def f():\n    import a\nif __name__ == '__main__':\n    import sys\n    sys.exit(f())\n",
            [],
            ["sys", "a"],
            [],
        ),
        ("@d\ndef f():\n    import a\nf()\n", [], [], ["a"]),
        ("def f():\n    import a\n    yield\nf()\n", [], [], ["a"]),
        ("def f():\n    import a\nf = 1\nf()\n", [], [], ["a"]),
        ("async def f():\n    import a\nf()\n", [], [], ["a"]),
        ("import asyncio\nasync def f():\n    import a\nasyncio.run(f())\n", ["asyncio", "a"], [], []),
        ("def f():\n    if x:\n        return\n    import a\nf()\n", [], [], ["a"]),
        ("def f():\n    for x in y: print(x)\n    import a\nf()\n", ["a"], [], []),
        ("import sys\ndef f():\n    import a\nif x:\n    sys.exit()\nf()\n", ["sys"], [], ["a"]),
        ("def f():\n    import a\ntry:\n    f()\nexcept KeyboardInterrupt:\n    pass\n", ["a"], [], []),
        ("try:\n    import a\nfinally:\n    import b\n", ["a", "b"], [], []),
        ("try:\n    import a\nexcept ImportError:\n    import b\n", [], [], []),
        ("try:\n    import a\nexcept ImportError:\n    a = None\nif a:\n    import a.b\n", [], [], []),
        ("try:\n    import a\nexcept KeyError:\n    import b\n", [], [], ["a", "b"]),
        ("def f():\n    try:\n        import a\n    except:\n        pass\nf()\n", [], [], []),
        ("if TYPE_CHECKING:\n    import a\nif sys.platform == 'win32':\n    import b\n", [], [], []),
        ("with suppress(ImportError):\n    import a\nwith lock:\n    import b\n", [], [], ["b"]),
        ("import importlib\nimportlib.import_module('a')\n__import__('b')\n", ["importlib", "a", "b"], [], []),
        ("class A:\n    def f(self):\n        import a\n", [], [], ["a"]),
        ("def f():\n    def g():\n        import a\n    f()\nf()\n", [], [], ["a"]),
        ("for x in y:\n    import a\nwhile z:\n    import b\n", [], [], ["a", "b"]),
        ("from __future__ import annotations\nfrom . import x\n", [""], [], []),
    ],
)
def test_what_runs(source: str, sure: list[str], main: list[str], may: list[str]) -> None:
    found = read(source)
    assert (found[0], found[1], sorted(found[2])) == (sure, main, may)


def test_names_that_are_made() -> None:
    assert runs(ast.parse("import importlib\nfor x in y:\n    importlib.import_module(x)\n")).made == 3
    assert runs(ast.parse("import importlib\nimportlib.import_module('x')\n")).made == 0


_BODIES = st.recursive(
    st.sampled_from(("import m{n}", "f{k}()", "x = [f{k}()]", "NO and f{k}()", "YES and f{k}()", "print(f{k}())", "pass")),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda some: "if NO:\n" + indented(some)),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: "try:\n" + indented(some) + "\nfinally:\n    pass"),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: "for _ in '':\n" + indented(some)),
        st.lists(inner, min_size=1, max_size=2).map(lambda some: "if YES:\n" + indented([*some, "RETURN"])),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: "if __name__ == '__main__':\n" + indented(some)),
    ),
    max_leaves=6,
)  # fmt: skip


def indented(some: list[str]) -> str:
    return "\n".join(f"    {line}" for one in some for line in one.split("\n"))


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A program of three functions that call one another, whose imports are of modules that do not exist but are noted."""
    parts = []
    for number in range(3):
        body = draw(st.lists(_BODIES, min_size=1, max_size=4))
        parts.append(f"def f{number}():\n" + indented([one.replace("RETURN", "return") for one in body]))
    parts += [one.replace("RETURN", "pass") for one in draw(st.lists(_BODIES, max_size=5))]
    text = "\n".join(parts)
    for number in range(text.count("{n}")):
        text = text.replace("{n}", str(number), 1)
    for _ in range(text.count("{k}")):
        text = text.replace("{k}", str(draw(st.integers(0, 2))), 1)
    return f"YES = len('a')\nNO = len('')\n{text}\n"


_NOTE = """
import builtins, json, sys
noted, real = [], builtins.__import__
def note(name, *rest):
    if name.startswith("m") and name[1:].isdigit():
        noted.append(name)
        return sys
    return real(name, *rest)
builtins.__import__ = note
sys.setrecursionlimit(200)
out = []
for text in json.load(sys.stdin):
    noted.clear()
    try:
        exec(compile(text, "program", "exec"), {"__name__": "__main__"})
        out.append([True, sorted(set(noted))])
    except RecursionError:
        out.append([False, sorted(set(noted))])
json.dump(out, sys.stderr)
"""


@settings(max_examples=20)
@given(st.lists(programs(), min_size=1, max_size=12))
def test_python_runs_what_is_sure(several: list[str]) -> None:
    import json

    done = subprocess.run(
        [sys.executable, "-c", _NOTE], input=json.dumps(several), capture_output=True, text=True, check=True
    )
    for text, (ended, noted) in zip(several, json.loads(done.stderr), strict=True):
        found = runs(ast.parse(text))
        sure = {raw[1] for raw in found.as_main}
        assert not ended or sure <= set(noted), text
        assert set(noted) <= {*sure, *(raw[1] for raw, _ in found.may)}, text


def test_sources_of_the_standard_library() -> None:
    for path in Path(ast.__file__).parent.glob("*.py"):
        runs(ast.parse(path.read_bytes()))
