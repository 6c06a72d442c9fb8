"""The file tree that a stack of layers gives, and what later layers buried.

Sources: OCI image-spec v1.1, ``layer.md`` ("Applying Changesets"): whiteouts of a layer concern the layers below it only,
wherever they stand in the archive; a directory over a directory changes its attributes and keeps its children; anything
else replaces what was there. A path through something that is no directory is made one, as overlayfs shows it: the upper
directory hides the lower link.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from lucid_audit.container.program import Program
from lucid_audit.image.entry import Entry
from lucid_audit.image.layer import Layer
from lucid_audit.record import record

HOPS = 40  # links that the kernel follows in one path (MAXSYMLINKS)


class Node(NamedTuple):
    """A path of the final tree: its entry and the layer (from 0) that gave it; ``content`` is where its bytes come from.

    ``content`` differs from the node's own path and layer for a hard link. ``implied``: no layer has an entry for it.
    """

    entry: Entry
    layer: int
    content: tuple[int, str]
    implied: bool = False


class Buried(NamedTuple):
    """A path of a lower layer that the final tree does not show: deleted or replaced by layer ``by``. It can still be read."""

    entry: Entry
    layer: int
    by: int
    deleted: bool


class Conflict(NamedTuple):
    """Something that engines do not agree on or refuse: ``what`` says it in words."""

    path: str
    layer: int
    what: str


class Resolved(NamedTuple):
    """Where a path leads. ``node`` is None when nothing is there; ``broken`` is then the path that is missing.

    ``links`` are the symbolic links on the way, in order. ``loop``: there were more than ``HOPS`` of them.
    """

    path: str
    node: Node | None
    links: tuple[str, ...] = ()
    broken: str = ""
    loop: bool = False


@record(eq=False)
class Rootfs:
    """The final tree by path, what lies buried, and what engines disagree on."""

    nodes: Mapping[str, Node]
    children: Mapping[str, Mapping[str, None]]
    buried: tuple[Buried, ...]
    conflicts: tuple[Conflict, ...]
    layers: Sequence[Layer]

    def get(self, path: str) -> Node | None:
        """Return the node at exactly this path, no link followed."""
        return self.nodes.get(path)

    def resolve(self, path: str, *, follow: bool = True) -> Resolved:
        """Follow a path as the kernel does, never out of the tree. ``follow``: also when its last part is a link."""
        todo = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        at, links = "", 0
        seen: list[str] = []
        node = self.nodes.get("/")
        while todo:
            part = todo.pop()
            if part == "..":
                at = at.rpartition("/")[0]
                node = self.nodes.get(at or "/")
                continue
            if node is not None and node.entry.kind != "d":
                return Resolved(path, None, tuple(seen), f"{at}/{part}")
            at = f"{at}/{part}"
            node = self.nodes.get(at)
            if node is None:
                return Resolved(path, None, tuple(seen), at)
            if node.entry.kind == "l" and (todo or follow):
                seen.append(at)
                links += 1
                if links > HOPS:
                    return Resolved(path, None, tuple(seen), at, loop=True)
                target = node.entry.link
                todo.extend(part for part in reversed(target.split("/")) if part not in ("", "."))
                at = "" if target.startswith("/") else at.rpartition("/")[0]
                node = self.nodes.get(at or "/")
        return Resolved(at or "/", node, tuple(seen))

    def below(self, folder: str) -> Iterator[str]:
        """Yield every path below a folder, in no particular order."""
        stack = [folder]
        while stack:
            parent = stack.pop()
            for name in self.children.get(parent, ()):
                path = f"{parent}/{name}" if parent != "/" else f"/{name}"
                yield path
                if path in self.children:
                    stack.append(path)

    def read(self, path: str) -> bytes | None:
        """Return the content of a file that was wanted, links followed; None when it is missing or was not kept."""
        node = self.resolve(path).node
        return self.content(node) if node is not None else None

    def content(self, node: Node) -> bytes | None:
        """Return a node's kept content."""
        layer, path = node.content
        kept = self.layers[layer].kept.get(path)
        return kept if kept is not None else self.layers[layer].texts.get(path)

    def program(self, node: Node) -> Program | None:
        """Return what kind of program a node is."""
        layer, path = node.content
        return self.layers[layer].programs.get(path)


