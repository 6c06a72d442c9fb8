"""What is asked of every service of a fleet, and which rules answer: the columns of the report."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase

from lucid_audit.finding import Severity, SubjectReport
from lucid_audit.tuples import NamedTuple

PASS, FAIL, UNKNOWN = "pass", "fail", "unknown"


class Requirement(NamedTuple):
    """A column. ``rules`` are globs of rule ids; ``least`` is the lowest severity that fails it."""

    name: str
    title: str
    rules: tuple[str, ...]
    least: Severity = Severity.warning


REQUIREMENTS = (
    Requirement(
        "distroless",
        "Distroless base",
        ("final-base-not-distroless", "final-base-debug", "package-manager-present", "copy-brings-package-manager"),
    ),
    Requirement("user", "Runs as 65532", ("final-user-root", "final-user-unexpected", "final-user-not-in-passwd")),
    Requirement(
        "platforms",
        "Its platforms",
        ("final-platform-*", "copied-platform-pinned", "automatic-arg-default", "platform-mismatch", "platform-missing",
         "program-for-other-machine", "base-platform-unpublished"),
    ),
    Requirement("shell", "No shell", ("final-base-debug", "final-base-not-distroless", "shell-present", "toolbox-present", "copy-brings-shell")),
    Requirement("health", "Health check", ("health-check-*",), Severity.note),
    Requirement(
        "starts",
        "Starts",
        ("command-missing", "command-needs-shell", "command-program-missing",
         "interpreter-doubled", "module-missing", "script-*", "import-missing", "syntax-not-understood", "program-*", "extension-cannot-load",
         "copy-source-*", "copy-from-*", "run-needs-shell", "workdir-not-folder", "exec-form-verbatim"),
        Severity.error,
    ),
)  # fmt: skip


class Verdict(NamedTuple):
    """The answer to one requirement. ``why`` are messages, each with its rule in front."""

    verdict: str
    why: tuple[str, ...] = ()


def judge(reports: Sequence[SubjectReport], asked: Collection[str]) -> dict[str, Verdict]:
    """Answer every requirement from reports of one service. Nothing that was not read or asked is a pass."""
    return {one.name: _judge(one, reports, asked) for one in REQUIREMENTS}


def _judge(wanted: Requirement, reports: Sequence[SubjectReport], asked: Collection[str]) -> Verdict:
    wrong = tuple(
        f"{finding.rule}: {finding.message}"
        for report in reports
        for finding in report.findings
        if _of(wanted, finding.rule) and finding.severity >= wanted.least
    )
    if wrong:
        return Verdict(FAIL, tuple(dict.fromkeys(wrong)))  # platforms often say the same
    if not reports:
        return Verdict(UNKNOWN, ("nothing of it was read",))
    problems = tuple(problem.message for report in reports for problem in report.problems)
    if problems:
        return Verdict(UNKNOWN, problems)
    if not any(_of(wanted, rule) for rule in asked):
        return Verdict(UNKNOWN, ("no rule that answers was asked",))
    skipped = tuple(
        f"{skip.rule}: {skip.reason}" for report in reports for skip in report.skipped if _of(wanted, skip.rule)
    )
    return Verdict(UNKNOWN, tuple(dict.fromkeys(skipped))) if skipped else Verdict(PASS)


def _of(wanted: Requirement, rule: str) -> bool:
    return any(fnmatchcase(rule, glob) for glob in wanted.rules)


def both(predicted: Mapping[str, Verdict], measured: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """Return what was measured; where that is not known, what is predicted, unless that is a pass: a build may differ."""
    found = {}
    for name, verdict in measured.items():
        guess = predicted.get(name)
        found[name] = guess if verdict.verdict == UNKNOWN and guess is not None and guess.verdict == FAIL else verdict
    return found
