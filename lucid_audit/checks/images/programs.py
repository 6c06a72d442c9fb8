"""What an image carries to run: which programs are there, under which names, from which layer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterator

from lucid_audit.image.entry import Entry
from lucid_audit.image.image import Image
from lucid_audit.image.rootfs import Node


def exempt(image: Image, layer: int) -> bool:
    """Whether a layer is a confirmed distroless base's own: its makers chose what is in it."""
    return not image.own(layer)


def since(image: Image, paths: Collection[str], holds: Callable[[Entry], object]) -> dict[str, int]:
    """Return the layer from which on something has held for each path: where it came from.

    Later layers repeat a path when they change its owner, and a folder whenever anything in it changes.
    """
    found: dict[str, int] = {}
    if not paths:
        return found
    for number, layer in enumerate(image.layers):
        for entry in layer.entries:
            if entry.path in paths and entry.kind != "h":
                if entry.kind not in "wo" and holds(entry):
                    found.setdefault(entry.path, number)
                elif entry.kind != "o":
                    found.pop(entry.path, None)
    return found


def executables(image: Image) -> Iterator[Node]:
    """Yield the files that somebody may execute, outside a confirmed base."""
    for node in image.rootfs.nodes.values():
        entry = node.entry
        if entry.kind == "f" and entry.mode & 0o111 and image.own(node.layer):
            yield node


def commands(image: Image) -> Iterator[tuple[str, str]]:
    """Yield (folder, name) of what lies in folders of programs: ``bin``, ``sbin``, busybox's own, and entries of PATH.

    A setting or a hook elsewhere may be called like the program it is for.
    """
    traced = image.container.env.get("PATH")
    on_path = set((traced.known() or "").split(":")) if traced is not None else set()
    for folder, names in image.rootfs.children.items():
        if folder.endswith(("/bin", "/sbin", "/busybox")) or folder in on_path:
            for name in names:
                yield folder, name


def called(image: Image, wanted: Container[str]) -> list[tuple[str, list[str]]]:
    """Return the programs that one of the names leads to, each with all such paths: links and hard links are one program."""
    found: dict[tuple[int, str], tuple[str, list[str]]] = {}
    for folder, name in commands(image):
        if name not in wanted:
            continue
        path = f"{folder}/{name}"
        target = image.rootfs.resolve(path)
        if target.node is not None and target.node.entry.kind == "f" and target.node.entry.mode & 0o111:
            found.setdefault(target.node.content, (target.path, []))[1].append(path)
    return sorted(found.values())


def shown(names: list[str], real: str) -> str:
    """Name the other paths of a program: all when they are few."""
    others = sorted(name for name in names if name != real)
    if not others:
        return ""
    if len(others) <= 3:
        return f", also as {', '.join(others)}"
    return f", also as {', '.join(others[:2])} and {len(others) - 2} other names"
