"""What platforms are told: findings and problems as one list, each with a file that the platform can show.

Platforms know files and lines, and no images. What an image has is shown at its Dockerfile where the policy names one,
else at a path made of the image's name, which then exists nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lucid_audit.finding import Location, Report, Severity, SubjectReport, Suppressed
from lucid_audit.fingerprint import named
from lucid_audit.report.summary import plural
from lucid_audit.tuples import NamedTuple

HOME = "https://github.com/HamiGames/lucid-audit"
UNREADABLE, SKIPPED = "unreadable", "skipped"  # where a platform wants a rule and there is none
IMAGES = "images/"  # folder of the paths that are made of an image's name


class Entry(NamedTuple):
    """A finding, or a problem: then ``rule`` is ``UNREADABLE`` and there is no ``fingerprint``."""

    subject: SubjectReport
    location: Location
    severity: Severity
    rule: str
    message: str
    fingerprint: str = ""
    remediation: str = ""
    suppressed: Suppressed | None = None

    @property
    def file(self) -> str:
        """The file to show it at, from the repository's root."""
        return file_of(self.subject)

    @property
    def text(self) -> str:
        """The message with what a file and a line do not say: the image, its platform, the part of it."""
        named = [label(self.subject)] if self.subject.kind == "image" else []
        return ": ".join([*named, *filter(None, [part(self.location)]), self.message])


def entries(report: Report, *, suppressed: bool = False) -> Iterator[Entry]:
    """Yield the problems and findings of every subject, in the report's order; ``suppressed``: also what comments silence."""
    for subject in report.subjects:
        for problem in subject.problems:
            yield Entry(subject, problem.location, Severity.error, UNREADABLE, problem.message)
        for one, by, name in named(subject):
            if by is None or suppressed:
                yield Entry(subject, one.location, one.severity, one.rule, one.message, name, one.remediation, by)


def label(subject: SubjectReport) -> str:
    """Name a subject; of an image also its platform."""
    return f"{subject.name} ({subject.platform})" if subject.platform else subject.name


def part(location: Location) -> str:
    """Name the part of an image that is meant, "" when it is a place in a file."""
    if location.path and location.layer > 0:
        return f"{location.path} in layer {location.layer}"
    return location.path or location.field


def file_of(subject: SubjectReport) -> str:
    """Return the file of a subject: relative, and never outside the repository."""
    name = subject.path or subject.name
    if subject.kind == "image":
        name = subject.dockerfile or IMAGES + re.sub(r"[^A-Za-z0-9._/-]+", "-", subject.name)
    steps = [step for step in name.split("/") if step not in ("", ".", "..")]
    return "/".join(steps) or "unnamed"


def exists(subject: SubjectReport) -> bool:
    """Whether the file of a subject is one in the repository."""
    return subject.kind != "image" or bool(subject.dockerfile)


def skipped(subject: SubjectReport) -> str:
    """Say in one line what could not be judged of a subject, for formats that have no place for it; "" when all was."""
    if not subject.skipped:
        return ""
    rules = ", ".join(sorted({skip.rule for skip in subject.skipped}))
    named = f"{label(subject)}: " if subject.kind == "image" else ""
    return f"{named}{plural(len(subject.skipped), 'check')} skipped, which is no pass: {rules}"
