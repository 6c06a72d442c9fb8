"""The ELF files of an image that lies there ready, whoever loads them: what each of them lacks wherever it is loaded.

Which program loads a plug-in, and what that program has loaded before, is not known. So a library counts as there when any file of
the image answers to its name, and a version when any of them defines it.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache

from lucid_audit.container.linkage import Linkage
from lucid_audit.container.linker import FROM_HOST
from lucid_audit.container.program import Program
from lucid_audit.image.image import Image
from lucid_audit.image.rootfs import Node
from lucid_audit.image.variants import package, plain
from lucid_audit.record import record
from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple

LIBC = "libc.so.6"
# The parts of the C library: who lacks one lacks all.
_GLIBC = regex(r"lib(?:c|m|pthread|dl|rt|util|resolv|anl)\.so\.\d+|ld-linux.*|ld64\.so\..*|ld\.so\..*")
_COMPATIBLE = {"amd64": ("386",), "arm64": ("arm",)}  # what 64-bit kernels run as well
# Symbols of programs; what is tried on; modules of Python's standard library, of which each may be left out.
_ASIDE = regex(r"/usr/lib/debug/.*|.*\.debug|.*/testdata/.*|.*/lib-dynload/[^/]+")


class Old(NamedTuple):
    """A library that defines an older version than the one that is wanted."""

    library: str
    path: str
    version: str


@record(eq=False)
class Binaries:
    """What is lacking, by the path of the file that wants it. ``strange`` are files for other machines, with the machine.

    ``libraries`` are names that nothing in the image answers to, ``loaders`` the PT_INTERP that is not there. ``unread`` are files whose
    dynamic section is not known.
    """

    strange: dict[str, str]
    loaders: dict[str, str]
    libraries: dict[str, tuple[str, ...]]
    old: dict[str, tuple[Old, ...]]
    unread: tuple[str, ...]


@lru_cache(maxsize=1)  # of one image: several rules ask
def binaries(image: Image) -> Binaries:
    """Look at every ELF file above a confirmed base."""
    machine = image.platform.normalised.architecture
    files = {path: (node, program) for path, node in image.rootfs.nodes.items()
             if node.entry.kind == "f" and (program := image.rootfs.program(node)) is not None and program.kind == "elf"
             and program.type in ("executable", "shared")}  # fmt: skip
    fit = {path: one for path, one in files.items() if one[1].architecture == machine}
    own = {path: one for path, one in files.items() if image.own(one[0].layer) and _ASIDE.fullmatch(path) is None}
    look = _Look(image, fit)
    for path, (node, program) in own.items():
        if path in fit:
            look.file(path, node, program)
    strange = {path: program.architecture for path, (_, program) in own.items() if path not in fit}
    return look.result(_strange(strange, machine, fit))


def _strange(found: dict[str, str], machine: str, fit: dict[str, tuple[Node, Program]]) -> dict[str, str]:
    """Leave out what the kernel may run as well, and variants of packages that bring one for this machine, too."""
    if not found:
        return {}
    files = {plain(path) for path in fit}
    packages = {plain(package(path)) for path in fit if package(path)}
    return {
        path: other
        for path, other in found.items()
        if other not in _COMPATIBLE.get(machine, ())
        and plain(path) not in files
        and (not package(path) or plain(package(path)) not in packages)
    }


class _Look:
    def __init__(self, image: Image, fit: dict[str, tuple[Node, Program]]) -> None:
        self.rootfs = image.rootfs
        self.names: dict[str, list[tuple[str, Linkage | None]]] = defaultdict(list)
        for path, (_, program) in fit.items():
            soname = program.linkage.soname if program.linkage is not None else ""
            for name in {path.rpartition("/")[2], soname} - {""}:
                self.names[name].append((path, program.linkage))
        self._links(fit)
        self.musl = any(name.startswith("ld-musl-") for name in self.names)
        self.glibc = LIBC in self.names
        self.clean: set[str] = set()
        self.loaders: dict[str, str] = {}
        self.libraries: dict[str, tuple[str, ...]] = {}
        self.old: dict[str, tuple[Old, ...]] = {}
        self.unread: list[str] = []

    def _links(self, fit: dict[str, tuple[Node, Program]]) -> None:
        for path, node in self.rootfs.nodes.items():
            if node.entry.kind == "l" and ".so" in path:
                real = self.rootfs.resolve(path).path
                if real in fit:
                    self.names[path.rpartition("/")[2]].append((real, fit[real][1].linkage))

    def file(self, path: str, node: Node, program: Program) -> None:
        """Note what one file lacks."""
        linkage = program.linkage
        if linkage is None:
            if program.dynamic:
                self.unread.append(path)
            return
        starts = program.interpreter and node.entry.mode & 0o111 and not linkage.soname
        if starts and program.interpreter.startswith("/") and self.rootfs.resolve(program.interpreter).node is None:
            self.loaders[path] = program.interpreter
            return
        lacking = tuple(dict.fromkeys(filter(None, (self._lacking(name) for name in linkage.needed))))
        old = tuple(one for library, wants in linkage.wants for one in self._older(library, wants))
        if lacking:
            self.libraries[path] = lacking
        if old and not self.musl:
            self.old[path] = old
        if not lacking and not old:
            self.clean.add(plain(path))

    def _lacking(self, name: str) -> str:
        """Return the library that stands for a name which nothing answers to, "" when something does or may."""
        if "/" in name or name in self.names or FROM_HOST.fullmatch(name):
            return ""
        if _GLIBC.fullmatch(name):
            return "" if self.musl or self.glibc else LIBC
        return name

    def _older(self, name: str, wants: tuple[str, ...]) -> list[Old]:
        """Return a library by that name when none of them defines a version, and all are known."""
        there = self.names.get(name, ())
        gives = [linkage.gives if linkage is not None else () for _, linkage in there]
        if not there or not all(gives):
            return []
        lacking = [one for one in wants if not any(one in each for each in gives)]
        return [Old(name, there[0][0], one) for one in lacking]

    def result(self, strange: dict[str, str]) -> Binaries:
        """Return everything but what variants lack of which another one lacks nothing."""
        libraries = {path: names for path, names in self.libraries.items() if plain(path) not in self.clean}
        old = {path: olds for path, olds in self.old.items() if plain(path) not in self.clean}
        return Binaries(strange, self.loaders, libraries, old, tuple(self.unread))
