"""A report as one page: of each subject what it is, how it starts step by step, its layers drawn to scale, and what was found."""

from __future__ import annotations

from collections.abc import Iterator

from lucid_audit import __version__
from lucid_audit.finding import Finding, Layer, Location, Report, Severity, SubjectReport
from lucid_audit.report.page import STYLE as PAGE
from lucid_audit.report.page import page, text
from lucid_audit.report.summary import plural

CHAINS = ("starts", "health check")  # the facts that are proofs: a line of each step follows
LAYERS = 200  # rectangles of one picture; more cannot be told apart
MARKS = {Severity.error: "fail", Severity.warning: "unknown", Severity.note: "note"}
STYLE = (
    PAGE
    + """
section.subject { border-top: 1px solid var(--line); padding: .8rem 0; }
ol.chain { list-style: none; margin: .3rem 0 .8rem; padding: 0; }
ol.chain li { position: relative; margin: 0 0 0 .55rem; padding: .3rem .6rem .3rem 1.1rem; border-left: 2px solid var(--line); }
ol.chain li::before { content: ""; position: absolute; left: -.4rem; top: .66rem; width: .65rem; height: .65rem; border-radius: 50%; background: var(--pass); }
ol.chain li.fail::before { background: var(--fail); border-radius: 0; } ol.chain li.unknown::before { background: var(--unknown); }
ol.chain li.first::before { background: Highlight; } ol.chain li small { opacity: .75; display: block; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top; } td:not(:last-child), th { overflow-wrap: normal; } td.number { text-align: right; white-space: nowrap; }
svg { width: 100%; height: 2.2rem; display: block; margin: .3rem 0; } svg rect { stroke: Canvas; stroke-width: .6; fill: #6e9bd6; } svg rect:nth-child(even) { fill: #4f7fbd; }
code { font: .92em ui-monospace, monospace; }
@media print { section.subject { break-inside: avoid-page; } }
"""
)


def render(report: Report) -> str:
    """Return the page."""
    names = list(dict.fromkeys(one.name for one in report.subjects))
    return page(f"lucid-audit: {names[0] if len(names) == 1 else plural(len(names), 'subject')}", _body(report), STYLE)


def _body(report: Report) -> Iterator[str]:
    counts = ", ".join(plural(report.count(one), one.name) for one in sorted(Severity, reverse=True))
    yield "<h1>lucid-audit</h1>"
    yield f'<p class="about">{text(counts)} in {plural(len(report.subjects), "subject")}; {report.skipped} checks skipped; version {text(__version__)}</p>'
    if len(report.subjects) > 1:
        yield "<ul>"
        for number, one in enumerate(report.subjects):
            worst = max((finding.severity for finding in one.findings), default=None)
            mark = "fail" if one.problems else MARKS[worst] if worst is not None else "pass"
            yield f'<li><a href="#s{number}">{text(_named(one))}</a>: <span class="{mark}">{text(_said(one))}</span></li>'
        yield "</ul>"
    for number, one in enumerate(report.subjects):
        yield from _subject(number, one)


def _named(subject: SubjectReport) -> str:
    return f"{subject.name} ({subject.platform})" if subject.platform else subject.name


def _said(subject: SubjectReport) -> str:
    if subject.problems:
        return "could not be read"
    return plural(len(subject.findings), "finding") if subject.findings else "nothing found"


def _subject(number: int, subject: SubjectReport) -> Iterator[str]:
    yield f'<section class="subject" id="s{number}"><h2>{text(_named(subject))}</h2>'
    yield from (f'<p class="fail">{text(one.message)}</p>' for one in subject.problems)
    plain, chains = _split(subject)
    if plain:
        yield "<dl>" + "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in plain) + "</dl>"
    yield from _findings(subject)
    for name, steps in chains:
        yield from _chain(name, steps)
    yield from _layers(subject)
    if subject.skipped:
        yield f"<details><summary>{plural(len(subject.skipped), 'check')} skipped, and why</summary><ul>"
        yield from (f"<li>{text(one.reason)} [{text(one.rule)}]</li>" for one in subject.skipped)
        yield "</ul></details>"
    yield "</section>"


