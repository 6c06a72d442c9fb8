"""The entries of a layer: what a member of its archive means for the file system.

Sources: OCI image-spec v1.1, ``layer.md`` (whiteouts, attributes); overlayfs, kernel documentation (a character
device 0:0 is a whiteout).
"""

from __future__ import annotations

from typing import NamedTuple

from lucid_audit.image.descriptor import Descriptor
from lucid_audit.image.limits import DEFAULT
from lucid_audit.image.source import DamagedError
from lucid_audit.image.tar import Member

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
_RESERVED = ".wh..wh."  # aufs kept its own files under such names
_CAPABILITY = "security.capability"


class Entry(NamedTuple):
    """One path of a layer. ``path`` is absolute and normalised.

    ``kind``: f file, d directory, l symbolic link, h hard link, c and b devices, p fifo, w whiteout, o opaque directory.
    ``link`` is the target as stored; of a hard link, its normalised path. ``capability``: the file capability in hex.
    ``size`` in bytes, 0 for all but files.
    """

    path: str
    kind: str
    mode: int
    uid: int
    gid: int
    size: int = 0
    link: str = ""
    capability: str = ""


_UNSUPPORTED = ("+encrypted", "nydus", "squashfs", "erofs", "wasm")
_FOREIGN = ("nondistributable", "foreign")


def unsupported(descriptor: Descriptor) -> str:
    """Say why a layer cannot be audited, as its descriptor tells; "" when nothing speaks against it."""
    media_type = descriptor.media_type
    if any(name in media_type for name in _FOREIGN):
        return f"layer {descriptor.digest} is kept elsewhere by its publisher ({media_type})"
    if any(name in media_type for name in _UNSUPPORTED):
        return f"layer {descriptor.digest} is of the type {media_type}, which cannot be read"
    for key in descriptor.annotations:
        if key.startswith("containerd.io/snapshot/nydus-"):
            return f"layer {descriptor.digest} is a nydus layer, which holds no tar archive"
    return ""


def normalise(name: str, limit: int = DEFAULT.path) -> str:
    """Return the absolute path that a name in a layer means.

    Raises:
        DamagedError: it leads out of the root, or is longer than ``limit``.

    """
    if len(name) > limit:
        raise DamagedError(f"it has a path of {len(name)} characters, more than {limit}")
    name = name.removeprefix("./")
    if "//" not in name and "/." not in name and name[:1] not in ("/", "."):  # most names
        return f"/{name.rstrip('/')}"
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise DamagedError(f"it has the path {name!r}, which leads out of its folder")
    return "/" + "/".join(parts)


def read_entry(member: Member, path: str, limit: int) -> Entry | None:
    """Return the entry that a member means; None for what is left over from other union file systems."""
    folder, _, name = path.rpartition("/")
    kind, mode, uid, gid = member.kind, member.mode, member.uid, member.gid
    if name.startswith(WHITEOUT):
        if name == OPAQUE:
            return Entry(folder or "/", "o", 0, 0, 0)
        if name.startswith(_RESERVED):
            return None
        hidden = name.removeprefix(WHITEOUT)
        if hidden in ("", ".", ".."):
            raise DamagedError(f"it has the whiteout {path!r}, which names nothing")
        return Entry(f"{folder}/{hidden}", "w", 0, 0, 0)
    if kind == "c" and member.device == (0, 0):
        return Entry(path, "w", 0, 0, 0)
    link = member.link
    if kind == "h":
        link = normalise(link, limit)
    elif len(link) > limit:
        raise DamagedError(f"it has a link of {len(link)} characters, more than {limit}")
    capability = member.xattrs[_CAPABILITY].hex() if _CAPABILITY in member.xattrs else ""
    return Entry(path, kind, mode, uid, gid, member.size, link, capability)
