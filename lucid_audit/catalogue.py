"""Reads what ships with the tool: rules, profiles and base images, from the compiled file or from the YAML sources.

A wheel carries ``catalogue.json`` (made when it is built), because parsing a hundred YAML files costs more than linting.
A checkout or an editable install reads the YAML, so that an edited rule is in force at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lucid_audit.bases import merge

PACKAGE = Path(__file__).parent
KINDS = ("dockerfile", "container")
COLD_KEYS = ("examples", "rationale", "references")  # read from the YAML when somebody asks for an explanation


def folder() -> Path:
    """Return the folder of rules: inside the package in a wheel, beside it in a checkout."""
    inside = PACKAGE / "rules"
    return inside if inside.is_dir() else PACKAGE.parent / "rules"


@cache
def compiled() -> Mapping[str, Any]:
    """Return ``{"rules": [...], "profiles": {...}, "bases": {...}}``, compiled if there is such a file."""
    file = folder() / "catalogue.json"
    if file.is_file():
        data: Mapping[str, Any] = json.loads(file.read_bytes())
        return data
    return compile_folder(folder())


def compile_folder(root: Path) -> dict[str, Any]:
    """Read every YAML file below ``root`` into the shape of ``catalogue.json``."""
    from lucid_audit.yamlsource import load  # noqa: PLC0415  (a wheel never needs YAML to lint)

    def read(pattern: str) -> Iterator[dict[str, Any]]:
        for file in sorted(root.glob(pattern)):
            yield load(str(file), file.read_text("utf-8")).data

    return {
        "rules": [
            {key: value for key, value in rule.items() if key not in COLD_KEYS}
            for kind in KINDS
            for rule in read(f"{kind}/*.yaml")
        ],
        "profiles": {profile["name"]: profile for profile in read("profiles/*.yaml")},
        "bases": merge(read("bases/*.yaml")),
    }


def rule_file(rule_id: str) -> Path | None:
    """Return the YAML file of a built-in rule."""
    for kind in KINDS:
        file = folder() / kind / f"{rule_id}.yaml"
        if file.is_file():
            return file
    return None


def schema(name: str) -> dict[str, Any]:
    """Return a schema that ships with the rules: rule, profile, policy, bases."""
    data: dict[str, Any] = json.loads((folder() / f"{name}.schema.json").read_bytes())
    return data
