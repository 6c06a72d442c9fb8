from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.tree import plant, read, short

CASES: dict[str, tuple[dict[str, str], list[str]]] = {
    "plain": ({"docker-bake.hcl": 'target "a" { context = "./api" }'}, ["a api api/Dockerfile - - -"]),
    "everything": (
        {
            "docker-bake.hcl": 'variable "V" {\n default = "1"\n}\nvariable "N" {}\ntarget "a" {\n context = "api"\n'
            ' dockerfile = "../D"\n target = "prod"\n platforms = ["linux/amd64", "linux/arm64"]\n'
            ' args = { V = V, W = "${V}-x", N = N, U = upper("u"), NULL = null, I = 3, B = true, T = V == "1" ? "y" : "n" }\n}'
        },
        ["a api D B=true,I=3,N=?,T=y,U=U,V=1,W=1-x prod linux/amd64+linux/arm64"],
    ),
    "inherits: what is only inherited is not built, unless a group names it": (
        {
            "docker-bake.hcl": 'group "default" { targets = ["a", "c"] }\n'
            'target "p" {\n args = { A = "1", B = "1" }\n platforms = ["linux/arm64"]\n}\n'
            'target "c" { args = { B = "2" } }\n'
            'target "a" {\n inherits = ["p", "c"]\n context = "api"\n args = { C = "3" }\n}'
        },
        ["a api api/Dockerfile A=1,B=2,C=3 - linux/arm64", "c . Dockerfile B=2 - -"],
    ),
    "matrix": (
        {
            "docker-bake.hcl": 'target "m" {\n name = "m-${item.v}-${o}"\n'
            ' matrix = { item = [{ v = "a" }, { v = "b" }], o = ["x"] }\n args = { V = item["v"] }\n target = o\n}'
        },
        ["m-a-x . Dockerfile V=a x -", "m-b-x . Dockerfile V=b x -"],
    ),
    "functions": (
        {
            "docker-bake.hcl": 'function "f" {\n params = [a, b]\n result = "${a}-${b}"\n}\n'
            'target "a" { args = { A = f("x", lower("Y")), B = f("x"), C = nope("x"), D = join(",", ["a", "b"]), '
            'E = format("%s-%d", "v", 2), F = coalesce(null, "z"), G = replace("a.b", ".", "-") } }'
        },
        ["a . Dockerfile A=x-y,B=?,C=?,D=a,b,E=v-2,F=z,G=a-b - -"],
    ),
    "for and splats": (
        {
            "docker-bake.hcl": 'variable "ARCHES" { default = ["amd64", "arm64"] }\n'
            'variable "SERVICES" { default = [{ name = "api", on = true }, { name = "web", on = false }] }\n'
            'target "a" {\n platforms = [for arch in ARCHES : "linux/${arch}"]\n'
            ' args = {\n  NAMES = join(",", SERVICES[*].name)\n  ON = join(",", [for s in SERVICES : upper(s.name) if s.on])\n'
            '  INDEX = join(",", [for i, s in SERVICES : "${i}-${s.name}"])\n  ATTRIBUTES = join(",", SERVICES.*.name)\n'
            '  ONE = join(",", "x"[*])\n  UNKNOWN = join(",", [for s in NOPE : s])\n  TEXT = join(",", [for s in "text" : s])\n }\n}\n'
            'target "b" {\n args = merge({ for s in SERVICES : s.name => "v-${s.name}" }, { for k, v in { y = "1", x = "2" } : upper(k) => v })\n}\n'
            'target "c" { args = { for s in SERVICES : "same" => s.name } }\n'
            'target "d" { args = { G = join("+", { for s in SERVICES : "same" => s.name... }["same"]) } }'
        },
        [
            "a . Dockerfile ATTRIBUTES=api,web,INDEX=0-api,1-web,NAMES=api,web,ON=API,ONE=x,TEXT=?,UNKNOWN=? - linux/amd64+linux/arm64",
            "b . Dockerfile X=2,Y=1,api=v-api,web=v-web - -",
            "c . Dockerfile - - -",
            "d . Dockerfile G=api+web - -",
        ],
    ),
    "files are merged in bake's order": (
        {
            "docker-bake.json": json.dumps(
                {"variable": {"V": {"default": "1"}}, "target": {"a": {"args": {"A": "${V}", "B": "j"}}}}
            ),
            "docker-bake.hcl": 'target "a" {\n args = { B = "h" }\n target = "x"\n}',
            "docker-bake.override.hcl": 'target "a" { target = "y" }\nvariable "V" { default = "2" }',
        },
        ["a . Dockerfile A=2,B=h y -"],
    ),
    "a compose service of the same name is below": (
        {
            "compose.yml": "services: {a: {build: {context: api, args: {A: 1}}}}",
            "docker-bake.hcl": 'target "a" { platforms = ["linux/arm64"] }',
        },
        ["a api api/Dockerfile A=1 - -", "a api api/Dockerfile A=1 - linux/arm64"],
    ),
    "contexts that are no folder, and files in the bake file": (
        {
            "docker-bake.hcl": 'target "a" { context = "https://example.org/x.git" }\n'
            'target "b" { dockerfile-inline = "FROM x" }\ntarget "c" { context = "cwd://api" }'
        },
        ["c api api/Dockerfile - - -"],
    ),
    "circles": (
        {
            "docker-bake.hcl": 'variable "A" { default = B }\nvariable "B" { default = A }\n'
            'group "g" { targets = ["a", "b"] }\n'
            'function "f" {\n params = [x]\n result = f(x)\n}\n'
            'target "a" {\n inherits = ["b"]\n args = { A = A, F = f(1) }\n}\ntarget "b" { inherits = ["a"] }'
        },
        ["a . Dockerfile A=?,F=? - -", "b . Dockerfile A=?,F=? - -"],
    ),
    "a group by attribute, comments, here-documents and templates": (
        {
            "docker-bake.hcl": '# c\n// c\n/* c */\nTAG = "top"\ntarget "a" {\n args = {\n  A = TAG # c\n  B = <<E\nx\nE\n'
            '  C = "%{ if true }x%{ endif }"\n  D = "$${x}"\n  E = [for x in ["a"] : x][0]\n }\n}\n'
        },
        ["a . Dockerfile A=top,B=?,C=?,D=${x},E=a - -"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_targets(case: str, tmp_path: Path) -> None:
    files, expected = CASES[case]
    plant(tmp_path, {"api/": "", **files})
    builders, troubles = read(tmp_path)
    assert sorted(short(tmp_path, one) for one in builders) == sorted(expected)
    assert not troubles


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("docker-bake.hcl", 'target "a" {', "not valid HCL"),
        ("docker-bake.hcl", "x = " + "[" * 500, "it is nested too deeply"),
        (
            "docker-bake.hcl",
            'variable "V" {}\ntarget "a" { context = V }',
            "the context of bake target a is not known: V has no default",
        ),
        ("docker-bake.hcl", "x = <<E\n" + "\n" * 200_000 + "F\n", "too many blank lines"),
        ("docker-bake.hcl", "#" * (300 << 10), "it is larger than 256 KiB"),
        ("docker-bake.json", "[", "line 1: not valid JSON"),
        ("docker-bake.json", "[]", "it is no JSON object"),
        ("docker-bake.json", "[" * 100_000, "it is nested too deeply"),
        ("docker-bake.json", '{"target": {"a": {"context": "${"}}}', "a template cannot be read"),
    ],
)
def test_what_cannot_be_used_is_noted(name: str, text: str, reason: str, tmp_path: Path) -> None:
    builders, troubles = read(plant(tmp_path, {name: text}))
    assert not builders
    assert reason in troubles[0].said()


def test_lines(tmp_path: Path) -> None:
    plant(tmp_path, {"docker-bake.hcl": '\ntarget "a" {}\n', "docker-bake.json": '{"target": {\n\n"b": {}}}'})
    assert {one.name: one.line for one in read(tmp_path)[0]} == {"a": 2, "b": 3}


def test_work_is_bounded(tmp_path: Path) -> None:
    """Values that double with every line, and numbers that square."""
    texts = "".join(f'T{n} = "${{T{n - 1}}}${{T{n - 1}}}"\n' for n in range(1, 60))
    numbers = "".join(f"N{n} = N{n - 1} * N{n - 1}\n" for n in range(1, 60))
    objects = "".join(f"O{n} = {{ a = O{n - 1}, b = O{n - 1} }}\n" for n in range(1, 60))
    lists = "".join(f"L{n} = concat(L{n - 1}, L{n - 1})\n" for n in range(1, 60))
    start = 'T0 = "xxxxxxxx"\nN0 = 9\nO0 = { a = 1 }\nL0 = ["a"]\n'
    target = (
        'target "a" { args = { T = T59, N = N59, O = O59, S = O59 == O59, L = join("", L59), K = length(keys(O59)) } }'
    )
    ((builder,), _) = read(plant(tmp_path, {"docker-bake.hcl": start + texts + numbers + objects + lists + target}))
    assert dict(builder.args) == {"T": None, "N": None, "O": None, "S": None, "L": None, "K": "2"}


TOKENS = (
    'target "a" {',
    "}",
    "context",
    "=",
    '"x${',
    '"',
    "[",
    "]",
    "(",
    ")",
    "1",
    "a",
    ".",
    "\n",
    ",",
    "!",
    "? :",
    "<<E\nE\n",
    "for",
    "in",
    "null",
)
VALUES = st.recursive(
    st.sampled_from(["a", "${a}", "${b.c[0]}", "${upper(a)}", "%{", "target:a"])
    | st.none()
    | st.integers()
    | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "item"]), inner, max_size=3),
    max_leaves=8,
)
KEYS = (
    "context",
    "dockerfile",
    "args",
    "target",
    "platforms",
    "inherits",
    "matrix",
    "name",
    "contexts",
    "targets",
    "default",
    "params",
    "result",
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(words=st.lists(st.sampled_from(TOKENS), max_size=25))
def test_no_hcl_crashes(words: list[str], tmp_path: Path) -> None:
    read(plant(tmp_path, {"docker-bake.hcl": " ".join(words)}))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    data=st.dictionaries(
        st.sampled_from(["target", "group", "variable", "function", "a"]),
        st.dictionaries(st.sampled_from(["a", "b"]), st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5))
        | VALUES,
    )
)
def test_no_json_crashes(data: object, tmp_path: Path) -> None:
    read(plant(tmp_path, {"docker-bake.json": json.dumps(data)}))
