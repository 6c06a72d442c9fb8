"""What surrounds the images of a fleet: in every format, in the exit code, silent where nothing can be known."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from lucid_audit.__main__ import main
from lucid_audit.fleet import html, markdown, surroundings, table_csv, text
from lucid_audit.fleet.complete import complete
from lucid_audit.fleet.document import document
from lucid_audit.fleet.evidence import survey
from lucid_audit.fleet.plan import Plan, Service
from tests.builders.tree import plant
from tests.fleet.documents import HOSTILE, service
from tests.sketch import AS_OF
from tests.sources import builder

FIXTURES = Path(__file__).parents[2] / "fixtures"
BASE = "FROM gcr.io/distroless/python3-debian13\nUSER 65532:65532\nEXPOSE 8090\nCOPY main.py /app/\n"
SHOP = {
    "api/Dockerfile": BASE,
    "api/main.py": "",
    "old/Dockerfile": "FROM scratch\n",
    "compose.yaml": """\
services:
  api:
    build: api
    image: shop/api:1
    platform: linux/arm64
    healthcheck: {test: curl -f http://localhost:8090/}
  db:
    image: postgres:17
    user: root
    healthcheck: {test: ["CMD-SHELL", "pg_isready"]}
""",
    "build.sh": "docker build -t shop/api:2 -f api/Dockerfile .\n",
    "lucid-plan.yaml": 'version: 1\nservices:\n  - {name: api, image: "shop/api:1"}\n  - {name: ghost, image: "shop/ghost:1"}\n',
}


def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(["fleet", str(tmp_path / "lucid-plan.yaml"), "--no-images", "--as-of", "2026-11-23", *words])
    return code, capsys.readouterr().out


def told(found: str) -> list[tuple[str, str, int, int]]:
    return [
        (Path(subject["name"]).name, one["rule"], one["location"]["line"], one["location"]["column"])
        for subject in json.loads(found)["around"]["subjects"]
        for one in subject["findings"]
    ]


def test_in_json_and_in_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(tmp_path, SHOP)
    code, found = run(tmp_path, capsys, "--format", "json")
    assert code != 0
    assert told(found) == [
        ("compose.yaml", "compose-health-needs-shell", 6, 19),
        ("build.sh", "build-context-differs", 1, 1),
        ("build.sh", "build-source-missing", 1, 1),
        ("build.sh", "build-tag-differs", 1, 1),
    ]
    around = json.loads(found)["around"]
    assert (around["unbuilt"], around["unused"]) == (["ghost"], ["old/Dockerfile"])
    (api, _) = json.loads(found)["services"]
    assert (api["file"], api["context"], api["platforms"]) == ("api/Dockerfile", "api", ["linux/arm64"])


def test_hardening_is_asked_by_the_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(tmp_path, SHOP)
    asked = {
        rule
        for file, rule, *_ in told(run(tmp_path, capsys, "--format", "json", "--profile", "lucid")[1])
        if file == "compose.yaml"
    }
    assert asked == {
        "compose-health-needs-shell",
        "compose-user-unexpected",
        "compose-root-writable",
        "compose-capabilities-kept",
        "compose-privileges-gained",
    }


def test_a_probe_is_looked_for_in_the_image_that_the_plan_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    builder.write(
        tmp_path / "images", builder.layout({builder.TAG: builder.image_of([builder.tar({"probe": b"#!/x\n"})])})
    )
    test = "healthcheck: {test: [CMD, curl, 'http://localhost/']}"
    plan = f"version: 1\nservices:\n  - {{name: bought, image: 'oci:{tmp_path}/images', tags: ['shop/bought:1']}}\n"
    plant(
        tmp_path,
        {"compose.yaml": f"services:\n  bought:\n    image: shop/bought:1\n    {test}\n", "lucid-plan.yaml": plan},
    )
    words = ["fleet", str(tmp_path / "lucid-plan.yaml"), "--as-of", "2026-11-23", "--format", "json"]
    main(words)
    assert [one[1:3] for one in told(capsys.readouterr().out)] == [("compose-health-unresolvable", 4)]
    main([*words, "--no-images"])
    assert told(capsys.readouterr().out) == []


def test_a_repository_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(
        tmp_path,
        {
            **SHOP,
            "compose.yaml": "services:\n  api:\n    build: api\n    image: shop/api:1\n",
            "build.sh": "docker build -t shop/api:1 api\n",
            "lucid-plan.yaml": "version: 1\nservices:\n  - {name: api, image: 'shop/api:1'}\n  - {name: old, dockerfile: old/Dockerfile}\n",
        },
    )
    found = json.loads(run(tmp_path, capsys, "--format", "json")[1])
    assert surroundings.errors(found) == 0
    assert list(surroundings.sections(found)) == []


def test_waivers_hold_for_compose_files_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    waiver = "{rules: [compose-health-needs-shell], files: [compose.yaml], reason: a shell is mounted}"
    plant(tmp_path, {**SHOP, "lucid-audit.yaml": f"waivers:\n  - {waiver}\n"})
    found = json.loads(run(tmp_path, capsys, "--format", "json")[1])
    (one,) = (
        f for s in found["around"]["subjects"] for f in s["findings"] if f["rule"] == "compose-health-needs-shell"
    )
    assert one["suppressed"]["reason"] == "a shell is mounted"
    assert not any("compose-health-needs-shell" in line for _, lines in surroundings.sections(found) for line in lines)


MADE = {
    "git is told to ignore it": ({".gitignore": "bin/\n"}, "docker build bin/\n"),
    "the script makes the folder": ({}, "mkdir -p out/image\ndocker build out/image\n"),
    "the script writes the Dockerfile": ({}, "F=new/Dockerfile\ncat > $F <<EOF\nFROM scratch\nEOF\ndocker build new\n"),
}


@pytest.mark.parametrize("case", MADE)
def test_what_is_made_before_is_not_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    files, script = MADE[case]
    plant(tmp_path, {**SHOP, **files, "build.sh": script})
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    found = json.loads(run(tmp_path, capsys, "--format", "json")[1])
    assert [one for one in told(json.dumps(found)) if one[0] == "build.sh"] == []
    assert any(subject["skipped"] for subject in found["around"]["subjects"] if subject["kind"] == "build-command")


def test_documents_about_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = "```sh\ndocker build -t x .\ndocker build -t y -f api/Dockerfile.prod api\ndocker build -f build/Dockerfile.any .\n```\n"
    plant(tmp_path, {**SHOP, "README.md": page})
    assert [one[1:3] for one in told(run(tmp_path, capsys, "--format", "json")[1]) if one[0] == "README.md"] == [
        ("documented-build-not-found", 3)
    ]


def test_the_plan_stands_over_what_is_found(tmp_path: Path) -> None:
    plant(tmp_path, SHOP)
    plan = Plan("p", str(tmp_path), (Service("api", "shop/api:1", "api/Dockerfile", ".", platforms=("linux/amd64",)),))
    (found,) = complete(plan, survey(str(tmp_path))).plan.services
    assert (found.context, found.platforms, found.args) == (".", ("linux/amd64",), {})


def test_every_format_says_it_and_stays_inert() -> None:
    location = {"line": 3, "column": 5}
    finding = {"rule": "r", "severity": "error", "message": HOSTILE, "suppressed": None, "location": location}
    subject = {
        "kind": "compose",
        "name": HOSTILE,
        "findings": [finding],
        "skipped": [],
        "problems": [{"message": HOSTILE, "location": {}}],
    }
    around = {"subjects": [subject], "unbuilt": ["ghost", HOSTILE], "unused": ["=cmd|' /C calc'!A0", HOSTILE]}
    found = document(Plan("plan.yaml", ".", ()), [service("ghost")], AS_OF, around)
    assert surroundings.errors(found) == 1
    shown = text.render(found)
    assert "Builds and deployments:" in shown
    assert "\x1b" not in shown
    page = html.render(found)
    assert "<script>alert" not in page
    assert "Dockerfiles that no service of the plan uses: 2" in page
    comment = markdown.render(found)
    assert "<script>" not in MarkdownIt("commonmark", {"html": True}).render(comment)
    assert "Services whose image nothing here builds" in comment
    rows = list(csv.reader(io.StringIO(table_csv.render(found))))
    assert rows[1][-1] == "image, nothing here builds its image"
    assert rows[2][2] == "'=cmd|' /C calc'!A0"
    assert rows[2][-1] == "no service uses it"


def test_the_four_services_of_the_user(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(
            [
                "fleet",
                str(FIXTURES / "plan" / "lucid-plan.yaml"),
                "--no-images",
                "--profile",
                "lucid",
                "--as-of",
                "2026-11-23",
                "--format",
                "json",
            ]
        )
        == 1
    )
    found = json.loads(capsys.readouterr().out)
    verdicts = {
        one["name"]: {name: v["verdict"] for name, v in one["requirements"].items()} for one in found["services"]
    }
    for name in ("node-management", "admin-interface", "tron-client"):
        assert verdicts[name]["starts"] == "fail", name
        assert verdicts[f"{name}-fixed"]["starts"] == "pass", name
    assert verdicts["rdp-monitor"]["user"] == "fail"
    assert verdicts["rdp-monitor-fixed"]["user"] == "pass"


def test_none_of_the_thirty_five_is_taken_for_a_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(
            [
                "fleet",
                str(FIXTURES / "plan" / "thirty-five.yaml"),
                "--no-images",
                "--as-of",
                "2026-11-23",
                "--format",
                "json",
            ]
        )
        == 3
    )
    found = json.loads(capsys.readouterr().out)
    assert len(found["services"]) == found["totals"]["unread"] == 35
    assert {name: one["services"] for name, one in found["totals"]["phases"].items()} == {
        "1": 7,
        "2": 6,
        "3": 10,
        "4": 12,
    }


CHANGES = {
    "note.txt": set(),
    "build.sh": {"build.sh"},
    "compose.yaml": {"compose.yaml"},
    "api/main.py": {"build.sh", "compose.yaml"},  # both build it
    "lucid-plan.yaml": {"build.sh", "compose.yaml", "other.sh"},
}


@pytest.mark.parametrize("changed", CHANGES)
def test_a_change_narrows_it(tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: str) -> None:
    files = {**SHOP, "note.txt": "", "build.sh": "docker build -t shop/api:2 api\n", "other.sh": "docker build gone\n"}
    plant(tmp_path, files)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], check=True)
    everything = {one[0] for one in told(run(tmp_path, capsys, "--format", "json")[1])}
    assert everything == {"build.sh", "compose.yaml", "other.sh"}
    with (tmp_path / changed).open("a") as stream:
        stream.write("\n")
    words = ("--changed-since", "HEAD", "--format", "json")
    found = run(tmp_path, capsys, *words)[1]
    assert {one[0] for one in told(found)} == CHANGES[changed]
    around = json.loads(found)["around"]
    assert around["unused"] == (["old/Dockerfile"] if changed == "lucid-plan.yaml" else [])


BAKE = 'target "api" { context = "api" }\ntarget "default" { context = "api" }\n'
CALLS = {
    "docker buildx bake": [],
    "docker buildx bake apis": ["this builds bake target apis, which is not here; did you mean api?"],
    "docker buildx bake -f docker-baker.hcl api": [
        "this builds bake file docker-baker.hcl, which is not here; did you mean docker-bake.hcl?"
    ],
    "python3 generate.py\ndocker buildx bake -f matrix.json": [],
    "export BUILDX_BAKE_FILE=other.hcl\ndocker buildx bake apis": [],
}


@pytest.mark.parametrize("script", CALLS)
def test_calls_of_bake(tmp_path: Path, capsys: pytest.CaptureFixture[str], script: str) -> None:
    """A file that is not there may be one that a program writes, unless its name is nearly that of one beside it."""
    plant(tmp_path, {**SHOP, "compose.yaml": "", "docker-bake.hcl": BAKE, "build.sh": f"{script}\n"})
    around = json.loads(run(tmp_path, capsys, "--format", "json")[1])["around"]
    assert [one["message"] for subject in around["subjects"] for one in subject["findings"]] == CALLS[script]
