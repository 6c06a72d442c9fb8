"""Zip archives on Python's path, as folders: what ``zipimport`` finds in them.

Facts: ``zipimport`` (sources and byte code, no extension modules; whatever the file is called, and whatever comes before the
archive in it), PEP 441.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from lucid_audit.container.files import Answer, Files
from lucid_audit.container.learned import LIMIT, Learn
from lucid_audit.container.linkage import Linkage
from lucid_audit.container.program import Program
from lucid_audit.container.tree import Made, Node, Tree, Walk
from lucid_audit.values import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from zipfile import ZipFile

ARCHIVE = 32 << 20  # bytes of an archive that is looked into
_MEMBERS = 50_000  # that are listed
_UNPACKED = 128 << 20  # bytes that are unpacked of one archive: the rest is not known
_END = b"PK\5\6"  # of the central directory, which an archive ends with
_TAIL = (1 << 16) + 22  # bytes in which it begins


def opened(node: Node | None) -> ZipFile | None:
    """Return the archive that a file is, None when it is none, too large or not known."""
    data = node.load(ARCHIVE) if node is not None and node.kind == "f" and node.load is not None else None
    if data is None or len(data) >= ARCHIVE or _END not in data[-_TAIL:]:
        return None
    import io  # noqa: PLC0415  (archives are rare)
    import zipfile  # noqa: PLC0415  (as above)

    from lucid_audit.container.jar import BROKEN  # noqa: PLC0415  (as above)

    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except BROKEN:
        return None
    return archive if len(archive.namelist()) <= _MEMBERS else None


def archived(files: Files, paths: Iterable[str]) -> Files:
    """Return files in which those of some paths that are archives are folders; the same when none is."""
    trees: dict[str, Node] = {}
    for path in paths:
        walk = files.walk(path)
        archive = opened(walk.node) if walk.state == "present" else None
        if archive is not None and walk.node is not None:
            trees[path.rstrip("/")] = _tree(archive, walk.node.made)
    return ArchivedFiles(files, trees) if trees else files


class ArchivedFiles(Files):
    """The files of a container, and those in archives. ``trees`` are the folders that stand for them."""

    __slots__ = ("_files", "_trees")

    def __init__(self, files: Files, trees: Mapping[str, Node]) -> None:
        self._files = files
        self._trees = {path: Tree(node) for path, node in trees.items()}

    def walk(self, path: str) -> Walk:
        """Follow a path, into an archive if it leads there."""
        for place, tree in self._trees.items():
            if path.startswith(place) and path[len(place) :][:1] in ("", "/"):
                walk = tree.walk(path[len(place) :] or "/")
                return walk._replace(path=f"{place}{walk.path}".rstrip("/"))
        return self._files.walk(path)

    def find(self, path: str) -> Answer:
        """Answer for a path outside of archives."""
        return self._files.find(path)

    def program(self, walk: Walk) -> Program | Unknown | None:
        """Return what kind of program a path led to."""
        return self._files.program(walk)

    def linkage(self, walk: Walk) -> Linkage | Unknown | None:
        """Return what an ELF file wants from the dynamic linker."""
        return self._files.linkage(walk)

    def doubt(self, node: Node) -> str:
        """Say why a folder may have more than is listed."""
        return self._files.doubt(node)

    def named(self, name: str) -> tuple[str, ...] | None:
        """Return every path outside of archives that ends with a name."""
        return self._files.named(name)

    def seen(self, name: str) -> tuple[str, ...]:
        """Return known paths outside of archives that end with a name."""
        return self._files.seen(name)

    def learned(
        self, walk: Walk, what: str, learn: Learn, of: str = "", enough: Callable[[Any], bool] | None = None
    ) -> Any:
        """Return what ``learn`` makes of a file. Nothing of archives is kept."""
        if any(walk.path.startswith(f"{place}/") for place in self._trees):
            return Files.learned(self, walk, what, learn)
        return self._files.learned(walk, what, learn, of, enough)


def _tree(archive: ZipFile, made: Made) -> Node:
    """Return the folder that stands for an archive, without what ``zipimport`` does not load."""
    tree = Tree(Node("d", made, 0o755, 0, 0))
    left = [_UNPACKED]
    for info in archive.infolist():
        name = info.filename
        if name.startswith("/") or ".." in name.split("/") or name.endswith(".so") or "\0" in name:
            continue
        if info.is_dir():
            tree.folder(name, made)
            continue
        node = Node("f", made, 0o644, 0, 0)
        node.load = _loader(archive, name, left)
        tree.put(f"/{name}", node, made)
    return tree.root


def _loader(archive: ZipFile, name: str, left: list[int]) -> Callable[[int], bytes | None]:
    """Return what reads a member; ``left`` are the bytes that may still be unpacked."""

    def load(limit: int) -> bytes | None:
        from lucid_audit.container.jar import BROKEN  # noqa: PLC0415  (archives are rare)

        limit = min(limit, LIMIT)
        if left[0] < limit:
            return None
        try:
            with archive.open(name) as stream:
                data = stream.read(limit)
        except (*BROKEN, KeyError):
            return None
        left[0] -= len(data)
        return data

    return load
