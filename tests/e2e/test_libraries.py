"""What programs need from the dynamic linker, against the linker itself: real packages with and without each of their libraries.

The oracle is the loader of the packages' own C library, run in their file system: asked to trace, it loads a
program's libraries and says what it does not find. Without any change it finds all; without one package it must name what we name.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest

from lucid_audit.container.config import Container
from lucid_audit.container.linker import linked
from lucid_audit.container.program import Program
from lucid_audit.image.binaries import binaries
from lucid_audit.image.layer import Layer
from tests.containers import container, image_of
from tests.e2e import debs
from tests.e2e.tars import symlink
from tests.image_sketch import layer

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root")]

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


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> System:
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
    root = tmp_path_factory.mktemp("system")
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


def test_the_loader_agrees(system: System) -> None:
    whole = container(system.base)
    assert len(system.programs) > 250
    needs: dict[str, list[str]] = defaultdict(list)
    for path in system.programs:
        loaded, lacking, doubts = _ours(whole, path)
        theirs, missing = _theirs(system.root, path)
        assert (lacking, doubts, missing) == (set(), set(), set()), path
        assert {one for one in loaded if not one.endswith(LOADER.rpartition("/")[2])} == theirs, path
        for library in theirs:
            needs[system.owners[library]].append(path)
    packages = sorted(set(needs) - set(KEPT))
    assert len(packages) > 80
    wrong = [told for package in packages for told in _without(system, package, needs[package])]
    assert wrong == []


def _without(system: System, package: str, programs: list[str]) -> list[str]:
    """Take one package away, and compare for every program that needs it."""
    gone = [path for path, owner in system.owners.items() if owner == package and ".so" in path]
    aside = [(system.root / path.lstrip("/"), system.root / f"aside-{number}") for number, path in enumerate(gone)]
    for there, away in aside:
        there.rename(away)
    changed = container(system.base, gone)
    wrong = []
    for path in programs:
        _, lacking, doubts = _ours(changed, path)
        _, missing = _theirs(system.root, path)
        if lacking != missing or doubts or not missing:
            wrong.append(
                f"{path} without {package}: {sorted(lacking)} {sorted(doubts)}, the loader says {sorted(missing)}"
            )
    for there, away in aside:
        away.rename(there)
    return wrong


def test_libraries_that_nobody_has_are_noted(system: System) -> None:
    """What lies there ready is looked at file by file; each library that the loader misses must be among what is named."""
    names = {path.rpartition("/")[2] for path in system.owners}
    whole = binaries(image_of(system.base))
    assert (whole.strange, whole.loaders, whole.old) == ({}, {}, {})
    assert len(whole.unread) <= 1  # LLVM: its dynamic section lies too far behind
    before = {name for needs in whole.libraries.values() for name in needs}
    assert not before & names  # plug-ins whose libraries Debian only recommends
    for package in ("libldap-2.5-0", "libssl3", "libncursesw6", "libnghttp2-14", "zlib1g", "libjansson4"):
        gone = [path for path, owner in system.owners.items() if owner == package and ".so" in path]
        after = binaries(image_of(system.base, gone))
        named = {name for needs in after.libraries.values() for name in needs} - before
        assert named, package
        assert named <= {path.rpartition("/")[2] for path in gone}, package
        for path, needs in after.libraries.items():
            if path in system.programs:
                assert set(needs) - before <= _wanted(system.root, path), path
    assert binaries(image_of(system.base, ["/usr/lib64/ld-linux-x86-64.so.2"])).loaders.keys() >= set(system.programs)


def _wanted(root: Path, path: str) -> set[str]:
    """Return what binutils say that a file needs."""
    done = subprocess.run(["readelf", "-dW", str(root / path.lstrip("/"))], capture_output=True, text=True, check=True)
    return set(re.findall(r"\(NEEDED\)\s+Shared library: \[(.+)\]", done.stdout))


RIGHTS = {
    "plain": (0o755, b""),
    "set-user-ID": (0o4755, b""),
    "set-group-ID": (0o2755, b""),
    "net_bind_service": (0o755, bytes.fromhex("0100000200040000000000000000000000000000")),
}


@pytest.mark.parametrize("user", [0, 65534])
@pytest.mark.parametrize("rights", RIGHTS)
def test_with_other_rights_the_loader_agrees(system: System, rights: str, user: int) -> None:
    """A library that only LD_LIBRARY_PATH names, and a program that has more rights than who starts it."""
    mode, capability = RIGHTS[rights]
    gone = [path for path, owner in system.owners.items() if owner == "libjq1" and ".so" in path]
    away = system.root / "opt/away"
    away.mkdir(parents=True, exist_ok=True)
    program = system.root / "opt/jq"
    program.write_bytes((system.root / "usr/bin/jq").read_bytes())
    program.chmod(mode)
    if capability:
        os.setxattr(program, "security.capability", capability)
    moved = [(system.root / path.lstrip("/"), away / path.rpartition("/")[2]) for path in gone]
    for here, there in moved:
        here.rename(there)
    try:
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "/opt/jq", "--version"]
        done = subprocess.run(["chroot", str(system.root), *command], capture_output=True, text=True, check=False,
                              env={"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": "/opt/away"})  # fmt: skip
        files = {
            f"/opt/away/{there.name}": {"bytes": there.read_bytes()} for _, there in moved if not there.is_symlink()
        }
        links = {f"/opt/away/{there.name}": {"link": str(there.readlink())} for _, there in moved if there.is_symlink()}
        own = {
            "bytes": program.read_bytes(),
            "mode": f"{mode:o}",
            **({"capability": capability.hex()} if capability else {}),
        }
        one = container(
            system.base,
            gone,
            {**files, **links, "/opt/jq": own},
            user=f"{user}:{user}",
            env=["LD_LIBRARY_PATH=/opt/away"],
        )
        found = one.files.program(one.files.walk("/opt/jq"))
        assert isinstance(found, Program)
        lacks = [lack.name for lack in linked(one, "/opt/jq", found).lacks]
    finally:
        for here, there in moved:
            there.rename(here)
    assert (done.returncode == 0) == (not lacks), (done.stderr, lacks)
    assert not lacks or lacks[0] in done.stderr
    assert bool(lacks) == (user != 0 and rights != "plain")
