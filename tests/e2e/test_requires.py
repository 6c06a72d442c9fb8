"""What a Node.js program loads, against Node.js itself: real packages with and without each of those that they need.

Where Node.js starts, nothing may be found. Where it ends because it does not find a module, that module has to be found or told as
unknown; a few are loaded behind a condition, which is not followed.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import NamedTuple

import pytest

from lucid_audit.container.launch import Interpreter
from lucid_audit.container.node_closure import required
from lucid_audit.image.layer import Layer
from tests.containers import container
from tests.e2e import cache
from tests.image_sketch import layer

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("node") is None or shutil.which("npm") is None, reason="needs node and npm"),
]

# A version each, so that what is measured stays the same.
PACKAGES = ("express@4.21.2", "fastify@4.28.1", "koa@2.15.3", "pg@8.13.1", "winston@3.17.0", "pino@9.5.0", "ioredis@5.4.1", "jsonwebtoken@9.0.2",
            "kafkajs@2.2.4", "mongoose@8.8.3")  # fmt: skip
NAMED = 0.95  # of what Node.js does not find


class App(NamedTuple):
    """A folder with packages, and the layer that has it as /app."""

    folder: Path
    layer: Layer


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> App:
    folder = tmp_path_factory.mktemp("app")
    kept = cache.kept("node", cache.key(*PACKAGES), _install)
    shutil.copytree(kept / "node_modules", folder / "node_modules", symlinks=True)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.add(folder, "app")
    made, _ = layer({}, tar=tar.getvalue())
    return App(folder, made)


def _install(place: Path) -> None:
    (place / "package.json").write_text('{"name": "app", "private": true}')
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", *PACKAGES]
    subprocess.run(command, cwd=place, check=True, stdout=subprocess.DEVNULL)


def _node(app: App, text: str) -> subprocess.CompletedProcess[str]:
    (app.folder / "main.js").write_text(text)
    return subprocess.run(["node", "main.js"], cwd=app.folder, capture_output=True, text=True, check=False)


def _ours(app: App, text: str, left_out: str = "") -> tuple[set[str], set[str]]:
    """Return the names that are missing, and those of which it is not known."""
    without = [f"/app/node_modules/{left_out}"] if left_out else []
    made = container(app.layer, without, {"/app/main.js": text}, "/app")
    found = required(made, Interpreter("node", "node", "/usr/bin/node", ("node", "main.js")))
    assert found is not None
    return {one.name for one in found.missing}, {one.name for one, _ in found.unknown}


def _loaded(app: App, name: str) -> list[str]:
    """Return the packages of which Node.js loads a file."""
    shown = _node(app, f"require('{name}'); console.log(JSON.stringify(Object.keys(require.cache)))").stdout
    inside = [path.partition("/node_modules/")[2] for path in json.loads(shown)]
    return sorted({match[0] for path in inside if (match := re.match(r"(?:@[^/]+/)?[^/]+", path))} - {name})


def test_node_agrees(app: App) -> None:
    named: list[tuple[str, str]] = []
    missed: list[tuple[str, str]] = []
    for name in (package.rpartition("@")[0] for package in PACKAGES):
        text = f"require('{name}')"
        assert _node(app, text).returncode == 0
        assert _ours(app, text)[0] == set(), name
        for left_out in _loaded(app, name):
            there, aside = app.folder / "node_modules" / left_out, app.folder / "aside"
            there.rename(aside)
            done = _node(app, text)
            aside.rename(there)
            missing, unknown = _ours(app, text, left_out)
            wanted = re.search(r"Cannot find (?:module|package) '([^']+)'", done.stderr)
            if wanted is None:
                assert (done.returncode, missing) == (0, set()), (name, left_out, done.stderr)
            else:
                (named if wanted[1] in missing | unknown else missed).append((name, left_out))
    assert len(named) > 150
    assert len(named) >= NAMED * (len(named) + len(missed)), missed
