"""Bake files of one folder: which target builds which Dockerfile, and how.

Source: docker/buildx bake file reference and ``bake/bake.go``: files are merged in the order of ``FILES``, targets take
over what they inherit, a matrix makes a target many. A variable without a default has its value from the environment of
whoever builds, so it is unknown here. Relative contexts count from the folder that bake is run in, which is taken to be
the file's.
"""

from __future__ import annotations

import itertools
import os
from typing import Any

from lucid_audit.builders.bakesyntax import BakeSyntaxError, Block, Parsed, parse_expression, parse_hcl, parse_json
from lucid_audit.builders.builder import Draft, Trouble, read
from lucid_audit.builders.hcl import Budget, Evaluator
from lucid_audit.builders.hclvalues import text_of
from lucid_audit.values import Unknown, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FILES = ("docker-bake.json", "docker-bake.hcl", "docker-bake.override.json", "docker-bake.override.hcl")
COMBINATIONS = 200  # of one matrix
TARGETS = 2_000
LIMIT = 256 << 10  # bytes of a file: the parser is slow
DEPTH = 50  # of variables that refer to variables, of targets that inherit


class Bake:
    """The bake files of one folder, merged. ``troubles`` are what could not be read; it never raises."""

    def __init__(self, folder: str, root: str) -> None:
        self.troubles: list[Trouble] = []
        self._folder = folder
        self._root = root
        self._budget = Budget()
        self._variables: dict[str, Any] = {}
        self._functions: dict[str, Block] = {}
        self._targets: dict[str, list[tuple[str, Block]]] = {}
        self._groups: dict[str, list[Block]] = {}
        self._values: dict[str, Any] = {}
        self._templates: set[str] = set()
        self._depth = 0

    def targets(self, names: set[str], services: Mapping[str, Draft]) -> list[Draft]:
        """Return what these files build. ``services``: the compose services, which bake takes for targets as well."""
        for name in FILES:
            if name in names:
                self._read(os.path.join(self._folder, name))
        try:
            self._templates = self._only_inherited()
            found = [one for name in list(self._targets)[:TARGETS] for one in self._target(name, services)]
            return found if self._budget.left > 0 else []
        except RecursionError:
            self.troubles.append(Trouble(self._folder, 0, "its bake files are nested too deeply"))
            return []

    def _read(self, path: str) -> None:
        text = read(path, self._root, LIMIT)
        if isinstance(text, Trouble):
            self.troubles.append(text)
            return
        try:
            parsed = parse_json(text) if path.endswith(".json") else parse_hcl(text)
        except BakeSyntaxError as error:
            self.troubles.append(Trouble(path, 0, str(error)))
            return
        self._collect(path, parsed)

    def _collect(self, path: str, parsed: Parsed) -> None:
        self._variables.update(parsed.attributes)
        for block in parsed.blocks:
            if block.kind == "variable":
                if "default" in block.attributes or block.name not in self._variables:
                    self._variables[block.name] = block.attributes.get("default")
            elif block.kind == "function":
                self._functions[block.name] = block
            elif block.kind == "group":
                self._groups.setdefault(block.name, []).append(block)
            else:
                self._targets.setdefault(block.name, []).append((path, block))

    def _target(self, name: str, services: Mapping[str, Draft]) -> list[Draft]:
        """Return the drafts of one target, one for each combination of its matrix; none for what is only inherited."""
        if name in self._templates:
            return []
        found: list[Draft] = []
        for number, row in enumerate(self._matrix(name)):
            if number >= COMBINATIONS:
                break
            merged = self._draft(name, row, services, ())
            called = self._value(self._attribute(name, "name"), row)
            found.append(merged._replace(name=called) if row and isinstance(called, str) and called else merged)
        return found

    def _draft(self, name: str, row: Mapping[str, Any], services: Mapping[str, Draft], seen: tuple[str, ...]) -> Draft:
        """Return a target over what it inherits: the later of several wins, its own word over all (``ResolveTarget``)."""
        path, block = self._targets[name][0]
        found = Draft(path, block.line, "bake target", name, self._folder)
        for parent in self._names(self._attribute(name, "inherits"), row):
            if parent in self._targets and parent not in (*seen, name) and len(seen) < DEPTH:
                rows = self._matrix(parent)
                inherited = self._draft(parent, rows[0] if rows else {}, services, (*seen, name))
                found = inherited._replace(file=path, line=block.line, name=name).over(found)
        if name in services:
            found = found.over(services[name])
        for where, one in self._targets[name]:
            found = self._own(where, one, name, row).over(found)
        return found._replace(kind="bake target")

    def _own(self, path: str, block: Block, name: str, row: Mapping[str, Any]) -> Draft:
        given = {key: self._value(raw, row) for key, raw in block.attributes.items() if key in _READ}
        platforms = given.get("platforms")
        words = [text_of(one) for one in platforms] if isinstance(platforms, list) else []
        context, file = _word(given.get("context")), _word(given.get("dockerfile"))
        tagged = given.get("tags")
        tags = [one for one in map(text_of, tagged) if isinstance(one, str)] if isinstance(tagged, list) else []
        return Draft(
            path,
            block.line,
            "bake target",
            name,
            self._folder,
            context=context.removeprefix("cwd://") if isinstance(context, str) else context,
            dockerfile=file,
            args=_args(given.get("args")),
            target=_word(given.get("target")),
            platforms=tuple(map(str, words)) if words and all(isinstance(one, str) for one in words) else None,
            contexts=_args(given.get("contexts")),
            inline=given.get("dockerfile-inline") is not None,
            tags=tuple(filter(None, tags)),
        )

    def _attribute(self, name: str, key: str) -> Any:
        """Return what the last file says of a target's attribute."""
        return next((b.attributes[key] for _, b in reversed(self._targets[name]) if key in b.attributes), None)

    def _names(self, raw: Any, row: Mapping[str, Any]) -> list[str]:
        value = self._value(raw, row)
        return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []

    def _matrix(self, name: str) -> list[dict[str, Any]]:
        """Return the variables of every combination of a target's matrix; one empty row when it has none."""
        matrix = self._value(self._attribute(name, "matrix"), {})
        if not isinstance(matrix, dict) or not all(isinstance(one, list) for one in matrix.values()):
            return [{}]
        rows = itertools.islice(itertools.product(*matrix.values()), COMBINATIONS)
        return [dict(zip(matrix, row, strict=True)) for row in rows]

    def _only_inherited(self) -> set[str]:
        """The targets that serve as templates: others inherit from them, and no group or context names them."""
        parents = {parent for name in self._targets for parent in self._names(self._attribute(name, "inherits"), {})}
        groups = [block.attributes.get("targets") for blocks in self._groups.values() for block in blocks]
        named = {name for raw in groups for name in self._names(raw, {})}
        for name in self._targets:
            contexts = self._value(self._attribute(name, "contexts"), {})
            uses = contexts.values() if isinstance(contexts, dict) else ()
            named |= {one.removeprefix("target:") for one in uses if isinstance(one, str)}
        return parents - named

    def _lookup(self, name: str, row: Mapping[str, Any]) -> Any:
        if name in row:
            return row[name]
        if name not in self._variables:
            return Unknown(f"{name} is no variable of the bake files")
        if name not in self._values:
            self._values[name] = Unknown(f"{name} refers to itself")
            raw = self._variables[name]
            value = self._value(raw, {}) if raw is not None else None
            self._values[name] = Unknown(f"{name} has no default") if value is None else value
        return self._values[name]

    def _value(self, raw: Any, row: Mapping[str, Any]) -> Any:
        """Evaluate an attribute: a tree of HCL, or data of JSON in which texts may be templates."""
        if hasattr(raw, "data") and hasattr(raw, "children"):
            return Evaluator(lambda name: self._lookup(name, row), self._callables(), self._budget).value(raw)
        if isinstance(raw, str) and ("${" in raw or "%{" in raw):
            try:
                return self._value(parse_expression(raw), row)
            except BakeSyntaxError:
                return Unknown("a template cannot be read")
        if isinstance(raw, list):
            return [self._value(one, row) for one in raw]
        return {key: self._value(one, row) for key, one in raw.items()} if isinstance(raw, dict) else raw

    def _callables(self) -> dict[str, Callable[..., Any]]:
        return {name: lambda *given, block=block: self._call(block, given) for name, block in self._functions.items()}

    def _call(self, block: Block, given: tuple[Any, ...]) -> Any:
        """Call a function of the file: its parameters are names, its result an expression over them."""
        raw: Any = block.attributes.get("params")
        tokens = raw.scan_values(lambda _: True) if hasattr(raw, "scan_values") else raw
        names = [str(token) for token in tokens or () if str(token).isidentifier()]
        if len(names) != len(given) or self._depth > DEPTH:
            return Unknown(f"{block.name}() is not worked out")
        self._depth += 1
        try:
            return self._value(block.attributes.get("result"), dict(zip(names, given, strict=True)))
        finally:
            self._depth -= 1


_READ = ("context", "dockerfile", "dockerfile-inline", "args", "target", "platforms", "contexts", "tags")


def _word(value: Any) -> Value | None:
    return None if value is None else text_of(value)


def _args(value: Any) -> dict[str, str | None]:
    """Return build arguments; null means that the Dockerfile's own default counts, so such a one is left out."""
    found: dict[str, str | None] = {}
    for name, raw in value.items() if isinstance(value, dict) else ():
        if raw is not None:
            text = text_of(raw)
            found[name] = text if isinstance(text, str) else None
    return found
