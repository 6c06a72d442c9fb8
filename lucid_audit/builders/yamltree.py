"""YAML as compose files use it: merge keys, aliases, and tags such as ``!reset``; plain data with the line of each key.

``yamlsource`` is stricter (it serves files of this project, where a key that is given twice is a mistake). Here a file of
others is read for what it tells: the last key of a name counts, and aliases are bounded, because ten lines of them can
stand for millions of nodes. Scalars are strings as compose hands them on; null is None.
"""

from __future__ import annotations

from typing import Any

import yaml

from lucid_audit.yamlsource import Document, Path, too_deep

NODES = 50_000  # visited, an alias each time it is used
DEPTH = 60
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL, _FLOAT, _BOOL, _MERGE = (f"tag:yaml.org,2002:{name}" for name in ("null", "float", "bool", "merge"))
_TRUE_FALSE = ("true", "false")  # the only words that YAML 1.2 calls so; "yes" and "on" are text


class YamlError(Exception):
    """The file is not YAML, or more of it than anybody writes; the message says where and why."""


class _Tree:
    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self._budget = NODES

    def build(self, node: Any, at: Path) -> Any:
        self._budget -= 1
        if self._budget < 0 or len(at) > DEPTH:
            raise YamlError("it is nested too deeply, or its aliases stand for too much")
        self.lines.setdefault(at, node.start_mark.line + 1)
        if node.tag == "!reset":
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*at, index)) for index, child in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: Any, at: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.tag == _MERGE:
                parts = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for part in parts:
                    built = self.build(part, at)
                    if isinstance(built, dict):
                        merged = {**built, **merged}  # the first of several wins
                continue
            path = (*at, str(key.value))
            self.lines[path] = key.start_mark.line + 1
            found[str(key.value)] = self.build(value, path)
        return {**merged, **found}


def _scalar(node: Any) -> str | None:
    text, plain = str(node.value), not node.style  # libyaml says "", Python's reader None
    if node.tag == _NULL:
        return None
    if plain and node.tag == _FLOAT:
        try:
            return repr(float(text)).removesuffix(".0")  # 3.10 is the number 3.1
        except ValueError:
            return text
    return text.lower() if plain and node.tag == _BOOL and text.lower() in _TRUE_FALSE else text


def load(path: str, text: str) -> Document:
    """Read the first document of a YAML text.

    Raises:
        YamlError: it cannot be read.

    """
    tree = _Tree()
    loader = None
    try:
        if too_deep(text, DEPTH):
            raise YamlError("it is nested too deeply")
        loader = _LOADER(text)
        loader.check_node()
        node = loader.get_node()
        data = tree.build(node, ()) if node is not None else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise YamlError(f"{where}not valid YAML: {getattr(error, 'problem', None) or 'it cannot be read'}") from None
    except (RecursionError, ValueError):
        raise YamlError("not valid YAML: it is nested too deeply or has characters that YAML does not know") from None
    finally:
        if loader is not None:
            loader.dispose()
    return Document(path, data, tree.lines)
