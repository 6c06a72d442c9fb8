"""Compose files that are named on the command line are judged as such, beside Dockerfiles and alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lucid_audit.__main__ import main
from tests.builders.tree import plant
from tests.fleet.test_around import SHOP


def said(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str, str, int]]:
    return [
        (subject["kind"], Path(subject["name"]).name, one["rule"], one["location"]["line"])
        for subject in json.loads(capsys.readouterr().out)["subjects"]
        for one in subject["findings"]
    ]


def test_a_compose_file_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(tmp_path, SHOP)
    assert main(["lint", "--format", "json", str(tmp_path / "compose.yaml")]) == 1
    assert said(capsys) == [("compose", "compose.yaml", "compose-health-needs-shell", 6)]
    assert main(["lint", str(tmp_path / "compose.yaml")]) == 1
    assert "1 error in 1 of 1 file" in capsys.readouterr().out
    assert main(["lint", "--select", "compose-user-root", str(tmp_path / "compose.yaml")]) == 0


def test_with_its_dockerfile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(tmp_path, SHOP)
    names = [str(tmp_path / name) for name in ("compose.yaml", "old/Dockerfile")]
    assert main(["lint", "--format", "json", "--as-of", "2026-11-23", *names]) == 1
    found = said(capsys)
    assert ("compose", "compose.yaml", "compose-health-needs-shell", 6) in found
    assert {kind for kind, *_ in found} == {"compose", "dockerfile"}


def test_a_folder_is_searched_for_dockerfiles_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(tmp_path, SHOP)
    main(["lint", "--format", "json", str(tmp_path)])
    assert {kind for kind, *_ in said(capsys)} == {"dockerfile"}


@pytest.mark.parametrize(
    "text",
    [
        "services: [\n",
        "services: {api: {build: nowhere}}\n",
        "",
        "services:\n  api: {build: ., healthcheck: {test: x}}\n",
    ],
)
def test_what_cannot_be_judged_is_no_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    plant(tmp_path, {"compose.yaml": text, "Dockerfile": "FROM\n"})
    assert main(["lint", "--format", "json", str(tmp_path / "compose.yaml")]) == (3 if text.endswith("[\n") else 0)
    assert said(capsys) == []


def test_fix_leaves_it_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(tmp_path, SHOP)
    assert main(["lint", "--fix", str(tmp_path / "compose.yaml")]) == 1
    assert (tmp_path / "compose.yaml").read_text("utf-8") == SHOP["compose.yaml"]
