"""The report for GitLab's merge requests: Code Quality JSON."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from lucid_audit.finding import Report, Severity
from lucid_audit.report.entries import SKIPPED, UNREADABLE, Entry, entries, file_of, skipped
from lucid_audit.report.escape import visible, well_formed

_SEVERITIES = {Severity.error: "critical", Severity.warning: "major", Severity.note: "minor"}


def render(report: Report) -> str:
    """Return the report as a JSON array in ASCII. Skipped checks are one entry of severity info per file or image."""
    issues = [_issue(entry) for entry in entries(report)]
    issues += [
        _object(said, SKIPPED, "info", (file_of(subject), 1), _digest(SKIPPED, subject.name, subject.platform))
        for subject in report.subjects
        if (said := skipped(subject))
    ]
    _told_apart(issues)
    return json.dumps(issues, indent=1) + "\n"


def _issue(entry: Entry) -> dict[str, Any]:
    place = entry.file, entry.location.line or 1
    if entry.rule == UNREADABLE:
        return _object(entry.text, UNREADABLE, "blocker", place, _digest(UNREADABLE, entry.subject.name, entry.text))
    severity = _SEVERITIES[entry.severity]
    return _object(entry.text, entry.rule, severity, place, entry.fingerprint.partition(":")[2])


def _object(text: str, rule: str, severity: str, place: tuple[str, int], fingerprint: str) -> dict[str, Any]:
    return {
        "description": visible(text),
        "check_name": rule,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": well_formed(place[0]), "lines": {"begin": place[1]}},
    }


def _digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _told_apart(issues: list[dict[str, Any]]) -> None:
    """Give every entry a fingerprint of its own: GitLab shows one entry per fingerprint and drops the rest."""
    seen: set[str] = set()
    for issue in issues:
        name, number = issue["fingerprint"], 1
        while issue["fingerprint"] in seen:
            number += 1
            issue["fingerprint"] = _digest(name, str(number))
        seen.add(issue["fingerprint"])
