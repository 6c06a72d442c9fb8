"""The last line of a report for people: what was found, in how much, and what could not be judged."""

from __future__ import annotations

from lucid_audit.finding import Report, Severity, SubjectReport
from lucid_audit.report.style import BY_SEVERITY, DIM, GREEN, RED, Style

HOW_TO_SEE = "--show-skipped says why"


def summary(report: Report, style: Style) -> str:
    """Return one line that counts errors, warnings, notes, files or images, skipped checks and what is unreadable."""
    unread = sum(bool(subject.problems) for subject in report.subjects)
    word = noun(report)
    parts = [_verdict(report, word, style)]
    if report.skipped:
        how = "" if style.show_skipped else f" ({HOW_TO_SEE})"
        parts.append(style.paint(f"{plural(report.skipped, 'check')} skipped{how}", DIM))
    if report.suppressed:
        parts.append(style.paint(f"{plural(report.suppressed, 'finding')} suppressed", DIM))
    if unread:
        verb = "is" if unread == 1 else "are"
        parts.append(style.paint(f"{plural(unread, word)} {verb} unreadable or invalid", RED))
    return "; ".join(parts)


_FILES = {"compose": "dockerfile", "build-command": "dockerfile"}  # files, too


def noun(report: Report) -> str:
    """Return what the subjects of a report are: files, images, or both."""
    kinds = {_FILES.get(subject.kind, subject.kind) for subject in report.subjects if subject.kind != "policy"}
    return {"dockerfile": "file", "image": "image"}.get("".join(kinds), "subject") if kinds else "file"


def _units(report: Report) -> list[SubjectReport]:
    """Return the files and images; what speaks for a whole index, or for the policy, is neither."""
    with_platform = {subject.name for subject in report.subjects if subject.platform}
    return [s for s in report.subjects if s.kind != "policy" and (s.platform or s.name not in with_platform)]


def _verdict(report: Report, word: str, style: Style) -> str:
    units = _units(report)
    judged = sum(not subject.problems for subject in units)
    counts = [
        style.paint(plural(count, severity.name), BY_SEVERITY[severity])
        for severity in sorted(Severity, reverse=True)
        if (count := report.count(severity))
    ]
    if counts:
        affected = sum(bool(subject.findings) for subject in units) or 1
        return f"{', '.join(counts)} in {affected} of {plural(len(units), word)}"
    if not judged:
        return f"No {word} was judged"
    return style.paint("No findings", GREEN) + f" in {plural(judged, word)} ({plural(report.rules, 'rule')})"


def plural(count: int, word: str) -> str:
    """Return ``1 file`` or ``3 files``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
