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
