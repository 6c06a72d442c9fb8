"""The Python 3 that a source is written for: the newest syntax in it, as the parser of this Python sees it.

Facts: "What's New in Python" 3.8 to 3.14. A construct that only a newer parser than ours reads is none here: then the source
cannot be read at all, and ``Unreadable`` says so.
"""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from lucid_audit.container.learned import HOST
from lucid_audit.container.python_signs import fields, suspect
from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple

__all__ = ["HOST", "Need", "Unreadable", "needs", "parse"]
_LIMITS = ("too many", "Exceeds the limit", "too large", "source code cannot contain null bytes")  # of this parser

_DEBUG = regex(rb"[^=!<>]=[ \t]*(?:![rsa])?(?::[^{}]*)?\}")
_HINTS = (
    (14, "a template string", regex(r"\b[tT][rR]?[\"']")),
    (12, "a type statement", regex(r"^\s*type\s+\w+.*=")),
    (12, "type parameters", regex(r"\b(?:def|class)\s+\w+\s*\[")),
    (12, "an f-string with quotes, comments or backslashes in its braces", regex(r"\b[fF][rR]?[\"']")),
)


class Need(NamedTuple):
    """A construct that Python 3.``minor`` brought, on a line from 1."""

    minor: int
    line: int
    what: str


class Unreadable(NamedTuple):
    """A source that the parser of this Python does not take: what it says, and the version that may take it, 0 when none may.

    ``limit``: it is the parser's own bound that is reached, so nothing is known of the source. ``newer``: it has signs of syntax
    that is newer than the parser; without any it is of no version up to ``NEWEST``.
    """

    line: int
    words: str
    minor: int = 0
    limit: bool = False
    newer: bool = False


