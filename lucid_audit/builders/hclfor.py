"""``for`` and splats of HCL: expressions over every element of a list or a map.

Source: HashiCorp HCL native syntax specification, "For Expressions" and "Splat Operators": the elements of a map come in the order
of their keys, two results with one key are an error unless they are grouped by ``...``, and a splat over what is no list is
one over a list of that alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lark import Token, Tree

from lucid_audit.builders.hclvalues import has_unknown, member, text_of, truth
from lucid_audit.values import Unknown

Evaluate = Callable[[Any, dict[str, Any]], Any]  # a tree, and the names that the loop gives


def for_tuple(tree: Tree[Any], evaluate: Evaluate) -> Any:
    """Return the list of ``[for v in list : v if condition]``."""
    intro, (result,), condition = _split(tree)
    found: list[Any] = []
    for names in _rows(intro, condition, evaluate):
        if isinstance(names, Unknown):
            return names
        found.append(evaluate(result, names))
    return found


def for_object(tree: Tree[Any], evaluate: Evaluate) -> Any:
    """Return the map of ``{for k, v in map : k => v if condition}``; with ``...`` lists of all that have one key."""
    intro, (key_tree, value_tree), condition = _split(tree)
    grouped = any(str(one) == "..." for one in tree.children if isinstance(one, Token))
    found: dict[str, Any] = {}
    for names in _rows(intro, condition, evaluate):
        key = names if isinstance(names, Unknown) else text_of(evaluate(key_tree, names))
        if isinstance(key, Unknown) or isinstance(names, Unknown):
            return key
        if grouped:
            found.setdefault(key, []).append(evaluate(value_tree, names))
        elif key in found:
            return Unknown(f"two values have the key {key!r}")
        else:
            found[key] = evaluate(value_tree, names)
    return found


def splat(value: Any, steps: Tree[Any], evaluate: Evaluate) -> Any:
    """Return what ``value[*].name`` or ``value.*.name`` picks of every element."""
    if isinstance(value, Unknown):
        return value
    found = []
    for one in value if isinstance(value, list) else [] if value is None else [value]:
        for step in steps.children:
            if isinstance(step, Tree) and step.data == "get_attr":
                one = member(one, str(step.children[-1].children[0]))  # noqa: PLW2901  (further into the same element)
            elif isinstance(step, Tree):
                inner = [part for part in step.children if isinstance(part, Tree)]
                key = evaluate(inner[0], {}) if inner else Unknown("an index is not worked out")
                one = key if isinstance(key, Unknown) else member(one, key)  # noqa: PLW2901
        found.append(one)
    return found


def _split(tree: Tree[Any]) -> tuple[Tree[Any], list[Tree[Any]], Tree[Any] | None]:
    """Return the introduction, the expressions of the result, and the condition."""
    parts = [part for part in tree.children if isinstance(part, Tree) and part.data != "new_line_or_comment"]
    condition = next((part for part in parts if part.data == "for_cond"), None)
    return parts[0], [part for part in parts[1:] if part.data != "for_cond"], condition


def _rows(intro: Tree[Any], condition: Tree[Any] | None, evaluate: Evaluate) -> Iterator[dict[str, Any] | Unknown]:
    """Yield the names of every element that the condition lets through; at most one Unknown, then nothing more."""
    *names, source = [part for part in intro.children if isinstance(part, Tree) and part.data != "new_line_or_comment"]
    called = [str(name.children[0]) for name in names]
    collection = evaluate(source, {})
    if isinstance(collection, dict):
        pairs: list[tuple[Any, Any]] = sorted(collection.items())
    elif isinstance(collection, list):
        pairs = list(enumerate(collection))
    else:
        yield collection if isinstance(collection, Unknown) else Unknown("only lists and maps are gone through")
        return
    for key, value in pairs:
        row = dict(zip(called, (key, value) if len(called) > 1 else (value,), strict=True))
        if condition is not None:
            wanted = truth(evaluate(next(part for part in condition.children if isinstance(part, Tree)), row))
            if isinstance(wanted, Unknown) or has_unknown(wanted):
                yield wanted
                return
            if not wanted:
                continue
        yield row
