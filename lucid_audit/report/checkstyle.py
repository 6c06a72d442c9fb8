"""The report for readers of Checkstyle's XML, such as Jenkins: findings and problems by file."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from lucid_audit.finding import Report, Severity
from lucid_audit.report.entries import SKIPPED, Entry, entries, file_of, skipped
from lucid_audit.report.xml import child, serialised

_SEVERITIES = {Severity.error: "error", Severity.warning: "warning", Severity.note: "info"}


def render(report: Report) -> str:
    """Return the report as Checkstyle XML. Skipped checks are one line of severity info per file or image."""
    root = Element("checkstyle", {"version": "4.3"})
    files: dict[str, Element] = {}

    def file(name: str) -> Element:
        if name not in files:
            files[name] = child(root, "file", name=name)
        return files[name]

    for subject in report.subjects:
        file(file_of(subject))  # also of a clean one: it was judged
    for entry in entries(report):
        _error(file(entry.file), entry)
    for subject in report.subjects:
        if said := skipped(subject):
            child(file(file_of(subject)), "error", line=1, severity="info", message=said, source=_source(SKIPPED))
    return serialised(root)


def _error(parent: Element, entry: Entry) -> None:
    column = {"column": entry.location.column} if entry.location.column else {}
    child(
        parent,
        "error",
        line=entry.location.line or 1,
        **column,
        severity=_SEVERITIES[entry.severity],
        message=entry.text,
        source=_source(entry.rule),
    )


def _source(rule: str) -> str:
    return f"lucid-audit.{rule}"
