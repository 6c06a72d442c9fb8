"""Values of HCL: truth, arithmetic, members, and how a template writes them. Plain data, with ``Unknown`` anywhere in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lucid_audit.values import Unknown

LARGEST = 1e18  # numbers that grow with every step would fill the memory


def text_of(value: Any) -> str | Unknown:
    """Return a value as a template writes it."""
    if isinstance(value, str | Unknown):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value) if isinstance(value, int) else Unknown("a value is no text")


def truth(value: Any) -> Any:
    """Return whether a condition holds."""
    if isinstance(value, bool | Unknown):
        return value
    if value in ("true", "false"):
        return value == "true"
    return Unknown("a condition is neither true nor false")


def logic(operator: str, left: Any, right: Any) -> Any:
    """Return what ``&&`` or ``||`` gives; one side that decides is enough."""
    deciding = operator == "||"
    if deciding in (left, right):
        return deciding
    unknown = next((one for one in (left, right) if isinstance(one, Unknown)), None)
    return unknown if unknown is not None else not deciding


def compute(operator: str, left: Any, right: Any) -> Any:
    """Return what an operator makes of two values that are known."""
    if operator in ("==", "!="):
        plain = not isinstance(left, list | dict) and not isinstance(right, list | dict)
        return (left == right) == (operator == "==") if plain else Unknown("only plain values are compared")
    if not all(isinstance(one, int | float) for one in (left, right)):
        return Unknown(f"{operator} needs numbers")
    if operator in ("/", "%") and not right:
        return Unknown("a division by zero")
    compute: Mapping[str, Callable[[Any, Any], Any]] = {
        "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
        "%": lambda a, b: a % b, "<": lambda a, b: a < b, ">": lambda a, b: a > b,
        "<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b,
    }  # fmt: skip
    found = compute[operator](left, right)
    return found if abs(found) < LARGEST else Unknown("a number is too large")


def member(value: Any, key: Any) -> Any:
    """Return an element by its key or index."""
    if isinstance(value, Unknown):
        return value
    if isinstance(value, dict) and isinstance(key, str) and key in value:
        return value[key]
    if isinstance(value, list) and isinstance(key, int) and 0 <= key < len(value):
        return value[key]
    return Unknown(f"there is no {key!r}")


def has_unknown(value: Any) -> bool:
    """Whether anything in a value is unknown; what is used in it many times is looked at once."""
    seen: set[int] = set()
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, Unknown):
            return True
        if isinstance(one, list | dict) and id(one) not in seen:
            seen.add(id(one))
            left.extend(one.values() if isinstance(one, dict) else one)
    return False
