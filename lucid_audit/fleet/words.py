"""What every report of a fleet says the same way: titles, cells and totals in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lucid_audit.fleet.requirements import FAIL, PASS, REQUIREMENTS, UNKNOWN
from lucid_audit.tuples import NamedTuple

Document = Mapping[str, Any]
TITLES = {one.name: one.title for one in REQUIREMENTS}
MARKS = {PASS: "yes", FAIL: "NO", UNKNOWN: "?"}


def cell(service: Document, name: str) -> str:
    """Return the verdict on one requirement of a service; one that was never asked is unknown."""
    return str(service["requirements"].get(name, {}).get("verdict", UNKNOWN))


def ready(service: Document) -> bool:
    """Whether a service meets all that is asked."""
    return all(cell(service, name) == PASS for name in TITLES)


class Tile(NamedTuple):
    """One count. ``whole`` is what it is a part of; None for what should be none at all."""

    name: str
    part: int
    whole: int | None


def tiles(document: Document) -> Iterator[Tile]:
    """Yield the counts of a build report: images built, compliance, each requirement, platforms, what is wrong."""
    found = document["totals"]
    count = found["services"]
    yield Tile("Images built", found["images"], count)
    yield Tile("Compliant", found["ready"], count)
    for name, title in TITLES.items():
        yield Tile(title, found["requirements"].get(name, 0), count)
    yield Tile("Several platforms", found["several_platforms"], found["images"])
    yield Tile("Built from another Dockerfile", found["drifted"], None)
    yield Tile("Could not be read", found["unread"], None)


def totals(document: Document) -> Iterator[tuple[str, str]]:
    """Yield the counts as text, each with its name."""
    for tile in tiles(document):
        yield tile.name, str(tile.part) if tile.whole is None else _of(tile.part, tile.whole)
    for phase, one in document["totals"]["phases"].items():
        if phase:
            yield f"Phase {phase}", _of(one["ready"], one["services"])


def _of(part: int, whole: int) -> str:
    return f"{part} of {whole}" + (f" ({100 * part // whole} %)" if whole else "")


def trend(document: Document, earlier: Document | None) -> Iterator[str]:
    """Yield what has changed since an earlier report, one clause for each service and requirement."""
    if earlier is None:
        return
    before = {one["name"]: one for one in earlier.get("services", ())}
    for service in document["services"]:
        old = before.pop(service["name"], None)
        if old is None:
            yield f"{service['name']} is new"
            continue
        for name, title in TITLES.items():
            was, now = cell(old, name), cell(service, name)
            if was != now:
                yield f"{service['name']}: {title} was {MARKS[was]}, is {MARKS[now]}"
    yield from (f"{name} is gone" for name in before)
