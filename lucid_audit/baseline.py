"""A baseline: findings that were there when a repository adopted the tool. They do not count; new ones do.

A finding is known by its fingerprint (``fingerprint``), in which no line number is: code that moves stays known, and a second
finding of the same kind is new. Nothing is added to a baseline but by ``--write-baseline``, and nothing is taken out but by that or
``--prune-baseline``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from tempfile import NamedTemporaryFile

from lucid_audit.errors import UsageError
from lucid_audit.finding import Report, SubjectReport, Suppressed
from lucid_audit.fingerprint import VERSION as FINGERPRINTS
from lucid_audit.fingerprint import named
from lucid_audit.outcome import Outcome
from lucid_audit.record import replace
from lucid_audit.tuples import NamedTuple

BY = "baseline"
VERSION = 1
SIZE_LIMIT = 64 << 20  # bytes of a file


class Known(NamedTuple):
    """One finding of a baseline. ``subject`` is the file from the repository's root, or the image and its platform."""

    fingerprint: str
    rule: str
    subject: str


class Baseline(NamedTuple):
    """All of them, and the file that has them."""

    file: str
    known: frozenset[Known]


class Applied(NamedTuple):
    """An outcome without what is known, and the entries that are stale: asked for in this run, and found no more."""

    outcome: Outcome
    stale: frozenset[Known]


def read(file: str) -> Baseline:
    """Read a baseline.

    Raises:
        UsageError: there is none, or it is none, or it was written by a version that named findings otherwise.

    """
    try:
        with open(file, "rb") as stream:
            data = stream.read(SIZE_LIMIT)
        document = json.loads(data)
        version, fingerprints = document["version"], document["fingerprints"]
        known = frozenset(
            Known(str(one["fingerprint"]), str(one["rule"]), str(one["subject"])) for one in document["findings"]
        )
    except OSError as error:
        raise UsageError(f"--baseline {file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(f"--baseline {file}: this is no baseline") from None
    if (version, fingerprints) != (VERSION, FINGERPRINTS):
        raise UsageError(f"--baseline {file}: it is of another version; write it anew with --write-baseline")
    return Baseline(file, known)


def apply(outcome: Outcome, baseline: Baseline) -> Applied:
    """Take what is known out of an outcome."""
    names = {one.fingerprint for one in baseline.known}
    report = replace(outcome.report, subjects=tuple(_without(subject, names) for subject in outcome.report.subjects))
    found = {one.fingerprint for one in every(outcome.report)}
    asked = {about.id for about in outcome.report.about}
    judged = {_name(subject) for subject in outcome.report.subjects if not subject.problems}
    stale = (
        one for one in baseline.known if one.rule in asked and one.subject in judged and one.fingerprint not in found
    )
    return Applied(outcome._replace(report=report), frozenset(stale))


def every(report: Report) -> Iterable[Known]:
    """Yield the findings of a report as a baseline has them, without those that comments silence."""
    for subject in report.subjects:
        for finding, suppressed, name in named(subject):
            if suppressed is None:
                yield Known(name, finding.rule, _name(subject))


def write(file: str, known: Iterable[Known]) -> None:
    """Write a baseline, sorted, in one step: whoever reads it meanwhile has the old one or the new one.

    Raises:
        UsageError: it cannot be written.

    """
    findings = [
        dict(zip(Known._fields, one, strict=True))
        for one in sorted(known, key=lambda one: (one.subject, one.rule, one.fingerprint))
    ]
    document = {"version": VERSION, "fingerprints": FINGERPRINTS, "findings": findings}
    folder = os.path.dirname(os.path.abspath(file))
    try:
        with NamedTemporaryFile("w", dir=folder, delete=False, encoding="ascii", newline="\n") as stream:
            stream.write(json.dumps(document, indent=1) + "\n")
        os.chmod(stream.name, 0o644)
        os.replace(stream.name, file)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None


def _without(subject: SubjectReport, names: set[str]) -> SubjectReport:
    kept, silenced = [], list(subject.suppressed)
    for finding, suppressed, name in named(subject):
        if suppressed is None and name in names:
            silenced.append(Suppressed(finding, "", BY, 0))
        elif suppressed is None:
            kept.append(finding)
    return replace(subject, findings=tuple(kept), suppressed=tuple(silenced))


def _name(subject: SubjectReport) -> str:
    name = subject.path or subject.name
    return f"{name} ({subject.platform})" if subject.platform else name
