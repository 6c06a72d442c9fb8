"""Which files the container has: present, absent or unknown.

A measured container knows every file. A predicted one knows what its base is catalogued to hold and what the
instructions placed; whatever an unread RUN or an unlisted folder could hold is unknown, and says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from posixpath import basename, dirname, normpath

from lucid_audit.bases import Base
from lucid_audit.record import record
from lucid_audit.text import Span
from lucid_audit.tuples import NamedTuple

PROGRAM_DIRECTORIES = ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/busybox")
MERGED = ("/bin", "/sbin", "/lib", "/lib64")  # links into /usr on a merged-/usr system (Debian 12 policy, section 10.1)
SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh", "busybox"))
EMPTY_IN_BASE = ("/usr/local/", "/opt/", "/srv/")  # Debian packages never install there (Debian Policy 9.1.2)
TOP_OF_BASE = ("bin", "boot", "busybox", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "nodejs", "opt", "proc",
               "root", "run", "sbin", "srv", "sys", "tmp", "usr", "var")  # fmt: skip


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


@record(eq=False)
class Files:
    """The file system as far as it is known.

    ``opaque`` is a reason when something ran that could have written anywhere, else "".
    """

    base: Base | None
    placements: tuple[Placement, ...] = ()
    opaque: str = ""

    def find(self, path: str) -> Answer:
        """Answer for one absolute path."""
        path = normpath(path)
        maybe: Placement | None = None
        for placement in reversed(self.placements):
            if placement.path is None:
                maybe = maybe or placement
            elif placement.exact and self.canonical(placement.path) == self.canonical(path):
                return Answer(State.PRESENT, "", placement)
            elif placement.empty:
                continue
            elif _covers(self.canonical(placement.path), self.canonical(path)):
                maybe = maybe or placement
        in_base = self._in_base(path)
        if in_base.state is State.PRESENT:
            return in_base
        if maybe is not None:
            return Answer(State.UNKNOWN, f"what is copied to {maybe.path or 'an unknown place'} is not listed", maybe)
        if self.opaque:
            return Answer(State.UNKNOWN, self.opaque)
        return in_base

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

    def canonical(self, path: str) -> str:
        """Return ``path`` with the links of a merged /usr followed, where the base is known to have them."""
        if self.base is not None:
            for link in MERGED:
                if path.startswith(link) and path[len(link) : len(link) + 1] in ("", "/"):
                    entry = self.base.entries.get(link)
                    if entry is not None and entry.kind == "l":
                        return "/usr" + path
        return path

    def placed_under(self, directory: str) -> Iterator[Placement]:
        """Yield what instructions placed at or under ``directory``."""
        root = self.canonical(normpath(directory))
        for placement in self.placements:
            if placement.path is not None and _covers(root, self.canonical(placement.path)):
                yield placement

    def _in_base(self, path: str) -> Answer:
        base = self.base
        if base is None:
            return Answer(State.UNKNOWN, "the base image is not in the catalogue")
        canonical = self.canonical(path)
        programs = base.programs or ()
        for spelling in (path, canonical, canonical.removeprefix("/usr") if canonical != path else path):
            if spelling in base.entries or spelling in programs:
                return Answer(State.PRESENT)
        if canonical == path and path.startswith("/usr/") and self.canonical(path[4:]) == path and path[4:] in programs:
            return Answer(State.PRESENT)  # listed as /bin/x, asked for as /usr/bin/x
        name = base.ref.familiar
        if base.shell == "" and basename(path) in SHELLS and dirname(canonical) in PROGRAM_DIRECTORIES:
            return Answer(State.ABSENT, f"{name} has no {basename(path)}")
        if not base.closed:
            return Answer(State.UNKNOWN, f"the files of {name} are not all listed")
        top = path.split("/", 2)[1]
        empty = base.family == "scratch" or top not in TOP_OF_BASE or canonical.startswith(EMPTY_IN_BASE)
        if empty or dirname(canonical) in PROGRAM_DIRECTORIES:
            return Answer(State.ABSENT, f"{name} has no {basename(path)}")
        return Answer(State.UNKNOWN, f"the files of {name} below /{top} are not all listed")


def _covers(directory: str, path: str) -> bool:
    """Whether ``path`` is ``directory`` or lies below it."""
    return directory in ("/", path) or path.startswith(directory + "/")
