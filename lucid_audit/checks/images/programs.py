"""What an image carries to run: which programs are there, under which names, from which layer."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename

from lucid_audit.image.elf import Program
from lucid_audit.image.image import Image
from lucid_audit.image.rootfs import Node
from lucid_audit.tuples import NamedTuple


class Carried(NamedTuple):
    """One program of the final tree. ``names`` are all paths that lead to it, the real one first."""

    node: Node
    program: Program | None
    names: tuple[str, ...]


def exempt(image: Image, layer: int) -> bool:
    """Whether a layer is a confirmed distroless base's own: its makers chose what is in it."""
    return image.identity.tier == "layers" and layer < image.identity.layers


def executables(image: Image) -> Iterator[Node]:
    """Yield the files that somebody may execute, outside a confirmed base."""
    own = image.identity.layers if image.identity.tier == "layers" else 0
    for node in image.rootfs.nodes.values():
        entry = node.entry
        if entry.kind == "f" and entry.mode & 0o111 and node.layer >= own:
            yield node


def called(image: Image, wanted: frozenset[str]) -> list[tuple[str, list[str]]]:
    """Return the programs that one of the names leads to, each with all such paths: links and hard links are one program.

    Only names in a folder of programs count: a setting or a hook may be called like the program it is for.
    """
    found: dict[tuple[int, str], tuple[str, list[str]]] = {}
    for path, node in image.rootfs.nodes.items():
        folder, _, name = path.rpartition("/")
        kind = node.entry.kind
        if name not in wanted or kind not in "lf" or not _of_programs(image, folder):
            continue
        target = image.rootfs.resolve(path)
        if target.node is not None and target.node.entry.kind == "f" and target.node.entry.mode & 0o111:
            found.setdefault(target.node.content, (target.path, []))[1].append(path)
    return sorted(found.values())


def _of_programs(image: Image, folder: str) -> bool:
    """Whether a folder is one that programs are looked for in: ``bin``, ``sbin``, busybox's own, or an entry of PATH."""
    if basename(folder) in ("bin", "sbin", "busybox"):
        return True
    traced = image.container.env.get("PATH")
    return traced is not None and folder in (traced.known() or "").split(":")


def shown(names: list[str], real: str) -> str:
    """Name the other paths of a program: all when they are few."""
    others = sorted(name for name in names if name != real)
    if not others:
        return ""
    if len(others) <= 3:
        return f", also as {', '.join(others)}"
    return f", also as {', '.join(others[:2])} and {len(others) - 2} other names"