def parse(source: bytes) -> ast.Module | Unreadable:
    """Parse a source. Never raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes in texts
            return ast.parse(source)
    except SyntaxError as error:
        words = error.msg or "it is not Python"
        text = error.text if isinstance(error.text, str) else ""
        minor, what = next(((at, name) for at, name, hint in _HINTS if at > HOST and hint.search(text)), (0, ""))
        beyond = any(limit in words for limit in _LIMITS)
        return Unreadable(
            error.lineno or 1, what or words, minor, limit=beyond, newer=suspect(source, HOST, wholly=True)
        )
    except (ValueError, RecursionError, MemoryError) as error:
        return Unreadable(1, str(error) or type(error).__name__, limit=True)


def needs(source: bytes, tree: ast.Module) -> tuple[Need, ...]:
    """Return of each version of Python the first construct that it brought, the oldest version first."""
    lines = source.splitlines()
    first: dict[int, Need] = {}
    for need in (*_of_tree(tree, lines), *_of_fields(source)):
        known = first.get(need.minor)
        if known is None or need.line < known.line:
            first[need.minor] = need
    return tuple(first[minor] for minor in sorted(first))


def _of_tree(tree: ast.Module, lines: Sequence[bytes]) -> Iterator[Need]:
    for node in ast.walk(tree):
        reader = _READERS.get(type(node).__name__)
        line = getattr(node, "lineno", 0)
        for minor, what in reader(node, lines) if reader is not None else ():
            yield Need(minor, line or _line(node), what)


def _line(node: ast.AST) -> int:
    return next((inner.lineno for inner in ast.walk(node) if isinstance(inner, ast.arg | ast.expr)), 1)


Told = Iterator[tuple[int, str]]
Reader = Callable[[Any, Sequence[bytes]], Told]


def _arguments(node: ast.arguments, _lines: Sequence[bytes]) -> Told:
    if node.posonlyargs:
        yield 8, "a positional-only parameter"
    if node.vararg is not None and isinstance(node.vararg.annotation, ast.Starred):
        yield 11, "an unpacked type of parameters"


def _decorated(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, _lines: Sequence[bytes]) -> Told:
    for one in node.decorator_list:
        name: ast.expr = one.func if isinstance(one, ast.Call) else one
        while isinstance(name, ast.Attribute):
            name = name.value
        if not isinstance(name, ast.Name):
            yield 9, "a decorator that is no dotted name"
    yield from _generic(node)


def _generic(node: ast.AST, _lines: Sequence[bytes] = ()) -> Told:
    given = getattr(node, "type_params", ())
    if given:
        yield 12, "type parameters"
    if any(getattr(one, "default_value", None) is not None for one in given):
        yield 13, "defaults of type parameters"


def _alias(node: ast.AST, _lines: Sequence[bytes]) -> Told:
    yield 12, "a type statement"
    yield from _generic(node)


def _with(node: ast.With | ast.AsyncWith, lines: Sequence[bytes]) -> Told:
    first = node.items[0]
    follows = first.optional_vars or (node.items[1].context_expr if len(node.items) > 1 else None)
    if follows is None or not any(item.optional_vars for item in node.items):
        return  # older parsers take it for a tuple
    before = _between(lines, (node.lineno, node.col_offset), _begin(first.context_expr))
    after = _between(lines, _end(first.context_expr), _begin(follows))
    if before.count(b"(") > after.count(b")"):
        yield 9, "context managers in parentheses"


def _subscript(node: ast.Subscript, lines: Sequence[bytes]) -> Told:
    index = node.slice
    if isinstance(index, ast.Starred) or (_bare(index) and any(isinstance(one, ast.Starred) for one in _parts(index))):
        yield 11, "unpacking in an index"
    if any(_walrus(one, lines) for one in ((index,) if not _bare(index) else _parts(index))):
        yield 10, "an assignment expression without parentheses"


def _set(node: ast.Set | ast.SetComp, lines: Sequence[bytes]) -> Told:
    if any(_walrus(one, lines) for one in (node.elts if isinstance(node, ast.Set) else (node.elt,))):
        yield 9, "an assignment expression without parentheses"


def _returned(node: ast.Return | ast.Yield, _lines: Sequence[bytes]) -> Told:
    if node.value is not None and _bare(node.value) and any(isinstance(one, ast.Starred) for one in _parts(node.value)):
        yield 8, "unpacking without parentheses"


def _for(node: ast.For | ast.AsyncFor, _lines: Sequence[bytes]) -> Told:
    if _bare(node.iter) and any(isinstance(one, ast.Starred) for one in _parts(node.iter)):
        yield 9, "unpacking without parentheses"


def _handler(node: ast.ExceptHandler, _lines: Sequence[bytes]) -> Told:
    if node.type is not None and _bare(node.type):
        yield 14, "exceptions without parentheses"


def _field(node: ast.JoinedStr, lines: Sequence[bytes]) -> Told:
    told = (left.value for left, right in pairwise(node.values) if isinstance(left, ast.Constant)
            and isinstance(right, ast.FormattedValue))  # fmt: skip
    if any(str(text).rstrip().endswith("=") for text in told) and _DEBUG.search(
        _between(lines, _begin(node), _end(node))
    ):
        yield 8, "an f-string that names its value (=)"


def _walrus(node: ast.expr, lines: Sequence[bytes]) -> bool:
    return isinstance(node, ast.NamedExpr) and not lines[node.lineno - 1][: node.col_offset].rstrip().endswith(b"(")


def _bare(node: ast.expr) -> bool:
    """Whether a tuple has no parentheses of its own."""
    if not isinstance(node, ast.Tuple) or not node.elts:
        return False
    return not (_begin(node.elts[0]) > _begin(node) and _end(node.elts[-1]) < _end(node))


def _parts(node: ast.expr) -> Sequence[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple) else ()


def _begin(node: ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: ast.expr) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or 0


def _between(lines: Sequence[bytes], start: tuple[int, int], end: tuple[int, int]) -> bytes:
    """Return the text between two places, without comments."""
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]]
    middle = (line.partition(b"#")[0] for line in lines[start[0] : end[0] - 1])
    return b"\n".join((lines[start[0] - 1][start[1] :].partition(b"#")[0], *middle, lines[end[0] - 1][: end[1]]))


def _only(minor: int, what: str) -> Reader:
    def told(_node: ast.AST, _lines: Sequence[bytes]) -> Told:
        yield minor, what

    return told


_READERS: dict[str, Reader] = {
    "NamedExpr": _only(8, "an assignment expression"), "arguments": _arguments, "FunctionDef": _decorated,
    "AsyncFunctionDef": _decorated, "ClassDef": _decorated, "With": _with, "AsyncWith": _with,
    "Match": _only(10, "a match statement"), "TryStar": _only(11, "except*"), "Subscript": _subscript, "Set": _set,
    "SetComp": _set, "Return": _returned, "Yield": _returned, "For": _for, "AsyncFor": _for, "TypeAlias": _alias,
    "JoinedStr": _field, "TemplateStr": _only(14, "a template string"), "ExceptHandler": _handler,
}  # fmt: skip


def _of_fields(source: bytes) -> Iterator[Need]:
    """Yield the first f-string that only 3.12 reads: older Pythons took it for a text first, and looked into its braces later."""
    if HOST < 12 or not fields(source):
        return
    outer: list[str] = []  # the quotes of the f-strings that are open
    try:
        for token in tokenize.tokenize(io.BytesIO(source).readline):
            kind = tokenize.tok_name[token.type]
            if kind == "FSTRING_END":
                outer.pop()
            around = outer[:-1] if kind == "FSTRING_MIDDLE" else outer
            if any(_ended(token.string, kind, quotes) for quotes in around):
                yield Need(12, token.start[0], _HINTS[-1][1])
                return
            if kind == "FSTRING_START":
                outer.append(token.string.lstrip("fFrRbB"))
    except (tokenize.TokenError, SyntaxError, ValueError, IndexError):
        return


def _ended(text: str, kind: str, quotes: str) -> bool:
    """Whether a token in the braces of an f-string would have ended it, or was not allowed there."""
    return quotes in text or "\\" in text or kind == "COMMENT" or (kind in ("NL", "NEWLINE") and len(quotes) == 1)
