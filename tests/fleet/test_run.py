"""Plans in whole runs, without images: those are in tests/e2e/test_fleet.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lucid_audit.__main__ import main
from lucid_audit.fleet.service import Runner

FIXTURES = Path(__file__).parents[2] / "fixtures" / "plan"
GOOD = 'FROM gcr.io/distroless/python3-debian13:nonroot\nCOPY app.py /app/\nEXPOSE 8080\nENTRYPOINT []\nCMD ["python3", "/app/app.py"]\n'
GOOD += 'HEALTHCHECK CMD ["/usr/bin/python3", "-c", "import urllib.request; urllib.request.urlopen(\'http://localhost:8080/\')"]\n'


def fleet(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = main(["fleet", "run", "--no-images", "--format", "json", "--as-of", "2026-11-23", *words])
    return code, json.loads(capsys.readouterr().out)


def verdicts(found: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {one["name"]: {name: v["verdict"] for name, v in one["requirements"].items()} for one in found["services"]}


def write(folder: Path, services: str, **files: str) -> str:
    for name, content in files.items():
        path = folder / name / "Dockerfile"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        (path.parent / "app.py").write_text("print()\n")
    plan = folder / "lucid-plan.yaml"
    plan.write_text(f"version: 1\nservices:\n{services}")
    return str(plan)


def test_the_four_services_on_the_day_of_their_report(capsys: pytest.CaptureFixture[str]) -> None:
    """The report said 100 %: three of them cannot start, and one runs as root."""
    code, found = fleet(capsys, str(FIXTURES / "lucid-plan.yaml"))
    assert code == 1
    answers = verdicts(found)
    broken = {name: one for name, one in answers.items() if not name.endswith("-fixed")}
    assert {name for name, one in broken.items() if one["starts"] == "fail"} == {
        "node-management",
        "admin-interface",
        "tron-client",
    }
    assert {name for name, one in broken.items() if one["user"] == "fail"} == {"rdp-monitor"}
    assert all(set(one.values()) == {"pass"} for name, one in answers.items() if name.endswith("-fixed"))
    assert found["totals"]["phases"] == {
        "3": {"ready": 2, "images": 0, "services": 4},
        "4": {"ready": 2, "images": 0, "services": 4},
    }


def test_what_is_missing_is_said_and_no_pass(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = fleet(capsys, str(FIXTURES / "thirty-five.yaml"))
    assert code == 3
    assert found["totals"] == {**found["totals"], "services": 35, "ready": 0, "unread": 35}
    assert all(set(one.values()) == {"unknown"} for one in verdicts(found).values())


def test_context_arguments_and_target(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "ARG BASE=debian:13\nFROM $BASE AS final\n" + GOOD.partition("\n")[2] + "FROM final AS other\nUSER root\n"
    services = """\
  - {name: a, dockerfile: a/Dockerfile, target: final, args: {BASE: "gcr.io/distroless/python3-debian13:nonroot"}}
  - {name: b, dockerfile: a/Dockerfile, target: final}
  - {name: c, dockerfile: a/Dockerfile, context: .}
