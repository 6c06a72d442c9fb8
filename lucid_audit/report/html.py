"""A report as one page: of each subject what it is, how it starts step by step, what was found, its layers drawn to scale.

Every value is escaped; nothing is loaded, and no script may run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lucid_audit import __version__
from lucid_audit.finding import Finding, Layer, Location, Report, Severity, SubjectReport
from lucid_audit.report.drawing import Piece, bar, mb
from lucid_audit.report.html_proof import Proof, drawn, split
from lucid_audit.report.page import page, text
from lucid_audit.report.summary import plural
from lucid_audit.report.theme import THEME

LISTED = 2000  # layers in a table
STYLE = (
    THEME
    + """
section.subject { border-left-color: var(--line); padding: 1rem 1.25rem 1.1rem; margin: 1rem 0; } section.fail { border-left-color: var(--fail); color: inherit; } section.pass { border-left-color: var(--pass); color: inherit; }
section.unknown { border-left-color: var(--unknown); color: inherit; }
section.subject h2 { margin: 0 0 .6rem; } section.subject h3 { margin: 1.3rem 0 .4rem; font-size: .95rem; } h3 .badge, h2 .badge { white-space: nowrap; }
.badge.pass { background: var(--pass-soft); color: var(--pass); } .badge.unknown { background: var(--unknown-soft); color: var(--unknown); } .badge.none { background: var(--soft); color: var(--quiet); }
ol.chain { list-style: none; margin: .2rem 0 .4rem; padding: 0; font-size: .9rem; }
ol.chain li { position: relative; margin: 0 0 0 .5rem; padding: .22rem .4rem .22rem 1.3rem; border-left: 2px solid var(--pass); }
ol.chain li:last-child { border-left-color: transparent; }
ol.chain li::before { content: "✓"; position: absolute; left: calc(-.55rem - 1px); top: .36rem; width: 1.1rem; height: 1.1rem; border-radius: 50%; background: var(--pass-soft); color: var(--pass);
  font: 700 .7rem/1.1rem ui-monospace, monospace; text-align: center; }
ol.chain li.fail, ol.chain li.fail ~ li { border-left-color: transparent; } ol.chain li.fail::before { content: "✗"; background: var(--fail); color: var(--card); } ol.chain li.fail { font-weight: 600; }
ol.chain li.unknown::before { content: "?"; background: var(--unknown-soft); color: var(--unknown); } ol.chain li.pass { color: inherit; }
ol.chain li.first { border-image: linear-gradient(transparent 1rem, var(--pass) 1rem) 1; } ol.chain li.first::before { content: "▸"; background: var(--link); color: var(--card); } ol.chain li.first > code { font-weight: 600; }
ol.chain small { display: block; font-weight: 400; } ol.chain details { border: 0; } ol.chain summary { padding: 0; }
.findings { padding: 0; margin: .2rem 0; } .findings li { padding: .45rem 0; border-bottom: 1px solid var(--line); } .findings li:last-child { border: 0; } .findings code { white-space: pre-wrap; }
.findings .remedy { color: var(--ink); }
.layers { height: 1.5rem; margin: .3rem 0; } td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; } .made { font: .82rem/1.45 ui-monospace, monospace; }
.picture { width: 9rem; } .picture svg.layers { height: .55rem; margin: .1rem 0; background: none; } tr:target > * { background: var(--unknown-soft); } .key { display: inline-block; width: .75rem; height: .75rem; border-radius: .15rem; vertical-align: -.05rem; margin: 0 .3rem 0 1rem; }
.key.own { background: var(--own); } .key.shared { background: var(--shared); } .key.found { background: var(--fail); }
#subjects td { white-space: nowrap; } .mark { font-weight: 600; }
@media (max-width: 44rem) { section.subject { padding: .7rem .8rem; } .picture { display: none; } }
@media print { .totals { grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); } ol.chain details, section.subject > details { break-inside: auto; } ol.chain li { break-inside: avoid; }
  ol.chain li:has(details) { break-inside: auto; } }
