"""Programs that a container does not need to run its service: package managers, other interpreters, compilers, debuggers."""

from __future__ import annotations

import re
from posixpath import basename

from lucid_audit.checks import Answers, check
from lucid_audit.checks.images.programs import called, commands, exempt, shown
from lucid_audit.container.execute import effective
from lucid_audit.finding import Hit
from lucid_audit.image.image import Image
from lucid_audit.record import record

_PIP = re.compile(r"(.*/(?:site|dist)-packages)/pip/__init__\.py")


@record
class Programs:
    """``names`` of programs. A name that ends with ``*`` stands for every name with that beginning and a version."""

    names: tuple[str, ...]


@check("programs-absent")
def programs_absent(image: Image, params: Programs) -> Answers:
    """Judge the final tree above a confirmed base: one finding for each program with one of the names.

    What the container itself starts is its own interpreter, whatever its name.
    """
    exact = frozenset(name for name in params.names if not name.endswith("*"))
    stems = tuple(name[:-1] for name in params.names if name.endswith("*"))
    wanted = set(exact)
    if stems:
        wanted.update(name for _, name in commands(image) if name.startswith(stems) and _versioned(name, stems))
    own = _started(image)
    for path, names in called(image, wanted):
        node = image.rootfs.nodes[path]
        if not exempt(image, node.layer) and path not in own:
            name = basename(names[0])
            yield Hit(image.place(path, node.layer), path=path, name=name, also=shown(names, path))


def _versioned(name: str, stems: tuple[str, ...]) -> bool:
    return any(name.startswith(stem) and re.fullmatch(r"[-.]?[\d.]*", name[len(stem) :]) for stem in stems)


def _started(image: Image) -> set[str]:
    """Return the real paths of what the entry point and the health check start."""
    container = image.container
    health = container.health.known()
    found: set[str] = set()
    for argv in (effective(container).known(), health.argv if health is not None else None):
        if argv is not None and argv.args and not argv.shell:
            program = str(argv.args[0])
            folders = container.env["PATH"].known() if "PATH" in container.env else None
            places = [program] if "/" in program else [f"{folder}/{program}" for folder in (folders or "").split(":")]
            found.update(image.rootfs.resolve(place).path for place in places)
    return found


@check("programs-buried")
def programs_buried(image: Image, params: Programs) -> Answers:
    """Judge programs above a confirmed base that a later layer deletes: they are pulled, and found by scanners."""
    names = frozenset(params.names)
    for buried in image.rootfs.buried:
        entry = buried.entry
        folder, _, name = entry.path.rpartition("/")
        program = entry.kind == "f" and entry.mode & 0o111 and folder.endswith(("/bin", "/sbin"))
        if program and name in names and buried.deleted and image.own(buried.layer):
            yield Hit(image.place(entry.path, buried.layer), path=entry.path, layer=buried.by + 1)


@check("installer-left")
def installer_left(image: Image) -> Answers:
    """Judge the package pip: without a shell it still runs as ``python -m pip``."""
    for path, node in image.rootfs.nodes.items():
        if path.endswith("/pip/__init__.py") and not exempt(image, node.layer):
            match = _PIP.fullmatch(path)
            if match is not None:
                yield Hit(image.place(path, node.layer), folder=match[1])
