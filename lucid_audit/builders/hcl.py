"""HCL expressions as far as bake files use them, over the syntax trees of python-hcl2; the third answer is "unknown".

Source: HashiCorp HCL native syntax specification (expressions, templates) and docker/buildx ``bake/hclparser``. What is
not worked out here (splats, template directives, functions that are not in ``hclfunctions``) is unknown, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lark import Token, Tree

from lucid_audit.builders.hclfor import for_object, for_tuple, splat
from lucid_audit.builders.hclfunctions import FUNCTIONS
from lucid_audit.builders.hclvalues import compute, has_unknown, logic, member, text_of, truth
from lucid_audit.values import Unknown

STEPS = 20_000  # expressions evaluated for one file
LENGTH = 10_000  # characters or items of one value
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_SKIPPED = ("new_line_or_comment",)

Lookup = Callable[[str], Any]


class Budget:
    """How much one file may make us work out."""

    def __init__(self, steps: int = STEPS) -> None:
        self.left = steps

    def spend(self) -> bool:
        """Whether one more step may be taken."""
        self.left -= 1
        return self.left > 0


class Evaluator:
    """Evaluates expressions with the variables of one scope. Values are plain data, ``Unknown`` anywhere in them."""

    def __init__(self, lookup: Lookup, functions: Mapping[str, Callable[..., Any]], budget: Budget) -> None:
        self._lookup = lookup
        self._functions = functions
        self._budget = budget

    def value(self, node: Any) -> Any:
        """Return the value of an expression's tree."""
        if not self._budget.spend():
            return Unknown("the file takes too long to work out")
        if isinstance(node, Token):
            return Unknown(f"{str(node)[:40]!r} is not worked out")
        method = getattr(self, f"_{node.data}", None)
        try:
            found = method(_parts(node)) if method is not None else Unknown(f"{node.data} is not worked out")
        except (AttributeError, IndexError, ValueError):  # a shape of the grammar that is not provided for here
            found = Unknown(f"{node.data} is not worked out")
        return Unknown("a value is too long") if isinstance(found, str | list) and len(found) > LENGTH else found

    def _expr_term(self, parts: list[Any]) -> Any:
        inner = [part for part in parts if isinstance(part, Tree)]
        return self.value(inner[0]) if len(inner) == 1 else Unknown("an expression is not worked out")

    def _int_lit(self, parts: list[Any]) -> Any:
        return int(parts[0]) if len(parts[0]) < 20 else Unknown("a number is too long")

    def _float_lit(self, parts: list[Any]) -> Any:
        return float(parts[0])

    def _literal_value(self, parts: list[Any]) -> Any:
        return {"true": True, "false": False}.get(str(parts[0]))

    def _identifier(self, parts: list[Any]) -> Any:
        return self._lookup(str(parts[0]))

    def _string(self, parts: list[Any]) -> Any:
        found = []
        for part in parts:
            if isinstance(part, Tree):
                text = self._string_part(part)
                if isinstance(text, Unknown):
                    return text
                found.append(text)
        return "".join(found)

    def _string_part(self, part: Tree[Any]) -> str | Unknown:
        inner = part.children[0]
        if isinstance(inner, Token):
            return _unescaped(str(inner))
        if inner.data != "interpolation":
            return Unknown("template directives are not worked out")
        expression = [child for child in inner.children if isinstance(child, Tree)]
        return text_of(self.value(expression[0]))

    def _tuple(self, parts: list[Any]) -> Any:
        return [self.value(part) for part in parts if isinstance(part, Tree)]

    def _object(self, parts: list[Any]) -> Any:
        found: dict[str, Any] = {}
        for element in parts:
            if isinstance(element, Tree) and element.data == "object_elem":
                key_tree, value_tree = [part for part in _parts(element) if isinstance(part, Tree)]
                key = self._key(key_tree)
                if isinstance(key, Unknown):
                    return key
                found[key] = self.value(value_tree)
        return found

    def _key(self, tree: Tree[Any]) -> str | Unknown:
        """Return an object's key: a name is itself, everything else an expression."""
        inner: Any = tree.children[0]
        if inner.data == "expr_term" and len(inner.children) == 1:
            only = inner.children[0]
            if isinstance(only, Tree) and only.data in ("identifier", "literal_value"):
                return str(only.children[0])
        return str(inner.children[0]) if inner.data == "keyword" else text_of(self.value(inner))

    def _conditional(self, parts: list[Any]) -> Any:
        condition, yes, no = [part for part in parts if isinstance(part, Tree)]
        chosen = truth(self.value(condition))
        return chosen if isinstance(chosen, Unknown) else self.value(yes if chosen else no)

    def _unary_op(self, parts: list[Any]) -> Any:
        value = self.value(parts[1])
        if isinstance(value, Unknown):
            return value
        if str(parts[0]) == "!":
            return not value
        return -value if isinstance(value, int | float) else Unknown("a text has no sign")

    def _binary_op(self, parts: list[Any]) -> Any:
        left_tree, term = parts
        operator_tree, right_tree = [part for part in _parts(term) if isinstance(part, Tree)]
        operator = str(operator_tree.children[0])
        left, right = self.value(left_tree), self.value(right_tree)
        if operator in ("&&", "||"):
            return logic(operator, truth(left), truth(right))
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            return left if isinstance(left, Unknown) else right
        return compute(operator, left, right)

    def _function_call(self, parts: list[Any]) -> Any:
        name = str(parts[0].children[0])
        arguments: list[Any] = []
        for part in parts[1:]:
            if isinstance(part, Tree) and part.data == "arguments":
                arguments = [self.value(one) for one in _parts(part) if isinstance(one, Tree)]
                if any(str(one) == "..." for one in part.children if isinstance(one, Token)):
                    last = arguments.pop()
                    arguments = [*arguments, *last] if isinstance(last, list) else [*arguments, Unknown("no list")]
        own = self._functions.get(name)
        if own is not None:
            return own(*arguments)
        function = FUNCTIONS.get(name)
        unknown = next((one for one in arguments if has_unknown(one)), None)
        if function is None or unknown is not None:
            return Unknown(f"{name}() is not worked out")
        try:
            return function(*arguments)
        except (TypeError, ValueError, IndexError, KeyError, AttributeError, ArithmeticError, StopIteration):
            return Unknown(f"{name}() refuses its arguments")

    def _get_attr_expr_term(self, parts: list[Any]) -> Any:
        return member(self.value(parts[0]), str(parts[1].children[-1].children[0]))

    def _index_expr_term(self, parts: list[Any]) -> Any:
        inner = [part for part in _parts(parts[1]) if isinstance(part, Tree)]
        key = self.value(inner[0]) if inner else int(str(parts[1].children[-1])[:9])
        return key if isinstance(key, Unknown) else member(self.value(parts[0]), key)

    def _for_tuple_expr(self, parts: list[Any]) -> Any:
        return for_tuple(Tree("for_tuple_expr", parts), self._within)

    def _for_object_expr(self, parts: list[Any]) -> Any:
        return for_object(Tree("for_object_expr", parts), self._within)

    def _full_splat_expr_term(self, parts: list[Any]) -> Any:
        return splat(self.value(parts[0]), parts[1], self._within)

    _attr_splat_expr_term = _full_splat_expr_term

    def _within(self, node: Any, names: dict[str, Any]) -> Any:
        """Evaluate with more names, those of a loop."""
        if not names:
            return self.value(node)
        inner = Evaluator(
            lambda name: names[name] if name in names else self._lookup(name), self._functions, self._budget
        )
        return inner.value(node)


def _parts(node: Tree[Any]) -> list[Any]:
    return [child for child in node.children if not (isinstance(child, Tree) and child.data in _SKIPPED)]


def _unescaped(text: str) -> str:
    r"""Undo ``\n`` and its kin, ``$${`` and ``%%{``."""
    found, at = [], 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            found.append(_ESCAPES.get(text[at + 1], text[at : at + 2]))
            at += 2
        elif text.startswith(("$${", "%%{"), at):
            found.append(text[at + 1 : at + 3])
            at += 3
        else:
            found.append(text[at])
            at += 1
    return "".join(found)
