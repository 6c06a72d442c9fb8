"""What ``init`` writes is read by those it is for, and nothing that is there is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lucid_audit import ruleset
from lucid_audit.__main__ import main

WRITTEN = {"lucid-audit.yaml", ".pre-commit-config.yaml", ".github/workflows/lucid-audit.yml"}


def test_all_three(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/trunk\n")
    assert main(["init", "--profile", "lucid", str(tmp_path)]) == 0
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == WRITTEN | {
        ".git/HEAD"
    }
    assert ruleset.load("", str(tmp_path)).policy.profile == "lucid"
    workflow = yaml.safe_load((tmp_path / ".github/workflows/lucid-audit.yml").read_text())
    assert workflow[True]["push"] == {"branches": ["trunk"]}  # YAML 1.1 reads "on" so
    hook = yaml.safe_load((tmp_path / ".pre-commit-config.yaml").read_text())
    assert hook["repos"][0]["hooks"] == [{"id": "lucid-audit"}]
    assert "written" in capsys.readouterr().out


def test_nothing_is_touched(tmp_path: Path) -> None:
    for name in WRITTEN:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine: true\n")
    assert main(["init", str(tmp_path)]) == 0
    assert all((tmp_path / name).read_text() == "mine: true\n" for name in WRITTEN)
    (tmp_path / ".hadolint.yaml").write_text("ignored: []\n")
    assert main(["init", "--from", "hadolint", str(tmp_path)]) == 2
    assert (tmp_path / "lucid-audit.yaml").read_text() == "mine: true\n"


def test_what_is_not_there(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path / "no")]) == 2
    assert main(["init", "--from", "hadolint", str(tmp_path)]) == 2


def test_what_is_there_is_told_what_to_add(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".pre-commit-config.yaml").write_text("repos: []\n")
    assert main(["init", str(tmp_path)]) == 0
    said = capsys.readouterr().err
    assert "to add to it:" in said
    assert "id: lucid-audit" in said
    assert (tmp_path / ".pre-commit-config.yaml").read_text() == "repos: []\n"


def test_again_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["init", str(tmp_path)])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert main(["init", str(tmp_path)]) == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert "to add" not in capsys.readouterr().err, "it is there already"


def test_a_plan_is_judged_by_hook_and_workflow(tmp_path: Path) -> None:
    (tmp_path / "lucid-plan.yaml").write_text("version: 1\nservices: [{name: a, image: x}]\n")
    main(["init", str(tmp_path)])
    (hook,) = yaml.safe_load((tmp_path / ".pre-commit-config.yaml").read_text())["repos"]
    assert [one["id"] for one in hook["hooks"]] == ["lucid-audit", "lucid-audit-fleet"]
    workflow = yaml.safe_load((tmp_path / ".github/workflows/lucid-audit.yml").read_text())
    assert workflow["jobs"]["lint"]["steps"][1]["with"]["fleet"] == "lucid-plan.yaml"


@pytest.mark.parametrize("how", ["file", "remote", "option"])
def test_where_gitlab_is(tmp_path: Path, how: str, capsys: pytest.CaptureFixture[str]) -> None:
    if how == "file":
        (tmp_path / ".gitlab-ci.yml").write_text("include: [{component: x/lucid-audit@1}]\n")
    if how == "remote":
        (tmp_path / ".git").mkdir()
        (tmp_path / ".git" / "config").write_text('[remote "origin"]\n\turl = git@gitlab.example.com:a/b.git\n')
    assert main(["init", str(tmp_path), *(["--forge", "gitlab"] if how == "option" else [])]) == 0
    assert not (tmp_path / ".github").exists()
    (include,) = yaml.safe_load((tmp_path / ".gitlab-ci.yml").read_text())["include"]
    assert "lucid-audit@" in include["component"]
