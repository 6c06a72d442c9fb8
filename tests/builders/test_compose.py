from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.tree import plant, read, short

CASES: dict[str, tuple[dict[str, str], list[str]]] = {
    "short form": ({"compose.yaml": "services: {api: {build: ./api}}"}, ["api api api/Dockerfile - - -"]),
    "long form": (
        {
            "docker-compose.yml": "services:\n  api:\n    platform: linux/arm64\n    build:\n      context: api\n"
            "      dockerfile: ../Dockerfile.api\n      target: prod\n      args: {A: 1, B: , C: '${X:-c}', D: '$X'}\n"
        },
        ["api api Dockerfile.api A=1,B=?,C=c,D=? prod linux/arm64"],
    ),
    "args as a list, and .env": (
        {".env": "X=env\nB=b\n", "compose.yml": "services: {api: {build: {context: ., args: [A=$X, B, C]}}}"},
        ["api . Dockerfile A=env,B=b,C=? - -"],
    ),
    "platforms of the build win": (
        {"compose.yml": "services: {a: {platform: linux/arm64, build: {platforms: [linux/amd64, linux/arm64]}}}"},
        ["a . Dockerfile - - linux/amd64+linux/arm64"],
    ),
    "an unknown target": (
        {"compose.yml": "services: {a: {build: {context: ., target: $T}}}"},
        ["a . Dockerfile - ? -"],
    ),
    "inline files and other people's images build no file of ours": (
        {
            "compose.yml": "services: {a: {build: {context: ., dockerfile_inline: FROM x}}, b: {image: x}, "
            "c: {build: 'https://example.org/x.git'}, d: {build: 'git@example.org:x'}}"
        },
        [],
    ),
    "profiles do not matter": (
        {"compose.yml": "services: {a: {profiles: [dev], build: .}}"},
        ["a . Dockerfile - - -"],
    ),
    "anchors and x- fields": (
        {"compose.yml": "x-b: &b {context: api, args: {A: 1}}\nservices: {a: {build: {<<: *b, target: t}}}"},
        ["a api api/Dockerfile A=1 t -"],
    ),
    "extends in the same file and in another, whose paths are its own": (
        {
            "compose.yml": "services:\n  a: {extends: base, build: {args: {B: 2}}}\n"
            "  b: {extends: {file: api/common.yml, service: up}, build: {target: t}}\n"
            "  base: {build: {context: api, args: {A: 1, B: 1}}}\n",
            "api/common.yml": "services: {up: {build: {context: ., dockerfile: D}}}",
        },
        ["a api api/Dockerfile A=1,B=2 - -", "b api api/D - t -", "base api api/Dockerfile A=1,B=1 - -"],
    ),
    "circles": (
        {"compose.yml": "include: [compose.yml]\nservices: {a: {extends: b, build: .}, b: {extends: a}}"},
        ["a . Dockerfile - - -", "b . Dockerfile - - -"],
    ),
    "include counts from its own folder, or from the one it names": (
        {
            "compose.yml": "include:\n  - api/part.yml\n  - path: [api/other.yml]\n    project_directory: .\n",
            "api/part.yml": "services: {a: {build: .}}",
            "api/other.yml": "services: {b: {build: {context: ., args: {A: $X}}}}",
            ".env": "X=1",
        },
        ["a api api/Dockerfile - - -", "b . Dockerfile A=1 - -"],
    ),
    "the override file is laid over the main one": (
        {
            "compose.yml": "services: {a: {build: {context: api, target: prod}}, b: {build: .}}",
            "compose.override.yml": "services: {a: {build: {target: dev}}}",
        },
        ["a api api/Dockerfile - dev -", "b . Dockerfile - - -"],
    ),
    "other files: whole builds stand alone, parts are laid over the main file": (
        {
            "compose.yml": "services: {a: {build: {context: api, target: prod}}}",
            "compose.dev.yml": "services: {a: {build: {args: {A: 1}}}}",
            "docker-compose-ci.yml": "services: {a: {build: ./api}}",
            "compose.x.yml": "services: {a: {platform: linux/arm64}}",
        },
        ["a api api/Dockerfile A=1 prod -", "a api api/Dockerfile - - -", "a api api/Dockerfile - prod -"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_services(case: str, tmp_path: Path) -> None:
    files, expected = CASES[case]
    plant(tmp_path, {"api/": "", **files})
    builders, troubles = read(tmp_path)
    assert sorted(short(tmp_path, one) for one in builders) == sorted(expected)
    assert not troubles


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "services: {a: {build: $X}}",
            "the context of service a is not known: ${X} has no value in .env and no default",
        ),
        ("services: {a: {build: {dockerfile: $X}}}", "the Dockerfile of service a is not known"),
        ("services: {a: {build: ../..}}", "the context of service a lies outside of the repository: ../.."),
        ("services: {a: {build: gone}}", "the context of service a is not here: gone"),
        ("services: {a: {build: link}}", "lies outside of the repository: link"),
        ("services: {a: {build: [", "not valid YAML"),
        ("include: [../../etc.yml]", "it lies outside of the repository"),
        ("include: [gone.yml]", "it is not here"),
        ("include: [$X]", "what is included as $X is not known"),
        ("build " * 200_000, "it is larger than 1024 KiB"),
    ],
)
def test_what_cannot_be_used_is_noted(text: str, reason: str, tmp_path: Path) -> None:
    root = plant(tmp_path / "r", {"compose.yml": text})
    (root / "link").symlink_to("/")
    builders, troubles = read(root)
    assert not builders
    assert reason in troubles[0].said()


def test_a_builder_knows_who_declares_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(plant(tmp_path, {"compose.yml": "services:\n  a:\n    image: x\n    build: .\n"}))
    ((builder,), _) = read(tmp_path)
    assert builder.said() == "service a in compose.yml:4"
    assert builder.said(place=False) == "service a in compose.yml"


WORDS = (
    "services",
    "include",
    "extends",
    "build",
    "context",
    "dockerfile",
    "args",
    "platforms",
    "target",
    "file",
    "path",
    "$X",
    ".",
)
VALUES = st.recursive(
    st.sampled_from(WORDS) | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(service=VALUES, other=VALUES, top=VALUES)
def test_no_shape_crashes(service: object, other: object, top: object, tmp_path: Path) -> None:
    import yaml

    data = {"services": {"a": service, "b": {"build": other, "extends": other}}, "include": top}
    plant(tmp_path, {"compose.yaml": yaml.safe_dump(data), "compose.x.yml": yaml.safe_dump(top)})
    read(tmp_path)
