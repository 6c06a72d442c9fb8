"""Shells and toolboxes: by the names that people give them and by what is in them."""

from __future__ import annotations

from posixpath import basename

from lucid_audit.checks import Answers, check
from lucid_audit.checks.images.programs import called, executables, exempt, shown, since
from lucid_audit.container.files import SHELLS
from lucid_audit.finding import Hit
from lucid_audit.image.facts import size
from lucid_audit.image.image import Image

_NAMES = frozenset((*SHELLS, "toybox", "mksh", "fish", "tcsh", "csh", "rbash", "lksh", "yash", "posh", "sash"))
# A language's interpreter, asked for a shell by its name, is no shell: "sh" as a Python package's script, for one.
_ELSEWHERE = ("/site-packages/", "/dist-packages/", "/node_modules/")


@check("shell-absent")
def shell_absent(image: Image) -> Answers:
    """Judge the final tree: one finding for each program that is a shell, however many names lead to it."""
    found: dict[str, list[str]] = {
        path: names
        for path, names in called(image, _NAMES)
        if not any(part in path for part in _ELSEWHERE) and not exempt(image, image.rootfs.nodes[path].layer)
    }
    for node in executables(image):
        program = image.rootfs.program(node)
        if program is not None and program.known_as:
            found.setdefault(node.entry.path, [])
    links = _links_to(image, set(found))
    origins = since(image, found, lambda entry: entry.kind == "f")
    for path, names in sorted(found.items()):
        node = image.rootfs.nodes[path]
        program = image.rootfs.program(node)
        if program is not None and program.kind == "script" and basename(path) not in SHELLS:
            continue  # a script that is called like a rarer shell
        what = program.known_as if program is not None and program.known_as else "a shell by its name"
        every = sorted({*names, *links.get(path, ())})
        place = image.place(path, origins.get(path, node.layer))
        yield Hit(place, path=path, what=what, also=shown(every, path))


def _links_to(image: Image, targets: set[str]) -> dict[str, list[str]]:
    """Return the links that lead to one of these programs: a toolbox has one for each of its commands."""
    found: dict[str, list[str]] = {}
    if not targets:
        return found
    names = {basename(target) for target in targets}
    for path, node in image.rootfs.nodes.items():
        if node.entry.kind == "l" and basename(node.entry.link) in names:
            real = image.rootfs.resolve(path).path
            if real in targets:
                found.setdefault(real, []).append(path)
        elif node.content[1] in targets and node.content[1] != path and node.entry.kind == "f":
            found.setdefault(node.content[1], []).append(path)
    return found


@check("shell-buried")
def shell_buried(image: Image) -> Answers:
    """Judge shells in layers above the base that a later layer deleted: nobody can run them, everybody pulls them."""
    for buried in image.rootfs.buried:
        entry = buried.entry
        program = image.layers[buried.layer].programs.get(entry.path)
        if program is None or not program.known_as or not image.own(buried.layer):
            continue
        node = image.rootfs.get(entry.path)
        now = image.rootfs.program(node) if node is not None else None
        if now is not None and now.known_as:
            continue  # replaced by another shell, or by itself with another owner: that is the finding
        done = "deletes" if buried.deleted else "replaces"
        place = image.place(entry.path, buried.layer)
        yield Hit(place, path=entry.path, what=program.known_as, layer=buried.by + 1, done=done, size=size(entry.size))
