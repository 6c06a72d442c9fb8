"""The report for GitHub Actions: workflow commands, which the runner turns into annotations.

The platform shows ten annotations of each level per step and drops the others without a word. So ten are commands, the
gravest first, all others plain lines of the log, and the last line says how many those are.
"""

from __future__ import annotations

from lucid_audit.finding import Report, Severity, SubjectReport
from lucid_audit.report.entries import UNREADABLE, Entry, entries, exists, skipped
from lucid_audit.report.escape import visible
from lucid_audit.report.style import Style
from lucid_audit.report.summary import plural, summary
from lucid_audit.report.text import first_sentence, place

SHOWN = 10  # annotations of one level that the platform shows per step
_LEVELS = {Severity.error: "error", Severity.warning: "warning", Severity.note: "notice"}


def render(report: Report) -> str:
    """Return commands and lines: problems and errors first, then what was skipped, the sum, and what was cut."""
    found = sorted(entries(report), key=lambda entry: (-entry.severity, entry.rule != UNREADABLE))
    by_level = {severity: [e for e in found if e.severity is severity] for severity in sorted(Severity, reverse=True)}
    shown = dict.fromkeys(by_level, SHOWN)
    if any(len(ones) > SHOWN for ones in by_level.values()):
        shown[Severity.note] -= 1  # the last line is a notice too
    lines = []
    for severity, ones in by_level.items():
        lines += [_command(entry) for entry in ones[: shown[severity]]]
        lines += [_line(entry) for entry in ones[shown[severity] :]]
    lines += [_skipped(subject) for subject in report.subjects if subject.skipped]
    lines.append(f"lucid-audit: {summary(report, Style(show_skipped=True))}")
    cut = [
        f"{shown[severity]} of {plural(len(ones), _LEVELS[severity])}"
        for severity, ones in by_level.items()
        if len(ones) > shown[severity]
    ]
    if cut:
        text = f"Annotated: {', '.join(cut)}, for the platform shows no more. The log of this step has all."
        lines.append(f"::notice title=lucid-audit::{_data(text)}")
    return "".join(f"{_inert(line)}\n" for line in lines)


def _inert(line: str) -> str:
    """Return a line without the runner's older commands, ``##[name]``, which it obeys anywhere in a line."""
    return line.replace("##[", "##\\x5b")


def _command(entry: Entry) -> str:
    location = entry.location
    properties = {"file": entry.file} if exists(entry.subject) else {}
    if location.line and properties:
        end = max(location.end_line, location.line)
        properties |= {"line": str(location.line), "endLine": str(end)}
        if end == location.line and location.column:  # of a span of lines the platform takes no columns
            properties |= {"col": str(location.column), "endColumn": str(max(location.end_column, location.column))}
    properties["title"] = f"lucid-audit: {entry.rule}"
    words = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    text = " ".join(
        filter(None, [entry.text, first_sentence(entry.remediation) and f"- {first_sentence(entry.remediation)}"])
    )
    return f"::{_LEVELS[entry.severity]} {words}::{_data(text)}"


def _skipped(subject: SubjectReport) -> str:
    named = "" if subject.kind == "image" else f"{subject.name}: "
    return f"skipped: {visible(named + skipped(subject))}"


def _line(entry: Entry) -> str:
    return f"{_LEVELS[entry.severity]}: {place(entry.location, entry.subject)}: {visible(entry.message)} [{visible(entry.rule)}]"


def _data(text: str) -> str:
    """Escape the text of a command: no line of a report can start another one."""
    return visible(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
