"""The GitHub Action: its shell steps, run here as the runner runs them, and no input that reaches a shell as code."""

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
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = {step.get("id", step.get("uses", "")): step for step in ACTION["runs"]["steps"]}
BAD = "FROM gcr.io/distroless/static-debian13:nonroot\nUSER root\n"


class Ran:
    def __init__(self, folder: Path, code: int, out: str) -> None:
        self.code, self.out = code, out
        self.outputs = dict(line.split("=", 1) for line in (folder / "output").read_text().splitlines())
        summary = folder / "summary"
        self.summary = summary.read_text() if summary.exists() else ""


def lint(folder: Path, **inputs: str) -> Ran:
    """Run the step ``lint`` with inputs, in ``folder``/work."""
    temp = folder / "temp"
    program = temp / "lucid-audit" / "bin" / "lucid-audit"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec env PYTHONPATH="{ROOT}" "{sys.executable}" -m lucid_audit "$@"\n')
    program.chmod(0o755)
    (folder / "output").write_text("")
    defaults = {name: one.get("default", "") for name, one in ACTION["inputs"].items()}
    values = {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in defaults.items()}
    values |= {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in inputs.items() if name != "base"}
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "RUNNER_TEMP": str(temp), "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"), "BASE_SHA": inputs.get("base", ""), **values,
    }  # fmt: skip
    script = folder / "step.sh"
    script.write_text(STEPS["lint"]["run"])
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]  # as the runner calls bash
    done = subprocess.run(command, cwd=folder / "work", env=environment, capture_output=True, text=True, check=False)
    return Ran(folder, done.returncode, done.stdout + done.stderr)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        (folder / name / "Dockerfile").write_text(BAD)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "all")
    return tmp_path


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True, text=True).stdout


def test_findings(work: Path) -> None:
    ran = lint(work)
    assert ran.code == 0, "the verdict is a step of its own, after the upload"
    assert ran.outputs["exit-code"] == "1"
    assert ran.out.count("::error") == 2
    sarif = json.loads(Path(ran.outputs["sarif-file"]).read_text())
    assert {r["ruleId"] for r in sarif["runs"][0]["results"]} == {
        "command-missing",
        "final-user-root",
        "health-check-missing",
    }
    assert "final-user-root" in ran.summary


def test_only_what_changed(work: Path) -> None:
    base = git(work / "work", "rev-parse", "HEAD").strip()
    (work / "work" / "b" / "Dockerfile").write_text(BAD + "EXPOSE 8080\n")
    git(work / "work", "commit", "-qam", "b")
    ran = lint(work, changed="true", base=base)
    assert ran.out.count("::error") == 1
    assert "file=b/Dockerfile" in ran.out


def test_nothing_changed(work: Path) -> None:
    base = git(work / "work", "rev-parse", "HEAD").strip()
    assert lint(work, changed="true", base=base).outputs["exit-code"] == "0"


def test_an_unknown_base_lints_all_and_says_so(work: Path) -> None:
    ran = lint(work, changed="true", base="0" * 40)
    assert "::notice" in ran.out
    assert ran.out.count("::error") == 2


def test_inputs_are_words_and_never_code(work: Path) -> None:
    hostile = "$(touch owned)`touch owned`; touch owned\n--help"
    ran = lint(work, paths=hostile, profile="strict")
    assert not (work / "work" / "owned").exists()
    assert ran.outputs["exit-code"] == "3"
    for step in STEPS.values():
        assert "${{" not in step.get("run", ""), "an expression in a script is replaced before the shell reads it"


def test_options(work: Path) -> None:
    assert lint(work, paths="a\n\nb", fail_on="note", summary="false").summary == ""


def test_shellcheck_is_asked_for_by_an_input(work: Path) -> None:
    (work / "work" / "a" / "Dockerfile").write_text("FROM debian:13\nRUN cd /x\n")
    assert "SC2164" in lint(work, paths="a", shellcheck="true").out
    assert 'extra="[shellcheck]"' in STEPS["install"]["run"]


def test_usage(work: Path) -> None:
    assert lint(work, profile="nothing").outputs["exit-code"] == "2"


def test_the_verdict_is_the_exit_code() -> None:
    for code in (0, 1, 3):
        done = subprocess.run(["bash", "-c", STEPS["verdict"]["run"]], env={"EXIT_CODE": str(code)}, check=False)
        assert done.returncode == code


def test_every_expression_names_something() -> None:
    text = (ROOT / "action.yml").read_text()
    for name in re.findall(r"\$\{\{ inputs\.([\w-]+) \}\}|inputs\.([\w-]+) ==", text):
        assert (name[0] or name[1]) in ACTION["inputs"]
    for step, output in re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", text):
        assert f"{output}=" in STEPS[step]["run"]


PLAN = """\
version: 1
services:
  - {name: a, dockerfile: a/Dockerfile, phase: 1}
  - {name: b, dockerfile: b/Dockerfile, phase: 1}
"""


def test_a_fleet(work: Path) -> None:
    (work / "work" / "lucid-plan.yaml").write_text(PLAN)
    ran = lint(work, paths="", fleet="lucid-plan.yaml", fleet_images="false", profile="lucid")
    assert ran.code == 0
    assert ran.outputs["exit-code"] == "1"
    assert "sarif-file" not in ran.outputs, "nothing was linted file by file"
    report = Path(ran.outputs["fleet-report"])
    assert {one["name"] for one in json.loads((report / "fleet.json").read_text())["services"]} == {"a", "b"}
    assert (report / "fleet.html").read_text().startswith("<!DOCTYPE html>")
    assert "| a |" in ran.summary


def test_a_fleet_whose_services_are_not_concerned(work: Path) -> None:
    (work / "work" / "lucid-plan.yaml").write_text(PLAN)
    git(work / "work", "add", ".")
    git(work / "work", "commit", "-qm", "plan")
    base = git(work / "work", "rev-parse", "HEAD").strip()
    (work / "work" / "notes.txt").write_text("x")
    ran = lint(work, paths="", fleet="lucid-plan.yaml", fleet_images="false", changed="true", base=base)
    assert ran.outputs["exit-code"] == "0"
    assert json.loads((Path(ran.outputs["fleet-report"]) / "fleet.json").read_text())["services"] == []


def test_images(work: Path) -> None:
    ran = lint(work, paths="", images="oci:nowhere\n\ndocker-archive:none.tar", platforms="linux/arm64\nlinux/amd64")
    assert ran.outputs["exit-code"] == "3", "what cannot be read is no pass"
    assert "nowhere" in ran.summary


def test_the_worst_counts(work: Path) -> None:
    (work / "work" / "lucid-plan.yaml").write_text(PLAN.replace("b/Dockerfile", "none"))
    assert lint(work, paths="a", fleet="lucid-plan.yaml", fleet_images="false").outputs["exit-code"] == "3"


def test_hostile_names_of_a_plan_and_of_images_are_words(work: Path) -> None:
    hostile = "$(touch owned)`touch owned`; touch owned"
    ran = lint(work, paths="", fleet=hostile, images=hostile, platforms=hostile, fleet_images=hostile)
    assert ran.outputs["exit-code"] in ("2", "3")
    assert not (work / "work" / "owned").exists()
