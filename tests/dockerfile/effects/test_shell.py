"""What we read of a RUN against what a shell really does: generated scripts, entry by entry.

The scripts run in a folder of their own with relative paths; the prediction runs them in /w of an empty image that is said
to have a shell. The folder lies deeper than a script can climb: each command goes up once at most, and leaves its own folder
never but through a link ``../x``, so that what is written above stays in the test's temporary folder.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path
from random import Random

import pytest

from lucid_audit.container.tree import Node
from tests.sketch import sketch

SCRIPTS = 400
COMMANDS = 6  # at most, in a script; so many folders can a chain of links ``../x`` go up, and those of ``cd``
NAMES = ("a", "b", "c", "a/x", "a/y", "b/z", "d/e", "l")


def command(random: Random) -> str:
    one, two = random.choice(NAMES), random.choice(NAMES)
    return random.choice(
        (
            f"mkdir {one}",
            f"mkdir -p {one} {two}",
            f"mkdir -m 0700 {one}",
            f"mkdir -p {one}/deep/er",
            f"touch {one}",
            f"echo text > {one}",
            f"echo more >> {one}",
            f"printf x | tee {one} > /dev/null",
            f"ln -s {two} {one}",
            f"ln -sf {two} {one}",
            f"ln -sfn {two} {one}",
            f"ln -s ../{two} {one}",
            f"ln {one} {two}",
            f"cp {one} {two}",
            f"cp -r {one} {two}",
            f"cp -a {one} {two}",
            f"cp -r {one}/. {two}",
            f"cp {one} {two}/",
            f"mv {one} {two}",
            f"mv {one} {two} d",
            f"rm {one}",
            f"rm -rf {one} {two}",
            "rm -rf a/*",
            "rm -f *",
            f"rmdir {one}",
            f"chmod 0600 {one}",
            f"chmod -R go-rx,u+x {one}",
            f"chmod +x {one}",
            f"chmod -R a+rX {one}",
            f"install -m 0640 {one} {two}",
            f"install -d {one}/sub",
            f"cd {one} && touch in && cd ..",
            f"test -f {one} && touch {two}",
            f"[ -d {one} ] || mkdir {two}",
            f"if [ -e {one} ]; then rm -rf {two}; fi",
            f"for i in 1 2; do touch {one}$i; done",
            f"(cd {one} && touch sub)",
            f"find . -name x > {one}",
            f"sed -i s/a/b/ {one}",
            "true",
        )
    )


def really(script: str, folder: Path) -> dict[str, os.stat_result] | None:
    """Run a script that stops at the first failure; return what is there afterwards, None when it failed."""
    shutil.rmtree(_outermost(folder), ignore_errors=True)
    folder.mkdir(parents=True)
    done = subprocess.run(["/bin/sh", "-c", f"umask 022; {script}"], cwd=folder, capture_output=True, check=False)
    if done.returncode:
        return None
    found = {}
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            found[f"/w/{path.relative_to(folder)}"] = path.lstat()
    return found


def _outermost(folder: Path) -> Path:
    return folder.parents[2 * COMMANDS]


def wrong(script: str, real: dict[str, os.stat_result], folder: Path) -> tuple[list[str], int]:
    """Return what is said and is not so, and how many paths are known to be there."""
    build = sketch(f"FROM scratch\nCOPY --from=busybox:1.37 /bin/sh /bin/sh\nWORKDIR /w\nRUN {script}\n")
    assert build.target is not None
    tree = build.trees.end(build.target)
    found = []
    for path, status in real.items():
        walk = tree.walk(path, follow=False)
        if walk.state == "absent":
            found.append(f"{path} is there")
        elif walk.node is not None:
            found.extend(_unlike(path, walk.node, status, folder))
    top = tree.walk("/w").node
    assert top is not None
    claimed = [path for path, _ in tree.below("/w", top)]
    found.extend(f"{path} is not there" for path in claimed if path not in real)
    return found, len(claimed)


def _unlike(path: str, node: Node, status: os.stat_result, folder: Path) -> list[str]:
    kind = "d" if stat.S_ISDIR(status.st_mode) else "l" if stat.S_ISLNK(status.st_mode) else "f"
    found = []
    if node.kind not in (kind, "?"):
        found.append(f"{path} is {kind}, not {node.kind}")
    if kind == "l" and node.kind == "l" and str((folder / path[3:]).readlink()) != node.target:
        found.append(f"{path} leads elsewhere than to {node.target}")
    if kind != "l" and node.mode is not None and node.mode != stat.S_IMODE(status.st_mode) and node.kind == kind:
        found.append(f"{path} has mode {stat.S_IMODE(status.st_mode):o}, not {node.mode:o}")
    return found


@pytest.mark.skipif(shutil.which("install") is None, reason="needs coreutils")
def test_what_is_read_is_what_happens(tmp_path: Path) -> None:
    random = Random(20261124)
    folder = tmp_path.joinpath("outermost", *("up",) * 2 * COMMANDS, "w")
    compared = paths = sure = 0
    for _ in range(SCRIPTS):
        script = " && ".join(command(random) for _ in range(random.randint(1, COMMANDS)))
        real = really(script, folder)
        if real is not None:
            compared += 1
            found, known = wrong(script, real, folder)
            assert not found, script
            paths, sure = paths + len(real), sure + known
    assert compared > SCRIPTS // 12
    assert sure > 0.5 * paths  # to know nothing would be right, and useless
