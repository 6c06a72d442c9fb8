"""The report of a fleet as one page: no network, no inline handlers, a policy that allows nothing but its own style and script.

Every value is escaped; what is not printable is shown as an escape. Without a script the page has all it has, but for the filter.
"""

from __future__ import annotations

from collections.abc import Iterator

from lucid_audit.fleet import surroundings
from lucid_audit.fleet.assets import SCRIPT, STYLE
from lucid_audit.fleet.html_layers import shared_layers
from lucid_audit.fleet.html_parts import SIGNS, listed, meter
from lucid_audit.fleet.html_service import services
from lucid_audit.fleet.words import TITLES, Document, cell, ready, tiles, trend
from lucid_audit.report.page import page, text


def render(document: Document, earlier: Document | None = None) -> str:
    """Return the page."""
    return page(f"{document['plan']}: fleet", _body(document, earlier), STYLE, SCRIPT)


def _body(document: Document, earlier: Document | None) -> Iterator[str]:
    yield '<a class="skip" href="#matrix">To the table</a>'
    yield f"<header><h1>{text(document['plan'])}</h1>"
    yield f"<p>{len(document['services'])} services, judged by lucid-audit {text(document['tool']['version'])}"
    yield f"as of {text(document['as_of'])}</p></header>"
    yield from _totals(document, earlier)
    yield from _phases(document)
    yield from _trend(document, earlier)
    yield from _matrix(document)
    yield from services(document)
    yield from shared_layers(document)
    yield from _around(document)


def _totals(document: Document, earlier: Document | None) -> Iterator[str]:
    """Yield one tile for each count, with a bar where it is a part of something, and the difference to an earlier report."""
    before = {tile.name: tile.part for tile in tiles(earlier)} if earlier is not None else {}
    yield '<ul class="totals" aria-label="Totals">'
    for tile in tiles(document):
        moved = tile.part - before[tile.name] if tile.name in before else 0
        delta = f' <span class="delta">{moved:+d}</span>' if moved else ""
        if tile.whole is None:
            kind = "bad" if tile.part else ""  # none is no praise: perhaps nothing was compared
            yield f'<li class="{kind}"><span>{text(tile.name)}</span><b>{tile.part}</b>{delta}</li>'
        else:
            kind = "good" if 0 < tile.part == tile.whole else ""
            share = f"<small>{100 * tile.part // tile.whole} %</small>" if tile.whole else ""
            yield f'<li class="{kind}"><span>{text(tile.name)}</span><b>{tile.part}<i> of {tile.whole}</i></b>{delta}{share}'
            yield f"{meter(tile.part, tile.whole)}</li>"
    yield "</ul>"


def _phases(document: Document) -> Iterator[str]:
    phases = {name: one for name, one in document["totals"]["phases"].items() if name}
    if not phases:
        return
    yield '<h2>Phases</h2>\n<div class="scroll"><table class="phases"><thead><tr><th scope="col">Phase</th>'
    yield '<th scope="col">Built</th><th scope="col">Ready</th><th scope="col"><span class="quiet">progress</span></th></tr></thead><tbody>'
    for name, one in phases.items():
        built = f"{one.get('images', 0)} of {one['services']}"
        yield f'<tr><th scope="row">{text(name)}</th><td>{built}</td><td>{one["ready"]} of {one["services"]}</td>'
        yield f'<td class="wide">{meter(one["ready"], one["services"])}</td></tr>'
    yield "</tbody></table></div>"


def _trend(document: Document, earlier: Document | None) -> Iterator[str]:
    if earlier is None:
        return
    changes = list(trend(document, earlier))
    yield f'<h2 id="trend">Since {text(earlier.get("as_of", "the earlier report"))}</h2>\n<ul class="trend">'
    yield from (f"<li>{text(change)}</li>" for change in changes or ["nothing has changed"])
    yield "</ul>"


def _matrix(document: Document) -> Iterator[str]:
    yield '<h2 id="matrix">Services</h2>\n<div class="tools" role="search"><label>Find <input id="filter" type="search"'
    yield 'autocomplete="off" aria-keyshortcuts="/"></label><label>Show <select id="only"><option value="">all</option>'
    yield '<option value="ready">ready</option><option value="open">not ready</option>'
    yield from (f'<option value="not-{name}">not met: {text(title)}</option>' for name, title in TITLES.items())
    yield '<option value="drift">drifted</option></select></label><output id="count" aria-live="polite"></output>'
    yield '<span class="keys"><kbd>/</kbd> find <kbd>←↑↓→</kbd> cells <kbd>Enter</kbd> open <kbd>Esc</kbd> back</span></div>'
    yield '<div class="scroll"><table id="services"><thead><tr><th scope="col">Service</th>'
    yield from (f'<th scope="col">{text(title)}</th>' for title in TITLES.values())
    yield '<th scope="col">Drift</th></tr></thead><tbody>'
    for number, one in enumerate(document["services"]):
        words = " ".join((one["name"], one["image"], one["file"], one["phase"], *one["tags"])).lower()
        flags = ["ready" if ready(one) else "open", *(f"not-{name}" for name in TITLES if cell(one, name) != "pass")]
        flags += ["drift"] if one["drift"] else []
        yield f'<tr data-words="{text(words)}" data-flags="{" ".join(flags)}" data-service="s{number}">'
        yield f'<th scope="row"><a href="#s{number}">{text(one["name"])}</a></th>'
        for name, title in TITLES.items():
            verdict = cell(one, name)
            yield f'<td class="{verdict}" data-title="{text(title)}"><a href="#s{number}-{name}">{SIGNS[verdict]}</a></td>'
        drifted = f'<a href="#s{number}-drift">{len(one["drift"])}</a>' if one["drift"] else ""
        yield f'<td class="{"fail" if drifted else ""}" data-title="Drift">{drifted}</td></tr>'
    yield "</tbody></table></div>"


def _around(document: Document) -> Iterator[str]:
    """Yield what surrounds the images: builds and deployments, what nobody builds or uses."""
    sections = list(surroundings.sections(document))
    if sections:
        yield '<h2 id="around">Around the images</h2><section class="around">'
    for number, (title, lines) in enumerate(sections):
        yield f'<details id="around-{number}"><summary>{text(title)}: {len(lines)}</summary>'
        yield from listed(lines)
        yield "</details>"
    if sections:
        yield "</section>"