def _split(subject: SubjectReport) -> tuple[list[tuple[str, str]], list[tuple[str, list[str]]]]:
    """Return what a subject is, and its proofs: the one of how it starts, and what follows it under a name that proofs have."""
    plain: list[tuple[str, str]] = []
    chains: list[tuple[str, list[str]]] = []
    goes_on = False
    for name, value in subject.facts:
        if name:
            goes_on = name == CHAINS[0] or (name in CHAINS and bool(chains))
            (chains.append((name, [value])) if goes_on else plain.append((name, value)))
        elif goes_on:
            chains[-1][1].append(value)
        else:
            plain.append((name, value))
    return plain, chains


def _chain(name: str, steps: list[str]) -> Iterator[str]:
    broken = next((step for step in steps if step.startswith("✗")), "")
    unsure = next((step for step in steps if step.startswith("?")), "")
    mark, said = (
        ("fail", "cannot work") if broken else ("unknown", "not known to the end") if unsure else ("pass", "proven")
    )
    if len(steps) == 1:
        mark, said = "", ""
    yield f'<h3>{text(name)} <span class="{mark}">{said}</span></h3>'
    yield f'<ol class="chain"><li class="first"><code>{text(steps[0])}</code></li>'
    yield from map(_step, steps[1:])
    yield "</ol>"


def _step(step: str) -> str:
    """Return a step of a proof; who made it stands below, in small letters."""
    kind = {"✗": "fail", "?": "unknown"}.get(step[:1], "")
    words = step.lstrip("→✗? ")
    what, _, made = words.partition(" (") if step.startswith("→") else (words, "", "")
    small = f"<small>{text(made.removesuffix(')'))}</small>" if made else ""
    return f'<li class="{kind}">{"<code>" if made else ""}{text(what)}{"</code>" if made else ""}{small}</li>'


def _layers(subject: SubjectReport) -> Iterator[str]:
    """Draw the layers to scale, and list them with who made them."""
    total = sum(layer.size for layer in subject.layers)
    if not total:
        return
    yield f"<h3>layers</h3><p>{_size(total)} packed in {plural(len(subject.layers), 'layer')}</p>"
    yield f'<svg viewBox="0 0 1000 20" preserveAspectRatio="none" role="img" aria-label="layers of {text(_named(subject))}">'
    at = 0.0
    for number, layer in enumerate(subject.layers[:LAYERS], 1):
        width = 1000 * layer.size / total
        yield f'<rect x="{at:.2f}" y="0" width="{width:.2f}" height="20"><title>{text(_layer(number, layer))}</title></rect>'
        at += width
    yield "</svg>"
    yield '<details><summary>who added what</summary><div class="scroll"><table><thead><tr><th>layer</th><th>size</th><th>made by</th></tr></thead><tbody>'
    for number, layer in enumerate(subject.layers, 1):
        yield f'<tr><td class="number">{number}</td><td class="number">{_size(layer.size)}</td><td>{text(layer.created_by or layer.digest)}</td></tr>'
    yield "</tbody></table></div></details>"


def _layer(number: int, layer: Layer) -> str:
    return f"layer {number}, {_size(layer.size)}: {layer.created_by or layer.digest}"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def _findings(subject: SubjectReport) -> Iterator[str]:
    if not subject.findings:
        if not subject.problems:
            yield '<p class="pass">Nothing found.</p>'
        return
    yield f'<h3>{plural(len(subject.findings), "finding")}</h3><div class="scroll"><table><thead><tr><th>severity</th><th>where</th><th>what</th></tr></thead><tbody>'
    for one in subject.findings:
        yield f'<tr><td class="{MARKS[one.severity]}">{one.severity.name}</td><td>{text(_place(one.location))}</td><td>{_what(one)}</td></tr>'
    yield "</tbody></table></div>"


def _what(finding: Finding) -> str:
    remedy = f"<br><small>{text(finding.remediation)}</small>" if finding.remediation else ""
    return f"{text(finding.message)} [{text(finding.rule)}]{remedy}"


def _place(place: Location) -> str:
    if place.line:
        return f"line {place.line}"
    return " ".join(filter(None, (place.field, place.path, f"layer {place.layer}" if place.layer else "")))
