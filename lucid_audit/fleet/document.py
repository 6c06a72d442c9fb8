"""The answer for a whole fleet as plain data: the services, what they come to, and what only shows when they are seen together."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from lucid_audit import __version__
from lucid_audit.fleet import requirements
from lucid_audit.fleet.names import known_as
from lucid_audit.fleet.plan import Plan
from lucid_audit.fleet.run import unread

Service = Mapping[str, Any]


def document(
    plan: Plan, services: Sequence[Service], day: date, around: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the whole answer; its shape is ``docs/fleet.schema.json``. ``around``: what ``surroundings.judged`` found."""
    compared = [{**one, "drift": [*one["drift"], *more]} for one, more in zip(services, _bases(services), strict=True)]
    return {
        "version": 1,
        "tool": {"name": "lucid-audit", "version": __version__},
        "plan": os.path.basename(plan.path),
        "as_of": day.isoformat(),
        "totals": totals(compared),
        "services": compared,
        **({"around": dict(around)} if around is not None else {}),
    }


def dumps(found: Mapping[str, Any]) -> str:
    """Return the answer as JSON in ASCII."""
    return json.dumps(found, indent=1) + "\n"


def totals(services: Sequence[Service]) -> dict[str, Any]:
    """Count as the release owner does: images built, compliant ones, several platforms, health checks, each phase."""

    def passed(service: Service, name: str) -> bool:
        return bool(service["requirements"].get(name, {}).get("verdict") == requirements.PASS)

    names = [one.name for one in requirements.REQUIREMENTS]
    read = [one for one in services if one["judged"] == "image"]
    phases: dict[str, dict[str, int]] = {}
    for one in services:
        phase = phases.setdefault(one["phase"], {"ready": 0, "images": 0, "services": 0})
        phase["ready"] += all(passed(one, name) for name in names)
        phase["images"] += one["judged"] == "image"
        phase["services"] += 1
    return {
        "services": len(services),
        "images": len(read),
        "ready": sum(all(passed(one, name) for name in names) for one in services),
        "requirements": {name: sum(passed(one, name) for one in services) for name in names},
        "several_platforms": sum(len({layer["platform"] for layer in one["layers"]}) > 1 for one in read),
        "drifted": sum(bool(one["drift"]) for one in services),
        "unread": sum(unread(one) for one in services),
        "phases": dict(sorted(phases.items())),
        "layers": _sizes(services),
    }


def _sizes(services: Sequence[Service]) -> dict[str, int]:
    """Return packed bytes of all layers, as often as images have them, and each once: what sharing saves."""
    every = [(layer["digest"], layer["size"]) for one in services for layer in one["layers"]]
    return {"listed": sum(size for _, size in every), "stored": sum(dict(every).values())}


def _bases(services: Sequence[Service]) -> Iterator[list[dict[str, str]]]:
    """Yield for each service how its image differs from being built on the image of another service that its Dockerfile names.

    The layers of the one are the lowest of the other, in each platform that both have; no layer is known by its compression.
    """
    by_name: dict[str, Service] = {}
    for one in services:
        if one["image"]:
            by_name.setdefault(known_as(one["image"]), one)
    for one in services:
        pinned = "@" in one["base"]  # to what need not be what its name means now
        base = by_name.get(known_as(one["base"])) if one["base"] and not pinned else None
        found = []
        for platform, layers in _stacks(one).items() if base is not None and base is not one else ():
            below = _stacks(base).get(platform) if base is not None else None
            if below and layers[: len(below)] != below:
                shared = next((at for at, (a, b) in enumerate(zip(below, layers, strict=False)) if a != b), len(layers))
                said = f"{shared} of its {len(below)} layers: {base['name'] if base else ''} was built anew since"
                found.append({"what": f"base ({platform})", "dockerfile": one["base"], "image": said})
        yield found


def _stacks(service: Service) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for layer in service["layers"]:
        found.setdefault(layer["platform"], []).append(layer["diff_id"])
    return found
