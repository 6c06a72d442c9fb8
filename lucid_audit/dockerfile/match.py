"""What one source of a COPY or ADD comes to in one build context."""

from __future__ import annotations

from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from lucid_audit.dockerfile.ignore import IgnoreRule

    Outcome = Literal["found", "missing", "ignored", "outside", "empty-wildcard", "unknown"]

ROOT = "."


class Match(NamedTuple):
    """What one source of a COPY or ADD comes to in one context.

    - found: it is sent; ``paths`` are the entries that are copied, links followed.
    - missing: it does not exist. ``link`` is the symbolic link on its way that leads nowhere inside the context, or "";
      ``rule`` would ignore it if it were there.
    - ignored: it exists and ``rule`` keeps it out.
    - outside: it climbs above the context root. The classic builder refuses; BuildKit takes ``clamped``, and ``paths``
      are what that finds, none when it finds nothing.
    - empty-wildcard: nothing matches; ``rule`` keeps out what would have. Not an error by itself, but BuildKit still
      needs ``folder``, the part before the first wildcard: only ``.`` is certain to be there, for a folder is sent only
      when something in it is (``folder_sent_by_itself`` is False then).
    - unknown: ``reason`` says what could not be read, or why the source is not a path.
    """

    kind: Outcome
    paths: tuple[str, ...] = ()
    rule: IgnoreRule | None = None
    clamped: str = ""
    link: str = ""
    folder: str = ROOT
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Whether BuildKit's COPY finds this source; False also when that is not known."""
        return self.kind == "found" or (self.kind == "outside" and bool(self.paths))

    @property
    def folder_sent_by_itself(self) -> bool:
        """Whether the folder of an empty wildcard is there without another source that brings it."""
        return self.folder == ROOT
