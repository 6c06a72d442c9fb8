"""What is written for platforms is what their published schemas say: check-jsonschema has GitHub's and GitLab's."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from lucid_audit.__main__ import main
from tests.test_gitlab_component import interpolated

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]


def fits(schema: str, *files: Path) -> None:
    if find_spec("check_jsonschema") is None:
        pytest.skip("check-jsonschema is not installed")
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, files)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_action() -> None:
    fits("github-actions", ROOT / "action.yml")


def test_the_component(tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text(
        yaml.safe_dump({"lucid-audit": interpolated(plan="lucid-plan.yaml", images="a b")})
    )
    fits("gitlab-ci", tmp_path / "job.yml")


@pytest.mark.parametrize("plan", [True, False])
def test_what_init_writes(tmp_path: Path, plan: bool) -> None:
    if plan:
        (tmp_path / "lucid-plan.yaml").write_text("version: 1\nservices: [{name: a, image: x}]\n")
    assert main(["init", str(tmp_path)]) == 0
    fits("github-workflows", tmp_path / ".github/workflows/lucid-audit.yml")
    (tmp_path / "other").mkdir()
    assert main(["init", "--forge", "gitlab", str(tmp_path / "other")]) == 0
    fits("gitlab-ci", tmp_path / "other" / ".gitlab-ci.yml")


def test_a_schema_that_would_accept_anything_is_none(tmp_path: Path) -> None:
    (tmp_path / "wrong.yml").write_text("lucid-audit: {script: 3, stage: []}\n")
    with pytest.raises(AssertionError):
        fits("gitlab-ci", tmp_path / "wrong.yml")
