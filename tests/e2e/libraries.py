"""Real programs of Debian, whole and with each package of their libraries taken away: what we say, and what the dynamic linker says."""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lucid_audit.container.config import Container
from lucid_audit.container.linker import linked
from lucid_audit.container.program import Program
from lucid_audit.image.layer import Layer
from tests.containers import container
from tests.e2e import debs
from tests.e2e.tars import symlink
from tests.image_sketch import layer

# Programs with many different libraries; none is large.
PACKAGES = (
    "acl", "aria2", "bc", "coreutils", "curl", "diffutils", "dnsutils", "file", "gawk", "gpg", "gpgsm", "htop", "iproute2", "iputils-ping", "jq", "krb5-user",
    "ldap-utils", "less", "libxml2-utils", "lsof", "mariadb-client", "nano", "nftables", "openssh-client", "optipng",
    "poppler-utils", "postgresql-client", "procps", "redis-tools", "rsync", "socat", "sqlite3", "strace", "tcpdump", "tmux",
    "util-linux", "webp", "wget", "xsltproc", "xz-utils",
)  # fmt: skip
LOADER = "/lib64/ld-linux-x86-64.so.2"
MERGED = ("bin", "lib", "lib64", "sbin")
KEPT = ("libc6",)  # without it nothing could be asked


class System(NamedTuple):
    """A file system of packages: the folder, who has which path, its layer, and the programs in it."""

    root: Path
    owners: dict[str, str]
    base: Layer
    programs: list[str]


class Whole(NamedTuple):
    """A program of a system that lacks nothing: what each side loads and what it does not find."""

    path: str
    loaded: set[str]
    lacking: set[str]
    doubts: set[str]
    theirs: set[str]
    missing: set[str]

    @property
    def agrees(self) -> bool:
        """Whether both load the same and lack nothing."""
        ours = {one for one in self.loaded if not one.endswith(LOADER.rpartition("/")[2])}
        return (self.lacking, self.doubts, self.missing) == (set(), set(), set()) and ours == self.theirs


class Without(NamedTuple):
    """A program without one package of its libraries: the names that each side does not find."""

    path: str
    package: str
    lacking: set[str]
    doubts: set[str]
    missing: set[str]

    @property
    def agrees(self) -> bool:
        """Whether we name exactly what the loader does not find."""
        return bool(self.missing) and self.lacking == self.missing and not self.doubts


def system(root: Path) -> System:
    """Lay the packages into a folder."""
    owners: dict[str, str] = {}
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for folder in MERGED:
            archive.addfile(symlink(folder, f"usr/{folder}")[0])
        for deb in debs.fetch(debs.closure(PACKAGES, "amd64"), "amd64"):
            for info, data in debs.members(deb):
                info.name, info.mode = (
                    _merged(info.name),
                    info.mode & 0o777,
                )  # the loader traces nobody with rights of others
                if info.name in MERGED:
                    continue  # a folder here would take the place of the link
                if info.isreg() or info.issym() or info.isdir():
                    archive.addfile(info, io.BytesIO(data))
                if not info.isdir():
                    owners[f"/{info.name}"] = deb.package
    tar.seek(0)
    with tarfile.open(fileobj=tar) as archive:
        archive.extractall(root, filter="fully_trusted")
    base, _ = layer({}, tar=tar.getvalue())
    folders = (root / "usr/bin", root / "usr/sbin")
    programs = [
        f"/usr/{folder.name}/{path.name}"
        for folder in folders
        for path in sorted(folder.iterdir())
        if not path.is_symlink()
    ]
    return System(root, owners, base, [path for path in programs if _interpreter(base, path) == LOADER])


def whole(one: System) -> list[Whole]:
    """Ask for every program, with all packages there."""
    there = container(one.base)
    return [Whole(path, *_ours(there, path), *_theirs(one.root, path)) for path in one.programs]


def without_each(one: System, found: list[Whole]) -> Iterator[Without]:
    """Take each package away, and ask for every program that loads a library of it."""
    needs: dict[str, list[str]] = defaultdict(list)
    for program in found:
        for package in {one.owners[library] for library in program.theirs} - set(KEPT):
            needs[package].append(program.path)
    for package in sorted(needs):
        yield from _without(one, package, needs[package])


def _merged(name: str) -> str:
    """Return a path of a package as a merged /usr has it, which every Debian since 12 is (policy 10.1)."""
    path = name.removeprefix("./").strip("/")
    return f"usr/{path}" if path.partition("/")[0] in MERGED and path not in MERGED else path


def _interpreter(base: Layer, path: str) -> str:
    program = base.programs.get(path)
    return program.interpreter if isinstance(program, Program) else ""


def _ours(one: Container, path: str) -> tuple[set[str], set[str], set[str]]:
    """Return the files that are loaded, the names that are lacking, and doubts."""
    program = one.files.program(one.files.walk(path))
    assert isinstance(program, Program)
    found = linked(one, path, program)
    lacking = {lack.name for lack in found.lacks if not lack.doubt}
    return {one.path for one in found.libraries}, lacking, {lack.doubt for lack in found.lacks if lack.doubt}


def _theirs(root: Path, path: str) -> tuple[set[str], set[str]]:
    """Return the files that the loader finds, and the names that it does not."""
    command = ["chroot", str(root), "/usr/bin/env", "LD_TRACE_LOADED_OBJECTS=1", path]  # only the program is traced
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    found = re.findall(r"^\t\S+ => (/\S+) \(0x", done.stdout, re.MULTILINE)
    real = {"/" + os.path.relpath(os.path.realpath(root / one.lstrip("/")), root) for one in found}
    return real, set(re.findall(r"^\t(\S+) => not found", done.stdout, re.MULTILINE))


def _without(system: System, package: str, programs: list[str]) -> list[Without]:
    gone = [path for path, owner in system.owners.items() if owner == package and ".so" in path]
    aside = [(system.root / path.lstrip("/"), system.root / f"aside-{number}") for number, path in enumerate(gone)]
    for there, away in aside:
        there.rename(away)
    changed = container(system.base, gone)
    found = []
    for path in programs:
        _, lacking, doubts = _ours(changed, path)
        _, missing = _theirs(system.root, path)
        found.append(Without(path, package, lacking, doubts, missing))
    for there, away in aside:
        away.rename(there)
    return found
