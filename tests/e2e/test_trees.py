"""The tree that we predict against the tree that the engine's BuildKit makes, entry by entry, for generated builds.

Everything is FROM scratch, so the prediction is complete: each path has to be there with its kind, link, mode and owner, and
nothing else. Debian's engine is BuildKit of Docker 20.10, without here-documents, ``--parents`` and ``--exclude``.
"""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from lucid_audit.container.tree import Node, Tree
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.context import ContextSet, DiskContext
from lucid_audit.dockerfile.parser import parse
from lucid_audit.dockerfile.stages import Settings
from lucid_audit.text import SourceText
from tests.e2e.servers import CLIENT
from tests.sketch import AS_OF, bases

BUILDS = 150
NAMES = ("a", "b.txt", "c", "d.py", "a/x", "a/y.py", "a/sub/z", "c/b.txt", "c/l", "run")
TARGETS = ("/", "/x", "/x/", "/x/y/", "w", "./", "/w/a", "/a", "/a/", "/x/b.txt", "sub/")
IGNORED = ("c", "**/*.py", "a/sub", "*.txt", "!d.py", "run")


class Built(NamedTuple):
    """An entry of a tree."""

    kind: str
    mode: int
    uid: int
    gid: int
    link: str


def context(folder: Path, random: Random) -> None:
    """Write a context: some of the names, with modes and links, and perhaps an ignore file."""
    for name in NAMES:
        if random.random() < 0.8:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                continue
            if name in ("a", "c"):
                path.mkdir()
                path.chmod(random.choice((0o755, 0o750)))
            elif name == "c/l":
                path.symlink_to(random.choice(("../a", "b.txt", "/x", "none")))
            else:
                path.write_text(name)
                path.chmod(random.choice((0o644, 0o755, 0o600)))
    pack(folder / "t.tar.gz", random)
    if random.random() < 0.3:
        (folder / ".dockerignore").write_text("\n".join(random.choices(IGNORED, k=2)) + "\n")


def pack(path: Path, random: Random) -> None:
    """Write an archive: folders before what is in them, with owners and modes of their own, and links."""
    with tarfile.open(path, "w:gz") as tar:
        for name, kind in (("./", "5"), ("./a", "5"), ("./a/x", "0"), ("./b.txt", "0"), ("./a/l", "2"), ("./y", "1")):
            if name == "./" and random.random() < 0.5:
                continue
            info = tarfile.TarInfo(name)
            info.type = kind.encode()
            info.mode = random.choice((0o755, 0o700)) if kind == "5" else random.choice((0o644, 0o4755))
            info.linkname = {"2": "../b.txt", "1": "./b.txt"}.get(kind, "")
            info.uid, info.gid = random.choice(((0, 0), (7, 8)))
            tar.addfile(info)


def transfer(random: Random, stage: int) -> str:
    flags = random.choice(("", "", "--chown=65532:65532 ", "--chown=7 ", "--chmod=0640 "))
    target = random.choice(TARGETS)
    if stage and random.random() < 0.5:
        source = random.choice(("/x", "/x/", "/w", "/a", "/", "/x/*", "/x/b.txt"))
        return f"COPY --from=s{random.randrange(stage)} {flags}{source} {target}"
    if random.random() < 0.2:
        return f"ADD {random.choice(('', '--chown=5:6 '))}t.tar.gz {target}"
    sources = random.choices(
        (".", "a", "a/", "b.txt", "c", "d.py", "*.py", "a/*", "c/l", "run", "a/s*"), k=random.choice((1, 1, 1, 2))
    )
    if len(sources) > 1 and not target.endswith("/"):
        target += "/"
    return f"{random.choice(('COPY', 'COPY', 'ADD'))} {flags}{' '.join(sources)} {target}"


def dockerfile(random: Random) -> str:
    lines = []
    for stage in range(random.randint(1, 3)):
        base = random.choice(("scratch", f"s{stage - 1}")) if stage else "scratch"
        lines.append(f"FROM {base} AS s{stage}")
        for _ in range(random.randint(1, 5)):
            pick = random.random()
            if pick < 0.2:
                lines.append(f"WORKDIR {random.choice(('/w', 'w', '/x/y', 'sub'))}")
            elif pick < 0.3:
                lines.append(f"USER {random.choice(('65532', '5:6', 'root'))}")
            else:
                lines.append(transfer(random, stage))
    return "\n".join(lines) + "\n"


def built(engine: str, folder: Path, out: Path) -> dict[str, Built] | None:
    """Return the tree that the engine makes, None when it refuses the build."""
    words = [CLIENT, "-H", engine, "build", "-q", "-o", f"type=tar,dest={out}", str(folder)]
    done = subprocess.run(words, env={**os.environ, "DOCKER_BUILDKIT": "1"}, capture_output=True, check=False)
    if done.returncode:
        return None
    found = {}
    with tarfile.open(out) as tar:
        for member in tar:
            kind = "d" if member.isdir() else "l" if member.issym() else "f"
            path = "/" + member.name.strip("/")
            found[path] = Built(
                kind, 0 if kind == "l" else member.mode, member.uid, member.gid, member.linkname if kind == "l" else ""
            )
    found.pop("/", None)
    return found


def predicted(folder: Path) -> dict[str, Node]:
    file = folder / "Dockerfile"
    contexts = ContextSet(True, (DiskContext(folder, file),))
    build = Build(parse(SourceText.decode(str(file), file.read_bytes())), Settings(bases(), AS_OF), contexts)
    assert build.target is not None
    tree: Tree = build.trees.end(build.target)
    assert not tree.doubt
    return {"": tree.root, **dict(tree.below("/", tree.root))}


def differences(ours: dict[str, Node], theirs: dict[str, Built]) -> list[str]:
    """Return what is claimed and is not so. What we say is open or of unknown kind claims nothing."""
    found = [f"{path} is missing" for path in theirs if path not in ours and not _open(ours, path)]
    for path, node in ours.items():
        if not path:
            continue  # the root is in every tree
        real = theirs.get(path)
        if real is None:
            found.append(f"{path} is not there")
            continue
        said = Built(node.kind, 0 if node.kind == "l" else node.mode or 0, node.uid or 0, node.gid or 0, node.target)
        unsaid = {"mode": node.mode is None, "uid": node.uid is None, "gid": node.gid is None}
        for name, mine, his in zip(Built._fields, said, real, strict=True):
            if mine != his and not unsaid.get(name, False) and node.kind != "?":
                found.append(f"{path}: {name} {mine!r}, really {his!r}")
    return found


def _open(ours: dict[str, Node], path: str) -> bool:
    while path:
        path = path.rpartition("/")[0]
        node = ours.get(path)
        if node is not None:
            return bool(node.open) or node.kind == "?"
    return False


@pytest.mark.e2e
def test_the_engine_builds_the_tree_that_we_predict(engine: str, tmp_path: Path) -> None:
    random = Random(20261124)
    compared = 0
    for number in range(BUILDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        context(folder, random)
        (folder / "Dockerfile").write_text(dockerfile(random))
        theirs = built(engine, folder, tmp_path / "out.tar")
        if theirs is None:
            continue
        compared += 1
        wrong = differences(predicted(folder), theirs)
        assert not wrong, (wrong, (folder / "Dockerfile").read_text(), sorted(theirs))
    assert compared > BUILDS // 3