"""
    _, found = fleet(capsys, write(tmp_path, services, a=text))
    answers = verdicts(found)
    assert set(answers["a"].values()) == {"pass"}
    assert answers["b"]["distroless"] == "fail"
    assert answers["c"]["starts"] == "fail", "app.py is not in that context"
    assert answers["c"]["user"] == "fail"


def test_a_context_that_is_not_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = fleet(capsys, write(tmp_path, "  - {name: a, dockerfile: a/Dockerfile, context: none}\n", a=GOOD))
    assert code == 3
    assert "is not here" in found["services"][0]["dockerfile"]["problems"][0]["message"]


def test_the_port_of_the_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    services = (
        "  - {name: a, dockerfile: a/Dockerfile, port: 8080}\n  - {name: b, dockerfile: a/Dockerfile, port: 9090}\n"
    )
    code, found = fleet(capsys, write(tmp_path, services, a=GOOD))
    assert code == 1
    assert [[one["what"] for one in service["drift"]] for service in found["services"]] == [
        [],
        ["port 9090 of the plan"],
    ]


def test_waivers_count_here_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = write(tmp_path, "  - {name: a, dockerfile: a/Dockerfile}\n", a=GOOD + "USER root\n")
    assert verdicts(fleet(capsys, plan)[1])["a"]["user"] == "fail"
    (tmp_path / "lucid-audit.yaml").write_text("waivers: [{rules: [final-user-root], reason: x}]\n")
    assert verdicts(fleet(capsys, plan)[1])["a"]["user"] == "pass"


def test_a_run_goes_on_where_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = write(
        tmp_path,
        "".join(f"  - {{name: s{n}, dockerfile: s{n}/Dockerfile}}\n" for n in range(4)),
        **{f"s{n}": GOOD for n in range(4)},
    )
    _, whole = fleet(capsys, plan)
    judged: list[str] = []
    original = Runner.service

    def service(self: Any, one: Any) -> Any:
        if one.name == "s2" and len(judged) == 2:
            raise KeyboardInterrupt
        judged.append(one.name)
        return original(self, one)

    monkeypatch.setattr(Runner, "service", service)
    assert main(["fleet", "run", "--no-images", "--jobs", "1", "--as-of", "2026-11-23", plan]) == 130
    assert (tmp_path / ".lucid-plan.yaml.state").exists()
    capsys.readouterr()
    (tmp_path / "s1" / "Dockerfile").write_text(GOOD + "# changed meanwhile\n")
    (tmp_path / "s0" / "app.py").write_text("print(1)\n")  # the build context has changed, too
    judged.append("again")
    _, resumed = fleet(capsys, "--jobs", "1", plan)
    assert judged == ["s0", "s1", "again", "s0", "s1", "s2", "s3"]
    assert resumed == whole
    assert not (tmp_path / ".lucid-plan.yaml.state").exists()


def test_formats_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = [f"--output={name}={tmp_path / name}" for name in ("html", "csv", "markdown", "text", "json")]
    code, found = fleet(capsys, str(FIXTURES / "lucid-plan.yaml"), *outputs)
    assert code == 1
    assert json.loads((tmp_path / "json").read_text()) == found
    assert (tmp_path / "html").read_text().startswith("<!DOCTYPE html>")
    earlier = ["--earlier", str(tmp_path / "json")]
    assert (
        main(["fleet", "run", "--no-images", "--as-of", "2026-11-23", *earlier, str(FIXTURES / "lucid-plan.yaml")]) == 1
    )
    assert "nothing has changed" in capsys.readouterr().out
    assert (
        main(["fleet", "run", "--no-images", "--earlier", str(tmp_path / "csv"), str(FIXTURES / "lucid-plan.yaml")])
        == 2
    )


def test_many_at_once_say_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = str(FIXTURES / "lucid-plan.yaml")
    assert fleet(capsys, "--jobs", "1", plan) == fleet(capsys, "--jobs", "4", plan)


def test_one_that_kills_its_judge_is_said_and_the_others_are_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import os
    import signal

    plan = write(
        tmp_path,
        "".join(f"  - {{name: s{n}, dockerfile: s{n}/Dockerfile}}\n" for n in range(5)),
        **{f"s{n}": GOOD for n in range(5)},
    )
    original = Runner.service

    def service(self: Any, one: Any) -> Any:
        if one.name == "s2":
            os.kill(os.getpid(), signal.SIGKILL)
        return original(self, one)

    monkeypatch.setattr(Runner, "service", service)
    code, found = fleet(capsys, "--jobs", "2", plan)
    assert code == 3
    answers = verdicts(found)
    assert set(answers["s2"].values()) == {"unknown"}
    assert "has died" in found["services"][2]["dockerfile"]["problems"][0]["message"]
    assert all(set(answers[name].values()) == {"pass"} for name in ("s0", "s1", "s3", "s4"))


def test_a_bug_in_a_worker_is_a_bug(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = write(tmp_path, "  - {name: a, dockerfile: a/Dockerfile}\n  - {name: b, dockerfile: a/Dockerfile}\n", a=GOOD)
    monkeypatch.setattr(Runner, "service", lambda _self, _one: 1 // 0)
    assert main(["fleet", "run", "--no-images", "--jobs", "2", plan]) == 70
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_policy_that_is_wrong_is_said_by_a_worker_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = write(tmp_path, "  - {name: a, dockerfile: a/Dockerfile}\n  - {name: b, dockerfile: a/Dockerfile}\n", a=GOOD)
    (tmp_path / "lucid-audit.yaml").write_text("nonsense: 1\n")
    assert main(["fleet", "run", "--no-images", plan]) == 2
    assert "lucid-audit.yaml" in capsys.readouterr().err
