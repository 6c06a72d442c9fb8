"""The files of a predicted container: what its base is catalogued to hold and what the instructions placed.

Whatever an unread RUN or an unlisted folder could hold is unknown, and says why.
"""

from __future__ import annotations

from collections.abc import Callable
from posixpath import basename, dirname, normpath

from lucid_audit.bases import Base
from lucid_audit.container.files import MERGED, PROGRAM_DIRECTORIES, SHELLS, Answer, Files, Placement, State, covers
from lucid_audit.container.tree import Node, Tree, Walk
from lucid_audit.record import record

EMPTY_IN_BASE = ("/usr/local/", "/opt/", "/srv/")  # Debian packages never install there (Debian Policy 9.1.2)
TOP_OF_BASE = ("bin", "boot", "busybox", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "nodejs", "opt", "proc",
               "root", "run", "sbin", "srv", "sys", "tmp", "usr", "var")  # fmt: skip


@record(eq=False)
class PredictedFiles(Files):
    """The file system after a build, of which ``base`` and ``placements`` are known."""

    base: Base | None
    placements: tuple[Placement, ...] = ()
    opaque: str = ""
    tree: Tree | None = None
    others: Callable[[str], str] | None = None  # names the other stage that has a path

    def find(self, path: str) -> Answer:
        """Answer for one absolute path."""
        if self.tree is None:
            return self._by_placements(path)
        walk = self.tree.walk(path)
        if walk.state == "absent":
            what = basename(walk.path) if not walk.hops else f"{walk.path}, to which {walk.hops[0].path} leads"
            name = self.base.ref.familiar if self.base is not None else "the image"
            return Answer(State.ABSENT, f"{name} has no {what}")
        return Answer(State(walk.state), walk.reason, self._by_placements(path).placed)

    def _by_placements(self, path: str) -> Answer:
        path = normpath(path)
        maybe: Placement | None = None
        for placement in reversed(self.placements):
            if placement.path is None:
                maybe = maybe or placement
            elif placement.exact and self.canonical(placement.path) == self.canonical(path):
                return Answer(State.PRESENT, "", placement)
            elif placement.empty:
                continue
            elif covers(self.canonical(placement.path), self.canonical(path)):
                maybe = maybe or placement
        in_base = self._in_base(path)
        if in_base.state is State.PRESENT:
            return in_base
        if maybe is not None:
            return Answer(State.UNKNOWN, f"what is copied to {maybe.path or 'an unknown place'} is not listed", maybe)
        if self.opaque:
            return Answer(State.UNKNOWN, self.opaque)
        return in_base

    @property
    def open(self) -> str:  # type: ignore[override]
        """Why files that are not known of may be anywhere."""
        return self.tree.doubt if self.tree is not None else ""

    def walk(self, path: str) -> Walk:
        """Follow one absolute path in the tree."""
        if self.tree is None:
            return Walk("unknown", path, reason="the files are not followed")
        return self.tree.walk(path)

    def doubt(self, node: Node) -> str:
        """Say why a folder may have more than is listed."""
        return node.open or (self.tree.doubt if self.tree is not None else "")

    def elsewhere(self, path: str) -> str:
        """Say which other stage has a path."""
        return self.others(path) if self.others is not None else ""

    def canonical(self, path: str) -> str:
        """Return ``path`` with the links of a merged /usr followed, where the base is known to have them."""
        if self.base is not None:
            for link in MERGED:
                if path.startswith(link) and path[len(link) : len(link) + 1] in ("", "/"):
                    entry = self.base.entries.get(link)
                    if entry is not None and entry.kind == "l":
                        return "/usr" + path
        return path

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
