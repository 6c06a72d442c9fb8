"""Every folder of ``fixtures/dockerfiles`` is linted as a repository of its own and compared with what is written there.

A case holds Dockerfiles, the files around them, ``findings.txt`` (``error.txt`` below ``invalid/``) and perhaps a
``case.yaml``: ``as_of``, ``profile``, ``policy``, ``platform``, ``target``, ``context``, ``build_args``, ``files``.
``python -m tests.test_fixtures`` rewrites what is expected.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

from lucid_audit import discover, lint
from lucid_audit.dockerfile.parser import parse
from lucid_audit.finding import Location, Report, Severity
from lucid_audit.text import SourceText

ROOT = Path(__file__).resolve().parent.parent / "fixtures" / "dockerfiles"
INVALID = ROOT / "invalid"
AS_OF = date(2026, 11, 23)
KEYS = {"as_of", "profile", "policy", "platform", "target", "context", "build_args", "files"}


def cases() -> list[Path]:
    """A folder is a case, unless it only holds cases."""
    groups = (ROOT, ROOT / "lucid", INVALID)
    return sorted(
        folder for group in groups for folder in group.iterdir() if folder.is_dir() and folder not in (*groups,)
    )


def name(case: Path) -> str:
    return case.relative_to(ROOT).as_posix()


def golden(case: Path) -> Path:
    return case / ("error.txt" if case.parent == INVALID else "findings.txt")


def lint_case(case: Path, **changes: Any) -> Report:
    """Lint a case by the whole use case, from inside its folder, as if that were the root of a repository."""
    file = case / "case.yaml"
    settings: dict[str, Any] = {**(yaml.safe_load(file.read_text("utf-8")) if file.exists() else {}), **changes}
    assert settings.keys() <= KEYS, f"{file}: unknown keys"
    with contextlib.chdir(case), mock.patch.object(discover, "repository_root", return_value=str(case)):
        every = sorted(path.as_posix() for path in Path().rglob("*") if path.is_file())
        files = settings.pop("files", None) or [path for path in every if discover.is_dockerfile(path)]
        assert files, "no Dockerfile"
        request = lint.Request(files, settings.pop("as_of", AS_OF), jobs=1)._replace(**settings)
        if "policy" not in settings:
            with mock.patch("lucid_audit.policy_file.find", return_value=None):
                return lint.run(request).report
        return lint.run(request).report


def lines(report: Report) -> Iterator[str]:
    """Write a report as lines: findings, then what was skipped, then problems, file by file."""
    for subject in report.subjects:
        for found in subject.findings:
            yield f"{_place(found.location)} {found.severity.name} {found.rule} {found.message}"
        for skipped in subject.skipped:
            place = skipped.location
            yield f"skipped {skipped.rule} {place.file}:{place.line} {skipped.reason}"
        for problem in subject.problems:
            yield f"problem {_place(problem.location)} {problem.message}"


def _place(place: Location) -> str:
    return f"{place.file}:{place.line}:{place.column}"


def text(case: Path) -> str:
    return "".join(f"{line}\n" for line in lines(lint_case(case)))


@pytest.mark.parametrize("case", cases(), ids=name)
def test_case(case: Path) -> None:
    assert text(case) == golden(case).read_text("utf-8")


@pytest.mark.parametrize("case", [case for case in cases() if case.parent == INVALID], ids=name)
def test_invalid_files_are_problems_and_nothing_else(case: Path) -> None:
    for subject in lint_case(case).subjects:
        assert subject.problems
        assert not subject.findings


def test_the_build_report_is_contradicted() -> None:
    """On the day of the report three services could not start, and the fourth ran as root."""
    report = lint_case(ROOT / "lucid" / "lucid-broken")
    errors = {
        subject.name: {found.rule for found in subject.findings if found.severity is Severity.error}
        for subject in report.subjects
    }
    monitor = errors.pop("RDP/Dockerfile.monitor")
    assert monitor == {"final-user-root"}
    assert len(errors) == 3
    assert all("interpreter-doubled" in rules and "final-user-root" not in rules for rules in errors.values())


def test_the_repaired_services_are_clean_for_anyone() -> None:
    report = lint_case(ROOT / "lucid" / "lucid-fixed", profile="recommended")
    assert not any(subject.findings or subject.problems for subject in report.subjects)
    # What the build's arguments give is not known; all else is.
    assert {skip.rule for subject in report.subjects for skip in subject.skipped} == {"label-malformed"}


def test_the_repaired_services_are_clean_by_the_house_rules() -> None:
    report = lint_case(ROOT / "lucid" / "lucid-fixed")
    assert len(report.subjects) == 4
    assert not report.count(Severity.error)
    assert not report.count(Severity.warning)


def test_a_line_longer_than_buildkit_reads() -> None:
    limit = 65_536  # of one line with its end: bufio.MaxScanTokenSize
    for length, refused in ((limit - 2, False), (limit + 1, True)):
        start = "FROM gcr.io/distroless/static-debian13\nENV LONG="
        filler = "x" * (length - len("ENV LONG="))
        assert bool(parse(SourceText("Dockerfile", f"{start}{filler}\n")).problems) is refused, length


def rewrite() -> None:
    """Write what is found now as what is expected."""
    for case in cases():
        golden(case).write_text(text(case), "utf-8")


if __name__ == "__main__":
    rewrite()
