"""What building left in an image and running has no use for: caches, tools' own folders, headers, archives of objects."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename

from lucid_audit.checks import Answers, check
from lucid_audit.checks.images.leaks import of_package
from lucid_audit.checks.images.programs import exempt
from lucid_audit.finding import Hit
from lucid_audit.image.facts import size
from lucid_audit.image.image import Image
from lucid_audit.image.rootfs import Node

_CACHES = {
    "/var/lib/apt/lists": "package lists",
    "/var/cache/apt": "downloaded packages",
    "/var/cache/apk": "downloaded packages",
    "/var/cache/dnf": "downloaded packages",
    "/var/cache/yum": "downloaded packages",
    "/root/.cache": "a cache",
    "/root/.npm": "a cache",
    "/root/.cargo/registry": "downloaded packages",
    "/root/go/pkg/mod/cache": "downloaded packages",
    "/go/pkg/mod/cache": "downloaded packages",
    "/home/nonroot/.cache": "a cache",
    "/usr/local/share/.cache": "a cache",
}
_IN_PROJECTS = "/node_modules/.cache"
_WORTH = 100_000  # bytes; what has less is nobody's trouble


@check("leftover-absent")
def leftover_absent(image: Image) -> Answers:
    """Judge caches of package managers that ended up in the image."""
    folders = dict(_CACHES)
    folders.update((path, "a cache") for path in image.rootfs.children if path.endswith(_IN_PROJECTS))
    for folder, what in folders.items():
        node = image.rootfs.get(folder)
        if node is None:
            continue
        files = list(_files(image, folder))
        total = sum(file.entry.size for file in files)
        if total >= _WORTH:
            count = "1 file" if len(files) == 1 else f"{len(files)} files"
            yield Hit(image.place(folder, files[0].layer), path=folder, what=what, size=size(total), count=count)


def _files(image: Image, folder: str) -> Iterator[Node]:
    for path in image.rootfs.below(folder):
        node = image.rootfs.nodes[path]
        if node.entry.kind == "f":
            yield node


# What the tools of developers keep beside the sources, and the recipes of images themselves.
_WORKSPACE = frozenset((
    ".idea", ".vscode", ".vs", ".devcontainer", ".github", ".gitlab-ci.yml", ".circleci", ".terraform", "terraform.tfstate",
    ".pytest_cache", ".mypy_cache", ".ruff_cache", ".tox", ".nox", ".hypothesis", ".nyc_output", ".DS_Store", "Thumbs.db",
    "Dockerfile", ".dockerignore", "docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml",
    ".bash_history", ".zsh_history", ".python_history", ".node_repl_history", ".psql_history", ".viminfo",
))  # fmt: skip
_SHOWN = 3


@check("workspace-left")
def workspace_left(image: Image) -> Answers:
    """Judge what lies beside sources and is no part of a program. One finding for each layer: one COPY brings them all."""
    found: dict[int, list[str]] = {}
    for folder, names in image.rootfs.children.items():
        for name in names.keys() & _WORKSPACE:
            path = f"{folder}/{name}" if folder != "/" else f"/{name}"
            layer = image.rootfs.nodes[path].layer
            if not exempt(image, layer) and not of_package(path):
                found.setdefault(layer, []).append(path)
    for layer, paths in sorted(found.items()):
        paths.sort()
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        yield Hit(image.place(paths[0], layer), paths=", ".join(paths[:_SHOWN]), more=more)


_MATERIAL = (".h", ".hpp", ".hh", ".a", ".o", ".la")


@check("build-material-absent")
def build_material_absent(image: Image) -> Answers:
    """Judge headers and static libraries outside of packages, which bring theirs along. One finding for each layer."""
    found: dict[int, list[str]] = {}
    for path, node in image.rootfs.nodes.items():
        if path.endswith(_MATERIAL) and node.entry.kind == "f" and not exempt(image, node.layer):
            found.setdefault(node.layer, []).append(path)
    for layer, paths in sorted(found.items()):
        kept = [path for path in paths if not of_package(path)]
        total = sum(image.rootfs.nodes[path].entry.size for path in kept)
        if total >= _WORTH:
            largest = max(kept, key=lambda path: (image.rootfs.nodes[path].entry.size, path))
            headers = sum(basename(path).rpartition(".")[2].startswith("h") for path in kept)
            parts = _counted(headers, "header"), _counted(len(kept) - headers, "static library or object")
            what = " and ".join(part for part in parts if part)
            yield Hit(image.place(largest, layer), what=what, size=size(total), path=largest)


def _counted(number: int, what: str) -> str:
    if number == 1:
        return f"1 {what}"
    plural = what.replace("library", "libraries").replace("object", "objects").replace("header", "headers")
    return f"{number} {plural}" if number else ""
