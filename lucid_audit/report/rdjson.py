"""The report for reviewdog: its diagnostic format as one JSON object (``DiagnosticResult``), columns in UTF-8 bytes."""

from __future__ import annotations

import json
from typing import Any

from lucid_audit.finding import Location, Report, Severity, SubjectReport
from lucid_audit.report.entries import HOME, SKIPPED, UNREADABLE, Entry, entries, file_of, skipped
from lucid_audit.report.escape import visible, well_formed

_SEVERITIES = {Severity.error: "ERROR", Severity.warning: "WARNING", Severity.note: "INFO"}


def render(report: Report) -> str:
    """Return the report in ASCII. Skipped checks are one diagnostic of severity INFO per file or image."""
    diagnostics = [_diagnostic(entry) for entry in entries(report)]
    diagnostics += [
        _object(said, "INFO", SKIPPED, {"path": well_formed(file_of(subject))})
        for subject in report.subjects
        if (said := skipped(subject))
    ]
    source = {"name": "lucid-audit", "url": HOME}
    return json.dumps({"source": source, "diagnostics": diagnostics}, indent=1) + "\n"


def _diagnostic(entry: Entry) -> dict[str, Any]:
    location: dict[str, Any] = {"path": well_formed(entry.file)}
    if entry.location.line:
        location["range"] = _range(entry.location, entry.subject)
    return _object(entry.text, _SEVERITIES[entry.severity], entry.rule, location)


def _object(text: str, severity: str, rule: str, location: dict[str, Any]) -> dict[str, Any]:
    own = rule in (UNREADABLE, SKIPPED)
    url = {} if own else {"url": f"{HOME}/blob/main/docs/rules/{rule}.md"}
    return {
        "message": visible(text),
        "location": location,
        "severity": severity,
        "code": {"value": rule, **url},
    }


def _range(location: Location, subject: SubjectReport) -> dict[str, Any]:
    """Return a span. A column needs its line's text, because it counts bytes; where that is not at hand, lines say it."""
    lines = dict(subject.lines)
    last = max(location.end_line, location.line)
    start, end = (
        _column(lines.get(number), column)
        for number, column in ((location.line, location.column), (last, location.end_column))
    )
    if start is None or end is None:
        return {"start": {"line": location.line}, "end": {"line": last}}
    return {"start": {"line": location.line, "column": start}, "end": {"line": last, "column": end}}


def _column(line: str | None, column: int) -> int | None:
    if line is None or column < 1:
        return None
    return len(line[: column - 1].encode("utf-8", "replace")) + 1  # a surrogate is one byte that was no text
