"""The report for code scanning: SARIF 2.1.0 (OASIS Standard), as far as platforms read it.

Every result has a place in a file, because code scanning shows no other (GitHub, "SARIF support for code scanning"): an
image's is its Dockerfile where the policy names one, else a path made of the image's name; what is meant inside the image
is a logical location. Columns count characters (section 3.14.17).
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from lucid_audit import __version__
from lucid_audit.finding import Finding, Location, Problem, Report, Severity, Skipped, SubjectReport
from lucid_audit.fingerprint import fingerprints
from lucid_audit.report.escape import well_formed

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HOME = "https://github.com/HamiGames/lucid-audit"
FINGERPRINT = "lucidAudit/v1"
_LEVELS = {Severity.error: "error", Severity.warning: "warning", Severity.note: "note"}


def render(report: Report) -> str:
    """Return the report as one SARIF log with one run, in ASCII."""
    return json.dumps(document(report), indent=1) + "\n"


def document(report: Report) -> dict[str, Any]:
    """Return the report as plain data."""
    index = {rule.id: number for number, rule in enumerate(report.about)}
    notifications = [
        note
        for subject in report.subjects
        for note in (
            *(_problem(subject, problem) for problem in subject.problems),
            *(_skipped(subject, skipped) for skipped in subject.skipped),
        )
    ]
    driver = {
        "name": "lucid-audit",
        "version": __version__,
        "informationUri": HOME,
        "rules": [
            {
                "id": rule.id,
                "shortDescription": {"text": rule.title},
                "help": {"text": rule.remediation or rule.title},
                "helpUri": f"{HOME}/blob/main/docs/rules/{quote(rule.id)}.md",
                "defaultConfiguration": {"level": _LEVELS[rule.severity]},
                "properties": {"tags": list(rule.tags)},
            }
            for rule in report.about
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {"executionSuccessful": not report.problems, "toolExecutionNotifications": notifications},
        ],
        "results": [result for subject in report.subjects for result in _results(subject, index)],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _results(subject: SubjectReport, index: dict[str, int]) -> list[dict[str, Any]]:
    return [
        _result(subject, finding, fingerprint, index)
        for finding, fingerprint in zip(subject.findings, fingerprints(subject), strict=True)
    ]


def _result(subject: SubjectReport, finding: Finding, fingerprint: str, index: dict[str, int]) -> dict[str, Any]:
    about = {"ruleIndex": index[finding.rule]} if finding.rule in index else {}
    image = f"{_label(subject)}: " if subject.kind == "image" else ""
    return {
        "ruleId": finding.rule,
        **about,
        "level": _LEVELS[finding.severity],
        "message": {"text": well_formed(image + finding.message)},
        "locations": [_location(subject, finding.location)],
        "partialFingerprints": {FINGERPRINT: fingerprint},
    }


def _problem(subject: SubjectReport, problem: Problem) -> dict[str, Any]:
    """What could not be read is an error of the run: its results are not all there are."""
    return {
        "level": "error",
        "message": {"text": well_formed(f"{_label(subject)}: {problem.message}")},
        "locations": [_location(subject, problem.location)],
    }


def _skipped(subject: SubjectReport, skipped: Skipped) -> dict[str, Any]:
    return {
        "level": "note",
        "message": {"text": well_formed(f"{_label(subject)}: skipped: {skipped.reason}")},
        "associatedRule": {"id": skipped.rule},
        "locations": [_location(subject, skipped.location)],
    }


def _label(subject: SubjectReport) -> str:
    return f"{subject.name} ({subject.platform})" if subject.platform else subject.name


def _location(subject: SubjectReport, location: Location) -> dict[str, Any]:
    """Return a place in a file, and what is meant in an image."""
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri(subject)}}
    if location.line > 0:
        physical["region"] = {
            "startLine": location.line,
            "startColumn": max(location.column, 1),
            "endLine": max(location.end_line, location.line),
            "endColumn": max(location.end_column, 1),
        }
    else:
        physical["region"] = {"startLine": 1}
    named = location.path or location.field
    if not named:
        return {"physicalLocation": physical}
    logical: dict[str, Any] = {
        "fullyQualifiedName": well_formed(f"{_label(subject)}: {named}"),
        "name": well_formed(named),
    }
    if location.layer > 0:
        logical["decoratedName"] = f"layer {location.layer}"
    return {"physicalLocation": physical, "logicalLocations": [logical]}


def uri(subject: SubjectReport) -> str:
    """Return the file of a subject as a relative reference: a Dockerfile's path, or one made of an image's name."""
    if subject.kind == "image":
        if subject.path:
            return _relative(subject.path)
        return "images/" + re.sub(r"[^A-Za-z0-9._/-]", "-", subject.name).strip("/.")
    return _relative(subject.path or subject.name)


def _relative(path: str) -> str:
    """Percent-encode a path (RFC 3986, section 2); what is no text in it is written as an escape first."""
    while path.startswith("./"):
        path = path[2:]
    return quote(path.lstrip("/").encode("utf-8", "backslashreplace"), safe="/") or "unnamed"
