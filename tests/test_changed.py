"""Which files count as changed, asked of a real git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lucid_audit.__main__ import main
from lucid_audit.changed import since
from lucid_audit.errors import UsageError

GOOD = "FROM gcr.io/distroless/static-debian13:nonroot\n"
BAD = GOOD + "USER root\n"


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(BAD)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "all")
    return tmp_path


def names(folder: Path, revision: str = "main") -> set[str]:
    return {str(Path(path).relative_to(folder.resolve())) for path in since(revision, str(folder))}


def test_committed_staged_edited_and_new(repository: Path) -> None:
    assert names(repository) == set()
    git(repository, "checkout", "-qb", "work")
    (repository / "a" / "Dockerfile").write_text(GOOD)
    git(repository, "commit", "-qam", "a")
    (repository / "b" / "Dockerfile").write_text(GOOD)
    (repository / "d.Dockerfile").write_text(GOOD)
    assert names(repository) == {"a/Dockerfile", "b/Dockerfile", "d.Dockerfile"}
    git(repository, "stash", "-q")
    git(repository, "checkout", "-q", "main")
    (repository / "c" / "Dockerfile").write_text(GOOD)
    git(repository, "commit", "-qam", "what others did meanwhile")
    git(repository, "checkout", "-q", "work")
    (repository / "d.Dockerfile").unlink()
    assert names(repository) == {"a/Dockerfile"}, "what happened on main since is not this branch's"


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "-h"])
def test_no_such_revision(repository: Path, revision: str) -> None:
    with pytest.raises(UsageError, match="no such revision"):
        since(revision, str(repository))
    assert not (repository / "x").exists()


def test_outside_of_a_repository(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        since("main", str(tmp_path))


def test_only_these_are_linted(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "-q", "--changed-since", "main", str(repository)]) == 0
    assert capsys.readouterr().out == ""
    (repository / "b" / "Dockerfile").write_text(BAD + "EXPOSE 80/TCP\n")
    assert main(["lint", "-q", "--changed-since", "main", str(repository)]) == 1
    said = capsys.readouterr().out
    assert "b/Dockerfile" in said
    assert "a/Dockerfile" not in said
    assert main(["lint", "-q", "--changed-since", "main", str(repository / "a")]) == 0
