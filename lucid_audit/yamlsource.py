"""YAML with places: every key and item knows its line, and a duplicate key is an error.

Only plain data is built (YAML core scalars, sequences, mappings with string keys); nothing is constructed or executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from lucid_audit.errors import UsageError
from lucid_audit.tuples import NamedTuple

Path = tuple[str | int, ...]
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Document(NamedTuple):
    """Plain data, and the line (from 1) of every value by its path from the root."""

    path: str
    data: Any
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """Return the line of a value, or of its nearest listed parent."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def too_deep(text: str, limit: int = 100) -> bool:
    """Whether YAML is nested deeper than anybody nests: libyaml's composer recurses in C, where that ends the process.

    What has no more brackets, dashes and indentation than that is not read twice. Text that is no YAML is not too deep.
    """
    indent = max((len(line) - len(line.lstrip(" ")) for line in text.split("\n")), default=0)
    if text.count("[") + text.count("{") + text.count("- ") + text.count("? ") + indent <= limit:
        return False
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > limit:
                return True
    except yaml.YAMLError as error:
        return "maximum nesting depth" in str(error)  # libyaml has had a limit of its own since PyYAML 6.0.4
    return False


def load(path: str, text: str) -> Document:
    """Read one YAML document.

    Raises:
        UsageError: it is not valid YAML, has a duplicate key or a key that is not a string.

    """
    if too_deep(text):
        raise UsageError(f"{path}: nested too deeply")
    loader = _LOADER(text)
    lines: dict[Path, int] = {}
    try:
        node = loader.get_single_node()
        data = _build(loader, node, (), lines, path) if node is not None else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark is not None else path
        raise UsageError(f"{where}: not valid YAML: {getattr(error, 'problem', None) or error}") from None
    except RecursionError:
        raise UsageError(f"{path}: nested too deeply") from None
    finally:
        loader.dispose()
    return Document(path, data, lines)


def _build(loader: Any, node: Any, at: Path, lines: dict[Path, int], path: str) -> Any:
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, at, lines, path)
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, child, (*at, index), lines, path) for index, child in enumerate(node.value)]
    if node.tag == "tag:yaml.org,2002:timestamp":
        return str(node.value)  # plain JSON downstream has no dates, and 2026-02-30 is none
    value = loader.construct_object(node, deep=True)
    return value if value is None or isinstance(value, str | int | float | bool) else str(node.value)


def _mapping(loader: Any, node: Any, at: Path, lines: dict[Path, int], path: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise UsageError(f"{path}:{line}: a key must be a plain word")
        key = str(key_node.value)
        if key in found:
            raise UsageError(f"{path}:{line}: {key} is given twice")
        lines[(*at, key)] = line
        found[key] = _build(loader, value_node, (*at, key), lines, path)
    return found
