"""Lint on small repositories: which builds a Dockerfile is judged as."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from lucid_audit import discover, ruleset
from lucid_audit.bases import Bases
from lucid_audit.catalogue import compiled
from lucid_audit.dockerfile.context import DiskContext
from lucid_audit.dockerfile.stages import Settings
from lucid_audit.finding import SubjectReport
from lucid_audit.lint import Request, run
from lucid_audit.plans import Plan, merged
from lucid_audit.policy import Policy
from lucid_audit.ruleset import RuleSet
from tests.builders.tree import plant

ROOT = Path(__file__).parent.parent
AS_OF = date(2026, 11, 23)
API = "services/api/Dockerfile"
FILES = {
    ".git/": "",
    API: "ARG BASE=alpine\nFROM ${BASE} AS prod\nCOPY main.py /app/\nFROM prod AS last\nUSER 65532\n",
    "services/api/main.py": "",
}
COPIES = ("copy-source-missing", "copy-source-wrong-context")
ROOTED = "2 final-user-root: the container runs as root: nothing sets USER, and alpine runs as root"
WRONG = (
    "3 copy-source-wrong-context: main.py is not in the build context ., where it is services/api/main.py; "
    "as written it is found from the context services/api"
)
START = ["copy-source-missing", "copy-source-wrong-context", "final-user-root"]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    def make(**files: str) -> Path:
        plant(tmp_path, FILES)
        plant(tmp_path, {name.replace("__", "/").replace("_", "."): text for name, text in files.items()})
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return make


def lint(path: str = ".", select: list[str] = START, **options: object) -> SubjectReport:
    (subject,) = run(Request([path], AS_OF, select=select, **options)).report.subjects  # type: ignore[arg-type]
    return subject


def found(subject: SubjectReport) -> list[str]:
    return [f"{one.location.line} {one.rule}: {one.message}" for one in subject.findings]


Make = Callable[..., Path]


@pytest.mark.parametrize("path", [".", API])
def test_one_builder_is_the_build(repository: Make, path: str) -> None:
    repository(compose_yaml="services:\n  api:\n    build: {context: ., dockerfile: services/api/Dockerfile}\n")
    subject = lint(path)
    assert found(subject) == [WRONG]
    assert subject.note == "build context: . (service api in compose.yaml:3)"


def test_target_and_arguments_are_the_builders(repository: Make) -> None:
    repository(
        compose_yaml="services: {api: {build: {context: services/api, target: prod, args: {BASE: 'gcr.io/distroless/base-debian13'}}}}"
    )
    (message,) = found(lint())
    assert "gcr.io/distroless/base-debian13 runs as root" in message


def test_an_argument_that_is_not_known_hides_the_default(repository: Make) -> None:
    repository(compose_yaml="services: {api: {build: {context: services/api, target: prod, args: [BASE]}}}")
    assert not lint().findings
    assert len(lint(build_args={"BASE": "alpine"}).findings) == 1


def test_different_builders_are_judged_each_and_named(repository: Make) -> None:
    repository(
        compose_yaml="services:\n  api: {build: services/api}\n  again: {build: ./services/api}\n"
        "  old: {build: {context: ., dockerfile: services/api/Dockerfile, target: prod}}\n",
        services__api__gone="",
    )
    plant(Path(), {"docker-bake.hcl": 'target "root" {\n context = "services/api"\n target = "prod"\n}\n'})
    subject = lint()
    assert found(subject) == [
        f"{ROOTED} (as built by service old in compose.yaml and by bake target root in docker-bake.hcl)",
        f"{WRONG} (as built by service old in compose.yaml)",
    ]
    assert subject.note == (
        "build context: services/api (service api in compose.yaml:2); build context: . (service old in compose.yaml:4); "
        "build context: services/api (bake target root in docker-bake.hcl:1)"
    )


def test_what_all_builders_have_is_said_once(repository: Make) -> None:
    repository(
        compose_yaml="services: {a: {build: {context: services/api, target: prod}}, b: {build: {context: services/api, target: prod, args: {X: 1}}}}"
    )
    assert found(lint()) == [
        "2 final-user-root: the container runs as root: nothing sets USER, and alpine runs as root"
    ]


def test_a_target_that_is_not_there_is_a_problem_of_its_builder(repository: Make) -> None:
    repository(compose_yaml="services: {a: {build: {context: services/api, target: none}}, b: {build: services/api}}")
    (problem,) = lint().problems
    assert problem.message.endswith("(as built by service a in compose.yaml)")


def test_the_command_line_wins_then_the_policy(repository: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    repository(
        compose_yaml="services: {a: {build: {context: services/api, target: prod}}, b: {build: {context: ., dockerfile: services/api/Dockerfile, target: prod}}}"
    )
    assert found(lint(context="services/api", target="last")) == [], "and the two builders do not differ any more"
    policy = Policy(contexts={"*": "services"}, build_args={"BASE": "scratch"})
    original = ruleset.load("", ".")
    monkeypatch.setattr(ruleset, "load", lambda *_: RuleSet(original.rules, original.profiles, policy))
    said = found(lint())
    assert len(said) == 2, "one build is left"
    assert "scratch runs as root" in said[0]
    assert "not in the build context services" in said[1]
    assert "scratch" not in found(lint(build_args={"BASE": "alpine"}))[0]


def test_comments_are_the_weakest(repository: Make) -> None:
    repository()
    file = Path(API)
    file.write_text("# docker build -f services/api/Dockerfile --target prod .\n" + file.read_text())
    subject = lint(select=list(COPIES))
    assert subject.note == f"build context: . (comment in {API}:1)"
    assert len(subject.findings) == 1
    plant(Path(), {"compose.yaml": "services: {a: {build: services/api}}"})
    assert lint().note == "build context: services/api (service a in compose.yaml:1)"


def test_without_any_of_it_nothing_changes(repository: Make) -> None:
    repository(compose_yaml="services: {a: {image: x}}")
    assert lint().note == "build context not declared: services/api or ."


@pytest.mark.parametrize("text", ["services: {a: {build: [", "services: {a: {build: {dockerfile: $X}}}"])
def test_what_cannot_be_used_is_a_note_and_no_more(repository: Make, text: str) -> None:
    repository(compose_yaml=text)
    subject = lint()
    assert not subject.findings
    assert not subject.problems
    assert subject.note.startswith("build context not declared: services/api or .; not used: compose.yaml:")


def test_a_walk_finds_declarations_in_other_folders(repository: Make) -> None:
    repository(deploy__compose_yaml="services: {a: {build: ../services/api}}")
    assert "deploy/compose.yaml" in lint(".").note
    assert "deploy/compose.yaml" in lint("services").note, "also when a part of the repository is searched"
    assert "not declared" in lint(API).note, "a single file has no walk"


def test_outside_of_a_repository_the_searched_folder_is_the_border(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"in/api/Dockerfile": "FROM scratch\n", "in/compose.yaml": "services: {a: {build: api}, b: {build: ..}}"}
    monkeypatch.chdir(
        plant(
            tmp_path, {**files, "compose.yaml": "services: {z: {build: {context: ., dockerfile: in/api/Dockerfile}}}"}
        )
    )
    assert lint("in").note == "build context: in/api (service a in in/compose.yaml:1)"


def test_the_search_tells_what_it_met(repository: Make) -> None:
    root = repository(compose_yaml="", docker_compose_yml="")
    plant(
        root, {"a/docker-compose.yml": "", "a/docker-bake.override.json": "", "a/bake.hcl": "", "a/composed.yaml": ""}
    )
    beside: list[str] = []
    assert [one.path for one in discover.search(".", beside)] == [API]
    assert beside == ["a/docker-bake.override.json", "a/docker-compose.yml", "compose.yaml"]


def test_serial_and_parallel_runs_are_the_same(repository: Make) -> None:
    root = repository(
        compose_yaml="services: {a: {build: services/api}, b: {build: {context: ., dockerfile: services/api/Dockerfile}}}"
    )
    plant(root, {f"{n}/Dockerfile": "FROM scratch\nCOPY a /\n" for n in range(6)})
    one, two = (run(Request(["."], AS_OF, jobs=jobs)).report for jobs in (1, 2))
    assert one == two


@pytest.mark.parametrize(
    ("name", "loaded"), [("README.md", "[]"), ("compose.yaml", "['yaml']"), ("docker-bake.hcl", "['hcl2']")]
)
def test_readers_are_imported_when_there_is_something_to_read(repository: Make, name: str, loaded: str) -> None:
    plant(repository(), {name: "x-a: build\n" if name.endswith("yaml") else "", "rules/": ""})
    code = (
        "import sys\nfrom lucid_audit.surroundings import Surroundings\nfrom lucid_audit.policy import Policy\n"
        "from lucid_audit.dockerfile.parser import parse\nfrom lucid_audit.text import SourceText\n"
        f"Surroundings('', Policy()).builders({API!r}, parse(SourceText('x', 'FROM x')))\n"
        "print([name for name in ('hcl2', 'yaml') if name in sys.modules])"
    )
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == loaded, done.stderr


def test_files_of_one_folder_share_what_is_looked_up(repository: Make) -> None:
    """But neither their own ignore files nor what is suggested for them."""
    root = repository()
    plant(
        root,
        {
            "a.Dockerfile": "FROM scratch\nCOPY x /\n",
            "b.Dockerfile": "FROM scratch\nCOPY x /\n",
            "x": "",
            "b.Dockerfile.dockerignore": "x",
        },
    )
    first = DiskContext(".", "a.Dockerfile")
    second, third, none = first.beside("b.Dockerfile"), first.beside("services/api/Dockerfile"), first.beside("")
    assert [one.match("x").kind for one in (first, second, third, none)] == ["found", "ignored", "found", "found"]
    (root / "x").unlink()
    assert third.match("x").kind == "found", "it was looked up before"
    assert [one.dockerfile for one in (first, second, third, none)] == ["a.Dockerfile", "b.Dockerfile", API, ""]
    assert first.key == second.key == str(root.resolve())


def test_standard_input_beside_files(repository: Make) -> None:
    repository()
    request = Request(
        [API, "-"], AS_OF, stdin=io.BytesIO(b"FROM scratch\nCOPY main.py /\n"), context="services/api", select=START
    )
    assert [one.note for one in run(request).report.subjects] == ["build context: services/api"] * 2


def test_a_secret_that_one_build_has_is_quoted_by_none() -> None:
    one, two = (
        SubjectReport("dockerfile", "x", lines=lines) for lines in (((1, "ENV T=***"), (2, "a")), ((1, "ENV T=abc"),))
    )
    settings = Settings(Bases(compiled()["bases"]), AS_OF)
    found = [Plan(settings, None, "", "a"), Plan(settings, None, "", "b")]
    assert merged([one, two], found).lines == merged([two, one], found).lines == ((1, "ENV T=***"), (2, "a"))


def test_why_says_which_build_gives_which_container(repository: Make) -> None:
    repository(compose_yaml="services: {a: {build: services/api}, b: {build: {context: services/api, target: prod}}}")
    facts = lint(why=True).facts
    assert [value for name, value in facts if name == "built by"] == [
        "service a in compose.yaml",
        "service b in compose.yaml",
    ]
