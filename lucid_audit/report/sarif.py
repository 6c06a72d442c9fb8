"""The report for code scanning: SARIF 2.1.0 (OASIS Standard), as far as platforms read it.

Every result has a place in a file, because code scanning shows no other (GitHub, "SARIF support for code scanning"); what
is meant inside an image is a logical location. Columns count code points, which ``columnKind`` says (section 3.14.17); the
repository's root is not known here, so that its base id has no URI (section 3.14.14).
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from lucid_audit import __version__
from lucid_audit.finding import About, Location, Report, Severity, Skipped, SubjectReport, Suppressed
from lucid_audit.report.entries import HOME, UNREADABLE, Entry, entries, file_of, label, part
from lucid_audit.report.escape import well_formed

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "lucidAudit/v1"
ROOT = "%SRCROOT%"
RESULTS = 25_000  # of one run; GitHub refuses a log with more
TAGS = 20  # of one rule, likewise
_LEVELS = {Severity.error: "error", Severity.warning: "warning", Severity.note: "note"}
_URGENCY = {Severity.error: "error", Severity.warning: "warning", Severity.note: "recommendation"}


def render(report: Report) -> str:
    """Return the report as one SARIF log with one run, in ASCII."""
    return json.dumps(document(report), indent=1) + "\n"


def document(report: Report) -> dict[str, Any]:
    """Return the report as plain data."""
    found = list(entries(report, suppressed=True))
    findings = [entry for entry in found if entry.rule != UNREADABLE]
    notifications = [_problem(entry) for entry in found if entry.rule == UNREADABLE]
    notifications += [_skipped(subject, skip) for subject in report.subjects for skip in subject.skipped]
    if len(findings) > RESULTS:
        left = len(findings) - RESULTS
        findings = sorted(findings, key=lambda entry: -entry.severity)[:RESULTS]
        notifications.append({"level": "warning", "message": {"text": f"{left} less severe findings are left out"}})
    index = {rule.id: number for number, rule in enumerate(report.about)}
    run = {
        "tool": {
            "driver": {
                "name": "lucid-audit",
                "version": __version__,
                "semanticVersion": __version__,
                "informationUri": HOME,
                "rules": [_rule(rule) for rule in report.about],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [
            {
                "executionSuccessful": not report.problems and bool(report.subjects),
                "toolExecutionNotifications": notifications,
            },
        ],
        "results": [_result(entry, index) for entry in findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: About) -> dict[str, Any]:
    remedy = well_formed(rule.remediation or rule.title)
    page = f"{HOME}/blob/main/docs/rules/{quote(rule.id)}.md"
    return {
        "id": rule.id,
        "shortDescription": {"text": well_formed(rule.title)},
        "fullDescription": {"text": well_formed(f"{rule.title}. {rule.remediation}".strip())},
        "help": {"text": f"{remedy} More: lucid-audit explain {rule.id}", "markdown": f"{remedy}\n\n[More]({page})"},
        "helpUri": page,
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": list(dict.fromkeys(rule.tags))[:TAGS], "problem.severity": _URGENCY[rule.severity]},
    }


def _result(entry: Entry, index: dict[str, int]) -> dict[str, Any]:
    image = f"{label(entry.subject)}: " if entry.subject.kind == "image" else ""
    return {
        "ruleId": entry.rule,
        **({"ruleIndex": index[entry.rule]} if entry.rule in index else {}),
        "level": _LEVELS[entry.severity],
        "message": {"text": _text(image + entry.message)},
        "locations": [_location(entry.subject, entry.location)],
        "partialFingerprints": {FINGERPRINT: entry.fingerprint},
        "suppressions": [_suppression(entry.suppressed)] if entry.suppressed is not None else [],
    }


def _suppression(suppressed: Suppressed) -> dict[str, Any]:
    """Return what silences a result (section 3.35); an empty list of them says that the result counts."""
    outside = suppressed.line == 0
    reason = suppressed.reason or (
        "in the baseline" if outside else f"a comment for {suppressed.by} in line {suppressed.line}"
    )
    return {"kind": "external" if outside else "inSource", "status": "accepted", "justification": well_formed(reason)}


def _problem(entry: Entry) -> dict[str, Any]:
    """What could not be read is an error of the run: its results are not all there are."""
    return {
        "level": "error",
        "message": {"text": _text(f"{label(entry.subject)}: {entry.message}")},
        "locations": [_location(entry.subject, entry.location)],
    }


def _skipped(subject: SubjectReport, skipped: Skipped) -> dict[str, Any]:
    return {
        "level": "note",
        "message": {"text": _text(f"{label(subject)}: skipped: {skipped.reason}")},
        "associatedRule": {"id": skipped.rule},
        "locations": [_location(subject, skipped.location)],
    }


def _text(message: str) -> str:
    r"""Return a message as plain text, in which ``[text](uri)`` is a link unless a backslash says otherwise (section 3.11.6)."""
    message = well_formed(message)
    return re.sub(r"[][\\]", r"\\\g<0>", message) if "](" in message else message


def _location(subject: SubjectReport, location: Location) -> dict[str, Any]:
    """Return a place in a file, and what is meant in an image."""
    region = {"startLine": 1}
    if location.line > 0:
        region = {
            "startLine": location.line,
            "startColumn": max(location.column, 1),
            "endLine": max(location.end_line, location.line),
            "endColumn": max(location.end_column, 1),
        }
    file = quote(file_of(subject).encode("utf-8", "backslashreplace"), safe="/")  # RFC 3986, section 2
    physical = {"artifactLocation": {"uri": file, "uriBaseId": ROOT}, "region": region}
    name = part(location)
    if not name:
        return {"physicalLocation": physical}
    more = {
        key: well_formed(str(value))
        for key, value in (
            ("layer", location.layer),
            ("layerDigest", location.layer_digest),
            ("createdBy", location.created_by),
        )
        if value
    }
    logical = {
        "name": well_formed(location.path or location.field),
        "fullyQualifiedName": well_formed(f"{label(subject)}: {name}"),
        "kind": "resource",
        **({"properties": more} if more else {}),
    }
    return {"physicalLocation": physical, "logicalLocations": [logical]}
