"""What JavaScript sources load whenever they run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.container.node_source import Need, needs


def names(source: str) -> list[str]:
    return [need.specifier for need in needs(source)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("const a = require('a'); var b = require(\"b\")\nlet {\n  c\n} = require( 'c' )", ["a", "b", "c"]),
        ("require('a')\nrequire('./b/c.js').run()", ["a", "./b/c.js"]),
        ("var a = require('a')\n  , b = require('b')", ["a", "b"]),
        ("module.exports = { a: require('./a'), b: [require('./b')] };", ["./a", "./b"]),
        ("const a = __importDefault(require('a'));", ["a"]),
        ("const a = require('a') || {};", ["a"]),
        ("import a from 'a'\nimport 'b';import * as c from \"c\"", ["a", "b", "c"]),
        ("import a, {\n  b,\n  d as e\n} from './c.mjs'", ["./c.mjs"]),
        ("import{a}from'b';export*from'c';export{d as default}from'd'", ["b", "c", "d"]),
        ("export * as a from 'a'; export default require;", ["a"]),
        ("import { createRequire } from 'module'\nconst require = createRequire(import.meta.url)\nrequire('a')", ["module", "a"]),
        ("#!/usr/bin/env node\n'use strict'\nrequire('a')", ["a"]),
    ],
)  # fmt: skip
def test_what_runs(source: str, expected: list[str]) -> None:
    assert names(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "try { require('a') } catch { }",
        "if (x) require('a')",
        "if (x)\n  require('a');",
        "function f() { return require('a') }",
        "const f = () => require('a');",
        "const f = x => ({ y: require('a') });",
        "x ? require('a') : require('b');",
        "x && require('a');",
        "x || require('a');",
        "for (;;) require('a')",
        "module.exports = { get a() { return require('a') } }",
        "class A { static b = require('a') }",
        "// require('a')\n/* require('b')\nrequire('c') */",
        "`\nrequire('a')\n`",
        "`${`${require('a')}`}`",
        "'require(\"a\")'",
        "require.resolve('a'); a.require('b'); $require('c'); require(d); require('e' + f)",
        "import('a'); const b = import.meta.url; a.import 'b'",
        "const require = f; require('a')",
        "function require(a) {}\nrequire('a')",
        "case /[/'\"]{/.test(x): require('a')",
        "export const a = 1; export { b }; export default 'c'",
        "importer 'a'",
    ],
)
def test_what_may_not_run(source: str) -> None:
    assert names(source) == []


@pytest.mark.parametrize(
    "before",
    ["const a = /['\"`{]/g\n", "a = b / c / d\n", "const a = `{ ${ {b: `}`} } {`;\n", "if (a) { b } else { c }\n",
     "const s = '\\'{';\n", "a = x ? 1 : 2\n", "const f = () => { return /}/ }\n", "/* { */ // {\n"],
)  # fmt: skip
def test_what_stands_before_is_understood(before: str) -> None:
    assert needs(f"{before}const z = require('z')") == (Need("z", before.count("\n") + 1, static=False),)


@pytest.mark.parametrize(
    "source", ["require('a'); }", "require('a'); {", "require('a'); `", "require('a'); (]", "`${`require('a')"]
)
def test_what_does_not_end_says_nothing(source: str) -> None:
    assert needs(source) == ()


@given(st.lists(st.sampled_from(["{", "}", "(", ")", "[", "]", "`", "${", "'", '"', "/", "\\", "\n", ";", "//", "/*", "*/", " ",
                                 "require('a')", "import 'b'", "export", "=>", "?", "if", "x", "= "]), max_size=30))  # fmt: skip
def test_nothing_crashes(parts: list[str]) -> None:
    needs("".join(parts))
