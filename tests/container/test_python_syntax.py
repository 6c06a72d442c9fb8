"""Which Python a source needs: our reading of its syntax against the Pythons of this machine, and against ours told to be older."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.container.python_signs import suspect
from lucid_audit.container.python_syntax import HOST, Unreadable, needs, parse

NEW = [  # a source, and the minor version of Python 3 whose parser was the first to take it
    ("x = 1\n", 0),
    ("if (n := 1): pass\n", 8),
    ("def f(a, /, b): pass\n", 8),
    ("f = lambda a, /: a\n", 8),
    ("def f(a):\n    return 1, *a\n", 8),
    ("def f(a):\n    return (1, *a)\n", 0),
    ("@a.b[0].c\ndef f(): pass\n", 9),
    ("@a.b(1)\nclass A: pass\n", 0),
    ("with (open(a) as f, open(b) as g):\n    pass\n", 9),
    ("with (\n    open(a) as f,  # one (\n):\n    pass\n", 9),
    ("with (open(a), open(b)):\n    pass\n", 0),
    ("with (open(a)) as f, (open(b)) as g:\n    pass\n", 0),
    ("with open(a) as f, \\\n     open(b) as g:\n    pass\n", 0),
    ("for x in *a, b: pass\n", 9),
    ("for x in (*a, b): pass\n", 0),
    ("match x:\n    case 1: pass\n", 10),
    ("match = 1\nmatch: int = 2\nprint(match)\n", 0),
    ("x[a := 1]\n", 10),
    ("x[(a := 1)]\n", 8),
    ("{a := 1, 2}\n", 9),
    ("{(a := 1), 2}\n", 8),
    ("try: pass\nexcept* ValueError: pass\n", 11),
    ("x[*a]\n", 11),
    ("x[(*a, b)]\n", 0),
    ("def f(*a: *b): pass\n", 11),
    ("type X = int\n", 12),
    ("type = 1\ntype(x)\n", 0),
    ("def f[T](a: T): pass\n", 12),
    ("class A[T]: pass\n", 12),
    ('x = f"{a["b"]}"\n', 12),
    ("x = f\"{a['b']}\"\n", 0),
    ("x = f\"{'\\n'.join(a)}\"\n", 12),
    ('x = f"""{a  # why\n}"""\n', 12),
    ("x = f'{a\n}'\n", 12),
    ('x = f"""{\na\n}"""\n', 0),
    ('x = f"{a!r:>{width}} {{"\n', 0),
    ("x = f'{f\"{a}\"}'\n", 0),
    ('x = f"\\n{a}"\n', 0),
    ('x = f"{a=}"\n', 8),
    ('x = f"{a = !r:>9}"\n', 8),
    ('x = f"a={a!r} {a==b}"\n', 0),
    ("class A[T = int]: pass\n", 13),
    ('x = t"{a}"\n', 14),
    ("try: pass\nexcept A, B: pass\n", 14),
    ("try: pass\nexcept (A, B): pass\n", 0),
]


@cache
def pythons() -> dict[int, str]:
    """Return the Pythons of this machine that run, by their minor version; ours is always among them."""
    found = {HOST: sys.executable}
    beside = Path(sys.base_prefix).parent
    for minor in range(6, 16):
        more = sorted(map(str, beside.glob(f"3.{minor}.*/bin/python3.{minor}")))
        for program in filter(None, (shutil.which(f"python3.{minor}"), *more)):
            if subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode == 0:
                found.setdefault(minor, program)
    return found


def takes(minor: int, sources: list[str]) -> list[bool]:
    """Return whether a Python's own parser takes each source."""
    code = (
        "import ast, json, sys, warnings\nwarnings.simplefilter('ignore')\nfound = []\n"
        "for text in json.load(sys.stdin):\n"
        "    try: ast.parse(text); found.append(True)\n"
        "    except SyntaxError: found.append(False)\nprint(json.dumps(found))\n"
    )
    import json

    words = [pythons()[minor], "-c", code]
    done = subprocess.run(words, input=json.dumps(sources), capture_output=True, text=True, check=True)
    answer: list[bool] = json.loads(done.stdout)
    return answer


def asked(source: bytes) -> int:
    """Return the newest version that a source needs, 99 when our parser does not read it."""
    tree = parse(source)
    return 99 if isinstance(tree, Unreadable) else max((need.minor for need in needs(source, tree)), default=0)


def test_the_table_is_what_pythons_take() -> None:
    for minor in pythons():
        taken = takes(minor, [source for source, _ in NEW])
        assert [(source, answer) for (source, _), answer in zip(NEW, taken, strict=True)] == [
            (source, minor >= needed) for source, needed in NEW
        ], minor


@pytest.mark.parametrize(("source", "needed"), NEW)
def test_what_a_source_needs(source: str, needed: int) -> None:
    data = source.encode()
    if needed > HOST:
        assert isinstance(parse(data), Unreadable)
    else:
        assert asked(data) == needed
    assert not needed or suspect(data, needed - 1, wholly=True)


@given(st.lists(st.sampled_from([source for source, needed in NEW if needed <= HOST]), max_size=4))
def test_several_at_once(sources: list[str]) -> None:
    text = "".join(sources)
    needed = max((needed for source, needed in NEW if source in sources), default=0)
    assert asked(text.encode()) == needed
    for minor in range(8, HOST):
        assert suspect(text.encode(), minor) or needed <= minor


@given(st.binary(max_size=120))
def test_any_bytes(source: bytes) -> None:
    tree = parse(source)
    if not isinstance(tree, Unreadable):
        needs(source, tree)
    suspect(source, 6)


def test_ours_told_to_be_older() -> None:
    """The parser's own ``feature_version`` knows some of the changes; what it refuses needs more in our eyes too."""
    library = Path(ast.__file__).parent
    for path in sorted(library.glob("*.py")) + sorted((library / "asyncio").glob("*.py")):
        source = path.read_bytes()
        tree = parse(source)
        assert not isinstance(tree, Unreadable), path
        newest = max((need.minor for need in needs(source, tree)), default=0)
        assert newest <= HOST
        for minor in range(7, HOST):
            if newest <= minor:
                ast.parse(source, feature_version=(3, minor))
            else:
                assert suspect(source, minor), path


def test_what_cannot_be_read() -> None:
    broken = parse(b"x = 1\nprint 'x'\n")
    assert isinstance(broken, Unreadable)
    assert (broken.line, broken.minor, broken.limit) == (2, 0, False)
    deep = parse(b"(" * 1000)
    assert isinstance(deep, Unreadable)
    assert deep.limit
    newer = parse(b"x = 1\nx = t'{a}'\n")
    if isinstance(newer, Unreadable):
        assert (newer.line, newer.minor, newer.words) == (2, 14, "a template string")


@pytest.mark.parametrize("hostile", [b"{", b"[", b"match ", b"return *", b"@a(", b"for x in ", b"type x = "])
def test_patterns_are_not_tried_on_very_long_lines(hostile: bytes) -> None:
    start = process_time()
    assert suspect(hostile * (1_000_000 // len(hostile)), 8)
    assert process_time() - start < 0.1, "as a pattern it would take minutes"
    assert not suspect(b"x = 1\n" * 200_000, 14)