"""
)
_MARKS = {"pass": "✓", "fail": "✗", "unknown": "?", "": ""}


def render(report: Report) -> str:
    """Return the page."""
    return page(f"lucid-audit: {_title(report)}", _body(report), STYLE)


def _title(report: Report) -> str:
    names = list(dict.fromkeys(one.name for one in report.subjects))
    return names[0] if len(names) == 1 else plural(len(names), "subject")


def _body(report: Report) -> Iterator[str]:
    proofs = [split(one) for one in report.subjects]
    yield f"<header><h1>{text(_title(report))}</h1>"
    yield f"<p>judged by lucid-audit {text(__version__)} · {plural(report.skipped, 'check')} skipped</p></header>"
    yield from _tiles(report, [proof for _, found in proofs for proof in found])
    if len(report.subjects) > 1:
        yield from _overview(report.subjects, [found for _, found in proofs])
    for number, (one, (plain, chains)) in enumerate(zip(report.subjects, proofs, strict=True)):
        if plain or one.findings or one.problems or one.suppressed or one.skipped or len(report.subjects) == 1:
            yield from _subject(number, one, plain, chains)


def _tiles(report: Report, proofs: Iterable[Proof]) -> Iterator[str]:
    yield '<ul class="totals" aria-label="Totals">'
    for severity in sorted(Severity, reverse=True):
        count = report.count(severity)
        bad = ' class="bad"' if count and severity is Severity.error else ""
        yield f"<li{bad}><span>{severity.name}s</span><b>{count}</b></li>"
    chains = [proof for proof in proofs if proof.verdict]
    for name in dict.fromkeys(proof.name for proof in chains):
        of_name = [proof.verdict for proof in chains if proof.name == name]
        good = of_name.count("pass")
        kind = "bad" if "fail" in of_name else "good" if good == len(of_name) else ""
        yield f'<li class="{kind}"><span>{text(name)}: proven</span><b>{good}<i> of {len(of_name)}</i></b></li>'
    unread = sum(bool(one.problems) for one in report.subjects)
    if unread:
        yield f'<li class="bad"><span>could not be read</span><b>{unread}</b></li>'
    yield "</ul>"


def _overview(subjects: tuple[SubjectReport, ...], proofs: list[list[Proof]]) -> Iterator[str]:
    """Yield a table of all subjects: how they start, and how much was found."""
    names = list(dict.fromkeys(proof.name for found in proofs for proof in found))
    heads = "".join(f'<th scope="col">{text(name)}</th>' for name in ("subject", *names, "found"))
    yield f'<h2>Overview</h2><div class="scroll"><table id="subjects"><thead><tr>{heads}</tr></thead><tbody>'
    for number, (one, found) in enumerate(zip(subjects, proofs, strict=True)):
        said = {proof.name: proof for proof in found}
        link, end = f'<a href="#s{number}">', "</a>"
        there = bool(found or one.facts or one.findings or one.problems or one.suppressed or one.skipped)
        yield f'<tr><th scope="row">{link if there else ""}{text(_named(one))}{end if there else ""}</th>'
        for name in names:
            verdict, words = (said[name].verdict, said[name].said) if name in said else ("", "")
            yield f'<td class="{verdict}">{_MARKS[verdict]} {words}</td>'
        yield f'<td class="mark {_kind(one)}">{text(_said(one))}</td></tr>'
    yield "</tbody></table></div>"


def _named(subject: SubjectReport) -> str:
    return f"{subject.name} ({subject.platform})" if subject.platform else subject.name


def _said(subject: SubjectReport) -> str:
    if subject.problems:
        return "could not be read"
    counts = ((one, sum(found.severity is one for found in subject.findings)) for one in sorted(Severity, reverse=True))
    return ", ".join(plural(count, severity.name) for severity, count in counts if count) or "nothing found"


def _kind(subject: SubjectReport) -> str:
    worst = max((finding.severity for finding in subject.findings), default=None)
    if subject.problems or worst is Severity.error:
        return "fail"
    return "pass" if worst is None else "unknown" if worst is Severity.warning else ""


def _subject(number: int, subject: SubjectReport, plain: list[tuple[str, str]], proofs: list[Proof]) -> Iterator[str]:
    kind, anchor = _kind(subject), f"s{number}-l"
    yield f'<section class="subject {kind}" id="s{number}" tabindex="-1"><h2>{text(_named(subject))}'
    yield f'<span class="badge {kind or "none"}">{text(_said(subject))}</span></h2>'
    yield from (f'<p class="fail">{text(one.message)}</p>' for one in subject.problems)
    shown = {proof.name for proof in proofs} | ({"runs"} if proofs else set())
    facts = [(name, value) for name, value in plain if name not in shown]
    if facts:
        yield "<dl>" + "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in facts) + "</dl>"
    yield from _findings(subject)
    for proof in proofs:
        yield from drawn(proof, anchor, min(len(subject.layers), LISTED))
    needed = {step.layer for proof in proofs for step in proof.steps}
    yield from _layers(subject, anchor, needed)
    if subject.skipped:
        yield f'<details><summary>{plural(len(subject.skipped), "check")} skipped, and why</summary><ul class="skipped">'
        yield from (f"<li>{text(one.reason)}<small>{text(one.rule)}</small></li>" for one in subject.skipped)
        yield "</ul></details>"
    yield "</section>"


def _findings(subject: SubjectReport) -> Iterator[str]:
    if not subject.findings and not subject.suppressed:
        return
    sources = dict(subject.lines)
    yield '<ul class="findings">'
    yield from (_finding(one, sources) for one in subject.findings)
    for silent in subject.suppressed:
        by = f"silenced by {silent.by}{f', line {silent.line}' if silent.line else ''}{f': {silent.reason}' if silent.reason else ''}"
        yield _finding(silent.finding, sources, by)
    yield "</ul>"


def _finding(finding: Finding, sources: dict[int, str], silenced: str = "") -> str:
    place, source = _place(finding.location), sources.get(finding.location.line, "").strip()
    parts = [text(finding.rule), text(place), text(silenced)]
    if finding.location.created_by:
        parts.append(f"<code>{text(finding.location.created_by)}</code>")
    if source:
        parts.append(f"<code>{text(source)}</code>")
    remedy = (
        f'<small class="remedy">{text(finding.remediation)}</small>' if finding.remediation and not silenced else ""
    )
    return (
        f'<li class="{finding.severity.name}{" silenced" if silenced else ""}"><span class="level">{finding.severity.name}</span> '
        f"{text(finding.message)}<small>{' · '.join(filter(None, parts))}</small>{remedy}</li>"
    )


def _place(place: Location) -> str:
    if place.line:
        return f"line {place.line}"
    return " ".join(filter(None, (place.field, place.path, f"layer {place.layer}" if place.layer else "")))


def _layers(subject: SubjectReport, anchor: str, needed: set[int]) -> Iterator[str]:
    """Draw the layers to scale, and list them with who made them."""
    total = sum(layer.size for layer in subject.layers)
    if not total:
        return
    hit = {finding.location.layer for finding in subject.findings}
    kinds = ["found" if at in hit else "own" if at in needed else "shared" for at in range(1, len(subject.layers) + 1)]
    keys = {"own": "in a step above", "shared": "others", "found": "something was found in it"}
    legend = "".join(f'<span class="key {kind}"></span>{words}' for kind, words in keys.items() if kind in kinds)
    yield f'<h3>layers</h3><p class="sizes"><b>{mb(total)}</b> packed in {plural(len(subject.layers), "layer")} {legend}</p>'
    pieces = [
        Piece(layer.size, _layer(at, layer), kind, f"{anchor}{at}")
        for at, (layer, kind) in enumerate(zip(subject.layers, kinds, strict=True), 1)
    ]
    yield bar(pieces, total, f"layers of {_named(subject)}")
    yield '<details><summary>who added what</summary><div class="scroll"><table><thead><tr><th scope="col">layer</th>'
    yield '<th scope="col">size</th><th scope="col" class="picture"></th><th scope="col">made by</th></tr></thead><tbody>'
    largest = max(layer.size for layer in subject.layers)
    for at, (layer, piece) in enumerate(zip(subject.layers[:LISTED], pieces, strict=False), 1):
        picture = bar((piece._replace(target=""),), largest, mb(layer.size))
        yield f'<tr id="{anchor}{at}"><td class="number">{at}</td><td class="number">{mb(layer.size)}</td><td class="picture">{picture}</td>'
        yield f'<td class="made">{text(layer.created_by or layer.digest)}</td></tr>'
    yield "</tbody></table></div></details>"


def _layer(number: int, layer: Layer) -> str:
    return f"layer {number}, {mb(layer.size)}: {layer.created_by or layer.digest}"
