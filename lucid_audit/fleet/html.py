"""The report of a fleet as one page: no network, no inline handlers, a policy that allows nothing but its own style and script.

Every value is escaped; what is not printable is shown as an escape. Without a script the page has all it has, but for the filter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lucid_audit.fleet import surroundings
from lucid_audit.fleet.assets import SCRIPT, STYLE
from lucid_audit.fleet.words import MARKS, TITLES, Document, cell, ready, totals, trend
from lucid_audit.report.page import page
from lucid_audit.report.page import text as _text

LAYERS = 200  # rectangles of one picture; more cannot be told apart


def render(document: Document, earlier: Document | None = None) -> str:
    """Return the page."""
    return page(f"{document['plan']}: fleet", _body(document, earlier), STYLE, SCRIPT)


def _body(document: Document, earlier: Document | None) -> Iterator[str]:
    yield f"<h1>{_text(document['plan'])}</h1>"
    yield f'<p class="about">judged by lucid-audit {_text(document["tool"]["version"])} as of {_text(document["as_of"])}</p>'
    yield from _totals(document)
    yield from _trend(document, earlier)
    yield from _matrix(document)
    yield from _services(document)
    yield from _around(document)


def _totals(document: Document) -> Iterator[str]:
    yield '<ul class="totals" aria-label="Totals">'
    for name, value in totals(document):
        yield f"<li>{_text(name)}<b>{_text(value)}</b></li>"
    yield "</ul>"


def _trend(document: Document, earlier: Document | None) -> Iterator[str]:
    if earlier is None:
        return
    changes = list(trend(document, earlier))
    yield f"<h2>Since {_text(earlier.get('as_of', 'the earlier report'))}</h2>\n<ul>"
    yield from (f"<li>{_text(change)}</li>" for change in changes or ["nothing has changed"])
    yield "</ul>"


def _matrix(document: Document) -> Iterator[str]:
    yield '<h2 id="matrix">Services</h2>\n<div class="tools"><label>Find <input id="filter" type="search" autocomplete="off"></label>'
    yield '<label>Show <select id="only"><option value="">all</option><option value="ready">ready</option>'
    yield '<option value="open">not ready</option></select></label><output id="count" aria-live="polite"></output></div>'
    yield '<div class="scroll"><table><thead><tr><th scope="col">Service</th>'
    yield from (f'<th scope="col">{_text(title)}</th>' for title in TITLES.values())
    yield '<th scope="col">Drift</th></tr></thead><tbody>'
    for number, one in enumerate(document["services"]):
        words = " ".join((one["name"], one["image"], one["file"], one["phase"], *one["tags"])).lower()
        state = "ready" if ready(one) else "open"
        yield f'<tr data-words="{_text(words)}" data-state="{state}" data-service="s{number}">'
        yield f'<th scope="row"><a href="#s{number}">{_text(one["name"])}</a></th>'
        for name in TITLES:
            verdict = cell(one, name)
            yield f'<td class="{verdict}"><a href="#s{number}-{name}">{MARKS[verdict]}</a></td>'
        drifted = f'<a class="fail" href="#s{number}-drift">{len(one["drift"])}</a>' if one["drift"] else ""
        yield f"<td>{drifted}</td></tr>"
    yield "</tbody></table></div>"


def _services(document: Document) -> Iterator[str]:
    shared = Counter(digest for one in document["services"] for digest in {layer["digest"] for layer in one["layers"]})
    widest = max((sum(sizes.values()) for one in document["services"] for sizes in [_sizes(one)]), default=0)
    yield "<h2>Findings and proof</h2>"
    for number, one in enumerate(document["services"]):
        yield f'<section class="service" id="s{number}"><h3>{_text(one["name"])}</h3><dl>'
        for name, value in (("image", one["image"]), ("Dockerfile", one["file"]), ("build context", one["context"]),
                            ("platforms", " ".join(one["platforms"])), ("port", one["port"] or ""), ("phase", one["phase"]),
                            ("judged by", one["judged"])):  # fmt: skip
            if value:
                yield f"<dt>{name}</dt><dd>{_text(value)}</dd>"
        yield "</dl>"
        for name, title in TITLES.items():
            verdict = cell(one, name)
            why = one["requirements"].get(name, {}).get("why") or (
                ["no rule that answers found anything"] if verdict == "pass" else ["nothing of it was read"]
            )
            yield from _fold(
                f"s{number}-{name}", f'{_text(title)}: <span class="{verdict}">{MARKS[verdict]}</span>', why
            )
        if one["drift"]:
            lines = [
                f"{d['what']}: {d['dockerfile']} in the Dockerfile, {d['image']} in the image" for d in one["drift"]
            ]
            yield from _fold(f"s{number}-drift", '<span class="fail">Not built from this Dockerfile</span>', lines)
        yield from _subjects(one)
        yield from _layers(one, shared, widest)
        yield '<a href="#matrix">back to the table</a></section>'


def _around(document: Document) -> Iterator[str]:
    """Yield what surrounds the images: builds and deployments, what nobody builds or uses."""
    for number, (title, lines) in enumerate(surroundings.sections(document)):
        yield from _fold(f"around-{number}", f"{_text(title)}: {len(lines)}", lines)


def _fold(identifier: str, summary: str, lines: list[str]) -> Iterator[str]:
    yield f'<details id="{identifier}"><summary>{summary}</summary><ul>'
    yield from (f"<li>{_text(line)}</li>" for line in lines)
    yield "</ul></details>"


def _subjects(service: Document) -> Iterator[str]:
    """Yield all findings of the Dockerfile and of each image, and what of an image is proven."""
    for subject in [*([service["dockerfile"]] if service["dockerfile"] else []), *service["images"]]:
        label = " ".join(filter(None, (subject["name"], subject.get("platform", ""))))
        found = subject["findings"]
        count = sum(one["suppressed"] is None for one in found)
        yield f"<details><summary>{_text(label)}: {count} findings, {len(subject['skipped'])} skipped</summary>"
        facts = subject.get("facts") or {}
        if facts:
            yield "<dl>" + "".join(f"<dt>{_text(n)}</dt><dd>{_text(v)}</dd>" for n, v in facts.items()) + "</dl>"
        yield "<ul>"
        for problem in subject["problems"]:
            yield f'<li class="fail">{_text(problem["message"])}</li>'
        for one in found:
            silenced = " (silenced)" if one["suppressed"] is not None else ""
            place = one["location"].get("line") or one["location"].get("field") or one["location"].get("path") or ""
            yield f"<li>{_text(place)} {_text(one['severity'])}: {_text(one['message'])} [{_text(one['rule'])}]{silenced}</li>"
        yield "</ul></details>"


def _sizes(service: Document) -> dict[str, int]:
    """Return the sizes of the layers of the first platform."""
    first = service["layers"][0]["platform"] if service["layers"] else ""
    return {layer["digest"]: layer["size"] for layer in service["layers"] if layer["platform"] == first}


def _layers(service: Document, shared: Counter[str], widest: int) -> Iterator[str]:
    """Draw the layers of one platform to the scale of the largest image; what other services have too is grey."""
    sizes = _sizes(service)
    if not sizes or not widest:
        return
    total = sum(sizes.values())
    own = sum(size for digest, size in sizes.items() if shared[digest] == 1)
    yield f"<p>{total / 1e6:.1f} MB packed in {len(sizes)} layers, {own / 1e6:.1f} MB of them its own</p>"
    yield f'<svg viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label="layers of {_text(service["name"])}">'
    made = {layer["digest"]: layer["created_by"] for layer in service["layers"]}
    at = 0.0
    for digest, size in list(sizes.items())[:LAYERS]:
        width = 1000 * size / widest
        kind = "own" if shared[digest] == 1 else "shared"
        yield f'<rect class="{kind}" x="{at:.2f}" y="0" width="{width:.2f}" height="10"><title>{size / 1e6:.2f} MB, {_text(made[digest])}</title></rect>'
        at += width
    yield "</svg>"
