"""Secrets in the layers of an image, in the final tree and below it: a deleted file can still be read."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename

from lucid_audit.checks import Answers, check
from lucid_audit.checks.images.credentials import MARKS, READS, kind_of
from lucid_audit.checks.images.programs import exempt, since
from lucid_audit.checks.secret_files import MARKS as KNOWN
from lucid_audit.checks.secret_files import kind_by_name
from lucid_audit.finding import Hit, Skip
from lucid_audit.image.entry import Entry
from lucid_audit.image.image import Image

# Packages bring certificates and keys for their own tests; what is secret there is secret to nobody. Version managers are
# clones of public repositories.
_PACKAGES = frozenset((
    "site-packages", "dist-packages", "node_modules", "gems", "third_party", "vendor", ".pyenv", ".nvm", ".rbenv", ".asdf",
    ".oh-my-zsh",
))  # fmt: skip
_SYSTEM = (
    "/etc/ssl/certs/", "/usr/lib/python", "/usr/local/lib/python", "/go/pkg/mod/", "/root/go/pkg/mod/",
    "/root/.cargo/registry/", "/usr/local/cargo/registry/", "/usr/share/doc/", "/usr/share/perl", "/usr/share/nodejs/",
    "/usr/share/javascript/", "/usr/share/ruby", "/usr/share/php/", "/usr/share/ca-certificates/",
)  # fmt: skip
# Keys in folders of these names are made up for tests, most often. Interpreters bring such folders too.
_TESTS = ("/test/", "/tests/", "/testdata/", "/__tests__/", "/fixtures/")
_HOMES = (".ssh", ".aws", ".docker", ".kube", ".azure")  # what lies in them is judged on its own
_MARKS = (*MARKS, *KNOWN)
_REPOSITORY = "/.git"


def of_package(path: str) -> bool:
    """Whether a path lies in somebody else's package."""
    return path.startswith(_SYSTEM) or not _PACKAGES.isdisjoint(path.split("/")[:-1])


def _kind(entry: Entry, content: bytes | None) -> str | None:
    """Say what kind of secret an entry is, "" for none, None when its content would tell and was not kept."""
    path = entry.path
    if of_package(path):
        return ""
    if entry.kind == "f":
        if path.endswith(_REPOSITORY):
            return ""  # it says where a submodule's repository is
        return kind_of(entry, content)
    return kind_by_name(path) if entry.kind == "d" and basename(path) not in _HOMES else ""


def _for_tests(entry: Entry) -> bool:
    return entry.kind == "f" and any(part in entry.path for part in _TESTS)


@check("secret-file-absent", reads=READS)
def secret_file_absent(image: Image) -> Answers:
    """Judge the files of the final tree. A folder that is a secret as a whole counts once."""
    folder = "//"
    found: dict[str, str] = {}
    for path in sorted(_worth_a_look(image), key=_below_each_other):
        node = image.rootfs.nodes[path]
        if path.startswith(folder) or exempt(image, node.layer) or _for_tests(node.entry):
            continue
        if node.entry.kind == "d" and not image.rootfs.children.get(path):
            continue  # a folder whose content was left out
        kind = _kind(node.entry, image.rootfs.content(node))
        if kind is None:
            yield Skip(image.place(path, node.layer), f"{path} is too large to be looked at")
        elif kind:
            if node.entry.kind == "d":
                folder = f"{path}/"
            found[path] = kind
    origins = since(image, found, lambda entry: entry.kind == "d" or entry.size)
    for path, kind in found.items():
        layer = origins.get(path, image.rootfs.nodes[path].layer)
        yield Hit(image.place(path, layer), path=path, kind=kind)


def _below_each_other(path: str) -> str:
    """Order paths so that all that lies in a folder follows it at once."""
    return f"{path}/"


@check("secret-file-of-tests", reads=READS)
def secret_file_of_tests(image: Image) -> Answers:
    """Judge folders of tests: one finding for each layer that brings secrets in some."""
    found: dict[int, list[tuple[str, str]]] = {}
    for path in sorted(_worth_a_look(image)):
        node = image.rootfs.nodes[path]
        if _for_tests(node.entry) and not exempt(image, node.layer):
            kind = _kind(node.entry, image.rootfs.content(node))
            if kind:
                found.setdefault(node.layer, []).append((path, kind))
    for layer, secrets in sorted(found.items()):
        path, kind = secrets[0]
        more = f", as do {len(secrets) - 1} more secrets" if len(secrets) > 1 else ""
        yield Hit(image.place(path, layer), path=path, kind=kind, more=more)


def _worth_a_look(image: Image) -> Iterator[str]:
    """Yield paths whose name says something, folder by folder: most of an image lies where nothing is secret."""
    children = image.rootfs.children
    stack = [("/", False)]
    while stack:
        folder, every = stack.pop()
        names = children[folder]
        above = f"{folder}/" if folder != "/" else "/"
        if every:
            yield from (above + name for name in names)
        else:
            together = " ".join(names)  # one look at a folder spares one at each of its files
            found = [mark for mark in _MARKS if mark in together]
            if found:
                yield from (above + name for name in names if any(mark in name for mark in found))
        for name in names:
            path = above + name
            if path in children and name not in _PACKAGES and not f"{path}/".startswith(_SYSTEM):
                stack.append((path, every or any(mark in name for mark in _MARKS)))


@check("secret-file-buried", reads=READS)
def secret_file_buried(image: Image) -> Answers:
    """Judge files that a later layer deleted or replaced: whoever pulls the image has the layer.

    A file that is still there as a secret is one finding, not two: changing its owner replaces it, for one.
    """
    seen: set[str] = set()
    folder = "//"
    for buried in sorted(image.rootfs.buried, key=lambda one: (one.layer, f"{one.entry.path}/")):
        entry = buried.entry
        path = _repository(entry.path) or entry.path
        if exempt(image, buried.layer) or path in seen or path.startswith(folder) or _for_tests(entry):
            continue
        content = image.layers[buried.layer].kept.get(path)
        kind = _kind(entry, content) if path == entry.path else kind_by_name(path)
        if not kind or _still(image, path, kind):
            continue
        seen.add(path)
        if path != entry.path or entry.kind == "d":
            folder = f"{path}/"
        done = "deletes" if buried.deleted else "replaces"
        yield Hit(image.place(path, buried.layer), path=path, kind=kind, done=done, by=buried.by + 1)


def _repository(path: str) -> str:
    """Return the repository that a file lies in, "" for none: not every archive has an entry for the folder itself."""
    above, found, _ = path.partition(f"{_REPOSITORY}/")
    return above + _REPOSITORY if found else ""


def _still(image: Image, path: str, kind: str) -> bool:
    node = image.rootfs.get(path)
    return node is not None and _kind(node.entry, image.rootfs.content(node)) == kind
