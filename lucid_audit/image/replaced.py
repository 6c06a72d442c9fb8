"""Files of the base's packages that a layer above replaces or deletes, by the lists of checksums in ``status.d``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from lucid_audit.image.image import Image
from lucid_audit.image.packages import checksums
from lucid_audit.image.rootfs import Buried, Node
from lucid_audit.tuples import NamedTuple


class Replaced(NamedTuple):
    """A buried file of a package, the checksum its package gives it, and what is at its path now, if anything."""

    buried: Buried
    package: str
    md5: str
    node: Node | None


def replaced(image: Image) -> Iterator[Replaced]:
    """Yield what layers above a confirmed base did to its packages' files. Configuration files are in no list."""
    identity = image.identity
    if identity.tier != "layers":
        return
    owners: dict[str, tuple[str, str]] | None = None
    for buried in image.rootfs.buried:
        if buried.layer < identity.layers <= buried.by and buried.entry.kind != "d":
            owners = checksums(image.rootfs) if owners is None else owners
            path = buried.entry.path
            owner = owners.get(path) or owners.get(f"/usr{path}")
            if owner is not None:
                yield Replaced(buried, *owner, image.rootfs.get(path))


def same(image: Image, one: Replaced) -> bool | None:
    """Whether the file that is there now is the package's own again; None when its content was not kept."""
    if one.node is None or one.node.entry.kind != "f":
        return False
    content = image.rootfs.content(one.node)
    if content is None:
        return None
    return hashlib.md5(content, usedforsecurity=False).hexdigest() == one.md5


def unread(image: Image) -> dict[int, list[str]]:
    """Return the files that would have to be looked at again, by their layer: nobody knows before that they replace one."""
    found: dict[int, list[str]] = {}
    for one in replaced(image):
        if one.node is not None and same(image, one) is None:
            layer, path = one.node.content
            if path not in image.layers[layer].too_large:
                found.setdefault(layer, []).append(path)
    return found
