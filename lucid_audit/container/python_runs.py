"""Which imports of a Python source surely run when it does, and which may: its statements followed as the interpreter would.

A function is followed where it is called for sure: by a plain call outside any condition, of a function that this source defines
once and does not decorate. Whatever a condition, a loop or a handler decides about may run or not.

Facts: the Python language reference, "Simple statements", "Compound statements" and ``__main__``.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from lucid_audit.container.imports import Raw
from lucid_audit.container.python_release import Release
from lucid_audit.container.python_tests import decided
from lucid_audit.tuples import NamedTuple

DEPTH = 20  # calls within calls that are followed
_CAUGHT = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
_INTERRUPTS = {"KeyboardInterrupt", "SystemExit", "GeneratorExit"}  # what does not come of a statement's own failure
_ENDS = ("exit", "_exit", "quit", "abort", "execv", "execve", "execvp", "execl", "execlp")
_TESTS = ("TYPE_CHECKING", "platform", "version_info", "name", "implementation", "WINDOWS", "hexversion")
_LOADERS = ("import_module", "__import__")
_RUNS_CORO = ("run", "run_until_complete")


class Runs(NamedTuple):
    """The imports of a source. ``sure`` run whenever it is imported, ``as_main`` when it is the program.

    ``may`` run or not, with what decides about it. ``made`` is the line of an import by a name that is made at run time, 0 of none.
    """

    sure: tuple[Raw, ...]
    as_main: tuple[Raw, ...]
    may: tuple[tuple[Raw, str], ...]
    made: int


def runs(tree: ast.Module, release: Release = ()) -> Runs:
    """Follow the statements of a source under an interpreter. Never raises for what Python's parser gives."""
    sure, both = (dict.fromkeys(found) for found in _followed(tree, release))
    seen, optional = {*sure, *both}, set(_optional(tree))
    may = tuple(
        (raw, why)
        for raw, why in _may(tree.body, release)
        if raw not in seen and raw[1].partition(".")[0] not in optional
    )
    made = next((node.lineno for node in ast.walk(tree) if isinstance(node, ast.Call) and _made(node)), 0)
    return Runs(tuple(sure), tuple(both), may, made)


def lines(tree: ast.Module, release: Release = ()) -> list[int]:
    """Return the lines of the imports that surely run when a source is imported, or is the program."""
    return sorted({raw[3] for found in _followed(tree, release) for raw in found})


def _followed(tree: ast.Module, release: Release) -> tuple[list[Raw], list[Raw]]:
    bound = Counter(_bound(tree))
    plain, main = _Follower(tree, release, bound), _Follower(tree, release, bound, main=True)
    plain.block(tree.body)
    main.block(tree.body)
    return plain.found, main.found


class _Follower:
    def __init__(self, tree: ast.Module, release: Release, bound: Mapping[str, int], *, main: bool = False) -> None:
        self.release = release
        self.functions = {
            one.name: one
            for one in tree.body
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
            and bound[one.name] == 1
            and not one.decorator_list
            and not any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in _own(one.body))
        }
        self.main = main
        self.found: list[Raw] = []
        self.entered: set[str] = set()
        self.left = False  # something may have ended the program

    def block(self, body: Sequence[ast.stmt], depth: int = 0) -> bool:
        """Follow statements in their order; False when what comes after them may not run."""
        return all(self.statement(one, depth) for one in body)

    def statement(self, one: ast.stmt, depth: int) -> bool:
        if isinstance(one, ast.Import | ast.ImportFrom):
            self.found += imported(one)
        elif isinstance(one, ast.If) and is_main(one.test):
            return not self.main or self.block(one.body, depth)
        elif isinstance(one, ast.If) and (holds := decided(one.test, self.release)) is not None:
            return self.block(one.body if holds else one.orelse, depth)
        elif isinstance(one, ast.Try) and _caught(one) <= _INTERRUPTS:
            return self.block(one.body, depth) and self.block((*one.orelse, *one.finalbody), depth)
        elif isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return True
        else:
            for expression in _first(one):
                self.evaluate(expression, depth)
            if isinstance(one, ast.Return | ast.Raise):
                return False
            if isinstance(one, ast.Expr) and isinstance(one.value, ast.Call) and _name(one.value.func) in _ENDS:
                return False
            self.left = self.left or _leaves(one)
            return depth == 0 or not _leaves(one)
        return True

    def evaluate(self, expression: ast.expr, depth: int) -> None:
        """Find the calls that are made whenever an expression is evaluated."""
        waiting: list[ast.AST] = [expression]
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.BoolOp):
                waiting.append(node.values[0])
            elif isinstance(node, ast.IfExp):
                waiting.append(node.test)
            elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
                waiting.append(node.generators[0].iter)
            elif not isinstance(node, ast.Lambda):
                waiting += ast.iter_child_nodes(node)
                if isinstance(node, ast.Call):
                    self.call(node, depth)

    def call(self, node: ast.Call, depth: int) -> None:
        name = _name(node.func)
        first = node.args[0] if node.args else None
        if name in _LOADERS and isinstance(first, ast.Constant) and isinstance(first.value, str):
            self.found += [(0, first.value, "", node.lineno)]
        elif isinstance(node.func, ast.Name):
            self.enter(node.func.id, depth, asynchronous=False)
        elif name in _RUNS_CORO and isinstance(first, ast.Call) and isinstance(first.func, ast.Name):
            self.enter(first.func.id, depth, asynchronous=True)

    def enter(self, name: str, depth: int, *, asynchronous: bool) -> None:
        function = self.functions.get(name)
        right = ast.AsyncFunctionDef if asynchronous else ast.FunctionDef
        if isinstance(function, right) and name not in self.entered and depth < DEPTH and not self.left:
            self.entered.add(name)
            self.block(function.body, depth + 1)


