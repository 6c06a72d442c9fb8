"""The budgets of the design: file length, function length, docstrings, no forbidden words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "lucid_audit").rglob("*.py"))
FILE_LINES = 300
FUNCTION_LINES = 40


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_budget(file: Path) -> None:
    text = file.read_text("utf-8")
    assert text.count("\n") <= FILE_LINES
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module says what its one idea is"
    for function in functions(tree):
        assert function.end_lineno is not None
        assert function.end_lineno - function.lineno < FUNCTION_LINES, function.name
