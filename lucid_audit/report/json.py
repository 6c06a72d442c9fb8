"""The report for machines: version 1 of the shape in ``docs/report.schema.json``; only additions may change it."""

from __future__ import annotations

import json
from collections.abc import Iterable

from lucid_audit import __version__
from lucid_audit.finding import Location, Report, Severity, SubjectReport, Suppressed
from lucid_audit.fingerprint import named
from lucid_audit.report.escape import well_formed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = 1


def render(report: Report) -> str:
    """Return the report as JSON in ASCII, one line per subject: that can be searched, compared and written fast."""
    head = document(report)
    subjects = ",\n".join(json.dumps(subject) for subject in head.pop("subjects"))
    return f'{json.dumps(head)[:-1]}, "subjects": [\n{subjects}\n]}}\n'


def document(report: Report) -> dict[str, Any]:
    """Return the report as plain data."""
    return {
        "version": VERSION,
        "tool": {"name": "lucid-audit", "version": __version__},
        "summary": {
            **{severity.name: report.count(severity) for severity in sorted(Severity, reverse=True)},
            "skipped": report.skipped,
            "suppressed": report.suppressed,
            "problems": report.problems,
        },
        "subjects": [subject_document(subject) for subject in report.subjects],
    }


def subject_document(subject: SubjectReport) -> dict[str, Any]:
    """Return one subject as plain data."""
    return {
        "kind": subject.kind,
        "name": well_formed(subject.name),
        **({"platform": subject.platform} if subject.platform else {}),
        **({"dockerfile": well_formed(subject.dockerfile)} if subject.dockerfile else {}),
        **({"digest": subject.digest} if subject.digest else {}),
        **({"facts": _facts(subject)} if subject.facts else {}),
        "findings": list(_findings(subject)),
        "skipped": [
            {"rule": skip.rule, "reason": well_formed(skip.reason), "location": _location(skip.location)}
            for skip in subject.skipped
        ],
        "problems": [
            {"message": well_formed(problem.message), "location": _location(problem.location)}
            for problem in subject.problems
        ],
    }


def _facts(subject: SubjectReport) -> dict[str, str]:
    """Return what is told of a subject by name; what goes on below a name, such as the steps of a proof, in lines of their own."""
    found: dict[str, str] = {}
    current = ""
    for name, value in subject.facts:
        current = name or current
        found[current] = f"{found[current]}\n{well_formed(value)}" if current in found else well_formed(value)
    return found


def _findings(subject: SubjectReport) -> Iterable[dict[str, Any]]:
    for finding, suppressed, fingerprint in named(subject):
        yield {
            "rule": finding.rule,
            "severity": finding.severity.name,
            "message": well_formed(finding.message),
            "fingerprint": fingerprint,
            "suppressed": _suppressed(suppressed) if suppressed is not None else None,
            "location": _location(finding.location),
        }


def _suppressed(suppressed: Suppressed) -> dict[str, Any]:
    return {"by": suppressed.by, "line": suppressed.line, "reason": well_formed(suppressed.reason)}


def _part(location: Location) -> dict[str, Any]:
    """Return a place in an image."""
    if location.path:
        part: dict[str, Any] = {"path": well_formed(location.path)}
        if location.layer > 0:
            part["layer"] = location.layer
        if location.layer_digest:
            part["layer_digest"] = location.layer_digest
    else:
        part = {"field": well_formed(location.field)}
    if location.created_by:
        part["created_by"] = well_formed(location.created_by)
    return part


def _location(location: Location) -> dict[str, Any]:
    if location.field or location.path:
        return _part(location)
    if not location.line:
        return {"file": well_formed(location.file)} if location.file else {}
    return {
        "file": well_formed(location.file),
        "line": location.line,
        "column": location.column,
        "end_line": location.end_line,
        "end_column": location.end_column,
    }
