"""The files of a measured container: every path is known, and what was kept can be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lucid_audit.container.files import Answer, Files, State
from lucid_audit.container.learned import Learn
from lucid_audit.container.linkage import Linkage
from lucid_audit.container.program import Program
from lucid_audit.container.tree import Made, Node, Tree, Walk
from lucid_audit.image.rootfs import Rootfs
from lucid_audit.record import record
from lucid_audit.values import Unknown

# The runtime mounts these over whatever the image has (OCI runtime-spec v1.2, "Default Filesystems"; Docker's bind mounts).
MOUNTED = ("/proc", "/sys", "/dev", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf")


@record(eq=False)
class MeasuredFiles(Files):
    """The closed world of an image. ``volumes``: what lies there may come from outside, so nothing is surely absent."""

    rootfs: Rootfs
    volumes: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()  # the history line of each layer, where it is known

    def find(self, path: str) -> Answer:
        """Answer for one absolute path."""
        found = self.rootfs.resolve(path)
        if found.node is not None:
            return Answer(State.PRESENT)
        missing = found.broken
        mounted = self._mounted(missing)
        if mounted:
            return Answer(State.UNKNOWN, mounted)
        if found.loop:
            return Answer(State.ABSENT, f"{path} leads into a circle of links")
        if found.links:
            return Answer(State.ABSENT, f"the image has no {missing}, to which {found.links[0]} leads")
        return Answer(State.ABSENT, f"the image has no {missing}")

    def walk(self, path: str) -> Walk:
        """Follow one absolute path in the image; what the runtime mounts over is not known."""
        walk = self._tree().walk(path)
        if walk.state != "absent":
            return walk
        mounted = self._mounted(walk.path)
        return walk._replace(state="unknown", reason=mounted) if mounted else walk

    def _tree(self) -> Tree:
        kept = _trees.get(id(self.rootfs))
        if kept is None or kept[0] is not self.rootfs:
            _trees.clear()
            kept = _trees[id(self.rootfs)] = self.rootfs, Tree(_node(self.rootfs, self.lines, "/"))
        return kept[1]

    def program(self, walk: Walk) -> Program | Unknown | None:
        """Return what kind of program a path led to: it was looked at when its layer was read."""
        node = self.rootfs.nodes.get(walk.path)
        return self.rootfs.program(node) if node is not None else None

    def capability(self, walk: Walk) -> str:
        """Return the file capabilities of what a path led to."""
        node = self.rootfs.nodes.get(walk.path)
        return node.entry.capability if node is not None else ""

    def linkage(self, walk: Walk) -> Linkage | Unknown | None:
        """Return what an ELF file wants from the dynamic linker: it was read when its layer was."""
        program = self.program(walk)
        if program is None or isinstance(program, Unknown):
            return program
        if program.kind != "elf":
            return None
        if program.linkage is None:
            return Unknown(f"the dynamic section of {walk.path} is damaged or lies too far behind")
        return program.linkage

    def learned(
        self, walk: Walk, what: str, learn: Learn, of: str = "", enough: Callable[[Any], bool] | None = None
    ) -> Any:
        """Return what is known of the content of a file; it is kept with the layer that has it."""
        node = self.rootfs.nodes.get(walk.path)
        if node is None or walk.node is None:
            return None
        layer, path = node.content
        store = self.rootfs.layers[layer].learned
        known = store.get(path, what, of)
        if known is not None and (enough is None or enough(known[0])):
            return known[0]
        value = Files.learned(self, walk, what, learn)
        if value is not None:
            store.put(path, what, of, value)
        return value

    def named(self, name: str) -> tuple[str, ...] | None:
        """Return every path that ends with a name."""
        folders = (folder for folder, names in self.rootfs.children.items() if name in names)
        return tuple(sorted(f"{folder.rstrip('/')}/{name}" for folder in folders))

    def _mounted(self, path: str) -> str:
        for place in (*MOUNTED, *self.volumes):
            if path == place or path.startswith(place.rstrip("/") + "/"):
                return f"{path} lies where the runtime mounts something"
        return ""

    def read(self, path: str) -> bytes | Unknown | None:
        """Return the content of a file that was kept."""
        node = self.rootfs.resolve(path).node
        if node is None:
            return None
        if node.entry.kind == "f" and not node.entry.size:
            return b""
        content = self.rootfs.content(node)
        return content if content is not None else Unknown(f"the content of {path} was not kept")

    def canonical(self, path: str) -> str:
        """Return where a path leads, as far as it leads."""
        found = self.rootfs.resolve(path)
        return found.path if found.node is not None else path


_trees: dict[int, tuple[Rootfs, Tree]] = {}  # of the image that is judged


def _node(rootfs: Rootfs, lines: tuple[str, ...], path: str) -> Node:
    """Return an entry of the image with what is below it, listed when it is looked into."""
    found = rootfs.nodes[path]
    entry = found.entry
    line = lines[found.layer] if found.layer < len(lines) else ""
    made = Made(None, f"layer {found.layer + 1}{f': {line}' if line else ''}")
    node = Node(entry.kind if entry.kind in "dfl" else "?", made, entry.mode & 0o7777, entry.uid, entry.gid, entry.link)
    if entry.kind == "f":

        def load(limit: int) -> bytes | None:
            content = rootfs.content(found) if entry.size else b""
            return content[:limit] if content is not None else None

        node.load = load
    elif entry.kind == "d":

        def fill(folder: Node) -> None:
            for name in rootfs.children.get(path, ()):
                folder.children[name] = _node(rootfs, lines, f"{path.rstrip('/')}/{name}")

        node.fill = fill
    return node
