"""The three ways the tool is run (wheel, editable install, bare checkout) all find the rules, and the same ones."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from lucid_audit.catalogue import KINDS

ROOT = Path(__file__).parent.parent
CLEAN = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([*map(str, command)], cwd=cwd, env=CLEAN, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rules(*command: str | Path, cwd: Path) -> list[str]:
    return [rule["id"] for rule in json.loads(run(*command, "rules", "--format", "json", cwd=cwd))["rules"]]


@pytest.mark.e2e
def test_wheel_editable_and_checkout_know_the_same_rules(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".git", ".venv", "build", "*.egg-info", "fixtures"))
    checkout = rules(sys.executable, "-m", "lucid_audit", cwd=source)
    assert len(checkout) == sum(1 for kind in KINDS for _ in (ROOT / "rules" / kind).glob("*.yaml"))
    for name, how in (("wheel", [str(source)]), ("editable", ["-e", str(source)])):
        folder = tmp_path / name
        venv.create(folder, with_pip=True)
        run(folder / "bin/python", "-m", "pip", "install", "-q", *how, cwd=tmp_path)
        assert rules(folder / "bin/lucid-audit", cwd=tmp_path) == checkout
        compiled = list(folder.glob("lib/*/site-packages/lucid_audit/compiled.py"))
        compiled += folder.glob("lib/*/site-packages/lucid_audit/compiled_fingerprints.py")
        assert len(compiled) == (2 if name == "wheel" else 0)
        # What is compiled leaves out the explanations; they are read when somebody asks.
        assert "Remedy" in run(folder / "bin/lucid-audit", "explain", "final-user-root", cwd=tmp_path)
