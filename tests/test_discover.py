from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit import discover
from lucid_audit.discover import FILES_REGEX, Found, Unreadable, find, is_dockerfile, repository_root

YES = [
    "Dockerfile", "dockerfile", "DOCKERFILE", "Containerfile", "containerfile",
    "Dockerfile.tor-proxy", "Dockerfile.x.distroless", "dockerfile.admin-overlord", "Containerfile.dev",
    "Dockerfile-arm64", "Dockerfile_arm", "Dockerfile copy.gui-tor-manager", "Dockerfile.api.ref", "Dockerfile.ref",
    "api.Dockerfile", "api.dockerfile", "a.b.Containerfile", "my api.dockerfile", "Dockerfile.3.11", "Dockerfile.go",
    "Dockerfile.markdown-service", "Dockerfile.python", "Dockerfile.node", "Dockerfile.rust", "Dockerfile.json-api",
]  # fmt: skip
NO = [
    "Dockerfile.md", "DOCKERFILE_GUIDE.md", "dockerfile-design.md", "Dockerfiles.csv", "dockerfile.csv", "dockerfile_lint.py",
    "Dockerfile.py", "dockerfile.sh", "dockerfile.txt", "Dockerfile.dockerignore", "api.Dockerfile.dockerignore",
    "Dockerfile.json", "dockerfile.yml", "dockerfile.yaml", "Dockerfile.j2", "Dockerfile.tmpl", "Dockerfile.template",
    "Dockerfile~", "Dockerfile.bak", "Dockerfile.orig", "Dockerfile.swp", ".Dockerfile.swp", "Dockerfile.prod~",
    "dockerfile.go", "dockerfile_test.go", "Dockerfile.tsx", "fix-all-dockerfiles.sh", "Dockerfiles", "mydockerfile",
    "Dockerfile.", ".dockerfile", "docker-compose.yml", "Makefile", ".dockerignore", "Dockerfile.MD", "Dockerfile copy.md",
]  # fmt: skip


@pytest.mark.parametrize("folder", ["", "a/", "a/Dockerfile.d/", "x y/"])
@pytest.mark.parametrize("name", YES)
def test_names_of_dockerfiles(folder: str, name: str) -> None:
    assert is_dockerfile(folder + name)


@pytest.mark.parametrize("folder", ["", "a/", "Dockerfile/", "api.Dockerfile/"])
@pytest.mark.parametrize("name", NO)
def test_names_of_other_files(folder: str, name: str) -> None:
    assert not is_dockerfile(folder + name)


@given(st.text("dockerfileDCnta. -_/~md\n", max_size=24))
def test_the_expression_for_pre_commit_and_the_function_agree(path: str) -> None:
    assert is_dockerfile(path) is (re.search(FILES_REGEX, path) is not None)
    assert is_dockerfile(path) is is_dockerfile("x/" + path)


