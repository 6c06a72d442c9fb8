"""The snippets of docs/ci.md are read by those they are for: our own readers of bake and compose, and the options that they name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lucid_audit.__main__ import main

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "ci.md").read_text("utf-8")
DOCKERFILE = 'FROM gcr.io/distroless/static-debian13:nonroot\nCOPY x /x\nUSER 65532:65532\nENTRYPOINT ["/x"]\n'


def snippets(language: str) -> list[str]:
    return re.findall(rf"(?s)```{language}\n(.*?)```", TEXT)


def compose() -> dict[str, Any]:
    (found,) = [one for text in snippets("yaml") if "services" in (one := yaml.safe_load(text))]
    assert isinstance(found, dict)
    return found


def test_a_plan_is_found_in_the_bake_file(tmp_path: Path) -> None:
    (bake,) = snippets("hcl")
    (tmp_path / "docker-bake.hcl").write_text(bake)
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump(compose()))
    assert main(["fleet", "init", str(tmp_path)]) == 0
    (service,) = yaml.safe_load((tmp_path / "lucid-plan.yaml").read_text())["services"]
    assert service["image"] == "team/api:1"


def test_the_compose_service_runs_a_command_that_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audit = compose()["services"]["audit"]
    (tmp_path / "lucid-plan.yaml").write_text("version: 1\nservices: [{name: a, dockerfile: none}]\n")
    first, *more = audit["command"]
    assert main([first, *more, str(tmp_path / "lucid-plan.yaml")]) == 3, "the file is missing, the options are not"
    assert "--no-images" in more
    assert (audit["read_only"], audit["user"], audit["cap_drop"]) == (True, "65532:65532", ["ALL"])


def test_hooks_and_inputs_that_are_named_are_there() -> None:
    hooks = {one["id"] for one in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    (written,) = [
        found for text in snippets("yaml") if isinstance(found := yaml.safe_load(text), dict) and "repos" in found
    ]
    assert {one["id"] for one in written["repos"][0]["hooks"]} == hooks
    (included,) = [
        found for text in snippets("yaml") if isinstance(found := yaml.safe_load(text), dict) and "include" in found
    ]
    spec = next(yaml.safe_load_all((ROOT / "templates/lucid-audit.yml").read_text()))["spec"]["inputs"]
    assert set(included["include"][0]["inputs"]) <= set(spec)
    action = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
    table = TEXT.partition("| input |")[2].partition("\n\n")[0]
    named = {name for line in table.splitlines()[2:] for name in re.findall(r"`([a-z-]+)`", line.split("|")[1])}
    assert named == set(action)
