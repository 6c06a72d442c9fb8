"""A file tree that is partly known: what a build is predicted to leave behind.

Every folder says for itself whether its list is complete: a name that a complete folder does not have is absent, a name
that an open one does not have is unknown, for the reason it gives. Paths are followed as the kernel does
(path_resolution(7)), links never leave the tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lucid_audit.text import Span
from lucid_audit.tuples import NamedTuple

HOPS = 40  # links that the kernel follows in one path (MAXSYMLINKS)


class Made(NamedTuple):
    """Who made an entry: an instruction's place, or None for the base, and words such as ``stage builder``."""

    span: Span | None
    words: str = ""


class Node:
    """One entry. ``kind``: ``d``, ``f``, ``l``, or ``?`` for what is there and of unknown kind.

    ``mode``, ``uid`` and ``gid`` are None where they are not known. ``target`` is a link's, as stored. ``load`` gives a
    file's first bytes, None when nobody can. ``open`` is why a folder may have more than its ``children``, "" when it
    has no more; ``without`` are names that even an open one has not. ``fill`` lists a folder when it is first looked into.
    """

    __slots__ = ("_children", "fill", "gid", "kind", "load", "made", "mode", "open", "target", "uid",
                 "without")  # fmt: skip

    def __init__(self, kind: str, made: Made, mode: int | None = None, uid: int | None = None, gid: int | None = None,
                 target: str = "") -> None:  # fmt: skip
        self.kind, self.made, self.mode, self.uid, self.gid, self.target = kind, made, mode, uid, gid, target
        self._children: dict[str, Node] = {}
        self.open = ""
        self.without: frozenset[str] = frozenset()
        self.load: Callable[[int], bytes | None] | None = None
        self.fill: Callable[[Node], None] | None = None

    @property
    def children(self) -> dict[str, Node]:
        """What is known to be in a folder."""
        if self.fill is not None:
            fill, self.fill = self.fill, None
            fill(self)
        return self._children

    @children.setter
    def children(self, found: dict[str, Node]) -> None:
        self.fill = None
        self._children = found

    def doubt(self, reason: str, without: frozenset[str] = frozenset()) -> None:
        """Say that a folder may have more than what is listed; only names in ``without`` it still has not."""
        self.open = self.open or reason
        self.without &= without

    def copied(self, change: Callable[[Node], None] | None = None, *, settled: bool = False) -> Node:
        """Return a copy of this entry and all below it; ``change`` is applied to each entry of the copy.

        ``settled``: nobody changes this entry any more, so what is below is copied when it is looked into.
        """
        new = Node(self.kind, self.made, self.mode, self.uid, self.gid, self.target)
        new.open, new.without, new.load = self.open, self.without, self.load
        if self.fill is not None or (settled and self._children):

            def fill(node: Node) -> None:
                node.children = {name: one.copied(change, settled=settled) for name, one in self.children.items()}
                node.open = node.open or self.open  # listing it may have been what cannot be done

            new.fill = fill
        elif self._children:
            new.children = {name: child.copied(change) for name, child in self._children.items()}
        if change is not None:
            change(new)
        return new


class Hop(NamedTuple):
    """A symbolic link that was followed. ``last``: it was the end of what was asked for, no folder on the way."""

    path: str
    target: str
    made: Made
    last: bool = False


class Walk(NamedTuple):
    """Where a path leads. ``state``: ``present``, ``absent`` or ``unknown``.

    ``path`` is where it led, or would lead if it were there. ``through`` are the folders that were
    entered, which need the execute bit, with their paths.
    """

    state: str
    path: str
    node: Node | None = None
    hops: tuple[Hop, ...] = ()
    through: tuple[tuple[str, Node], ...] = ()
    reason: str = ""

    @property
    def link(self) -> Hop | None:
        """The link that led here: the one that was asked for, or one on the way that an instruction made."""
        return next((hop for hop in self.hops if hop.last or hop.made.span is not None), None)

    def load(self, limit: int) -> bytes | None:
        """Return up to ``limit`` bytes of the file that it led to, None when there is none or its content is not known."""
        return self.node.load(limit) if self.node is not None and self.node.load is not None else None


