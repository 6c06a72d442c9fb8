"""A policy's waivers, in whole runs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from lucid_audit.errors import UsageError
from lucid_audit.finding import Report
from lucid_audit.lint import Request, run

DAY = date(2026, 11, 23)


def report(folder: Path, policy: str, name: str = "lucid-audit.yaml", paths: tuple[str, ...] = ()) -> Report:
    for part in ("app", "tools"):
        (folder / part).mkdir(exist_ok=True)
        (folder / part / "Dockerfile").write_text("FROM gcr.io/distroless/static-debian13\n")
    (folder / ".git").mkdir(exist_ok=True)
    (folder / name).write_text(policy)
    asked = tuple(str(folder / path) for path in paths) or (str(folder),)
    return run(
        Request(asked, DAY, policy=str(folder / name), select=("final-user-root", "waiver-expired", "waiver-unused"))
    ).report


def said(found: Report) -> list[tuple[str, str, int]]:
    return [
        (Path(s.name).parent.name if s.kind != "policy" else "policy", f.rule, f.location.line)
        for s in found.subjects
        for f in s.findings
    ]


def test_a_waiver_takes_out_what_its_glob_covers(tmp_path: Path) -> None:
    found = report(tmp_path, "waivers:\n  - {rules: [final-user-root], files: ['tools/*'], reason: a tool}\n")
    assert said(found) == [("app", "final-user-root", 1)]
    (one,) = [s for subject in found.subjects for s in subject.suppressed]
    assert (one.reason, one.by, one.line) == ("a tool", "policy", 0)


def test_a_waiver_ends(tmp_path: Path) -> None:
    text = "waivers:\n  - rules: [final-user-root]\n    reason: old\n    until: {}\n"
    assert said(report(tmp_path, text.format("2026-11-23"))) == []
    assert said(report(tmp_path, text.format("2026-11-22"))) == [
        ("app", "final-user-root", 1), ("tools", "final-user-root", 1), ("policy", "waiver-expired", 2)
    ]  # fmt: skip


def test_a_later_waiver_holds_where_another_ended(tmp_path: Path) -> None:
    text = "waivers:\n  - {rules: [final-user-root], reason: old, until: 2026-01-01}\n  - {rules: ['tag:user'], reason: new}\n"
    assert said(report(tmp_path, text)) == []


def test_what_waives_nothing_is_said_only_where_it_was_asked(tmp_path: Path) -> None:
    text = "waivers:\n  - {rules: [base-untagged], reason: x}\n  - {rules: [final-user-root], files: ['other/*'], reason: x}\n"
    assert ("policy", "waiver-unused", 2) not in said(report(tmp_path, text))
    used = "waivers:\n  - {rules: ['tag:user', final-user-root], files: ['app/*'], reason: x}\n"
    assert said(report(tmp_path, used, paths=("app",))) == [("policy", "waiver-unused", 2)]  # the name is there twice


def test_toml(tmp_path: Path) -> None:
    text = "[tool.lucid-audit]\nprofile = 'recommended'\n\n[[tool.lucid-audit.waivers]]\nrules = ['final-user-root']\nreason = 'x'\nuntil = 2026-01-01\n"
    assert ("policy", "waiver-expired", 4) in said(report(tmp_path, text, "pyproject.toml"))


@pytest.mark.parametrize(
    ("waiver", "message"),
    [
        ("{rules: [final-user-rot], reason: x}", ":2: waivers: there is no rule 'final-user-rot'"),
        ("{rules: [final-user-root]}", ":2: "),
        ("{rules: [final-user-root], reason: ''}", ":2: "),
        ("{rules: [final-user-root], reason: x, until: 2026-02-30}", "'2026-02-30' is no day"),
        ("{rules: [final-user-root], reason: x, until: soon}", ":2: "),
    ],
)
def test_malformed(tmp_path: Path, waiver: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        report(tmp_path, f"waivers:\n  - {waiver}\n")
    assert message in str(error.value)
