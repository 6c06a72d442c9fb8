"""Compose files that are named on the command line are judged as such, beside Dockerfiles and alone."""

from __future__ import annotations

import json
import subprocess
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
        "services: {api: {build: ../nowhere}}\n",
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


LACKING = {
    "compose.yaml": "services:\n  api: {build: api}\n  web:\n    build:\n      context: web\n      dockerfile: Dockerfile.dev\n",
    "docker-bake.hcl": 'target "docker-metadata-action" {}\ntarget "tool" {\n  context = "tools"\n}\n',
    "api/Dockerfile": "FROM scratch\n",
    "web/Dockerfile": "FROM scratch\n",
}
LOST = [
    ("build-command", "docker-bake.hcl", "bake-build-not-found", 2),
    ("compose", "compose.yaml", "compose-build-not-found", 6),
]


def test_what_is_declared_and_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A walk says it at the entry's line, however the files are named; the entries that are in order stay silent."""
    plant(tmp_path, LACKING)
    compose = str(tmp_path / "compose.yaml")
    for words, expected in (
        ([str(tmp_path)], LOST),
        ([str(tmp_path), compose], LOST),
        ([compose], LOST[1:]),
        ([str(tmp_path / "api")], []),
        ([str(tmp_path / "api/Dockerfile")], []),
    ):
        main(["lint", "--format", "json", *words])
        assert [one for one in sorted(said(capsys)) if one[2].endswith("build-not-found")] == expected
    assert main(["lint", "--select", "compose-build-not-found", "--fail-on", "warning", str(tmp_path)]) == 1
    assert "compose.yaml:6:7: warning: this builds Dockerfile web/Dockerfile.dev" in capsys.readouterr().out
    waiver = (
        "waivers:\n  - {rules: [compose-build-not-found], files: [compose.yaml], reason: it comes with the release}\n"
    )
    (tmp_path / "lucid-audit.yaml").write_text(waiver)
    main(["lint", "--format", "json", str(tmp_path)])
    capsys.readouterr()
    assert main(["lint", "--select", "compose-build-not-found", "--fail-on", "warning", str(tmp_path)]) == 0


THERE = {
    "made": ({".gitignore": "web/Dockerfile.dev\ntools/\n"}, True),
    "in submodules": ({".gitmodules": '[submodule "a"]\n\tpath = web\n[submodule "b"]\n\tpath = tools\n'}, True),
    "there": ({"web/Dockerfile.dev": "FROM scratch\n", "tools/Containerfile": ""}, False),
}


@pytest.mark.parametrize("case", THERE)
def test_what_may_be_there_when_it_is_built(tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    more, skipped = THERE[case]
    plant(tmp_path, {**LACKING, **more})
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    main(["lint", "--format", "json", str(tmp_path)])
    subjects = json.loads(capsys.readouterr().out)["subjects"]
    assert not [one for subject in subjects for one in subject["findings"] if one["rule"].endswith("build-not-found")]
    reasons = [one for subject in subjects for one in subject["skipped"] if one["rule"].endswith("build-not-found")]
    assert len(reasons) == (2 if skipped else 0)


def test_a_change_of_the_declaration_tells_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(tmp_path, LACKING)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], check=True)
    with (tmp_path / "compose.yaml").open("a") as stream:
        stream.write("# changed\n")
    main(["lint", "--format", "json", "--changed-since", "HEAD", str(tmp_path)])
    assert [one for one in said(capsys) if one[2].endswith("build-not-found")] == LOST[1:]
