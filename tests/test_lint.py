from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lucid_audit import items, lint, parallel, ruleset
from lucid_audit.errors import InternalError, UsageError
from lucid_audit.finding import Severity, SubjectReport
from lucid_audit.lint import Request, run
from lucid_audit.outcome import Outcome
from lucid_audit.policy import Policy
from tests.rulebook import PROFILES, book

AS_OF = date(2026, 11, 23)
GOOD = "FROM scratch\n"
BAD = "FROM scratch\nLABEL a=b\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    decide(monkeypatch, Policy())
    return tmp_path


def decide(monkeypatch: pytest.MonkeyPatch, policy: Policy) -> None:
    monkeypatch.setattr(ruleset, "load", lambda _policy, _start: ruleset.RuleSet(book(), PROFILES, policy))


def put(name: str, text: str | bytes = GOOD) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())


def names(outcome: Outcome) -> list[str]:
    return [subject.name for subject in outcome.report.subjects]


def problem(subject: SubjectReport) -> str:
    (found,) = subject.problems
    return found.message


def test_a_file_named_twice_is_judged_once_in_the_order_named() -> None:
    for name in ("b/Dockerfile", "a/Dockerfile"):
        put(name)
    assert names(run(Request(["b/Dockerfile", ".", "b/Dockerfile"], AS_OF))) == ["b/Dockerfile", "a/Dockerfile"]


def test_what_cannot_be_read_is_a_problem_of_its_own() -> None:
    put("Dockerfile")
    put("big/Dockerfile", b"#" * (items.SIZE_LIMIT + 1))
    Path("empty").mkdir()
    outcome = run(Request(["Dockerfile", "big/Dockerfile", "missing/Dockerfile", "empty"], AS_OF))
    judged, big, missing, empty = outcome.report.subjects
    assert not judged.problems
    assert problem(big) == "larger than 10 MiB"
    assert problem(missing) == "No such file or directory"
    assert "no Dockerfile" in problem(empty)
    assert outcome.exit_code == 3


def test_a_file_with_bytes_that_are_not_text_is_judged() -> None:
    put("Dockerfile", b"FROM scratch\nLABEL a=\xff\n")
    (subject,) = run(Request(["Dockerfile"], AS_OF)).report.subjects
    assert not subject.problems
    assert [finding.location.line for finding in subject.findings] == [1, 2]


def test_standard_input_is_bounded_too() -> None:
    stdin = io.BytesIO(b"#" * (items.SIZE_LIMIT + 2))
    (subject,) = run(Request(["-"], AS_OF, stdin=stdin, stdin_name="x")).report.subjects
    assert (subject.name, problem(subject)) == ("x", "larger than 10 MiB")


@pytest.mark.parametrize(
    ("text", "fail_on", "code"), [(GOOD, "", 0), (GOOD, "warning", 1), (BAD, "", 1), (BAD, "note", 1), ("", "", 3)]
)
def test_exit_code(text: str, fail_on: str, code: int) -> None:
    put("Dockerfile", text)
    assert run(Request(["Dockerfile"], AS_OF, fail_on=fail_on)).exit_code == code


def test_no_subject_at_all_is_not_a_pass() -> None:
    assert run(Request([], AS_OF)).exit_code == 3


def test_the_policy_says_what_fails_unless_the_person_does(monkeypatch: pytest.MonkeyPatch) -> None:
    put("Dockerfile")
    decide(monkeypatch, Policy(fail_on="note"))
    assert run(Request(["Dockerfile"], AS_OF)).fail_on is Severity.note
    assert run(Request(["Dockerfile"], AS_OF, fail_on="error")).fail_on is Severity.error


def test_serial_and_parallel_runs_are_the_same() -> None:
    for number in range(9):
        put(f"{number}/Dockerfile", BAD if number % 2 else GOOD)
    put("5/Dockerfile", "FORM x\n")
    reports = [run(Request([".", "missing"], AS_OF, jobs=jobs)).report for jobs in (1, 2, 4)]
    assert reports[0].problems == 2
    assert reports[0] == reports[1] == reports[2]


def test_many_files_are_judged_in_parallel(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    original = parallel.ordered

    def record(function: Callable[[int], Any], names: list[str], jobs: int) -> list[Any]:
        asked.append(jobs)
        return original(function, names, 1)

    monkeypatch.setattr(parallel, "available", lambda: 2)
    monkeypatch.setattr(parallel, "ordered", record)
    for number in range(lint.PARALLEL_FROM + 1):
        put(f"{number}/Dockerfile")
    run(Request(["."], AS_OF))
    run(Request(["1", "2"], AS_OF))
    run(Request(["."], AS_OF, jobs=1))
    assert asked == [2, 1, 1]


def test_a_bug_outside_the_checks_names_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("oops")

    put("a/Dockerfile")
    monkeypatch.setattr(lint, "parse", fail)
    with pytest.raises(InternalError, match=r"a/Dockerfile: ValueError: oops"):
        run(Request(["."], AS_OF))


def test_a_context_that_is_not_there_is_a_usage_error() -> None:
    put("Dockerfile")
    with pytest.raises(UsageError, match="--context none: there is no such folder"):
        run(Request(["."], AS_OF, context="none"))


def test_paths_for_fingerprints_start_at_the_repository(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    subprocess.run(["git", "init", "-q", "."], check=True)
    put("services/api/Dockerfile")
    monkeypatch.chdir(folder / "services")
    (subject,) = run(Request(["api"], AS_OF)).report.subjects
    assert (subject.name, subject.path) == ("api/Dockerfile", "services/api/Dockerfile")
