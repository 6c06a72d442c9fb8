"""The component for GitLab: its inputs, and its script run as the runner runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
TEMPLATE = (ROOT / "templates" / "lucid-audit.yml").read_text("utf-8")
SPEC, JOBS = yaml.safe_load_all(TEMPLATE)
INPUTS: dict[str, Any] = SPEC["spec"]["inputs"]
BAD = "FROM gcr.io/distroless/static-debian13:nonroot\nUSER root\n"


def interpolated(**given: str) -> dict[str, Any]:
    """Return the job with inputs put in, as GitLab does before it reads the YAML."""
    values = {
        name: str(one["default"]).lower() if one.get("type") == "boolean" else one["default"]
        for name, one in INPUTS.items()
    }
    text = re.sub(
        r"\$\[\[ inputs\.(\w+) \]\]", lambda found: {**values, **given}[found[1]], TEMPLATE.partition("\n---\n")[2]
    )
    job: dict[str, Any] = yaml.safe_load(text)["lucid-audit"]
    return job


def run(folder: Path, **given: str) -> tuple[int, str]:
    job = interpolated()  # the runner gives variables as they are
    variables = {name: str(value) for name, value in job["variables"].items()}
    variables |= {f"LUCID_{name.upper()}": value for name, value in given.items()}
    program = folder / "bin" / "lucid-audit"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec env PYTHONPATH="{ROOT}" "{sys.executable}" -m lucid_audit "$@"\n')
    program.chmod(0o755)
    environment = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        **variables,
        "LUCID_AUDIT_CACHE": str(folder / "cache"),
    }
    (script,) = job["script"]
    for shell in ("sh", "bash"):
        done = subprocess.run(
            [shell, "-e", "-c", script],
            cwd=folder / "work",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work" / "a").mkdir(parents=True)
    (tmp_path / "work" / "a" / "Dockerfile").write_text(BAD)
    return tmp_path


def test_every_input_is_used_and_every_use_is_an_input() -> None:
    assert set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", TEMPLATE)) == set(INPUTS)
    assert "$[[" not in "".join(JOBS["lucid-audit"]["script"]), "an input in a script would be run"


def test_findings(work: Path) -> None:
    code, out = run(work)
    assert code == 1
    assert "final-user-root" in out
    quality = json.loads((work / "work" / "gl-code-quality-report.json").read_text())
    assert "final-user-root" in {one["check_name"] for one in quality}
    assert "<testsuite" in (work / "work" / "lucid-audit-lint.xml").read_text()


def test_a_plan(work: Path) -> None:
    (work / "work" / "lucid-plan.yaml").write_text("version: 1\nservices: [{name: a, dockerfile: a/Dockerfile}]\n")
    assert run(work, paths="", plan="lucid-plan.yaml")[0] == 1
    assert (work / "work" / "lucid-audit-fleet.html").exists()


def test_nothing_to_do(work: Path) -> None:
    assert run(work, paths="")[0] == 0


def test_the_worst_counts_and_inputs_are_words(work: Path) -> None:
    code, _ = run(work, images="oci:nowhere", paths="a $(touch owned) `touch owned` *")
    assert code == 3
    assert not (work / "work" / "owned").exists()
