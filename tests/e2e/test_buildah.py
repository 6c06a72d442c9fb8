"""A second builder over the same generated builds: buildah agrees with the prediction, or the engine's BuildKit does where buildah does not.

What the two builders make differently is named here and in docs/prediction.md; in anything else a difference is a failure.
"""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests import test_engine_oracle as configurations
from tests.e2e import test_trees as trees
from tests.e2e.servers import need

TREES, CONFIGURATIONS = 50, 40
UNPACKS = "t.tar.gz"  # an archive over what is there: buildah replaces folders by files, and gives folders the archive's owner


class Buildah:
    """A store of its own, removed with its folder."""

    def __init__(self, folder: Path) -> None:
        need("buildah", root=True)
        self._store = ["--root", str(folder / "root"), "--runroot", str(folder / "run"), "--storage-driver", "vfs"]

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["buildah", *self._store, *words], capture_output=True, text=True, check=False)

    def build(self, folder: Path) -> bool:
        """Build an image; False where buildah refuses to."""
        self.call("rmi", "--all", "--force")
        return not self.call(
            "bud", "--format", "docker", "--isolation", "chroot", "--no-cache", "-q", "-t", "x", str(folder)
        ).returncode

    def tree(self) -> dict[str, trees.Built]:
        """Return the files of the image."""
        name = self.call("from", "x").stdout.strip()
        top = self.call("mount", name).stdout.strip()
        found = _entries(top)
        self.call("rm", name)
        return found

    def configuration(self) -> dict[str, Any]:
        """Return the configuration of the image."""
        found: dict[str, Any] = json.loads(self.call("inspect", "--type", "image", "x").stdout)["Docker"]["config"]
        (found.get("Labels") or {}).pop("io.buildah.version", None)  # its own mark on every image
        return found


def _entries(top: str) -> dict[str, trees.Built]:
    found = {}
    for path in Path(top).rglob("*"):  # links to folders are not followed
        entry = path.lstat()
        link = str(path.readlink()) if stat.S_ISLNK(entry.st_mode) else ""
        kind = "l" if link else "d" if stat.S_ISDIR(entry.st_mode) else "f"
        mode = 0 if link else stat.S_IMODE(entry.st_mode)
        found[f"/{path.relative_to(top)}"] = trees.Built(kind, mode, entry.st_uid, entry.st_gid, link)
    return found


@pytest.mark.e2e
def test_trees(engine: str, tmp_path: Path) -> None:
    buildah, random = Buildah(tmp_path / "store"), Random(20261128)
    compared = differing = 0
    for number in range(TREES):
        folder = tmp_path / str(number)
        folder.mkdir()
        trees.context(folder, random)
        text = trees.dockerfile(random)
        (folder / "Dockerfile").write_text(text)
        if not buildah.build(folder):
            continue
        compared += 1
        ours = trees.predicted(folder)
        if wrong := trees.differences(ours, buildah.tree()):
            differing += 1
            assert UNPACKS in text, (wrong, text)
            theirs = trees.built(engine, folder, tmp_path / "out.tar")
            assert theirs is not None
            assert not trees.differences(ours, theirs), (wrong, text)
    assert compared > TREES // 3
    assert differing < compared // 4


@pytest.mark.e2e
def test_configurations(engine: str, tmp_path: Path) -> None:
    buildah, random = Buildah(tmp_path / "store"), Random(20261128)
    compared = differing = 0
    folder = tmp_path / "context"
    folder.mkdir()
    for _ in range(CONFIGURATIONS):
        text = configurations.dockerfile(random)
        (folder / "Dockerfile").write_text(text, "utf-8")
        if not buildah.build(folder):
            continue
        compared += 1
        ours = _comparable(text, configurations.predicted(text))
        if ours != _comparable(text, configurations.measured(buildah.configuration())):
            differing += 1
            config = configurations.built(engine, folder, text)
            assert config is not None
            assert ours == _comparable(text, configurations.measured(config)), text
    assert compared > CONFIGURATIONS // 2
    assert differing < compared // 3


def _comparable(text: str, config: dict[str, Any]) -> dict[str, Any]:
    """Leave out commands where SHELL is used: it counts where the instruction stands, and we keep the two apart."""
    shell = any(line.startswith("SHELL") for line in text.splitlines())
    return {name: value for name, value in config.items() if not (shell and name in ("Cmd", "Entrypoint"))}
