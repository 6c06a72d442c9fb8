"""What programs need from the dynamic linker, against the linker itself: real packages with and without each of their libraries.

The oracle is the loader of the packages' own C library, run in their file system: asked to trace, it loads a
program's libraries and says what it does not find. Without any change it finds all; without one package it must name what we name.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from lucid_audit.container.linker import linked
from lucid_audit.container.program import Program
from lucid_audit.image.binaries import binaries
from tests.containers import container, image_of
from tests.e2e import libraries

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root")]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> libraries.System:
    return libraries.system(tmp_path_factory.mktemp("system"))


def test_the_loader_agrees(system: libraries.System) -> None:
    assert len(system.programs) > 250
    whole = libraries.whole(system)
    assert [one for one in whole if not one.agrees] == []
    without = list(libraries.without_each(system, whole))
    assert len({one.package for one in without}) > 80
    assert [one for one in without if not one.agrees] == []


def test_libraries_that_nobody_has_are_noted(system: libraries.System) -> None:
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
def test_with_other_rights_the_loader_agrees(system: libraries.System, rights: str, user: int) -> None:
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
