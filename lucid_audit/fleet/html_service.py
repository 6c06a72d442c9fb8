"""The part of the page about each service: what is not met and why, what proves it, all findings, the layers."""

from __future__ import annotations

from collections.abc import Iterator

from lucid_audit.fleet.html_layers import Sharing, layers
from lucid_audit.fleet.html_parts import SIGNS, definitions, listed
from lucid_audit.fleet.proof import proofs
from lucid_audit.fleet.words import TITLES, Document, cell, ready
from lucid_audit.report.page import text

_WHY = {"pass": ["no rule that answers found anything"], "unknown": ["nothing of it was read"], "fail": []}


def services(document: Document) -> Iterator[str]:
    """Yield a section for each service."""
    sharing = Sharing(document)
    yield "<h2>Findings and proof</h2>"
    for number, one in enumerate(document["services"]):
        state = "ready" if ready(one) else "open"
        yield f'<section class="service {state}" id="s{number}" tabindex="-1"><h3>{text(one["name"])}'
        yield f'<span class="badge">{"ready" if state == "ready" else "not ready"}</span></h3>{definitions(_described(one))}'
        for name in TITLES:
            yield from _requirement(one, number, name)
        yield from _drift(one, number)
        yield from _subjects(one)
        yield from layers(one, sharing)
        yield '<a class="back" href="#matrix">back to the table</a></section>'


def _described(service: Document) -> Iterator[tuple[str, object]]:
    for name, value in (
        ("image", service["image"]),
        ("Dockerfile", service["file"]),
        ("build context", service["context"]),
        ("base", service["base"]),
        ("platforms", " ".join(service["platforms"])),
        ("port", service["port"]),
        ("health", service["health"]),
        ("tags", " ".join(service["tags"])),
        ("phase", service["phase"]),
        ("judged by", service["judged"]),
    ):
        if value:
            yield name, value


def _requirement(service: Document, number: int, name: str) -> Iterator[str]:
    """Yield one cell in full: why, then what it rests on."""
    verdict = cell(service, name)
    why = service["requirements"].get(name, {}).get("why") or _WHY[verdict]
    yield f'<details id="s{number}-{name}"><summary>{text(TITLES[name])} <span class="{verdict}">{SIGNS[verdict]}</span></summary>'
    yield from listed(why)
    for proof in proofs(service, name):
        said = "predicted from the Dockerfile" if proof.of == "dockerfile" else f"measured: {proof.of}"
        yield f'<div class="proof"><h4>{text(said)}</h4><ol>'
        for what, line in proof.lines:
            wrong = ' class="fail"' if line.startswith("✗") else ' class="unknown"' if line.startswith("?") else ""
            yield f"<li{wrong}>{f'<b>{text(what)}</b> ' if what else ''}{text(line)}</li>"
        yield "</ol></div>"
    yield "</details>"


def _drift(service: Document, number: int) -> Iterator[str]:
    if not service["drift"]:
        return
    yield f'<details id="s{number}-drift"><summary><span class="fail">Not built from this Dockerfile</span> {len(service["drift"])}</summary>'
    yield '<div class="scroll"><table class="drift"><thead><tr><th scope="col">What</th><th scope="col">Dockerfile</th>'
    yield '<th scope="col">Image</th></tr></thead><tbody>'
    for one in service["drift"]:
        yield f'<tr><th scope="row">{text(one["what"])}</th><td>{text(one["dockerfile"])}</td><td>{text(one["image"])}</td></tr>'
    yield "</tbody></table></div></details>"


def _subjects(service: Document) -> Iterator[str]:
    """Yield all findings of the Dockerfile and of each image."""
    for subject in [*([service["dockerfile"]] if service["dockerfile"] else []), *service["images"]]:
        label = " ".join(filter(None, (subject["name"], subject.get("platform", ""))))
        found, problems = subject["findings"], subject["problems"]
        count = sum(one["suppressed"] is None for one in found)
        words = f"{count} finding{'' if count == 1 else 's'}, {len(subject['skipped'])} not known"
        yield f"<details><summary>{text(label)} <small>{'<span class=fail>could not be read</span>' if problems else words}</small></summary>"
        facts = subject.get("facts") or {}
        if facts:
            yield definitions(facts.items())
        yield '<ul class="findings">'
        for problem in problems:
            yield f'<li class="fail">{text(problem["message"])}</li>'
        for one in found:
            silenced = " silenced" if one["suppressed"] is not None else ""
            place = one["location"].get("line") or one["location"].get("field") or one["location"].get("path") or ""
            why = (
                f" ({text(one['suppressed']['reason'])})"
                if one["suppressed"] and one["suppressed"].get("reason")
                else ""
            )
            yield f'<li class="{text(one["severity"])}{silenced}"><span class="level">{text(one["severity"])}</span> {text(one["message"])}'
            yield f"<small>{text(one['rule'])}{f' · {text(place)}' if place else ''}{why}</small></li>"
        yield "</ul>"
        if subject["skipped"]:
            yield '<ul class="skipped">'
            for skip in {(one["rule"], one["reason"]): one for one in subject["skipped"]}:
                yield f"<li>{text(skip[1])}<small>{text(skip[0])}</small></li>"
            yield "</ul>"
        yield "</details>"
