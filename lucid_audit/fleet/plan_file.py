"""Reads a plan and says what is wrong with it, with file and line."""

from __future__ import annotations

import os
from typing import Any

from lucid_audit.catalogue import schema
from lucid_audit.errors import UsageError
from lucid_audit.fleet.plan import Plan, Service
from lucid_audit.schema import validate
from lucid_audit.yamlsource import load

NAME = "lucid-plan.yaml"
LIMIT = 4 << 20  # bytes


def read(path: str) -> Plan:
    """Read a plan.

    Raises:
        UsageError: it cannot be read or is not valid.

    """
    try:
        with open(path, encoding="utf-8-sig") as stream:
            text = stream.read(LIMIT + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8") from None
    if len(text) > LIMIT:
        raise UsageError(f"{path}: larger than {LIMIT} bytes")
    document = load(path, text)
    validate(document, schema("plan"), "the plan")
    common = tuple(document.data.get("platforms", ()))
    seen: dict[str, int] = {}
    services = []
    for number, raw in enumerate(document.data["services"]):
        line = document.line(("services", number))
        first = seen.setdefault(raw["name"], line)
        if first != line:
            raise UsageError(f"{path}:{line}: there is a service {raw['name']!r} already, in line {first}")
        services.append(_service(raw, common, line))
    return Plan(path, os.path.dirname(path) or ".", tuple(services))


def _service(raw: dict[str, Any], platforms: tuple[str, ...], line: int) -> Service:
    values: dict[str, Any] = {**raw, "line": line}
    values["platforms"] = tuple(raw.get("platforms", platforms))
    values["tags"] = tuple(raw.get("tags", ()))
    values["phase"] = str(raw.get("phase", ""))
    values["args"] = {name: _word(value) for name, value in raw.get("args", {}).items()}
    return Service(**values)


def _word(value: Any) -> str:
    """Return a build argument as the builder gets it: YAML's true is written so."""
    return str(value).lower() if isinstance(value, bool) else str(value)
