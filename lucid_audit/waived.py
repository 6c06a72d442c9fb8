"""A policy's waivers in a run: the findings that they take out, and a report of the policy where a waiver itself is at fault."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from lucid_audit import reference
from lucid_audit.finding import SubjectReport
from lucid_audit.policy import Policy
from lucid_audit.rules import ActiveRule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lucid_audit.dates import date


def waived(
    subjects: Iterable[SubjectReport], policy: Policy, active: Sequence[ActiveRule], day: date
) -> Iterable[SubjectReport]:
    """Return the reports as a policy wants them counted. Without waivers they come one by one, as they are made."""
    if not policy.waivers:
        return subjects
    from lucid_audit.engine.waive import judge, waive  # noqa: PLC0415  (few policies have any)

    reports, waivers = waive(
        list(subjects), policy.waivers, active, day, lambda subject: tuple(_names(subject, policy))
    )
    own = judge(waivers, active, policy.path, _lines(policy.path))
    return [*reports, own] if own.findings else reports


def _names(subject: SubjectReport, policy: Policy) -> Iterator[str]:
    """Yield the names that a subject goes by: a path from the policy's folder, or an image with and without its tag."""
    yield subject.name
    if subject.kind != "image":
        yield os.path.relpath(os.path.realpath(subject.name), os.path.realpath(policy.folder))
        return
    ref = reference.parse(subject.name.rpartition("://")[2])
    if ref is not None:
        yield from (ref.familiar, ref.familiar.removesuffix(ref.suffix), ref.name)


def _lines(path: str) -> Sequence[str]:
    try:
        with open(path, encoding="utf-8-sig") as stream:
            return stream.read().splitlines()
    except OSError:
        return ()  # it was there when the run began; the finding does without an excerpt
