"""Secrets and leftovers in the layers of an image, in the final tree and below it: a deleted file can still be read."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename

from lucid_audit.checks import Answers, check
from lucid_audit.checks.images.programs import exempt
from lucid_audit.checks.secret_files import kind_by_content, kind_by_name, open_name, suspicious
from lucid_audit.finding import Hit, Skip
from lucid_audit.image.entry import Entry
from lucid_audit.image.facts import size
from lucid_audit.image.image import Image

_READS = ("/**/*.pem", "/**/*.key", "/**/.npmrc", "/**/.pypirc", "/**/pip.conf")
# Packages bring certificates and keys for their own tests; what is secret there is secret to nobody.
_PUBLIC = ("/site-packages/", "/dist-packages/", "/node_modules/", "/usr/share/", "/etc/ssl/certs/", "/usr/lib/python")


def _kind(image: Image, entry: Entry, layer: int) -> str | None:
    """Say what kind of secret an entry is, "" for none, None when its content would tell and was not kept."""
    path = entry.path
    if any(part in path for part in _PUBLIC):
        return ""
    if open_name(path):
        if entry.kind != "f":
            return ""
        content = image.layers[layer].kept.get(path)
        if content is None:
            return None if entry.size else ""
        return kind_by_content(path, content)
    if entry.kind == "d" and basename(path) in (".ssh", ".aws", ".docker", ".kube", ".azure"):
        return ""  # what lies in it is judged on its own
    return kind_by_name(path) if entry.kind in "fd" else ""


@check("secret-file-absent", reads=_READS)
def secret_file_absent(image: Image) -> Answers:
    """Judge the files of the final tree. A folder that is a secret as a whole counts once."""
    folders: list[str] = []
    for path in sorted(_worth_a_look(image)):
        node = image.rootfs.nodes[path]
        if exempt(image, node.layer) or any(path.startswith(folder) for folder in folders[-1:]):
            continue
        kind = _kind(image, node.entry, node.content[0])
        if kind is None:
            yield Skip(image.place(path, node.layer), f"{path} is too large to be looked at")
        elif kind:
            if node.entry.kind == "d":
                folders.append(f"{path}/")
            yield Hit(image.place(path, node.layer), path=path, kind=kind)


def _worth_a_look(image: Image) -> Iterator[str]:
    """Yield paths whose name says something, folder by folder: most of an image lies where nothing is secret."""
    for folder, names in image.rootfs.children.items():
        above = f"{folder}/" if folder != "/" else "/"
        if any(part in above for part in _PUBLIC):
            continue
        every = suspicious(above)
        for name in names:
            if every or suspicious(name):
                yield above + name


@check("secret-file-buried", reads=_READS)
def secret_file_buried(image: Image) -> Answers:
    """Judge files that a later layer deleted or replaced: whoever pulls the image has the layer."""
    seen: set[str] = set()
    for buried in sorted(image.rootfs.buried, key=lambda one: (one.layer, one.entry.path)):
        path = buried.entry.path
        if exempt(image, buried.layer) or any(path.startswith(folder) for folder in seen):
            continue
        kind = _kind(image, buried.entry, buried.layer)
        if kind:
            if buried.entry.kind == "d":
                seen.add(f"{path}/")
            done = "deletes" if buried.deleted else "replaces"
            yield Hit(image.place(path, buried.layer), path=path, kind=kind, done=done, by=buried.by + 1)


_CACHES = {
    "/var/lib/apt/lists": "package lists",
    "/var/cache/apt": "downloaded packages",
    "/var/cache/apk": "downloaded packages",
    "/root/.cache": "a cache",
    "/root/.npm": "a cache",
    "/home/nonroot/.cache": "a cache",
    "/usr/local/share/.cache": "a cache",
}
_WORTH = 100_000  # bytes; a folder with less in it is nobody's trouble


@check("leftover-absent")
def leftover_absent(image: Image) -> Answers:
    """Judge caches of package managers that ended up in the image."""
    for folder, what in _CACHES.items():
        node = image.rootfs.get(folder)
        if node is None:
            continue
        files = list(_files(image, folder))
        total = sum(entry.size for entry in files)
        if total >= _WORTH:
            yield Hit(image.place(folder, node.layer), path=folder, what=what, size=size(total), count=len(files))


def _files(image: Image, folder: str) -> Iterator[Entry]:
    for path in image.rootfs.below(folder):
        entry = image.rootfs.nodes[path].entry
        if entry.kind == "f":
            yield entry
