"""Baselines, by replaying what people do to a repository that has one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.__main__ import main

RULES = "base-untagged,workdir-relative,final-user-root,maintainer-deprecated"
OLD = "FROM python AS build\nWORKDIR one\nFROM debian\nCOPY --from=build /a /b\nWORKDIR two\n"


class Result(NamedTuple):
    exit_code: int
    stdout: str
    stderr: str


def call(*arguments: str) -> Result:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(list(arguments))
    return Result(code, out.getvalue(), err.getvalue())


class Repository:
    """A folder with one Dockerfile and a baseline."""

    def __init__(self, folder: Path) -> None:
        self.file, self.baseline = folder / "Dockerfile", folder / "baseline.json"
        (folder / ".git").mkdir()

    def lint(self, text: str, *options: str) -> Result:
        self.file.write_text(text)
        return call("lint", str(self.file), "--select", RULES, "--fail-on", "note", *options)

    def new(self, text: str, *options: str) -> list[str]:
        """Return the findings that count, with their lines."""
        result = self.lint(text, "--baseline", str(self.baseline), "--format", "json", *options)
        found = json.loads(result.stdout)["subjects"][0]["findings"]
        counted = [f"{one['location']['line']} {one['rule']}" for one in found if one["suppressed"] is None]
        assert result.exit_code == (1 if counted else 0)
        return counted

    def written(self) -> list[str]:
        return [one["rule"] for one in json.loads(self.baseline.read_text())["findings"]]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path)
    result = made.lint(OLD, "--write-baseline", str(made.baseline))
    assert result.exit_code == 0, result.stderr
    return made


def test_what_was_there_does_not_count(repository: Repository) -> None:
    assert repository.written() == [
        "base-untagged",
        "base-untagged",
        "final-user-root",
        "workdir-relative",
        "workdir-relative",
    ]
    assert repository.new(OLD) == []
    result = repository.lint(OLD, "--baseline", str(repository.baseline))
    assert result.stdout == "No findings in 1 file (4 rules); 5 findings suppressed\n"


def test_moved_code_stays_known(repository: Repository) -> None:
    assert repository.new("# a comment\n\n" + OLD.replace("WORKDIR one", "RUN true\n\nWORKDIR    one")) == []


def test_new_findings_count(repository: Repository) -> None:
    assert repository.new(OLD.replace("FROM debian", "FROM alpine")) == ["3 base-untagged", "3 final-user-root"]
    assert repository.written().count("base-untagged") == 2  # a baseline grows only when it is written


def test_a_second_one_of_the_same_is_new(repository: Repository) -> None:
    text = "FROM debian:12\nUSER 1\nMAINTAINER x\n"
    repository.lint(text, "--write-baseline", str(repository.baseline))
    assert repository.new(text) == []
    assert repository.new(f"{text}MAINTAINER x\n") == ["4 maintainer-deprecated"]


def test_what_is_repaired_is_told_and_taken_out_on_demand(repository: Repository) -> None:
    repaired = OLD.replace("WORKDIR one", "WORKDIR /one")
    told = repository.lint(repaired, "--baseline", str(repository.baseline))
    assert told.stderr == "1 of the baseline's findings is no more: --prune-baseline takes them out\n"
    assert len(repository.written()) == 5
    assert repository.new(OLD) == []
    assert repository.new(repaired, "--prune-baseline") == []
    assert repository.written().count("workdir-relative") == 1
    assert repository.new(OLD) == ["2 workdir-relative"]


def test_what_was_not_asked_is_not_stale(repository: Repository) -> None:
    other = repository.file.with_name("other.Dockerfile")
    other.write_text("FROM debian:12\n")
    result = call("lint", str(other), "--baseline", str(repository.baseline), "--prune-baseline", "--select", RULES)
    assert result.stderr == ""
    call(
        "lint",
        str(repository.file),
        "--baseline",
        str(repository.baseline),
        "--prune-baseline",
        "--select",
        "base-latest",
    )
    assert len(repository.written()) == 5


def test_comments_and_baselines_stand_beside_each_other(repository: Repository) -> None:
    text = f"# lucid: ignore-file[base-untagged] nightly\n{OLD}"
    repository.lint(text, "--write-baseline", str(repository.baseline))
    assert "base-untagged" not in repository.written()
    assert repository.new(text) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1, "fingerprints": "1", "findings": [1]}', "{" * 9])
def test_what_is_no_baseline(repository: Repository, text: str) -> None:
    repository.baseline.write_text(text)
    result = repository.lint(OLD, "--baseline", str(repository.baseline))
    assert (result.exit_code, "this is no baseline" in result.stderr) == (2, True)


def test_another_version_is_refused(repository: Repository) -> None:
    repository.baseline.write_text(repository.baseline.read_text().replace('"version": 1', '"version": 2'))
    assert "of another version" in repository.lint(OLD, "--baseline", str(repository.baseline)).stderr


@pytest.mark.parametrize(
    "options", [["--baseline", "/nowhere/x.json"], ["--write-baseline", "/nowhere/x.json"], ["--prune-baseline"]]
)
def test_what_cannot_be_done_is_said(repository: Repository, options: Sequence[str]) -> None:
    assert repository.lint(OLD, *options).exit_code == 2


def test_reports_mark_what_is_known(repository: Repository) -> None:
    output = repository.lint(OLD, "--baseline", str(repository.baseline), "--format", "sarif").stdout
    results = json.loads(output)["runs"][0]["results"]
    assert {one["suppressions"][0]["kind"] for one in results} == {"external"}


@given(
    st.lists(
        st.sampled_from(
            ["WORKDIR one\n", "WORKDIR two\n", "# x\n", "\n", "RUN true\n", "FROM python\n", "FROM debian\n"]
        ),
        max_size=8,
    )
)
def test_counts_only_fall(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    """Whatever is done, no more findings of a rule are silent than were written."""
    made = Repository(tmp_path_factory.mktemp("repository"))
    made.lint(OLD, "--write-baseline", str(made.baseline))
    text = "FROM python\n" + "".join(lines)
    every = json.loads(made.lint(text, "--format", "json").stdout)["subjects"][0]["findings"]
    counted = made.new(text)
    for rule in RULES.split(","):
        all_ = sum(one["rule"] == rule for one in every)
        silent = all_ - sum(one.endswith(f" {rule}") for one in counted)
        assert 0 <= silent <= made.written().count(rule)


@given(
    st.lists(
        st.lists(
            st.sampled_from(
                ["WORKDIR one\n", "WORKDIR two\n", "# x\n", "\n", "FROM python AS build\n", "FROM debian\n"]
            ),
            max_size=6,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_edits_one_after_the_other(tmp_path_factory: pytest.TempPathFactory, edits: list[list[str]]) -> None:
    """Whatever a file becomes, a baseline that is pruned only shrinks, and what it lost counts when it comes back."""
    made = Repository(tmp_path_factory.mktemp("repository"))
    made.lint(OLD, "--write-baseline", str(made.baseline))
    before = json.loads(made.baseline.read_text())["findings"]
    for edit in edits:
        made.new("FROM python\n" + "".join(edit), "--prune-baseline")
        after = json.loads(made.baseline.read_text())["findings"]
        assert all(one in before for one in after)
        assert len(after) <= len(before)
        before = after
    every = json.loads(made.lint(OLD, "--format", "json").stdout)["subjects"][0]["findings"]
    assert len(made.new(OLD)) == len(every) - len(before)