class Tree:
    """The root folder and the operations of a build on it. ``doubt`` is a reason when anything may have been added."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self.doubt = ""

    def fork(self) -> Tree:
        """Return a tree that changes by itself; this one is not changed any more."""
        tree = Tree(self.root.copied(settled=True))
        tree.doubt = self.doubt
        return tree

    def walk(self, path: str, *, follow: bool = True) -> Walk:
        """Follow an absolute path. ``follow``: also when its last part is a link."""
        todo = _parts(path)
        trail: list[tuple[str, Node]] = [("", self.root)]
        hops: list[Hop] = []
        through: list[tuple[str, Node]] = []
        while todo:
            at, folder = trail[-1]
            part = todo.pop()
            step = f"{at}/{part}" if part else at
            if folder.kind == "?":
                return Walk("unknown", step, None, tuple(hops), tuple(through), f"what is copied to {at} is not listed")
            if folder.kind != "d":
                return Walk("absent", _whole(step, todo), None, tuple(hops), tuple(through), f"{at} is no folder")
            if part == "..":
                trail = trail[:-1] or trail  # the root's parent is the root
            if part in ("", ".."):
                continue
            through.append((at or "/", folder))
            node = folder.children.get(part)
            if node is None:
                doubt = self.doubt or ("" if part in folder.without else folder.open)
                state = "unknown" if doubt else "absent"
                return Walk(state, _whole(step, todo), None, tuple(hops), tuple(through), doubt)
            if node.kind == "l" and (todo or follow):
                hops.append(Hop(step, node.target, node.made, not todo))
                if len(hops) > HOPS:
                    return Walk("absent", step, None, tuple(hops), tuple(through), "a circle of links")
                todo.extend(_parts(node.target))
                if node.target.startswith("/"):
                    trail = trail[:1]
                continue
            trail.append((step, node))
        at, node = trail[-1]
        return Walk("present", at or "/", node, tuple(hops), tuple(through))

    def folder(
        self, path: str, made: Made, mode: int | None = 0o755, uid: int | None = 0, gid: int | None = 0
    ) -> Node | None:
        """Return a folder, made with all its parents where it is missing; None when something else is in the way."""
        at = self.root
        here = ""
        for part in filter(None, reversed(_parts(path))):
            if part == "..":
                return None
            here = f"{here}/{part}"
            if at.kind != "d":
                return None
            node = at.children.get(part)
            if node is not None and node.kind == "l":
                led = self.walk(here)
                if led.state != "present" or led.node is None:
                    return None
                node = led.node
            if node is None:
                doubt = at.open or self.doubt
                node = Node("d", made, None if doubt else mode, None if doubt else uid, None if doubt else gid)
                node.open = doubt  # it may have been there already, with more in it
                at.children[part] = node
            at = node
        return at if at.kind == "d" else None

    def put(self, path: str, node: Node, made: Made) -> bool:
        """Place an entry; its folder is made where it is missing. Folders melt into folders, all else replaces."""
        folder, _, name = path.rstrip("/").rpartition("/")
        parent = self.folder(folder or "/", made) if name else None
        if parent is None:
            return False
        old = parent.children.get(name)
        if old is not None and old.kind == "d" and node.kind == "d":
            melt(old, node)
        else:
            parent.children[name] = node
        return True

    def remove(self, path: str) -> None:
        """Take an entry and all below it away; in an open folder it leaves nothing that is surely absent."""
        found = self.walk(path, follow=False)
        if found.state == "present" and found.through:
            del found.through[-1][1].children[path.rstrip("/").rpartition("/")[2]]

    def uncertain(self, path: str, reason: str) -> None:
        """Say that anything may have been added below a path, or that it may have come to be."""
        found = self.walk(path)
        if found.state == "present" and found.node is not None:
            _open(found.node, reason)
        elif found.through:
            found.through[-1][1].doubt(reason)

    def below(self, path: str, node: Node) -> Iterator[tuple[str, Node]]:
        """Yield every known entry below a folder, with its path."""
        for name, child in node.children.items():
            inner = f"{path.rstrip('/')}/{name}"
            yield inner, child
            if child.kind == "d":
                yield from self.below(inner, child)


def melt(old: Node, new: Node) -> None:
    """Put a folder's contents into another; of folders below, the newcomer's attributes count (fsutil ``copy.go``).

    Where the old one may have more than is listed, a folder that comes may have been there already, with more in it.
    """
    if new.open:
        old.doubt(new.open, new.without)
    reason = old.open
    for name, child in new.children.items():
        here = old.children.get(name)
        if here is not None and here.kind == "d" and child.kind == "d":
            here.mode, here.uid, here.gid, here.made = child.mode, child.uid, child.gid, child.made
            melt(here, child)
        elif child.kind == "d" and ((here is None and reason and name not in old.without) or _hidden(here)):
            old.children[name] = child.copied(
                lambda node: doubted(node, reason or "what it replaces is not known"), settled=True
            )
        else:
            old.children[name] = child


def _hidden(node: Node | None) -> bool:
    return node is not None and node.kind == "?"


def doubted(node: Node, doubt: str) -> None:
    """Say of a folder that it may have more."""
    if node.kind == "d" and doubt:
        node.doubt(doubt)


def _open(node: Node, reason: str) -> None:
    if node.kind == "d":
        node.doubt(reason)
        for child in node.children.values():
            _open(child, reason)


def _whole(step: str, todo: list[str]) -> str:
    """Return the path that is asked for, from the step that failed on."""
    return "/".join((step, *filter(None, reversed(todo))))


def _parts(path: str) -> list[str]:
    """Return the steps of a path, the first one last. An end in ``/`` or ``/.``, which only a folder has, is ``""``."""
    parts = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    return ["", *parts] if parts and path.endswith(("/", "/.")) else parts
