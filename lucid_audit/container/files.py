"""Which files the container has: present, absent or unknown; what both worlds answer.

A measured container knows every file (``image.files``), a predicted one what its base is catalogued to hold and what the
instructions placed (``container.predicted``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from posixpath import normpath

from lucid_audit.container.learned import LIMIT, Learn
from lucid_audit.container.program import HEAD, Program, read_program
from lucid_audit.container.tree import Node, Walk
from lucid_audit.text import Span
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lucid_audit.container.linkage import Linkage

PROGRAM_DIRECTORIES = ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/busybox")
MERGED = ("/bin", "/sbin", "/lib", "/lib64")  # links into /usr on a merged-/usr system (Debian 12 policy, section 10.1)
SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh", "busybox"))


class State(Enum):
    """The three answers."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Answer(NamedTuple):
    """Whether a path exists, why that is (not) known, and what placed it if an instruction did."""

    state: State
    reason: str = ""
    placed: Placement | None = None


class Placement(NamedTuple):
    """Something an instruction put into the file system.

    ``path`` is absolute, or None when it is not known where. ``exact``: that very path exists as a file afterwards;
    otherwise it is a folder, or a file, whose contents are not listed. ``origin`` is the path it was copied from.
    """

    path: str | None
    exact: bool
    span: Span
    origin: str = ""
    stage: int | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing lies below: WORKDIR makes an empty folder, a here-document a file."""
        return self.exact and not self.origin


class Files:
    """The file system of a container as far as it is known. ``find`` is the core, the rest is derived from it.

    ``placements`` are what instructions put there; ``opaque`` is a reason when something ran that could have written
    anywhere, else "". A measured container has neither.
    """

    __slots__ = ()
    placements: tuple[Placement, ...] = ()
    opaque: str = ""
    open: str = ""  # why files that are not known of may be anywhere

    def find(self, path: str) -> Answer:
        """Answer for one absolute path, links followed."""
        raise NotImplementedError

    def walk(self, path: str) -> Walk:
        """Follow one absolute path, step by step."""
        raise NotImplementedError

    def program(self, walk: Walk) -> Program | Unknown | None:
        """Return what kind of program a path led to, None when it is none, or why that is not known."""
        data = walk.load(HEAD)
        return read_program(data) if data is not None else Unknown(f"the content of {walk.path} is not known")

    def capability(self, walk: Walk) -> str:  # noqa: ARG002  (a build does not say)
        """Return the file capabilities of what a path led to, in hex as they are stored; "" for none."""
        return ""

    def linkage(self, walk: Walk) -> Linkage | Unknown | None:
        """Return what an ELF file wants from the dynamic linker, None for what is none, or why that is not known."""
        from lucid_audit.container import linkage  # noqa: PLC0415  (only for own programs)

        data = walk.load(linkage.LIMIT)
        if data is None:
            return Unknown(f"the content of {walk.path} is not known")
        if not data.startswith(b"\x7fELF"):
            return None
        found = linkage.read_linkage(linkage.slices(data))
        return found if found is not None else Unknown(f"the dynamic section of {walk.path} is not known")

    def learned(
        self,
        walk: Walk,
        what: str,  # noqa: ARG002  (nothing is kept here)
        learn: Learn,
        of: str = "",  # noqa: ARG002  (as above)
        enough: Callable[[Any], bool] | None = None,  # noqa: ARG002  (as above)
    ) -> Any:
        """Return what ``learn`` makes of the content of a file, None when that is not known.

        It may be what was kept of an earlier time (``container.learned``), if that is ``enough``.
        """
        data = walk.load(LIMIT)
        return learn(data) if data is not None else None

    def named(self, name: str) -> tuple[str, ...] | None:  # noqa: ARG002  (not every tree can be searched)
        """Return every path that ends with a name, None where files are not all listed."""
        return None

    def seen(self, name: str) -> tuple[str, ...]:
        """Return paths that end with a name, those that are known."""
        return self.named(name) or ()

    def doubt(self, node: Node) -> str:
        """Say why a folder may have more than is listed, "" when it has no more."""
        return node.open

    def elsewhere(self, path: str) -> str:  # noqa: ARG002  (an image knows nothing else)
        """Say which stage of the build has a path that this container lacks, "" when none is known to."""
        return ""

    def read(self, path: str) -> bytes | Unknown | None:
        """Return the content of a file, None when it is absent, or why its content is not known."""
        if self.find(path).state is State.ABSENT:
            return None
        return Unknown(f"the content of {path} is not read")

    def canonical(self, path: str) -> str:
        """Return ``path`` with the links of a merged /usr followed, where they are known."""
        return path

    def which(self, program: str, path: Iterable[str]) -> Answer:
        """Answer for a program as ``execvp`` looks it up: by path when it has a slash, else along ``path``."""
        if "/" in program:
            return self.find(program)
        unknown: Answer | None = None
        for directory in path:
            answer = self.find(f"{directory}/{program}")
            if answer.state is State.PRESENT:
                return unknown or answer
            if answer.state is State.UNKNOWN:
                unknown = unknown or answer
        return unknown or Answer(State.ABSENT)

    def placed_under(self, directory: str) -> Iterator[Placement]:
        """Yield what instructions placed at or under ``directory``."""
        root = self.canonical(normpath(directory))
        for placement in self.placements:
            if placement.path is not None and covers(root, self.canonical(placement.path)):
                yield placement


def covers(directory: str, path: str) -> bool:
    """Whether ``path`` is ``directory`` or lies below it."""
    return directory in ("/", path) or path.startswith(directory + "/")
