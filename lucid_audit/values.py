"""The third answer: a value that cannot be known before the build or from the image."""

from __future__ import annotations

from lucid_audit.tuples import NamedTuple


class Unknown(NamedTuple):
    """A value nobody can know from what was read; ``reason`` completes "unknown: …"."""

    reason: str


Value = str | Unknown
