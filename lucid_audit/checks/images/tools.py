"""Programs that a container does not need to run its service: package managers, other interpreters, compilers, debuggers."""

from __future__ import annotations

import re
from posixpath import basename

from lucid_audit.checks import Answers, check
from lucid_audit.checks.images.programs import called, commands, exempt, shown
from lucid_audit.checks.images.started import started
from lucid_audit.finding import Hit, Skip
from lucid_audit.image.facts import size
from lucid_audit.image.image import Image
from lucid_audit.record import record

_VERSION = re.compile(r"[-.]?[\d.]*")
_PIP = re.compile(r"(.*/(?:site|dist)-packages)/pip/__init__\.py")


@record
class Programs:
    """``names`` of programs. A name that ends with ``*`` stands for every name with that beginning and a version.

    ``started``: the question is whether the container starts them, which a shell script that it starts leaves open.
    """

    names: tuple[str, ...]
    started: bool = False


@check("programs-absent")
def programs_absent(image: Image, params: Programs) -> Answers:
    """Judge the final tree above a confirmed base: one finding for each program with one of the names.

    What the container itself starts is its own, whatever its name. Programs of one folder that only differ in the version
    in their names are one, as pip, pip3 and pip3.13 are, and so are those of one Node package.
    """
    exact = frozenset(name for name in params.names if not name.endswith("*"))
    stems = tuple(name[:-1] for name in params.names if name.endswith("*"))
    wanted = set(exact)
    if stems:
        wanted.update(name for _, name in commands(image) if name.startswith(stems) and _versioned(name, stems))
    own, script = started(image)
    found: dict[tuple[int, str, str], list[str]] = {}
    for path, names in called(image, wanted):
        node = image.rootfs.nodes[path]
        if not exempt(image, node.layer) and path not in own:
            name = basename(names[0])
            stem = _stem(name, stems)
            key = (node.layer, *(_package(path) or (path.rpartition("/")[0] if stem else path, stem or name)))
            found.setdefault(key, []).extend((path, *names))
    for (layer, _, _), names in found.items():
        path, name = names[0], basename(names[1])
        place = image.place(path, layer)
        if params.started and script:
            yield Skip(place, f"what the script {script} starts is not known, and it may be {path}")
        else:
            yield Hit(place, path=path, name=name, also=shown(sorted(set(names)), path))


def _package(path: str) -> tuple[str, str] | None:
    """Return the folder of the Node package that a program belongs to: npm comes as npm, npm-cli.js and npx."""
    above, inside, rest = path.rpartition("/node_modules/")
    return (above, rest.partition("/")[0]) if inside else None


def _stem(name: str, stems: tuple[str, ...]) -> str:
    return next((stem for stem in stems if name.startswith(stem) and _VERSION.fullmatch(name, len(stem))), "")


def _versioned(name: str, stems: tuple[str, ...]) -> bool:
    return bool(_stem(name, stems))


@record
class Buried:
    """``names`` of programs, each as it is."""

    names: tuple[str, ...]


@check("programs-buried")
def programs_buried(image: Image, params: Buried) -> Answers:
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
                total = sum(image.rootfs.nodes[one].entry.size for one in image.rootfs.below(f"{match[1]}/pip"))
                yield Hit(image.place(path, node.layer), folder=match[1], size=size(total))


# POSIX.1-2017 XCU, "Utilities": those that nearly every toolbox has, and nearly no service.
_EVERYDAY = frozenset((
    "basename", "cat", "chgrp", "chmod", "chown", "cp", "cut", "date", "dd", "df", "dirname", "du", "env", "expr", "find",
    "grep", "head", "id", "ln", "ls", "mkdir", "mkfifo", "mv", "printf", "pwd", "rm", "rmdir", "sed", "sleep", "sort", "tail",
    "tar", "tee", "touch", "tr", "uname", "uniq", "wc", "whoami", "xargs",
))  # fmt: skip
_TOOLBOX = 5  # of them; a service may well have a program called "date" or "head"


@check("toolbox-absent")
def toolbox_absent(image: Image) -> Answers:
    """Judge everyday commands: one finding for each layer that brings several, or for the one program behind them all.

    Toolboxes that are shells as well are that finding, not this one.
    """
    found: dict[int, dict[str, list[str]]] = {}
    for path, names in called(image, _EVERYDAY):
        node = image.rootfs.nodes[path]
        program = image.rootfs.program(node)
        if not exempt(image, node.layer) and not (program is not None and program.known_as):
            found.setdefault(node.layer, {})[path] = [basename(name) for name in names]
    for layer, programs in sorted(found.items()):
        every = sorted({name for names in programs.values() for name in names})
        if len(every) < _TOOLBOX:
            continue
        path = max(programs, key=lambda one: (len(programs[one]), -len(one), one))
        folders = ", ".join(sorted({one.rpartition("/")[0] for one in programs})[:3])
        what = f"{path} is a toolbox of" if len(programs[path]) >= _TOOLBOX else f"{folders} holds"
        yield Hit(image.place(path, layer), what=what, names=", ".join(every[:4]), count=len(every) - 4)
