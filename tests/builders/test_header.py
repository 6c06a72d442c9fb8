from __future__ import annotations

from pathlib import Path

import pytest

from lucid_audit.builders.header import hints
from tests.builders.tree import plant, short

FILE = "services/api/Dockerfile"


@pytest.mark.parametrize(
    ("comments", "expected"),
    [
        (["docker build -f services/api/Dockerfile ."], f"- . {FILE} - - -"),
        (["Usage: `docker build -t api:1 services/api`"], f"- services/api {FILE} - - -"),
        (["docker build -t api ."], f"- services/api {FILE} - - -"),
        (["docker build -f api/Dockerfile ."], f"- services {FILE} - - -"),
        (["docker build --file=Dockerfile ../.. && docker push x"], f"- . {FILE} - - -"),
        (
            [
                "docker buildx build \\",
                "  --platform linux/arm64,linux/amd64 --build-arg A=1 \\",
                "  --build-arg B=$B --target prod --push .",
            ],
            f"- services/api {FILE} A=1,B=? prod linux/arm64+linux/amd64",
        ),
        (["docker build -f old/Dockerfile .", "build context: repository root"], f"- . {FILE} - - -"),
        (["Build context: services/"], f"- services {FILE} - - -"),
        (["The build context is the repo root."], f"- . {FILE} - - -"),
        (["Build context: `services/api`"], f"- services/api {FILE} - - -"),
        (["build context = ../"], f"- services {FILE} - - -"),
    ],
)
def test_a_comment_that_can_mean_this_file(comments: list[str], expected: str, tmp_path: Path) -> None:
    plant(tmp_path, {FILE: "FROM x"})
    found = hinted(tmp_path, comments)
    assert found == expected


@pytest.mark.parametrize(
    "comment",
    [
        "docker build -f other/Dockerfile .",
        "docker build services",
        "docker build https://example.org/x.git",
        "docker build -t x $DIR",
        "docker build -t x <folder>",
        "docker build",
        "Build context: .",
        "Build context: services/web",
        "Build context: ../../..",
        "build context: /etc",
        "we build the context of this later",
    ],
)
def test_a_comment_that_cannot(comment: str, tmp_path: Path) -> None:
    plant(tmp_path / "r", {FILE: "FROM x", "services/web/": ""})
    assert hinted(tmp_path / "r", [comment]) == ""


def test_a_dot_is_clear_at_the_root(tmp_path: Path) -> None:
    plant(tmp_path, {"Dockerfile": ""})
    file = tmp_path / "Dockerfile"
    found = hints([(3, "Build context: .")], str(file), [str(tmp_path)])
    assert found is not None
    assert found.said(place=True).endswith("Dockerfile:3")


def hinted(root: Path, comments: list[str]) -> str:
    folders = [str(root / name) for name in ("services/api", "services", ".")]
    found = hints(list(enumerate(comments, 1)), str(root / FILE), [folder.rstrip("/.") for folder in folders])
    return short(root, found) if found is not None else ""
