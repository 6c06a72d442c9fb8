"""A build command with what is known of what it builds: the subject of checks."""

from __future__ import annotations

from lucid_audit.record import record
from lucid_audit.text import SourceText, Span
from lucid_audit.tuples import NamedTuple


class Lacking(NamedTuple):
    """A source of COPY or ADD that the build will not find: what is said of it, and in which line of the Dockerfile."""

    line: int
    message: str


class Absent(NamedTuple):
    """A build context or Dockerfile that a declaration names and that is not there. ``path`` is from the root of the repository.

    ``near`` are paths that may be meant; ``reason``: why it may be there when it is built, "" when it cannot.
    """

    what: str  # "build context" or "Dockerfile"
    path: str
    near: tuple[str, ...] = ()
    reason: str = ""


@record(eq=False)
class BuildCall:
    """One build that somebody wrote down. Paths are from the root of the repository.

    ``kind`` is where it stands: workflow step, workflow, pipeline, script, Makefile, document or bake target. ``reason`` says why nothing is known
    of what it builds, "" when it is. ``missing`` is "", context, Dockerfile, bake file or bake target; ``near`` are paths that may be meant.
    ``lacking`` is None where the Dockerfile could not be judged. ``service`` is the plan's service of this Dockerfile, "" for none;
    ``planned`` and the like are what the plan says of it, empty where it says nothing.
    """

    source: SourceText
    span: Span
    kind: str
    reason: str = ""
    context: str = ""
    dockerfile: str = ""
    missing: str = ""
    near: tuple[str, ...] = ()
    lacking: tuple[Lacking, ...] | None = None
    tags: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    service: str = ""
    planned_tags: tuple[str, ...] = ()
    planned_platforms: tuple[str, ...] = ()
    planned_context: str = ""

    @property
    def standing(self) -> SourceText:
        """The file that it stands in."""
        return self.source
