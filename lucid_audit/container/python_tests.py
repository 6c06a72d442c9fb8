"""Conditions about the platform, answered as an interpreter on Linux would: versions, the system, ``TYPE_CHECKING``.

What they do not decide is None, and so is whatever else a source asks.

Facts: the Python library reference, ``sys.version_info`` (five parts, compared as a tuple), ``sys.platform``, ``os.name``,
``platform``; ``typing.TYPE_CHECKING`` (False when a program runs).
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator

from lucid_audit.container.imports import TESTED
from lucid_audit.container.python_release import Release
from lucid_audit.regex import regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PARTS = 5  # of sys.version_info
_LONGEST = 300  # bytes of a condition that is read
_FIELDS = {"major": 0, "minor": 1, "micro": 2}
_COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip
_NAMES = {
    "sys.platform": "linux", "os.name": "posix", "platform.system()": "Linux", "sys.implementation.name": "cpython",
    "platform.python_implementation()": "CPython",
}  # fmt: skip
_IF = regex(
    rb"^if[ \t]++(?=[^\n]*(?:" + b"|".join(map(re.escape, TESTED)) + rb"))([^\n]*):[ \t]*(?:#[^\n]*)?\r?\n",
    re.MULTILINE,
)
_BLOCK = regex(rb"(?:(?:[ \t][^\n]*|#[^\n]*|\r?)\n)*(?:[ \t][^\n]*)?")  # lines that are indented, empty or comments
_MORE = regex(rb"(?:elif[ \t]+([^\n]*)|else)[ \t]*:[ \t]*(?:#[^\n]*)?\r?\n")


def decided(test: ast.expr, release: Release) -> bool | None:
    """Return what a condition is worth under an interpreter of this release, None when that is not known."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.Name | ast.Attribute):
        return False if _called(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING", "t.TYPE_CHECKING") else None
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = decided(test.operand, release)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        values = [decided(one, release) for one in test.values]
        ends = isinstance(test.op, ast.Or)  # what one operand is enough for
        return ends if ends in values else None if None in values else not ends
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _compared(test.left, test.ops[0], test.comparators[0], release)
    if isinstance(test, ast.Call) and isinstance(test.func, ast.Attribute) and test.func.attr == "startswith":
        name, start = _NAMES.get(_called(test.func.value)), _constant(test.args[0]) if len(test.args) == 1 else None
        return name.startswith(start) if name is not None and isinstance(start, str | tuple) else None
    return None


def branches(source: bytes, release: Release) -> Iterator[tuple[bytes, int]]:
    """Yield the blocks at the left margin that such a condition lets run, dedented, each with the number of lines before it."""
    line = before = 0
    match = _IF.search(source)
    while match is not None:
        end = match.end()
        test: bytes | None = match[1]
        while True:
            block = _BLOCK.match(source, end)
            start, end = end, block.end() if block is not None else end
            holds = True if test is None else _holds(test, release)
            if holds:
                line += source.count(b"\n", before, start)
                before = start
                yield _dedented(source[start:end]), line
            more = _MORE.match(source, end) if holds is False else None
            if more is None:
                break
            test, end = more[1], more.end()
        match = _IF.search(source, end)


def _dedented(block: bytes) -> bytes:
    first = re.search(rb"^[ \t]+(?=[^\s#])", block, re.MULTILINE)
    return re.sub(rb"^" + first[0], b"", block, flags=re.MULTILINE) if first is not None else b""


def _holds(test: bytes, release: Release) -> bool | None:
    """Read a condition and decide it; None when it cannot be read."""
    if len(test) > _LONGEST:
        return None
    try:
        return decided(ast.parse(test.strip(), mode="eval").body, release)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _called(node: ast.expr) -> str:
    """Return a dotted name as it is spelt, with ``()`` when it is called without arguments; "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = _called(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    if isinstance(node, ast.Call) and not node.args and not node.keywords:
        inner = _called(node.func)
        return f"{inner}()" if inner else ""
    return ""


def _constant(node: ast.expr) -> Any:
    """Return a number, a text or a tuple of them, None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | str):
        return node.value
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        values = tuple(_constant(one) for one in node.elts)
        return None if None in values else values
    return None


def _compared(left: ast.expr, by: ast.cmpop, right: ast.expr, release: Release) -> bool | None:
    other = _constant(right)
    if other is None:
        return None
    name = _NAMES.get(_called(left))
    if name is not None:
        if isinstance(by, ast.In | ast.NotIn) and isinstance(other, str | tuple):
            return (name in other) is isinstance(by, ast.In)
        return _COMPARED[type(by)](name, other) if isinstance(by, ast.Eq | ast.NotEq) else None
    compare = _COMPARED.get(type(by))
    if compare is None:
        return None
    if isinstance(left, ast.Subscript) and _is_version(left.value):
        return _part(left.slice, compare, other, release)
    if isinstance(left, ast.Attribute) and left.attr in _FIELDS and _is_version(left.value):
        return _number(_FIELDS[left.attr], compare, other, release)
    return _against(compare, other, release, _PARTS) if _is_version(left) else None


def _is_version(node: ast.expr) -> bool:
    return _called(node) in ("sys.version_info", "version_info")


def _part(at: ast.expr, compare: Callable[[Any, Any], bool], other: Any, release: Release) -> bool | None:
    """Compare ``version_info[0]`` and ``version_info[:2]``."""
    if isinstance(at, ast.Slice):
        upper = _constant(at.upper) if at.upper is not None and at.lower is None and at.step is None else None
        return _against(compare, other, release, upper) if isinstance(upper, int) and 0 < upper <= _PARTS else None
    index = _constant(at)
    return _number(index, compare, other, release) if isinstance(index, int) else None


def _number(index: int, compare: Callable[[Any, Any], bool], other: Any, release: Release) -> bool | None:
    return compare(release[index], other) if 0 <= index < len(release) and isinstance(other, int) else None


def _against(compare: Callable[[Any, Any], bool], other: Any, release: Release, length: int) -> bool | None:
    """Compare the first ``length`` parts with a tuple; what is not known of them may decide, or not."""
    if not isinstance(other, tuple) or not other or not all(isinstance(one, int) for one in other):
        return None
    known = release[:length]
    shorter = min(len(known), len(other))
    if known[:shorter] != other[:shorter] or len(known) == length:
        return compare(known, other)
    if len(other) > len(known):
        return None
    return compare((*known, 0), other)  # equal as far as the other goes, and longer