def lay(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("FROM scratch\n")


def git(root: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=root, check=True, capture_output=True
    )


def names(*paths: str | Path) -> list[str]:
    items = list(find(map(str, paths)))
    assert all(isinstance(item, Found) for item in items)
    return [item.path for item in items]


@pytest.fixture(params=["git", "walk"])
def tree(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is a checkout or is not; the answers are the same."""
    if request.param == "git":
        git(tmp_path, "init", "-q")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_is_searched(tree: Path) -> None:
    lay(tree, "Dockerfile", "b/api.dockerfile", "a/Dockerfile.x", "a/Dockerfile copy.y", "README.md", "a/Dockerfile.md")
    assert names(".") == ["Dockerfile", "a/Dockerfile copy.y", "a/Dockerfile.x", "b/api.dockerfile"]
    assert names("a/") == ["a/Dockerfile copy.y", "a/Dockerfile.x"]
    assert names(tree / "a") == [str(tree / "a" / "Dockerfile copy.y"), str(tree / "a" / "Dockerfile.x")]


def test_ignored_files_are_left_out(tree: Path) -> None:
    lay(
        tree,
        "Dockerfile",
        "out/Dockerfile",
        "a/Dockerfile",
        "a/Dockerfile.tmp1",
        "a/b/Dockerfile.tmp1",
        "c/Dockerfile.tmp1",
    )
    (tree / ".gitignore").write_text("out/\n*.tmp1\n")
    (tree / "a/b/.gitignore").write_text("!*.tmp1\n")
    assert names(".") == ["Dockerfile", "a/Dockerfile", "a/b/Dockerfile.tmp1"]


def test_an_ignored_folder_that_is_named_is_searched(tree: Path) -> None:
    lay(tree, "out/Dockerfile")
    (tree / ".gitignore").write_text("out/\n")
    assert names("out") == ["out/Dockerfile"]


def test_other_peoples_folders_are_skipped(tree: Path) -> None:
    lay(
        tree,
        "Dockerfile",
        "node_modules/x/Dockerfile",
        "a/node_modules/Dockerfile",
        ".venv/Dockerfile",
        ".hidden/Dockerfile",
    )
    if (tree / ".git").exists():
        git(tree, "add", "-A")
    assert names(".") == [".hidden/Dockerfile", "Dockerfile"]
    assert names("node_modules/x") == ["node_modules/x/Dockerfile"]


def test_what_is_named_is_taken_whatever_its_name(tree: Path) -> None:
    lay(tree, "Dockerfile.j2", "a/recipe.txt")
    assert names("Dockerfile.j2", "a/recipe.txt") == ["Dockerfile.j2", "a/recipe.txt"]


def test_each_file_once_in_the_order_of_its_first_mention(tree: Path) -> None:
    lay(tree, "Dockerfile", "a/Dockerfile")
    assert names("a/Dockerfile", ".", "./a", "a/../Dockerfile") == ["a/Dockerfile", "Dockerfile"]


def test_links(tree: Path) -> None:
    lay(tree, "z/Dockerfile")
    (tree / "a").mkdir()
    (tree / "a/Dockerfile").symlink_to("../z/Dockerfile")
    (tree / "a/loop").symlink_to("..", target_is_directory=True)
    (tree / "a/Dockerfile.broken").symlink_to("nowhere")
    (tree / "linked").symlink_to("z", target_is_directory=True)
    assert names(".") == ["z/Dockerfile"]  # the file, not the link to it
    assert names("linked") == ["linked/Dockerfile"]


def test_a_folder_with_the_name_of_a_dockerfile(tree: Path) -> None:
    lay(tree, "Dockerfile/Dockerfile")
    assert names(".") == ["Dockerfile/Dockerfile"]


def test_nothing_found(tree: Path) -> None:
    assert names(".") == []


def test_names_that_are_not_utf_8(tree: Path) -> None:
    lay(tree, os.fsdecode(b"Dockerfile.\xff"))
    assert names(".") == [os.fsdecode(b"Dockerfile.\xff")]


def test_deleted_but_tracked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q")
    lay(tmp_path, "Dockerfile", "Dockerfile.gone")
    git(tmp_path, "add", "-A")
    (tmp_path / "Dockerfile.gone").unlink()
    monkeypatch.chdir(tmp_path)
    assert names(".") == ["Dockerfile"]


def test_variables_of_a_git_hook_do_not_mislead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        git(tmp_path / name, "init", "-q")
        lay(tmp_path / name, f"Dockerfile.{name}")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "one" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "one" / ".git" / "index"))
    assert names(tmp_path / "two") == [str(tmp_path / "two" / "Dockerfile.two")]


def test_a_checkout_cannot_run_a_program(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    lay(tmp_path, "Dockerfile")
    hook = tmp_path / "hook.sh"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    git(tmp_path, "config", "core.fsmonitor", str(hook))
    assert names(tmp_path) == [str(tmp_path / "Dockerfile")]
    assert not (tmp_path / "ran").exists()


def test_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q")
    lay(tmp_path, "Dockerfile", "out/Dockerfile")
    (tmp_path / ".gitignore").write_text("out\n")
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(tmp_path)
    assert names(".") == ["Dockerfile"]


def test_what_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = str(tmp_path / "gone")
    assert list(find([gone, "a\0b"])) == [
        Unreadable(gone, "No such file or directory"),
        Unreadable("a\0b", "embedded null byte"),
    ]
    lay(tmp_path, "Dockerfile", "closed/Dockerfile")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.chdir(tmp_path)
    assert list(find(["."])) == [Unreadable("closed", "Permission denied"), Found("Dockerfile")]


def test_repository_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, "one/a/b/Dockerfile", "two/Dockerfile", "two/.git")
    (tmp_path / "one/.git").mkdir()
    assert repository_root(f"{tmp_path}/one/a/b") == f"{tmp_path}/one"
    assert repository_root(f"{tmp_path}/one/a/b/Dockerfile") == f"{tmp_path}/one"
    assert repository_root(f"{tmp_path}/two") == f"{tmp_path}/two"  # a worktree or a submodule
    assert repository_root(f"{tmp_path}/gone/x") in (None, *map(str, tmp_path.parents))
    monkeypatch.chdir(tmp_path / "one/a")
    assert repository_root("") == repository_root(".") == f"{tmp_path}/one"


def test_skipped_folders_are_named_once() -> None:
    assert {".git", "node_modules", ".venv"} == discover.SKIPPED_FOLDERS
