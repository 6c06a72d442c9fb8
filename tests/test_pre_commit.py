"""The hook that other repositories use: its file pattern, and a commit through the real pre-commit program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from lucid_audit.discover import FILES_REGEX
from tests.starts import program

ROOT = Path(__file__).parent.parent
IDENTITY = {
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.org",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
}
BAD = "FROM gcr.io/distroless/static-debian13:nonroot\nUSER root\n"
GOOD = """\
FROM gcr.io/distroless/static-debian13:nonroot@sha256:{digest}
COPY --chown=65532:65532 server /app/server
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=3s CMD ["/app/server", "--healthy"]
ENTRYPOINT ["/app/server"]
""".format(digest="0" * 64)


def hook() -> dict[str, object]:
    found = hooks()["lucid-audit"]
    assert isinstance(found, dict)
    return found


def hooks() -> dict[str, dict[str, object]]:
    return {one["id"]: one for one in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}


def test_the_hook_takes_the_files_that_a_search_finds() -> None:
    assert hook()["files"] == FILES_REGEX


def test_the_hook_runs_the_program() -> None:
    assert (hook()["id"], hook()["language"], hook()["entry"]) == ("lucid-audit", "python", "lucid-audit lint")


@pytest.mark.parametrize("changed", [True, False])
def test_the_hook_of_a_fleet_judges_what_a_change_concerns(changed: bool, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(BAD)
    plan = "version: 1\nservices:\n" + "".join(f"  - {{name: {n}, dockerfile: {n}/Dockerfile}}\n" for n in "ab")
    (tmp_path / "lucid-plan.yaml").write_text(plan)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "x")
    if changed:
        (tmp_path / "b" / "Dockerfile").write_text(BAD + "EXPOSE 80\n")
        git(tmp_path, "add", "-A")
    words = str(hooks()["lucid-audit-fleet"]["entry"]).split()[1:]
    done = subprocess.run([sys.executable, "-m", "lucid_audit", *words], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == (1 if changed else 0), done.stderr
    assert ("b (b/Dockerfile)" in done.stdout) == changed
    assert "a (a/Dockerfile)" not in done.stdout


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **IDENTITY}, capture_output=True, text=True, check=True
    )
    return done.stdout


def checkout(folder: Path) -> str:
    """Copy the working tree into a repository of its own and return its only commit."""
    files = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "x")
    return git(folder, "rev-parse", "HEAD").strip()


def hooked(tmp_path: Path, name: str) -> tuple[Path, Callable[[], subprocess.CompletedProcess[str]]]:
    """Return a repository with one of the hooks installed from a clone of this one, and what commits all of it."""
    source, user = tmp_path / "source", tmp_path / "user"
    source.mkdir()
    user.mkdir()
    revision = checkout(source)
    git(user, "init", "-q")
    (user / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {source}\n    rev: {revision}\n    hooks:\n      - id: {name}\n", "utf-8"
    )
    environment = {**os.environ, **IDENTITY, "PRE_COMMIT_HOME": str(tmp_path / "home")}
    pre_commit = [sys.executable, "-m", "pre_commit"]

    def commit() -> subprocess.CompletedProcess[str]:
        git(user, "add", "-A")
        return subprocess.run(
            ["git", "commit", "-m", "x"], cwd=user, env=environment, capture_output=True, text=True, check=False
        )

    if name == "lucid-audit-fleet":
        assert commit().returncode == 0  # what there is to compare with
    subprocess.run([*pre_commit, "install"], cwd=user, env=environment, check=True, capture_output=True)
    return user, commit


@pytest.mark.e2e
def test_the_hook_of_a_fleet_in_the_real_program(tmp_path: Path) -> None:
    """A change is judged by the services, build commands and compose files that it concerns, and by no others."""
    if find_spec("pre_commit") is None:
        pytest.skip("pre-commit is not installed")
    user, commit = hooked(tmp_path, "lucid-audit-fleet")
    for name in ("a", "b"):
        (user / name).mkdir()
        (user / name / "Dockerfile").write_text(GOOD)
        (user / name / "server").write_bytes(program("static"))
        (user / name / "server").chmod(0o755)
    plan = "".join(f"  - {{name: {n}, dockerfile: {n}/Dockerfile, context: {n}}}\n" for n in "ab")
    (user / "lucid-plan.yaml").write_text(f"version: 1\nservices:\n{plan}")
    (user / "build.sh").write_text("docker build a\ndocker build b\n")
    clean = commit()
    assert clean.returncode == 0, clean.stdout + clean.stderr
    (user / "b" / "Dockerfile").write_text(BAD)
    refused = commit()
    assert refused.returncode == 1
    assert "b (b/Dockerfile)" in refused.stdout + refused.stderr
    assert "a (a/Dockerfile)" not in refused.stdout + refused.stderr
    git(user, "checkout", "-q", "HEAD", "--", "b/Dockerfile")
    (user / "build.sh").write_text("docker build a\ndocker build gone\n")
    lost = commit()
    assert lost.returncode == 1
    assert "build.sh:2:1: error: this builds build context gone" in lost.stdout + lost.stderr
    git(user, "commit", "-q", "--no-verify", "-m", "x")
    (user / "note.txt").write_text("nothing that is built")
    unconcerned = commit()
    assert unconcerned.returncode == 0, unconcerned.stdout + unconcerned.stderr


@pytest.mark.e2e
def test_a_bad_dockerfile_cannot_be_committed_and_a_good_one_can(tmp_path: Path) -> None:
    if find_spec("pre_commit") is None:
        pytest.skip("pre-commit is not installed")
    user, commit = hooked(tmp_path, "lucid-audit")
    (user / "server").write_bytes(program("static"))
    (user / "server").chmod(0o755)
    (user / "api.dockerfile").write_text(BAD, "utf-8")
    refused = commit()
    assert refused.returncode == 1, refused.stderr
    assert "api.dockerfile:2:" in refused.stderr + refused.stdout
    (user / "api.dockerfile").write_text(GOOD, "utf-8")
    accepted = commit()
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
