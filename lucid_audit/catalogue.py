"""Reads what ships with the tool: rules, profiles and base images, compiled or from the YAML sources.

A wheel carries them as a module (made when it is built), because parsing a hundred YAML files costs more than linting, and
reading one JSON file still costs five times what Python's own byte code does.
A checkout or an editable install reads the YAML, so that an edited rule is in force at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cache

from lucid_audit.bases import merge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

PACKAGE = os.path.dirname(os.path.abspath(__file__))
KINDS = ("dockerfile", "container", "image", "publication", "policy", "compose", "build-command")
COLD_KEYS = ("examples", "rationale", "references")  # read from the YAML when somebody asks for an explanation


def folder() -> Path:
    """Return the folder of rules: inside the package in a wheel, beside it in a checkout."""
    from pathlib import Path  # noqa: PLC0415  (a wheel never needs it to lint)

    inside = Path(PACKAGE, "rules")
    return inside if inside.is_dir() else Path(PACKAGE).parent / "rules"


@cache
def compiled() -> Mapping[str, Any]:
    """Return ``{"rules": [...], "profiles": {...}, "bases": {...}}``, compiled if there is such a module."""
    try:
        from lucid_audit.compiled import DATA  # type: ignore[import-not-found]  # noqa: PLC0415  (in a wheel only)
    except ModuleNotFoundError:
        return compile_folder(folder())
    return DATA  # type: ignore[no-any-return]


@cache
def fingerprints() -> Mapping[str, Any]:
    """Return what bases are known by: a module of its own, which linting a Dockerfile never loads."""
    try:
        from lucid_audit.compiled_fingerprints import DATA  # type: ignore[import-not-found]  # noqa: PLC0415  (in a wheel only)
    except ModuleNotFoundError:
        return compile_fingerprints(folder())
    return DATA  # type: ignore[no-any-return]


def source() -> str:
    """Return the source of ``lucid_audit/compiled.py``, which a wheel carries. Plain data is written as it is read."""
    return _module(compile_folder(folder()))


def source_of_fingerprints() -> str:
    """Return the source of ``lucid_audit/compiled_fingerprints.py``, which a wheel carries too."""
    return _module(compile_fingerprints(folder()))


def _module(data: Mapping[str, Any]) -> str:
    return f'"""Made of rules/ when the wheel was built."""\n\nDATA = {data!r}\n'


def compile_folder(root: Path) -> dict[str, Any]:
    """Read every YAML file below ``root`` into the shape of ``compiled``."""
    from lucid_audit.yamlsource import load  # noqa: PLC0415  (a wheel never needs YAML to lint)

    def read(pattern: str) -> Iterator[dict[str, Any]]:
        for file in sorted(root.glob(pattern)):
            yield load(str(file), file.read_text("utf-8")).data

    return {
        "rules": [
            {"subject": kind, **{key: value for key, value in rule.items() if key not in COLD_KEYS}}
            for kind in KINDS
            for rule in read(f"{kind}/*.yaml")
        ],
        "profiles": {profile["name"]: profile for profile in read("profiles/*.yaml")},
        "bases": merge(read("bases/*.yaml")),
    }


def compile_fingerprints(root: Path) -> dict[str, Any]:
    """Read every YAML file of ``fingerprints`` into one mapping."""
    from lucid_audit.yamlsource import load  # noqa: PLC0415  (a wheel never needs YAML)

    files = sorted((root / "fingerprints").glob("*.yaml"))
    return {name: one for file in files for name, one in load(str(file), file.read_text("utf-8")).data.items()}


def rule_file(rule_id: str) -> Path | None:
    """Return the YAML file of a built-in rule."""
    for kind in KINDS:
        file = folder() / kind / f"{rule_id}.yaml"
        if file.is_file():
            return file
    return None


def schema(name: str) -> dict[str, Any]:
    """Return a schema that ships with the rules: rule, profile, policy, bases."""
    import json  # noqa: PLC0415  (only for who writes rules or a policy)

    data: dict[str, Any] = json.loads((folder() / f"{name}.schema.json").read_bytes())
    return data
