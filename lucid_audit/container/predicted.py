"""The files of a predicted container: the tree of its stage, and which instruction put what where."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from posixpath import basename, normpath

from lucid_audit.bases import Base
from lucid_audit.container.files import MERGED, Answer, Files, Placement, State, covers
from lucid_audit.container.tree import Node, Tree, Walk
from lucid_audit.record import record

_SEEN = 50_000  # entries of a tree that are looked through


@record(eq=False)
class PredictedFiles(Files):
    """The file system after a build: its tree, and the places that its instructions name."""

    base: Base | None
    tree: Tree
    placements: tuple[Placement, ...] = ()
    opaque: str = ""
    others: Callable[[str], str] | None = None  # names the other stage that has a path

    def find(self, path: str) -> Answer:
        """Answer for one absolute path."""
        walk = self.tree.walk(path)
        if walk.state == "absent":
            what = basename(walk.path) if not walk.hops else f"{walk.path}, to which {walk.hops[0].path} leads"
            name = self.base.ref.familiar if self.base is not None else "the image"
            return Answer(State.ABSENT, f"{name} has no {what}")
        of_base = walk.node is not None and walk.node.made.span is None
        return Answer(State(walk.state), walk.reason, None if of_base else self._placed(normpath(path)))

    def _placed(self, path: str) -> Placement | None:
        """Return what put a path there, or may have: the last that names it, else the last that names a folder above it."""
        real, maybe = self.canonical(path), None
        for placement in reversed(self.placements):
            if placement.path is None:
                maybe = maybe or placement
            elif placement.exact and self.canonical(placement.path) == real:
                return placement
            elif not placement.empty and covers(self.canonical(placement.path), real):
                maybe = maybe or placement
        return maybe

    @property
    def open(self) -> str:  # type: ignore[override]
        """Why files that are not known of may be anywhere."""
        return self.tree.doubt

    def walk(self, path: str) -> Walk:
        """Follow one absolute path in the tree."""
        return self.tree.walk(path)

    def seen(self, name: str) -> tuple[str, ...]:
        """Return paths that end with a name, among the first that the tree has."""
        first = islice(self.tree.below("/", self.tree.root), _SEEN)
        return tuple(sorted(path for path, _ in first if path.endswith(f"/{name}")))

    def doubt(self, node: Node) -> str:
        """Say why a folder may have more than is listed."""
        return node.open or self.tree.doubt

    def elsewhere(self, path: str) -> str:
        """Say which other stage has a path."""
        return self.others(path) if self.others is not None else ""

    def canonical(self, path: str) -> str:
        """Return ``path`` with the links of a merged /usr followed, where the base is known to have them."""
        return canonical(self.base, path)


def canonical(base: Base | None, path: str) -> str:
    """Return ``path`` with the links of a merged /usr followed, where ``base`` is known to have them."""
    if base is not None:
        for link in MERGED:
            if path.startswith(link) and path[len(link) : len(link) + 1] in ("", "/"):
                entry = base.entries.get(link)
                if entry is not None and entry.kind == "l":
                    return "/usr" + path
    return path
