"""What a check answers, and what a person reads: hits and skips become findings in a report."""

from __future__ import annotations

from enum import IntEnum

from lucid_audit.container.config import Place
from lucid_audit.record import record
from lucid_audit.tuples import NamedTuple


class Severity(IntEnum):
    """How much a finding matters; the three levels of SARIF 2.1.0 (section 3.27.10), highest last."""

    note = 1
    warning = 2
    error = 3


class Hit:
    """A defect found. ``values`` fill the placeholders of the rule's message."""

    __slots__ = ("at", "values")

    def __init__(self, at: Place, **values: object) -> None:
        self.at = at
        self.values = values


class Skip(NamedTuple):
    """A question that cannot be answered here; ``reason`` is one clause that says why."""

    at: Place
    reason: str


class Location(NamedTuple):
    """A place for people and machines: a file with lines and columns from 1 (end exclusive), or a part of an image.

    The parts are a ``field`` of its configuration or manifest, or a ``path`` in a ``layer``; layers count from 1, the
    lowest first, 0 when there is none. ``created_by`` is the history line of the field or the layer.
    """

    file: str = ""
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    field: str = ""
    path: str = ""
    layer: int = 0
    layer_digest: str = ""
    created_by: str = ""


@record
class Finding:
    """One defect at one place. ``stage`` and ``instruction`` identify the place without its line number.

    ``code`` is the name that another program has for what it found, such as SC2086; "" for what is found here.
    """

    rule: str
    severity: Severity
    message: str
    location: Location
    remediation: str = ""
    stage: str = ""
    instruction: str = ""
    code: str = ""


class Skipped(NamedTuple):
    """A rule that could not be judged at a place, and why."""

    rule: str
    reason: str
    location: Location


class Suppressed(NamedTuple):
    """A finding that does not count. ``by`` is whose comment says so, lucid, hadolint or buildkit, in ``line``; or policy or baseline, 0."""

    finding: Finding
    reason: str
    by: str
    line: int


class Problem(NamedTuple):
    """Why a subject could not be read, with the place if there is one. Never a pass: exit 3."""

    message: str
    location: Location


class Layer(NamedTuple):
    """A layer for a picture: its digest, its packed size in bytes, and the history line that made it."""

    digest: str
    size: int
    created_by: str


@record
class SubjectReport:
    """Everything about one subject. ``lines`` are the source lines that findings point at, for excerpts.

    Of an image: ``platform`` and ``digest`` of the manifest, ``facts``, what it is in (name, value) pairs, and
    ``dockerfile``, the file that the policy says it is built from, from the repository's root.
    """

    kind: str  # dockerfile | image | policy
    name: str
    findings: tuple[Finding, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    problems: tuple[Problem, ...] = ()
    lines: tuple[tuple[int, str], ...] = ()
    note: str = ""  # one line of context for people, e.g. which build context was assumed
    path: str = ""  # the name from the repository's root, for fingerprints; "" when it is the name itself
    platform: str = ""
    digest: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    dockerfile: str = ""
    suppressed: tuple[Suppressed, ...] = ()
    layers: tuple[Layer, ...] = ()  # of an image, the lowest first


class About(NamedTuple):
    """What a report says of a rule that was asked."""

    id: str
    title: str
    severity: Severity
    remediation: str
    tags: tuple[str, ...]


@record
class Report:
    """The answer to one run, subjects in the order they were named. ``about`` describes the rules that were asked."""

    subjects: tuple[SubjectReport, ...]
    rules: int = 0  # how many rules were asked
    about: tuple[About, ...] = ()

    def count(self, severity: Severity) -> int:
        """Number of findings of exactly this severity."""
        return sum(f.severity is severity for s in self.subjects for f in s.findings)

    @property
    def skipped(self) -> int:
        """Number of questions that could not be answered."""
        return sum(len(s.skipped) for s in self.subjects)

    @property
    def suppressed(self) -> int:
        """Number of findings that comments or a baseline silence."""
        return sum(len(s.suppressed) for s in self.subjects)

    @property
    def problems(self) -> int:
        """Number of things that could not be read."""
        return sum(len(s.problems) for s in self.subjects)
