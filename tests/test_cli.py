from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from lucid_audit import __version__, cli, deliver, lint, ruleset
from lucid_audit.__main__ import main
from lucid_audit.catalogue import source
from lucid_audit.finding import Report, Severity
from lucid_audit.outcome import Outcome
from lucid_audit.policy import Policy
from lucid_audit.report import FOR_PEOPLE, FORMATS
from tests.report.test_json import SCHEMA
from tests.rulebook import PROFILES, book, raw

GOOD = "FROM scratch\n"  # by tests.rulebook: one warning
BAD = "FROM scratch\nLABEL a=b\n"  # one warning, one error
BROKEN = "FROM scratch\nFORM x\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with a rule book that does not change."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(ruleset, "load", lambda _policy, _start: ruleset.RuleSet(book(), PROFILES, Policy()))
    return tmp_path


def put(name: str, text: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, "utf-8")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["lint", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parent.parent), **more}


def program(*arguments: str, data: bytes = b"", **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run the real program with the real rules."""
    return subprocess.run(
        [sys.executable, "-m", "lucid_audit", *arguments],
        capture_output=True,
        input=data,
        env=environment(**variables),
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("files", "arguments", "code"),
    [
        ({"Dockerfile": GOOD}, [], 0),
        ({"Dockerfile": GOOD}, ["--fail-on", "warning"], 1),
        ({"Dockerfile": GOOD}, ["--fail-on", "warning", "--ignore", "first-word"], 0),
        ({"Dockerfile": BAD}, [], 1),
        ({"Dockerfile": BAD}, ["--select", "first-word"], 0),
        ({"Dockerfile": BAD}, ["--select", "tag:b,first-word"], 1),
        ({"Dockerfile": BROKEN}, [], 3),
        ({"Dockerfile": BAD, "b/Dockerfile": BROKEN}, [], 3),
        ({"Dockerfile": BAD}, ["Dockerfile", "missing"], 3),
        ({"README": "x"}, [], 3),
        ({"Dockerfile": ""}, [], 3),
        ({"Dockerfile": GOOD}, ["--select", "frist-word"], 2),
        ({"Dockerfile": GOOD}, ["--profile", "none"], 2),
        ({"Dockerfile": GOOD}, ["--fail-on", "fatal"], 2),
        ({"Dockerfile": GOOD}, ["--as-of", "soon"], 2),
        ({"Dockerfile": GOOD}, ["--build-arg", "=x"], 2),
        ({"Dockerfile": GOOD}, ["--output", "pdf=x"], 2),
        ({"Dockerfile": GOOD}, ["--output", "none/x"], 2),
        ({"Dockerfile": GOOD}, ["--context", "none"], 2),
        ({"Dockerfile": GOOD}, ["--jobs", "-1"], 2),
        ({"Dockerfile": GOOD}, ["--unknown"], 2),
        ({"Dockerfile": GOOD}, ["--ignore", "tag:a"], 2),
    ],
)
def test_exit_codes(capsys: pytest.CaptureFixture[str], files: dict[str, str], arguments: list[str], code: int) -> None:
    for name, text in files.items():
        put(name, text)
    assert run(capsys, *arguments)[0] == code


def test_the_other_files_are_judged_when_one_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    put("a/Dockerfile", BROKEN)
    put("b/Dockerfile", BAD)
    code, out, _ = run(capsys, "a/Dockerfile", "b/Dockerfile", "c/Dockerfile", "--quiet")
    assert code == 3
    lines = out.splitlines()
    assert lines[0].startswith("a/Dockerfile:2:1: ")
    assert lines[1].startswith("b/Dockerfile:1:1: warning: ")
    assert lines[2].startswith("b/Dockerfile:2:1: error: ")
    assert lines[3] == "c/Dockerfile: No such file or directory"


def test_no_dockerfile_at_all_is_said_and_is_not_a_pass(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys)
    assert code == 3
    assert "no Dockerfile" in out + err


def test_a_crash_is_a_bug_that_names_rule_and_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = book(raw("crashing", "crash"))
    monkeypatch.setattr(ruleset, "load", lambda _policy, _start: ruleset.RuleSet(rules, PROFILES, Policy()))
    put("a/Dockerfile", GOOD)
    for jobs in ("1", "2"):
        put("b/Dockerfile", GOOD)
        code, out, err = run(capsys, ".", "--jobs", jobs)
        assert (code, out) == (70, "")
        assert "rule crashing failed on a/Dockerfile: IndexError" in err
        assert err.count("\n") == 1
        code = main(["--debug", "lint", "--jobs", jobs])
        assert code == 70
        assert "Traceback" in capsys.readouterr().err


def test_any_other_failure_is_a_bug_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("unexpected \x1b[31m")

    monkeypatch.setattr(lint, "run", fail)
    code, _, err = run(capsys)
    assert code == 70
    assert "internal error: RuntimeError: unexpected \\x1b[31m" in err


def test_an_interrupt_is_130(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lint, "run", fail)
    assert run(capsys)[0] == 130


def test_json_on_standard_output_and_problems_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    put("Dockerfile", BROKEN)
    code, out, err = run(capsys, "--format", "json")
    Draft202012Validator(SCHEMA).validate(json.loads(out))
    assert code == 3
    assert err.startswith("Dockerfile:2:1: ")


def test_one_run_feeds_a_person_and_a_platform(capsys: pytest.CaptureFixture[str]) -> None:
    put("Dockerfile", BAD)
    code, out, _ = run(capsys, "--output", "json=a.json", "--output", "table=b.txt", "--color")
    assert code == 1
    assert "\x1b[" in out
    assert json.loads(Path("a.json").read_text("utf-8"))["summary"]["error"] == 1
    table = Path("b.txt").read_text("utf-8")
    assert table.startswith("Place")
    assert "\x1b" not in table


def test_one_run_writes_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    put("Dockerfile", BAD)
    put("b/Dockerfile", BROKEN)
    code, out, _ = run(capsys, *(word for name in FORMATS for word in ("--output", f"{name}={name}.out")))
    assert code == 3
    assert "1 error" in out
    for name in FORMATS:
        assert "b/Dockerfile" in Path(f"{name}.out").read_text("utf-8")


@pytest.mark.parametrize("name", FORMATS)
def test_a_person_always_sees_what_could_not_be_read(capsys: pytest.CaptureFixture[str], name: str) -> None:
    put("Dockerfile", BROKEN)
    _, out, err = run(capsys, "--format", name)
    assert "no instruction FORM" in (out if name in FOR_PEOPLE else err).replace("`", "")


def test_output_without_a_format_replaces_printing(capsys: pytest.CaptureFixture[str]) -> None:
    put("Dockerfile", BAD)
    code, out, _ = run(capsys, "--format", "json", "--output", "report.json")
    assert (code, out) == (1, "")
    assert json.loads(Path("report.json").read_text("utf-8"))["version"] == 1


@pytest.mark.parametrize(
    ("arguments", "variables", "terminal", "expected"),
    [
        ([], {}, False, False),
        ([], {}, True, True),
        ([], {"NO_COLOR": "1"}, True, False),
        ([], {"TERM": "dumb"}, True, False),
        (["--no-color"], {}, True, False),
        (["--color"], {"NO_COLOR": "1"}, False, True),
    ],
)
def test_colour_is_for_terminals(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    variables: dict[str, str],
    terminal: bool,
    expected: bool,
) -> None:
    put("Dockerfile", BAD)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    assert ("\x1b[" in run(capsys, *arguments)[1]) is expected


def test_standard_input_has_the_name_it_is_given(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BAD.encode())))
    code, out, _ = run(capsys, "-", "--stdin-name", "api/Dockerfile", "--quiet")
    assert code == 1
    assert out.splitlines()[1].startswith("api/Dockerfile:2:1: error: ")


def test_options_reach_the_use_case(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[lint.Request] = []

    def record(request: lint.Request) -> None:
        asked.append(request)
        raise KeyboardInterrupt

    monkeypatch.setattr(lint, "run", record)
    monkeypatch.setenv("FROM_ENVIRONMENT", "here")
    monkeypatch.setenv("LUCID_AUDIT_CACHE", "/cache")
    main(["lint", "x", "--context", "c", "--target", "t", "--build-arg", "A=b=c", "--build-arg", "FROM_ENVIRONMENT",
          "--build-arg", "NOT_THERE", "--platform", "linux/arm64", "--profile", "strict", "--policy", "p", "--select",
          "a,b", "--select", "c", "--ignore", "d", "--fail-on", "note", "--as-of", "2026-01-02", "--jobs", "3"])  # fmt: skip
    (request,) = asked
    assert request._replace(stdin=None) == lint.Request(
        paths=("x",),
        as_of=date(2026, 1, 2),
        context="c",
        target="t",
        build_args={"A": "b=c", "FROM_ENVIRONMENT": "here"},
        platform="linux/arm64",
        profile="strict",
        policy="p",
        select=("a", "b", "c"),
        ignore=("d",),
        fail_on="note",
        jobs=3,
        cache="/cache",
    )
    main(["lint", "--no-cache"])
    assert asked[1].cache == ""
    assert asked[1].as_of == date.today()  # noqa: DTZ011
    assert asked[1].paths == (".",)


def test_version_and_help() -> None:
    assert CliRunner().invoke(cli.cli, ["--version"]).output == f"lucid-audit {__version__}\n"
    assert "Exit codes:" in CliRunner().invoke(cli.cli, ["lint", "--help"]).output


def test_rules_and_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules"]) == 0
    assert "first-word        warning  The title of first-word (recommended, strict)\n" in capsys.readouterr().out
    assert main(["rules", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["rules"][0]["id"] == "base-not-allowed"
    assert main(["explain", "first-word"]) == 0
    assert capsys.readouterr().out.startswith("first-word: The title of first-word\n")
    assert main(["explain", "frist-word"]) == 2
    assert capsys.readouterr().err == "lucid-audit: there is no rule 'frist-word'; did you mean first-word?\n"


def test_the_program_reads_standard_input() -> None:
    done = program("lint", "-", "--quiet", data=b"FROM scratch\nFORM \x1b[31m\n")
    assert done.returncode == 3
    assert done.stdout.startswith(b"Dockerfile:2:1: ")
    assert b"\x1b" not in done.stdout


def test_the_program_is_quiet_when_its_reader_goes_away() -> None:
    put("Dockerfile", "FORM x\n" * 5000)
    command = [sys.executable, "-m", "lucid_audit", "lint"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 3


def test_the_program_survives_a_terminal_that_cannot_show_a_character() -> None:
    put("Dockerfile", "FROM scratch\n\u00e9\u65e5 x\n")
    done = program("lint", PYTHONIOENCODING="ascii")
    assert done.returncode == 3
    assert b"\\u65e5" in done.stdout


HEAVY = ("click", "dataclasses", "difflib", "docker", "importlib.metadata", "importlib", "inspect", "json", "jsonschema", "multiprocessing", "pathlib", "pathspec", "pickle",
         "pkg_resources", "random", "subprocess", "tabulate", "tempfile", "tomllib", "typing", "xml", "yaml",
         "lucid_audit.report.entries", *(f"lucid_audit.report.{name}" for name in FORMATS if name != "text"))  # fmt: skip


def test_without_options_click_is_left_out_and_nothing_else_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def take(request: lint.Request) -> Outcome:
        asked.append((list(request.paths), request._replace(paths=(), build_args=dict(request.build_args))))
        return Outcome(Report((), 0), Severity.error)

    monkeypatch.setattr(lint, "run", take)
    monkeypatch.setattr(deliver, "deliver", lambda _report, look: asked.append(look._replace(outputs=())))
    assert main(["lint", "x", "y"]) == main(["lint", "--", "x", "y"])
    assert asked[:2] == asked[2:]
    assert main(["lint"]) == main(["lint", "--"])
    assert asked[4:6] == asked[6:]


def test_linting_a_file_imports_nothing_heavy(folder: Path) -> None:
    """As an installed wheel does it: with the compiled catalogue."""
    put("Dockerfile", "FROM python\nCMD python app.py\n")
    put("compiled.py", source())
    script = (
        "import compiled, sys\n"
        "sys.modules['lucid_audit.compiled'] = compiled\n"
        "from lucid_audit.__main__ import main\n"
        "code = main(['lint', 'Dockerfile'])\n"
        f"print(sorted(set({HEAVY}) & set(sys.modules)), code)\n"
    )
    done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, env=without_site(), check=True)
    assert done.stdout.splitlines()[-1] == b"[] 1", done.stderr


def without_site() -> dict[str, str]:
    """Environment for ``python -S``, which leaves out what the machine's ``site`` would import on its own."""
    return environment(PYTHONPATH=os.pathsep.join([str(Path(cli.__file__).parent.parent), *sys.path]))
