"""Node's resolution, in images made of a few files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from lucid_audit.container.node_find import NodeFinder, Target, exported, hidden
from tests.image_sketch import image

APP = "/app/lib/main.js"


def find(
    files: Mapping[str, Any], specifier: str, *, static: bool = False, extra: tuple[str, ...] = ()
) -> Target | None:
    made = image({"layers": [{"files": {APP: "", **files}}]})
    return NodeFinder(made.container.files, extra).find(specifier, APP, static=static)


def manifest(**keys: Any) -> str:
    return json.dumps(keys)


@pytest.mark.parametrize("name", ["fs", "node:test", "fs/promises", "_stream_readable", "node:sqlite"])
def test_what_node_brings(name: str) -> None:
    assert find({}, name) is None


@pytest.mark.parametrize("name", ["punycode/", "fs-extra", "sqlite"])
def test_what_only_looks_like_it(name: str) -> None:
    assert find({}, name) == Target(there="in no node_modules folder above /app/lib")


@pytest.mark.parametrize(
    ("path", "specifier"),
    [
        ("/app/lib/x.js", "./x"), ("/app/lib/x.js", "./x.js"), ("/app/x.json", "../x"), ("/app/lib/x.node", "./x"),
        ("/app/lib/x/index.js", "./x"), ("/app/lib/x/index.js", "./x/"), ("/app/lib/index.js", "."), ("/opt/x.cjs", "/opt/x.cjs"),
        ("/app/node_modules/x/index.js", "x"), ("/node_modules/x/y.js", "x/y"), ("/app/lib/node_modules/@a/b/index.js", "@a/b"),
        ("/app/node_modules/x.js", "x"),
    ],
)  # fmt: skip
def test_files_and_folders(path: str, specifier: str) -> None:
    assert find({path: ""}, specifier) == Target(path)


def test_main_of_a_package() -> None:
    folder = "/app/node_modules/x"
    assert find({f"{folder}/package.json": manifest(main="lib"), f"{folder}/lib/index.js": ""}, "x") == Target(
        f"{folder}/lib/index.js"
    )
    assert find({f"{folder}/package.json": manifest(main="./a"), f"{folder}/a.js": ""}, "x") == Target(f"{folder}/a.js")
    gone = {f"{folder}/package.json": manifest(main="dist/a.js")}
    assert find(gone, "x") == Target(there=f"not among the files of {folder}")
    assert find({**gone, f"{folder}/index.js": ""}, "x") == Target(f"{folder}/index.js")


def test_a_package_further_up_is_found_where_the_nearest_lacks_the_file() -> None:
    files = {"/app/node_modules/x/other.js": "", "/node_modules/x/y.js": ""}
    assert find(files, "x/y") == Target("/node_modules/x/y.js")


def test_links_are_followed() -> None:
    """As pnpm lays packages out: what a package needs lies beside it in a folder of its own."""
    store = "/app/node_modules/.pnpm/x@1/node_modules/x"
    assert find({f"{store}/index.js": "", "/app/node_modules/x": {"link": ".pnpm/x@1/node_modules/x"}}, "x") == Target(
        f"{store}/index.js"
    )


def test_import_statements_want_whole_names() -> None:
    assert find({"/app/lib/x.js": ""}, "./x", static=True) == Target(there="not there: the image has no /app/lib/x")
    assert find({"/app/lib/x.js": ""}, "./x.js", static=True) == Target("/app/lib/x.js")


def test_exports_decide() -> None:
    folder = "/app/node_modules/x"
    exports = {".": {"import": "./a.mjs", "require": "./a.cjs"}, "./b/*": "./lib/*.js"}
    files = {
        f"{folder}/package.json": manifest(exports=exports),
        f"{folder}/a.mjs": "",
        f"{folder}/a.cjs": "",
        f"{folder}/lib/c.js": "",
    }
    assert find(files, "x") == Target(f"{folder}/a.cjs")
    assert find(files, "x", static=True) == Target(f"{folder}/a.mjs")
    assert find(files, "x/b/c") == Target(f"{folder}/lib/c.js")
    assert find(files, "x/b/d") == Target(there=f"not there: {folder} has no ./lib/d.js")
    found = find(files, "x/lib/c.js")
    assert found is not None
    assert found.there == f"not among the exports of {folder}"


def test_a_package_knows_its_own_name() -> None:
    files = {"/app/package.json": manifest(name="own", exports={"./x": "./x.js"}), "/app/x.js": ""}
    assert find(files, "own/x") == Target("/app/x.js")


def test_the_folders_of_the_environment() -> None:
    assert find({"/opt/modules/x/index.js": ""}, "x", extra=("/opt/modules",)) == Target("/opt/modules/x/index.js")


@pytest.mark.parametrize("name", ["#own", "https://example.org/x.js", "data:text/javascript,1", "./x?raw"])
def test_what_is_not_followed(name: str) -> None:
    assert find({}, name, static=True) == Target(doubt=f"what {name} stands for is not followed")


@pytest.mark.parametrize(
    ("exports", "inside", "way", "expected"),
    [
        ("./a.js", ".", "require", "./a.js"),
        ({"import": "./a.mjs", "default": "./a.js"}, ".", "require", "./a.js"),
        ({"node": {"import": "./n.mjs"}, "default": "./a.js"}, ".", "require", "./a.js"),
        ({".": [{"import": "./a.mjs"}, "./a.js"]}, ".", "require", None),
        ({"./x": None}, "./x", "require", None),
        ({"./a*": "./1/*.js", "./ab*": "./2/*.js"}, "./abc", "require", "./2/c.js"),
        ({"./*.js": "./lib/*.js"}, "./x.js", "import", "./lib/x.js"),
        ({".": "../a.js"}, ".", "require", None),
        ({"browser": "./a.js"}, ".", "require", None),
    ],
)
def test_exported(exports: Any, inside: str, way: str, expected: str | None) -> None:
    assert exported(exports, inside, way) == expected


@pytest.mark.parametrize("text", ["", "[]", "{", '"x"', "\ufeff{}"])
def test_a_damaged_manifest_is_not_known(text: str) -> None:
    found = find({"/app/node_modules/x/package.json": text, "/app/node_modules/x/index.js": ""}, "x")
    assert found is not None
    assert found.path == ("/app/node_modules/x/index.js" if text == "\ufeff{}" else "")


@pytest.mark.parametrize(
    ("exports", "inside", "sure"),
    [
        ("./a.js", "./a.js", True), ("./a.js", ".", False), ({"require": "./a.js"}, "./b", True), ({"require": "./a.js"}, ".", False),
        ({".": "./a.js", "./b": None}, "./b", False), ({".": "./a.js", "./lib/": "./lib/"}, "./lib/c", False),
        ({".": "./a.js", "./l/*.js": "./l/*.js"}, "./l/c.js", False), ({".": "./a.js", "./l/*.js": "./l/*.js"}, "./l/c", True),
        ({".": "./a.js"}, "./package.json", True), ({}, "./a", False), (None, "./a", False), ([], "./a", False),
    ],
)  # fmt: skip
def test_what_exports_hide(exports: Any, inside: str, sure: bool) -> None:
    assert hidden(exports, inside) is sure
