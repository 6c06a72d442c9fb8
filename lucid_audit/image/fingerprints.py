"""What bases are known by: diff_ids, package names, paths and os-release IDs, as ``rules/fingerprints`` has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from lucid_audit.tuples import NamedTuple


class Fingerprint(NamedTuple):
    """A constant layer: its place in the run, the release it belongs to ("" for all), and when the next one replaced it."""

    layer: str
    release: str
    until: date | None


class Family(NamedTuple):
    """A repository of distroless and what tells it: a recorded package, a path, a name in a folder, a history line."""

    name: str
    package: re.Pattern[str] | None
    path: str
    folder: str
    child: re.Pattern[str] | None
    line: re.Pattern[str] | None

    @property
    def any(self) -> bool:
        """Whether it asks for nothing, so that it fits what no other fits."""
        return self.package is None and not self.path and not self.folder


class Other(NamedTuple):
    """A base by its os-release and files. ``image`` is a template of its name; ``minimal``: without shell by design."""

    name: str
    ids: frozenset[str]
    present: tuple[str, ...]
    absent: tuple[str, ...]
    image: str
    minimal: bool


class Fingerprints(NamedTuple):
    """Everything. ``order`` is that of the constant layers, ``layers`` has them by diff_id.

    ``packages`` fits the name of every package of distroless. ``shapes`` are paths of its layers without a package.
    """

    order: tuple[str, ...]
    layers: Mapping[str, Fingerprint]
    packages: re.Pattern[str]
    shapes: tuple[tuple[str, ...], ...]
    families: tuple[Family, ...]
    others: tuple[Other, ...]


def read_fingerprints(data: Mapping[str, Any]) -> Fingerprints:
    """Read ``rules/fingerprints`` as the catalogue has it."""
    raw = data["distroless"]
    layers = {one["diff_id"]: Fingerprint(one["layer"], one.get("release", ""), _day(one)) for one in raw["layers"]}
    return Fingerprints(
        tuple(raw["order"]),
        layers,
        re.compile("|".join(raw["packages"])),
        tuple(tuple(shape) for shape in raw["layers_without_record"]),
        tuple(map(_family, raw["families"])),
        tuple(map(_other, data["others"])),
    )


def _day(one: Mapping[str, str]) -> date | None:
    return date.fromisoformat(one["until"]) if "until" in one else None


def _family(raw: Mapping[str, str]) -> Family:
    def pattern(key: str) -> re.Pattern[str] | None:
        return re.compile(raw[key]) if key in raw else None

    return Family(
        raw["name"], pattern("package"), raw.get("path", ""), raw.get("of", ""), pattern("child"), pattern("line")
    )


def _other(raw: Mapping[str, Any]) -> Other:
    return Other(
        raw["name"],
        frozenset(raw["ids"]),
        tuple(raw.get("with", ())),
        tuple(raw.get("without", ())),
        raw.get("image", ""),
        raw.get("minimal", False),
    )
