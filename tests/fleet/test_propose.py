"""From what a repository says to a plan: who counts, what is merged, what is said of contradictions."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from lucid_audit.__main__ import main
from lucid_audit.fleet import plan_file, plan_text
from lucid_audit.fleet.evidence import survey
from lucid_audit.fleet.propose import Proposal, propose
from tests.builders.tree import plant

FILES = {
    "api/Dockerfile": "FROM a\n",
    "web/Dockerfile": "FROM a AS final\n",
    "old/Dockerfile": "FROM a\n",
    "compose.yaml": """\
services:
  api:
    image: team/api:1
    build: {context: ., dockerfile: api/Dockerfile, args: {DEBUG: "false"}}
    ports: ["8080:80"]
    healthcheck:
      test: ["CMD", "/probe", "http://localhost:80/health"]
  web: {image: "team/web:1"}
  db: {image: "postgres:16"}
""",
    "build.sh": """\
#!/bin/sh
docker build -t team/api:2 api
docker buildx build --platform linux/arm64 --target final -t team/web:1 web
docker build -t team/lost:1 "$1"
""",
    "README.md": "```sh\ndocker build -t team/web:1 --platform linux/amd64 -f web/Dockerfile .\ndocker build -t x nowhere\n```\n",
}


def proposal(root: Path, files: dict[str, str]) -> Proposal:
    return propose(survey(str(plant(root, files))))


def test_a_repository_with_compose_and_scripts(tmp_path: Path) -> None:
    made = proposal(tmp_path, FILES)
    assert made.contradictions == [
        "api: build context is api in build.sh:2 (script), . in compose.yaml:4 (service api)",
        "api: the image is team/api:2 in build.sh:2 (script), team/api:1 in compose.yaml:4 (service api)",
        "web: build context is . in README.md:2 (document), web in build.sh:3 (script)",
        "web: target is the last stage in README.md:2 (document), final in build.sh:3 (script)",
        "web: platforms is linux/amd64 in README.md:2 (document), linux/arm64 in build.sh:3 (script)",
    ]
    assert made.unbuilt == ["db (postgres:16), compose.yaml:9"]
    assert made.unknown == [
        "build.sh:4 (script): $1 is an argument of the script or function",
        "README.md:3 (document): there is no context: nowhere",
    ]
    assert made.unused == ["old/Dockerfile"]
    text = plan_text.render(made, str(tmp_path))
    assert yaml.safe_load(text)["services"] == [
        {"name": "api", "image": "team/api:1", "dockerfile": "api/Dockerfile", "context": ".", "args": {"DEBUG": "false"},
         "port": 80, "health": "http://localhost:80/health", "tags": ["team/api:2"]},
        {"name": "web", "image": "team/web:1", "dockerfile": "web/Dockerfile", "context": "web", "target": "final",
         "platforms": ["linux/arm64"]},
    ]  # fmt: skip
    for told in (*made.contradictions, *made.unbuilt, *made.unknown, *made.unused):
        assert told.partition(": ")[2] in text or told in text


def test_one_dockerfile_for_two_services_and_two_for_one_image(tmp_path: Path) -> None:
    made = proposal(
        tmp_path,
        {
            "Dockerfile": "FROM a AS one\nFROM a AS two\n",
            "Dockerfile.old": "FROM a\n",
            "compose.yaml": "services:\n  one:\n    image: t/one\n    build: {context: ., target: one}\n  two:\n    image: t/two\n    build: {context: ., target: two}\n",
            "build.sh": "docker build -f Dockerfile.old -t t/one .\n",
        },
    )
    assert len(made.entries) == 2
    assert (
        "one: Dockerfile is Dockerfile.old in build.sh:1 (script), Dockerfile in compose.yaml:4 (service one)"
        in made.contradictions
    )


def test_bake_targets(tmp_path: Path) -> None:
    made = proposal(
        tmp_path,
        {
            "api/Dockerfile": "FROM a\n",
            "docker-bake.hcl": 'target "api" {\n context = "api"\n tags = ["t/api:1", "t/api:latest"]\n platforms = ["linux/arm64"]\n args = { A = "1" }\n}\n',
        },
    )
    (service,) = yaml.safe_load(plan_text.render(made, str(tmp_path)))["services"]
    assert service == {
        "name": "api", "image": "t/api:1", "dockerfile": "api/Dockerfile", "context": "api", "args": {"A": "1"},
        "platforms": ["linux/arm64"], "tags": ["t/api:latest"],
    }  # fmt: skip


def test_names_are_valid_and_differ(tmp_path: Path) -> None:
    made = proposal(
        tmp_path,
        {"a/docker/Dockerfile": "FROM a\n", "b/Dockerfile.x y": "FROM a\n", "c/a/Dockerfile": "FROM a\n",
         "b.sh": "docker build a/docker\ndocker build -f 'b/Dockerfile.x y' b\ndocker build c/a\n"},
    )  # fmt: skip
    path = tmp_path / "plan.yaml"
    path.write_text(plan_text.render(made, str(tmp_path)), "utf-8")
    assert [one.name for one in plan_file.read(str(path)).services] == ["a", "x-y", "a-2"]


HOSTILE = 'services:\n  api:\n    build: .\n    image: "t/api:1\\n  - name: x # \\e[31m"\n  "on":\n    build: {context: ., args: {A: "no", "b c": "1e3", D: "a: b"}}\n'


def test_hostile_text_stays_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(tmp_path, {"Dockerfile": "FROM a\n", "compose.yaml": HOSTILE})
    assert main(["fleet", "init", str(tmp_path)]) == 0
    text = (tmp_path / "lucid-plan.yaml").read_text("utf-8")
    assert "\x1b" not in text + capsys.readouterr().err
    found = plan_file.read(str(tmp_path / "lucid-plan.yaml"))
    assert [one.name for one in found.services] == ["api", "on"]
    assert found.services[1].args == {"A": "no", "b c": "1e3", "D": "a: b"}


def test_from_compose_and_a_script_to_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path, FILES)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.chdir(tmp_path)
    assert main(["fleet", "init"]) == 0
    told = capsys.readouterr()
    assert "lucid-plan.yaml: written, 2 services, 5 contradictions" in told.out
    assert "contradiction: api: the image is team/api:2" in told.err
    assert main(["fleet", "init"]) == 2
    assert "there is one already" in capsys.readouterr().err
    before = Path("lucid-plan.yaml").read_text("utf-8")
    assert main(["fleet", "init", "--force"]) == 0
    assert Path("lucid-plan.yaml").read_text("utf-8") == before
    capsys.readouterr()
    without = main(["fleet", "--no-images", "--as-of", "2026-11-23"])
    short = capsys.readouterr().out
    assert main(["fleet", "run", "lucid-plan.yaml", "--no-images", "--as-of", "2026-11-23"]) == without == 1
    assert capsys.readouterr().out == short
    assert main(["fleet", "--help"]) == 0
    assert "init" in capsys.readouterr().out


def test_nothing_to_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fleet", "init", str(tmp_path)]) == 2
    assert "nothing here says how an image is built" in capsys.readouterr().err
    assert not (tmp_path / "lucid-plan.yaml").exists()
    assert main(["fleet", "init", str(tmp_path / "no")]) == 2
