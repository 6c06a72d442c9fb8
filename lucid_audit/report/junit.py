"""The report for test views: JUnit XML, one suite per file or image.

A finding is a test that failed, a problem one that could not run, a skipped check a skipped test; a subject without
findings and problems is one test that passed.
"""

from __future__ import annotations

from collections import Counter
from xml.etree.ElementTree import Element

from lucid_audit.finding import Location, Report, SubjectReport
from lucid_audit.report.entries import UNREADABLE, file_of, label, part
from lucid_audit.report.escape import visible
from lucid_audit.report.text import place
from lucid_audit.report.xml import child, serialised

PASSED = "no findings"


def render(report: Report) -> str:
    """Return the report as JUnit XML."""
    root = Element("testsuites", {"name": "lucid-audit"})
    seen: Counter[tuple[str, str]] = Counter()
    totals: Counter[str] = Counter()
    for subject in report.subjects:
        totals.update(_suite(root, subject, seen))
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(totals[key]))
    return serialised(root)


def _suite(root: Element, subject: SubjectReport, seen: Counter[tuple[str, str]]) -> dict[str, int]:
    """Add the suite of one subject and return its counts."""
    counts = {"failures": len(subject.findings), "errors": len(subject.problems), "skipped": len(subject.skipped)}
    clean = not subject.findings and not subject.problems
    counts["tests"] = sum(counts.values()) + clean
    suite = child(root, "testsuite", name=label(subject), **counts)

    def case(rule: str, location: Location) -> Element:
        """Add a test. Platforms know it by its name, so that has no line, and a second one of a name gets a number."""
        at = part(location)
        name = f"{rule} at {at}" if at else rule
        key = label(subject), name
        seen[key] += 1
        name = name if seen[key] == 1 else f"{name} ({seen[key]})"
        line = {"line": location.line} if location.line else {}
        return child(suite, "testcase", classname=label(subject), name=name, file=file_of(subject), **line)

    for problem in subject.problems:
        child(case(UNREADABLE, problem.location), "error", type=UNREADABLE, message=problem.message)
    for finding in subject.findings:
        severity = finding.severity.name
        failure = child(case(finding.rule, finding.location), "failure", type=severity, message=finding.message)
        lines = [
            f"{place(finding.location, subject)}: {severity}: {visible(finding.message)} [{visible(finding.rule)}]"
        ]
        failure.text = "\n".join([*lines, *filter(None, [visible(finding.remediation)])])
    if clean:
        case(PASSED, Location())
    for skip in subject.skipped:
        child(case(skip.rule, skip.location), "skipped", message=skip.reason)
    return counts
