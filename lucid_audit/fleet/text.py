"""The report of a fleet for a terminal: the matrix, then why, service by service."""

from __future__ import annotations

from collections.abc import Iterator

from lucid_audit.fleet import surroundings
from lucid_audit.fleet.words import MARKS, TITLES, Document, cell, ready, totals, trend
from lucid_audit.report.escape import unobeyed, visible

WHY = 3  # reasons of one cell that are shown


def render(document: Document, earlier: Document | None = None, *, show_unknown: bool = False) -> str:
    """Return the report as text."""
    return unobeyed("".join(f"{line}\n" for line in _lines(document, earlier, show_unknown=show_unknown)))


def _lines(document: Document, earlier: Document | None, *, show_unknown: bool) -> Iterator[str]:
    from tabulate import tabulate  # noqa: PLC0415  (only for this format)

    rows = [
        [
            visible(one["name"]),
            *(MARKS[cell(one, name)] for name in TITLES),
            str(len(one["drift"]) or ""),
            one["judged"],
        ]
        for one in document["services"]
    ]
    yield tabulate(rows, ["Service", *TITLES.values(), "Drift", "Judged by"], "simple", disable_numparse=True)
    yield ""
    for service in document["services"]:
        if not ready(service) or service["drift"]:
            yield from _service(service, show_unknown=show_unknown)
    for title, found in surroundings.sections(document):
        yield f"{title}:"
        yield from (f"  {visible(line)}" for line in found)
        yield ""
    yield from (f"{visible(name)}: {value}" for name, value in totals(document))
    changes = list(trend(document, earlier))
    if earlier is not None:
        yield f"Since the earlier report: {visible('; '.join(changes)) or 'nothing has changed'}"


def _service(service: Document, *, show_unknown: bool) -> Iterator[str]:
    lines = []
    for name, title in TITLES.items():
        verdict = cell(service, name)
        why = service["requirements"].get(name, {}).get("why", ["nothing of it was read"])
        if verdict == "fail" or (verdict == "unknown" and show_unknown):
            lines += [f"  {title}: {MARKS[verdict]}: {visible(reason)}" for reason in why[:WHY]]
            lines += [f"  {title}: and {len(why) - WHY} more"] if len(why) > WHY else []
    subjects = [*service["images"], *([service["dockerfile"]] if service["dockerfile"] else [])]
    lines += [f"  could not be read: {visible(p['message'])}" for one in subjects for p in one["problems"]]
    lines += [
        f"  drift: {visible(one['what'])}: the Dockerfile gives {visible(one['dockerfile'])}, the image has {visible(one['image'])}"
        for one in service["drift"]
    ]
    if lines:
        yield f"{visible(service['name'])} ({visible(service['image'] or service['file'])})"
        yield from lines
        yield ""