def squash(layers: Sequence[Layer]) -> Rootfs:
    """Apply layers, the lowest first."""
    tree = _Tree()
    for number, layer in enumerate(layers):
        tree.apply(number, layer)
    return Rootfs(tree.nodes, tree.children, tuple(tree.buried), tuple(tree.conflicts), tuple(layers))


_ROOT = Entry("/", "d", 0o755, 0, 0)


class _Tree:
    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {"/": Node(_ROOT, 0, (0, "/"), implied=True)}
        self.children: dict[str, dict[str, None]] = {"/": {}}
        self.buried: list[Buried] = []
        self.conflicts: list[Conflict] = []

    def apply(self, number: int, layer: Layer) -> None:
        """Apply one layer: first what it hides, then what it brings, links to files at last."""
        plain: list[Entry] = []
        links: list[Entry] = []
        for entry in layer.entries:
            if entry.kind == "w":
                self._hide(entry.path, number)
            elif entry.kind == "o":
                for name in tuple(self.children.get(entry.path, ())):
                    self._hide(_join(entry.path, name), number)
            else:
                (links if entry.kind == "h" else plain).append(entry)
        for entry in plain:
            self._put(Node(entry, number, (number, entry.path)))
        waiting = links
        while waiting:  # a link may point at one that comes later
            left = [entry for entry in waiting if not self._link(entry, number)]
            if len(left) == len(waiting):
                for entry in left:
                    self.conflicts.append(
                        Conflict(entry.path, number, f"is a hard link to {entry.link}, which is not there")
                    )
                break
            waiting = left

    def _link(self, entry: Entry, number: int) -> bool:
        target = self.nodes.get(entry.link)
        if target is None or target.entry.kind == "d":
            return False
        self._put(Node(target.entry._replace(path=entry.path), number, target.content))
        return True

    def _put(self, node: Node) -> None:
        path = node.entry.path
        old = self.nodes.get(path)
        if old is not None:
            if node.entry.kind == "d" and old.entry.kind == "d":
                self.nodes[path] = node
                return
            if path == "/":
                self.conflicts.append(Conflict(path, node.layer, "replaces the root folder"))
                return
            self._bury(path, node.layer, deleted=False)
        else:
            parent = path.rpartition("/")[0] or "/"
            if parent not in self.children:
                self._make_parent(parent, node.layer)
            self.children[parent][path.rpartition("/")[2]] = None
        self.nodes[path] = node
        if node.entry.kind == "d":
            self.children[path] = {}

    def _make_parent(self, path: str, number: int) -> None:
        """Make a folder that the archive leaves out; what stands there and is no folder gives way."""
        missing = []
        while path not in self.children:
            missing.append(path)
            path = path.rpartition("/")[0] or "/"
        for folder in reversed(missing):
            old = self.nodes.get(folder)
            if old is not None:
                kind = "a link to " + old.entry.link if old.entry.kind == "l" else "no folder"
                self.conflicts.append(
                    Conflict(folder, number, f"is {kind} in a layer below, and this layer has files under it")
                )
                self._bury(folder, number, deleted=False)
            self.nodes[folder] = Node(Entry(folder, "d", 0o755, 0, 0), number, (number, folder), implied=True)
            self.children[folder] = {}
            self.children[folder.rpartition("/")[0] or "/"][folder.rpartition("/")[2]] = None

    def _hide(self, path: str, number: int) -> None:
        if path in self.nodes and path != "/":
            self._bury(path, number, deleted=True)
            del self.children[path.rpartition("/")[0] or "/"][path.rpartition("/")[2]]

    def _bury(self, path: str, number: int, *, deleted: bool) -> None:
        """Take a path and all below it out of the tree. Entries of the burying layer itself leave no trace."""
        stack = [path]
        while stack:
            current = stack.pop()
            node = self.nodes.pop(current)
            if node.layer != number and not node.implied:
                self.buried.append(Buried(node.entry, node.layer, number, deleted))
            stack.extend(_join(current, name) for name in self.children.pop(current, ()))


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder != "/" else f"/{name}"
