"""What Node.js of a version makes of CommonJS and ES modules, in images made of a few files."""

from __future__ import annotations

from typing import Any

import pytest

from lucid_audit.container.launch import Interpreter
from lucid_audit.container.node_closure import required
from lucid_audit.container.node_kind import detected_modules, required_modules
from tests.image_sketch import image

NODE = "/usr/local/bin/node"
HEADER = "/usr/local/include/node/node_version.h"


def header(version: str) -> str:
    major, minor = version.split(".")
    return f"#define NODE_MAJOR_VERSION {major}\n#define NODE_MINOR_VERSION {minor}\n"


def run(files: dict[str, Any], version: str = "18.20", main: str = "main.js", **config: Any) -> list[str]:
    """Return what is missing and what is refused; doubts begin with ``?``."""
    own = {NODE: {"elf": "arm64"}, **({HEADER: header(version)} if version else {})}
    below = {f"/app/{path}": content for path, content in files.items()}
    made = image({"config": {"WorkingDir": "/app", **config}, "layers": [{"files": {**own, **below}}]})
    found = required(made.container, Interpreter("node", NODE, NODE, ("node", main)))
    assert found is not None
    doubts = [f"?{reason}" for _, reason in found.unknown]
    refused = [f"{'?' if one.doubt else ''}{one.module.path}:{one.line} {one.words}" for one in found.refused]
    return [f"{one.name} is {one.there}" for one in found.missing] + doubts + refused


ESM = {
    "main.js": "require('x')",
    "node_modules/x/package.json": '{"type": "module"}',
    "node_modules/x/index.js": "import 'fs'",
}


def test_require_of_an_es_module() -> None:
    words = "x is an ES module, and Node.js 18.20 cannot load one with require()"
    assert run(ESM) == [words]
    assert run(ESM, "20.19") == run(ESM, "22.12") == run(ESM, "24.0") == run(ESM, "") == []
    assert run({"main.js": "require('./a.mjs')", "a.mjs": ""}) == [words.replace("x is", "./a.mjs is")]


@pytest.mark.parametrize("hook", ["require('@babel/register')", "require.extensions['.js'] = 1"])
def test_hooks_make_it_unknown(hook: str) -> None:
    words = run({**ESM, "main.js": f"{hook}\nrequire('x')\nimport 'fs'", "node_modules/@babel/register/index.js": ""})
    assert words
    assert all(one.startswith("?") for one in words), words


def test_import_in_a_commonjs_module() -> None:
    words = "/app/main.js:2 an import statement in a CommonJS module (no package.json says otherwise)"
    source = {"main.js": "\nimport fs from 'fs'\n"}
    assert run(source) == [words]
    assert run(source, "22.7") == run(source, "20.19") == run(source, "") == []
    assert run(source, "22.6") == [words]
    said = words.replace("no package.json says otherwise", "its package.json or its ending says so")
    for version in ("18.20", "24.0", ""):
        assert run({**source, "package.json": '{"type": "commonjs"}'}, version) == [said]
        assert run({**source, "package.json": '{"type": "module"}'}, version) == []
        assert run({**source, "package.json": "not json"}, version) == []
        assert run({"main.cjs": "import 'fs'"}, version, "main.cjs") != []
        assert run({"main.mjs": "import 'fs'"}, version, "main.mjs") == []


def test_node_modules_end_the_search_for_a_type() -> None:
    files = {"package.json": '{"type": "module"}', "main.js": "import 'x'", "node_modules/x/index.js": "import 'fs'"}
    assert len(run(files)) == 1
    assert run({**files, "node_modules/x/index.js": "module.exports = 1"}) == []


def test_versions() -> None:
    assert [required_modules(one) for one in ((18, 0), (20, 18), (20, None), (21, None), (22, 12), (23, None), None)] == [
        False, False, None, False, True, True, None,
    ]  # fmt: skip
    assert [detected_modules(one) for one in ((20, 19), (22, 6), (22, 7), (22, None))] == [True, False, True, None]


@pytest.mark.parametrize(
    "record", ["Package: nodejs\nStatus: ok\nVersion: 18.20.4+dfsg-1\n", "Package: nodejs\nVersion: 1:18.20.4\n"]
)
def test_the_version_by_the_record_of_debian(record: str) -> None:
    files = {"/usr/bin/node": {"elf": "arm64"}, "/var/lib/dpkg/status": f"Package: npm\nVersion: 9.2\n\n{record}",
             **{f"/app/{path}": content for path, content in ESM.items()}}  # fmt: skip
    made = image({"config": {"WorkingDir": "/app"}, "layers": [{"files": files}]})
    found = required(made.container, Interpreter("node", "node", "/usr/bin/node", ("node", "main.js")))
    assert found is not None
    assert len(found.missing) == 1
