"""The functions of bake files that people choose names, paths and tags with.

Source: docker/buildx ``bake/hclparser/stdlib.go`` and zclconf/go-cty ``function/stdlib``. Each one gets values that are
all known and raises TypeError, ValueError or a lookup error for what it does not take.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Any

LENGTH = 10_000  # characters of one result


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    raise TypeError


def _strings(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise TypeError
    return [_text(one) for one in value]


def _format(template: str, *values: Any) -> str:
    """Fill ``%s``, ``%d``, ``%v`` and ``%%``; other verbs are not known."""
    rest = list(values)

    def fill(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        if match[1] not in ("s", "d", "v"):
            raise ValueError
        return _text(rest.pop(0))

    found = re.sub(r"%(.?)", fill, template)
    if rest:
        raise ValueError
    return found


def _coalesce(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def _merge(*values: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for value in values:
        found.update(value)
    return found


def _concat(*values: list[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        found.extend(value)
    return found


def _lookup(value: dict[str, Any], key: str, *default: Any) -> Any:
    return value[key] if key in value or not default else default[0]


def _replace(text: str, old: str, new: str) -> str:
    if len(old) > 1 and old.startswith("/") and old.endswith("/"):
        raise ValueError  # a Go regular expression
    if text.count(old) * len(new) > LENGTH:
        raise ValueError
    return text.replace(old, new)


def _join(glue: str, items: list[str]) -> str:
    if len(items) * len(glue) + sum(map(len, items)) > LENGTH:
        raise ValueError
    return glue.join(items)


def _same(left: Any, right: Any) -> bool:
    """Compare plain values; comparing what holds itself many times over takes for ever."""
    if isinstance(left, list | dict) or isinstance(right, list | dict):
        raise TypeError
    return bool(left == right)


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return value


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "upper": lambda text: _text(text).upper(),
    "lower": lambda text: _text(text).lower(),
    "trimspace": lambda text: _text(text).strip(),
    "trimprefix": lambda text, part: _text(text).removeprefix(_text(part)),
    "trimsuffix": lambda text, part: _text(text).removesuffix(_text(part)),
    "trim": lambda text, cut: _text(text).strip(_text(cut)),
    "replace": lambda text, old, new: _replace(_text(text), _text(old), _text(new)),
    "join": lambda glue, items: _join(_text(glue), _strings(items)),
    "split": lambda glue, text: _text(text).split(_text(glue)),
    "format": _format,
    "strlen": lambda text: len(_text(text)),
    "sanitize": lambda text: re.sub(r"[^a-zA-Z0-9_-]", "_", _text(text)),
    "basename": lambda path: posixpath.basename(_text(path)),
    "dirname": lambda path: posixpath.dirname(_text(path)) or ".",
    "tostring": _text,
    "length": len,
    "contains": lambda items, item: any(_same(one, item) for one in items),
    "concat": _concat,
    "distinct": lambda items: list(dict.fromkeys(_strings(items))),
    "compact": lambda items: [item for item in _strings(items) if item],
    "keys": sorted,
    "values": lambda value: [value[key] for key in sorted(value)],
    "lookup": _lookup,
    "merge": _merge,
    "coalesce": _coalesce,
    "equal": _same,
    "notequal": lambda left, right: not _same(left, right),
    "not": lambda value: not value,
    "and": lambda left, right: bool(left and right),
    "or": lambda left, right: bool(left or right),
    "add": lambda left, right: _number(left) + _number(right),
    "subtract": lambda left, right: _number(left) - _number(right),
    "element": lambda items, at: items[at % len(items)],
    "index": lambda value, key: value[key],
}
