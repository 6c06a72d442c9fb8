"""The last line of a report for people: what was found, in how much, and what could not be judged."""

from __future__ import annotations

from lucid_audit.finding import Report, Severity
from lucid_audit.report.style import BY_SEVERITY, DIM, GREEN, RED, Style

HOW_TO_SEE = "--show-skipped says why"


def summary(report: Report, style: Style) -> str:
    """Return one line that counts errors, warnings, notes, files, skipped checks and unreadable files."""
    unread = sum(bool(subject.problems) for subject in report.subjects)
    judged = len(report.subjects) - unread
    parts = [_verdict(report, judged, style)]
    if report.skipped:
        how = "" if style.show_skipped else f" ({HOW_TO_SEE})"
        parts.append(style.paint(f"{plural(report.skipped, 'check')} skipped{how}", DIM))
    if unread:
        verb = "is" if unread == 1 else "are"
        parts.append(style.paint(f"{plural(unread, 'file')} {verb} unreadable or invalid", RED))
    return "; ".join(parts)


def _verdict(report: Report, judged: int, style: Style) -> str:
    counts = [
        style.paint(plural(count, severity.name), BY_SEVERITY[severity])
        for severity in sorted(Severity, reverse=True)
        if (count := report.count(severity))
    ]
    if counts:
        files = sum(bool(subject.findings) for subject in report.subjects)
        return f"{', '.join(counts)} in {files} of {plural(len(report.subjects), 'file')}"
    if not judged:
        return "No file was judged"
    return style.paint("No findings", GREEN) + f" in {plural(judged, 'file')} ({plural(report.rules, 'rule')})"


def plural(count: int, word: str) -> str:
    """Return ``1 file`` or ``3 files``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