def imported(one: ast.Import | ast.ImportFrom) -> list[Raw]:
    """Return what an import statement names."""
    if isinstance(one, ast.Import):
        return [(0, alias.name, "", one.lineno) for alias in one.names]
    if one.module == "__future__":
        return []
    names = [alias.name for alias in one.names]
    return [(one.level, one.module or "", "" if name == "*" else name, one.lineno) for name in names]


def is_main(test: ast.expr) -> bool:
    """Whether a condition asks if this is the program: ``__name__ == "__main__"``."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = {getattr(side, "id", getattr(side, "value", None)) for side in (test.left, test.comparators[0])}
    return sides == {"__name__", "__main__"}


def _first(one: ast.stmt) -> Iterator[ast.expr]:
    """Yield the expressions that a statement evaluates before anything decides."""
    if isinstance(one, ast.If | ast.While):
        yield one.test
    elif isinstance(one, ast.For | ast.AsyncFor):
        yield one.iter
    elif isinstance(one, ast.With | ast.AsyncWith):
        yield one.items[0].context_expr
    elif isinstance(one, ast.Match):
        yield one.subject
    elif not isinstance(one, ast.Try | ast.Assert) and type(one).__name__ != "TryStar":
        yield from (child for child in ast.iter_child_nodes(one) if isinstance(child, ast.expr))


def _bound(tree: ast.Module) -> Iterator[str]:
    """Yield every name as often as anything in a source binds it, in whatever scope."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.Global | ast.Nonlocal):
            yield from node.names
        elif isinstance(node, ast.arg):
            yield node.arg


def _own(body: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    """Yield the nodes of a function's own scope."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _leaves(one: ast.stmt) -> bool:
    """Whether a statement of a function may end it or the program."""
    return any(
        isinstance(node, ast.Return | ast.Raise) or (isinstance(node, ast.Call) and _name(node.func) in _ENDS)
        for node in _own([one])
    )


def _may(body: Sequence[ast.stmt], release: Release) -> Iterator[tuple[Raw, str]]:
    """Yield the imports that something decides about, and what; none where the source is ready for their absence."""
    waiting: list[tuple[ast.AST, str]] = [(one, "") for one in reversed(body)]
    while waiting:
        node, why = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((raw, why) for raw in imported(node) if why)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [(one, f"the function {node.name} decides about") for one in reversed(node.body)]
        elif isinstance(node, ast.If) and not is_main(node.test):
            holds = decided(node.test, release)
            if holds is not None:
                waiting += [(one, why) for one in reversed(node.body if holds else node.orelse)]
            elif not _is_of_platform(node.test):
                waiting += [(one, why or "a condition decides about") for one in reversed((*node.body, *node.orelse))]
        elif isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
            waiting += [(one, why or "a condition decides about") for one in _tried(node)]
        elif isinstance(node, ast.With | ast.AsyncWith):
            if not any("suppress" in ast.dump(item.context_expr) for item in node.items):
                waiting += [(one, why or "a condition decides about") for one in reversed(node.body)]
        elif isinstance(node, ast.stmt | ast.match_case):
            loop = isinstance(node, ast.For | ast.AsyncFor | ast.While | ast.match_case)
            inner = why or ("a condition decides about" if loop else "")
            waiting += [(child, inner) for child in ast.iter_child_nodes(node)]


def _optional(tree: ast.Module) -> Iterator[str]:
    """Yield "" and the modules that a source can do without: it catches the failure of one of their imports."""
    yield ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and _caught(node) & _CAUGHT:
            for one in ast.walk(node):
                if isinstance(one, ast.Import | ast.ImportFrom):
                    yield from (raw[1].partition(".")[0] for raw in imported(one))


def _tried(node: ast.AST) -> Iterator[ast.stmt]:
    """Yield the statements of a try that no handler is ready for."""
    handlers: Sequence[ast.ExceptHandler] = getattr(node, "handlers", ())
    named = {
        getattr(part, "id", getattr(part, "attr", "")) for one in handlers if one.type for part in ast.walk(one.type)
    }
    if not any(one.type is None for one in handlers) and not named & set(_CAUGHT):
        yield from getattr(node, "body", ())
        for one in handlers:
            yield from one.body
    yield from getattr(node, "finalbody", ())


def _caught(node: ast.AST) -> set[str]:
    """Return the names of the exceptions that a try is ready for, BaseException for all."""
    types = [one.type for one in getattr(node, "handlers", ())]
    parts = [part for one in types if one is not None for part in ast.walk(one)]
    names = {name for part in parts if (name := getattr(part, "id", getattr(part, "attr", "")))}
    return names | {"BaseException"} if None in types else names


def _is_of_platform(test: ast.expr) -> bool:
    return any(getattr(node, "id", getattr(node, "attr", "")) in _TESTS for node in ast.walk(test))


def _made(node: ast.Call) -> bool:
    """Whether a call imports by a name that is no text of the source."""
    if _name(node.func) not in _LOADERS or not (node.args or node.keywords):
        return False
    return not (node.args and isinstance(node.args[0], ast.Constant))


def _name(function: ast.expr) -> str:
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )
