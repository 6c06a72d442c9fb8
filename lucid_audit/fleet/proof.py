"""What each cell of the report rests on: what was measured of the image, or predicted, that its requirement asks about."""

from __future__ import annotations

from collections.abc import Iterator

from lucid_audit.fleet.words import Document
from lucid_audit.tuples import NamedTuple

_STARTS = {"starts": "starts", "health": "health check"}  # the line of a proof that begins what proves a requirement
_FACTS = {
    "distroless": ("base",),
    "shell": ("base",),
    "user": ("user",),
    "platforms": ("platform", "platforms", "digest"),
}
_PREDICTED = {"distroless": ("image",), "shell": ("image",), "user": ("user",), "platforms": ("platform",)}


class Proof(NamedTuple):
    """Lines that prove something. ``of`` is the platform, or ``dockerfile``; a line is a name ("" goes on) and a text."""

    of: str
    lines: tuple[tuple[str, str], ...]


def proofs(service: Document, requirement: str) -> Iterator[Proof]:
    """Yield what is known that a requirement asks about: first of each image, then of the Dockerfile's prediction."""
    for subject in service["images"]:
        facts = subject.get("facts") or {}
        lines = tuple((name, facts[name]) for name in _FACTS.get(requirement, ()) if name in facts)
        if lines:
            yield Proof(subject.get("platform", "") or "index", lines)
    for one in service["proof"]:
        lines = tuple(_chain(one["lines"], _STARTS[requirement])) if requirement in _STARTS else ()
        if one["of"] == "dockerfile" and requirement in _PREDICTED:
            lines = tuple((name, text) for name, text in one["lines"] if name in _PREDICTED[requirement])
        if lines:
            yield Proof(one["of"], lines)


def _chain(lines: list[list[str]], name: str) -> Iterator[tuple[str, str]]:
    """Yield one named line and those that go on with it."""
    inside = False
    for what, text in lines:
        inside = what == name or (inside and not what)
        if inside:
            yield what, text
