"""The report of a fleet for a pull request: the matrix, the totals, and what is wrong folded away."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from lucid_audit.fleet import surroundings
from lucid_audit.fleet.requirements import FAIL
from lucid_audit.fleet.words import MARKS, TITLES, Document, cell, totals, trend
from lucid_audit.report.escape import visible
from lucid_audit.report.markdown import LIMIT, prose

_SIGNS = {"pass": "✅", "fail": "❌", "unknown": "❔"}


def render(document: Document, earlier: Document | None = None) -> str:
    """Return the report as Markdown."""
    head = ["Service", *TITLES.values(), "Drift"]
    lines = ["## Fleet", "", f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for one in document["services"]:
        cells = [f"{_SIGNS[cell(one, name)]} {MARKS[cell(one, name)]}" for name in TITLES]
        lines.append(f"| {prose(one['name'])} | {' | '.join(cells)} | {len(one['drift']) or ''} |")
    lines += ["", *(f"- {prose(name)}: {value}" for name, value in totals(document))]
    changes = list(trend(document, earlier))
    if earlier is not None:
        lines += [
            "",
            "Since the earlier report:",
            "",
            *(f"- {prose(one)}" for one in changes or ["nothing has changed"]),
        ]
    used, left = sum(len(line) + 1 for line in lines), 0
    for one in document["services"]:
        block = _why(one)
        size = sum(len(line) + 1 for line in block)
        if left or used + size > LIMIT:
            left += bool(block)
        else:
            lines += block
            used += size
    for block, shorter in _beside(document):
        fits = used + sum(len(line) + 1 for line in block) <= LIMIT
        lines += block if fits else shorter
        used += sum(len(line) + 1 for line in (block if fits else shorter))
    if left:
        lines += ["", f"**What is wrong with {left} more did not fit in a comment.**"]
    return "\n".join(lines) + "\n"


def _beside(document: Document) -> Iterator[tuple[list[str], list[str]]]:
    """Yield each part that is beside the services, and what stands for it where it does not fit."""
    for title, found in surroundings.sections(document):
        head = ["", f"<details><summary>{title}: {len(found)}</summary>", ""]
        block = [*head, *(f"- {prose(line)}" for line in found), "", "</details>"]
        yield block, ["", f"**{title}: {len(found)}, which did not fit in a comment.**"]


def _why(service: Document) -> list[str]:
    why = [
        f"{TITLES[name]}: {reason}"
        for name in TITLES
        if cell(service, name) == FAIL
        for reason in service["requirements"][name]["why"]
    ]
    why += [
        f"drift: {one['what']}: {one['dockerfile']} in the Dockerfile, {one['image']} in the image"
        for one in service["drift"]
    ]
    if not why:
        return []
    head = ["", f"<details><summary>{escape(visible(service['name']))}</summary>", ""]  # no code spans in HTML
    return [*head, *(f"- {prose(text)}" for text in why), "", "</details>"]
