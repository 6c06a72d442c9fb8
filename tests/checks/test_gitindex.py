from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.checks.gitindex import tracks


def index(folder: Path, *options: str) -> bytes:
    """Let git write an index of three files, one of them with an extended entry."""
    for name in ("a", "folder/some long name.txt", "later"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)
    git = ["git", "-C", str(folder)]
    subprocess.run([*git, "init", "-q"], check=True)
    for command in (["add", "a", "folder"], ["add", "-N", "later"], *([options] if options else [])):
        subprocess.run([*git, *command], check=True)
    return (folder / ".git/index").read_bytes()


def test_what_git_tracks(tmp_path: Path) -> None:
    data = index(tmp_path)
    names = ("a", "folder", "folder/", "folder/some long name.txt", "later", "some long name.txt", "fold", "b")
    assert [name for name in names if tracks(data, name)] == list(names[:5])


@pytest.mark.parametrize("options", [("update-index", "--index-version", "4"), ("update-index", "--split-index")])
def test_an_index_that_cannot_say(options: tuple[str, ...], tmp_path: Path) -> None:
    assert tracks(index(tmp_path, *options), "a") is None


@pytest.mark.parametrize(
    "data",
    [b"", b"DIRC", b"DIRC\0\0\0\2\0\0\0\1", b"TREE\0\0\0\2\0\0\0\0", b"DIRC\0\0\0\2\xff\xff\xff\xff" + b"a" * 90],
)
def test_no_index(data: bytes) -> None:
    assert tracks(data, "a") is None or tracks(data, "a") is False


@given(st.binary(max_size=300))
def test_nothing_crashes(data: bytes) -> None:
    tracks(b"DIRC\0\0\0\2\0\0\0\5" + data, "a")
