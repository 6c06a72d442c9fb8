"""Files of the base's packages that a layer above replaces or deletes, by the lists of checksums in ``status.d``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from lucid_audit.image.image import Image
from lucid_audit.image.packages import checksums
from lucid_audit.image.rootfs import Buried, Node, Rootfs
from lucid_audit.tuples import NamedTuple


class Replaced(NamedTuple):
    """A buried file of a package, and what is at its path now, if anything.

    ``sums`` are the checksums that lists give the path: the base's, and those that a layer above brought with its record.
    """

    buried: Buried
    package: str
    sums: frozenset[str]
    node: Node | None


def replaced(image: Image) -> Iterator[Replaced]:
    """Yield what layers above a confirmed base did to its packages' files. Configuration files are in no list."""
    identity = image.identity
    if identity.tier != "layers":
        return
    lists: tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]] | None = None
    for buried in image.rootfs.buried:
        if buried.layer < identity.layers <= buried.by and buried.entry.kind != "d":
            if lists is None:  # the base's own lists, as they may be buried too
                lists = checksums(image.layers[: identity.layers]), checksums(image.layers[identity.layers :])
            path = buried.entry.path
            owners = lists[0].get(path) or lists[0].get(f"/usr{path}")
            if owners:
                later = lists[1].get(path) or lists[1].get(f"/usr{path}") or {}
                sums = frozenset((*owners.values(), *later.values()))
                yield Replaced(buried, next(iter(owners)), sums, image.rootfs.get(path))


def same(image: Image, one: Replaced) -> bool | None:
    """Whether the file that is there now is the package's own again; None when its content was not kept."""
    if one.node is None or one.node.entry.kind != "f":
        return False
    content = image.rootfs.content(one.node)
    if content is None:
        return None
    return hashlib.md5(content, usedforsecurity=False).hexdigest() in one.sums


def topmost(rootfs: Rootfs, path: str) -> str:
    """Return the highest folder that is gone with a path that is gone."""
    folder = path.rpartition("/")[0]
    while folder and folder not in rootfs.nodes:
        path, folder = folder, folder.rpartition("/")[0]
    return path


def unread(image: Image) -> dict[int, list[str]]:
    """Return the files that would have to be looked at again, by their layer: nobody knows before that they replace one."""
    found: dict[int, list[str]] = {}
    for one in replaced(image):
        if one.node is not None and same(image, one) is None:
            layer, path = one.node.content
            if path not in image.layers[layer].too_large:
                found.setdefault(layer, []).append(path)
    return found
