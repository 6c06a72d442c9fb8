"""A policy's waivers: findings that a team has decided to live with, for a reason and perhaps only until a day."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from lucid_audit.dates import date
from lucid_audit.tuples import NamedTuple


class Waiver(NamedTuple):
    """One of them. ``rules`` are the ids that each written name means; ``files`` and ``images`` are globs, and a waiver without either is for everything.

    ``until`` is the last day on which it holds, None for ever. ``line`` is where it stands in the policy.
    """

    rules: Mapping[str, Collection[str]]
    reason: str
    files: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    until: date | None = None
    line: int = 1

    def covers(self, kind: str, names: Sequence[str]) -> bool:
        """Whether it is about a subject of a kind (``dockerfile``, ``image``) that goes by these names."""
        if not self.files and not self.images:
            return True
        from fnmatch import fnmatchcase  # noqa: PLC0415  (only for policies that have some)

        globs = self.images if kind == "image" else self.files
        return any(fnmatchcase(name, glob) for glob in globs for name in names)

    def named(self, rule: str) -> str:
        """Return the name by which it means a rule, "" when it does not."""
        return next((name for name, ids in self.rules.items() if rule in ids), "")

    def holds(self, day: date) -> bool:
        """Whether it is in force on a day."""
        return self.until is None or day <= self.until


class Applied(NamedTuple):
    """What became of one waiver in a run. ``idle``: names whose rules judged what it covers and found nothing to waive.

    ``missed``: how many findings count again because its day has passed.
    """

    waiver: Waiver
    idle: tuple[str, ...] = ()
    missed: int = 0


class Waivers(NamedTuple):
    """All of a run, the subject of the rules about waivers."""

    applied: tuple[Applied, ...]
