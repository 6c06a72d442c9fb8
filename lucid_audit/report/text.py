"""The report as a person reads it: place, message, source line, remedy; then one line that sums up."""

from __future__ import annotations

from collections.abc import Iterator

from lucid_audit.finding import Finding, Location, Problem, Report, SubjectReport
from lucid_audit.regex import rx
from lucid_audit.report.escape import unobeyed, visible
from lucid_audit.report.excerpt import excerpt
from lucid_audit.report.style import BOLD, BY_SEVERITY, DIM, GREEN, PLAIN, RED, Style
from lucid_audit.report.summary import summary

HISTORY_WIDTH = 120  # columns
_MADE = r"(?P<before>.*[(,] ?)(?P<layer>layer \d+): .*\)"  # the end of a step of a proof
_SENTENCE_END = r"(?<=[.!?]) (?=[A-Z`\"'])"  # compiled when there is something to say


def render(report: Report, style: Style = PLAIN) -> str:
    """Return the report as text, each line ended. Quiet: one line per finding or problem and nothing else."""
    explained: set[str] = set()
    lines: list[str] = []
    for subject in report.subjects:
        lines.extend(_subject(subject, style, explained))
    if not style.quiet:
        lines.append(summary(report, style))
    return unobeyed("".join(f"{line}\n" for line in lines))


def problems(report: Report) -> str:
    """Return one line per thing that could not be read: what a person must see also when a machine gets the report."""
    return unobeyed(
        "".join(f"{_problem_line(subject, one, PLAIN)}\n" for subject in report.subjects for one in subject.problems)
    )


def _subject(subject: SubjectReport, style: Style, explained: set[str]) -> Iterator[str]:
    sources = dict(subject.lines)
    if subject.facts and not style.quiet:
        yield from _facts(subject, style)
    for problem in subject.problems:
        yield _problem_line(subject, problem, style)
        yield from _below(problem.location, sources, "", style)
    for finding in subject.findings:
        yield _finding_line(subject, finding, style)
        # The remedy once per run: thirty findings of one rule have one answer.
        remedy = "" if finding.rule in explained else first_sentence(finding.remediation)
        explained.add(finding.rule)
        yield from _below(finding.location, sources, remedy, style)
    if style.show_skipped and not style.quiet:
        yield from _skipped(subject, style)


def _facts(subject: SubjectReport, style: Style) -> Iterator[str]:
    """Say what an image is before saying what is wrong with it."""
    yield style.paint(label(subject), BOLD)
    wide = max(len(name) for name, _ in subject.facts)
    told: set[str] = set()
    for name, value in subject.facts:
        yield f"  {style.paint(f'{name:<{wide}}', DIM)}  {visible(_shortened(value, told))}"
    yield ""


def _shortened(value: str, told: set[str]) -> str:
    """Leave the history line out of a step of a proof when the one of its layer has been told."""
    step = rx(_MADE).fullmatch(value)
    if step is None:
        return value
    if step["layer"] in told:
        return f"{step['before']}{step['layer']})"
    told.add(step["layer"])
    return value


def _problem_line(subject: SubjectReport, problem: Problem, style: Style) -> str:
    return f"{_place(problem.location, subject, style)}: {visible(problem.message)}"


def _finding_line(subject: SubjectReport, finding: Finding, style: Style) -> str:
    severity = style.paint(finding.severity.name, BY_SEVERITY[finding.severity])
    rule = style.paint(f"[{visible(finding.rule)}]", DIM)
    return f"{_place(finding.location, subject, style)}: {severity}: {visible(finding.message)} {rule}"


def _skipped(subject: SubjectReport, style: Style) -> Iterator[str]:
    if subject.note:
        yield style.paint(f"{visible(subject.name)}: {visible(subject.note)}", DIM)
    for skip in subject.skipped:
        where = place(skip.location, subject)
        yield style.paint(f"{where}: skipped: {visible(skip.reason)} [{visible(skip.rule)}]", DIM)
    if subject.note or subject.skipped:
        yield ""


def _below(location: Location, sources: dict[int, str], remedy: str, style: Style) -> Iterator[str]:
    """Yield what stands under a finding's line: the source, the marker, the remedy and a blank line."""
    if style.quiet:
        return
    gutter = " " * max(len(str(location.line)), 4)
    if location.created_by:
        made = f"layer {location.layer}: " if location.layer else "set by: "
        yield f"{style.paint(f'{gutter} |', DIM)} {made}{visible(shortened(location.created_by))}"
    source = sources.get(location.line, "")
    if source.strip():
        end = location.end_column if location.end_line == location.line else 0
        shown, marker = excerpt(source, location.column, end)
        yield f"{style.paint(f'{location.line:>{len(gutter)}} |', DIM)} {shown}"
        yield f"{style.paint(f'{gutter} |', DIM)} {style.paint(marker, RED)}"
    if remedy:
        yield f"{style.paint(f'{gutter} =', DIM)} {style.paint(visible(remedy), GREEN)}"
    yield ""


def _place(location: Location, subject: SubjectReport, style: Style) -> str:
    return style.paint(place(location, subject), BOLD)


def place(location: Location, subject: SubjectReport) -> str:
    """Return ``file:line:column`` as editors open it, or the image and the field or path in it."""
    name = visible(location.file) or label(subject)
    if location.field or location.path:
        return f"{name}: {visible(location.field or location.path)}"
    return f"{name}:{location.line}:{location.column}" if location.line else name


def label(subject: SubjectReport) -> str:
    """Name a subject; of an image also its platform, since one reference may have several."""
    name = visible(subject.name)
    return f"{name} ({visible(subject.platform)})" if subject.platform else name


def shortened(line: str) -> str:
    """Return a history line in one line of readable length."""
    words = " ".join(line.split())
    return words if len(words) <= HISTORY_WIDTH else f"{words[: HISTORY_WIDTH - 1]}…"


def first_sentence(text: str) -> str:
    """Return the first sentence of a remediation; the rest is what ``lucid-audit explain`` is for."""
    return rx(_SENTENCE_END).split(" ".join(text.split()), 1)[0]
