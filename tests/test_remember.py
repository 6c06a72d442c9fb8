"""Reports are used again only where a new judgement would be the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lucid_audit import lint, parallel, remember
from lucid_audit.finding import Finding, Location, Problem, Severity, Skipped, SubjectReport, Suppressed
from lucid_audit.items import Item
from lucid_audit.lint import PARALLEL_FROM, Request

COUNT = PARALLEL_FROM + 5
FILE = """\
FROM python:3.13-slim AS build
COPY requirements.txt ./
RUN pip install -r requirements.txt --target /deps
FROM gcr.io/distroless/python3-debian13:nonroot
COPY --from=build /deps /deps
COPY src/ /app/
WORKDIR /app
CMD ["main.py"]
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of many services, each its own context."""
    top = tmp_path / "repo"
    for number in range(COUNT):
        place = top / f"s{number:03}"
        (place / "src").mkdir(parents=True)
        (place / "Dockerfile").write_text(FILE)
        (place / "requirements.txt").write_text("flask\n")
        (place / "src/main.py").write_text("import flask\n")
    monkeypatch.chdir(top)
    return top


def run(tree: Path, cache: Path | None, **more: object) -> tuple[SubjectReport, ...]:
    asked = Request((".",), date(2026, 11, 1), cache=str(cache) if cache else "", **more)  # type: ignore[arg-type]
    return lint.run(asked).report.subjects


def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Say of a later run what it judges; the run has to be in this process."""
    names: list[str] = []
    original = lint._judge

    def noted(item: Item, prepared: lint.Prepared, *others: object) -> object:
        if prepared.places.notes is not None:  # a run that remembers
            names.append(item.name)
        return original(item, prepared, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(lint, "_judge", noted)
    monkeypatch.setattr(parallel, "available", lambda: 1)
    return names


def test_nothing_is_judged_twice(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(tree, tmp_path / "cache")
    assert first == run(tree, None)
    names = judged(monkeypatch)
    assert run(tree, tmp_path / "cache") == first
    assert names == []


def change(path: str, text: str | None) -> Callable[[Path], None]:
    def apply(top: Path) -> None:
        file = top / path
        if text is None:
            shutil.rmtree(file) if file.is_dir() else file.unlink()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    return apply


def executable(top: Path) -> None:
    (top / "s003/src/main.py").chmod(0)


CHANGES = {
    "the file itself": change("s003/Dockerfile", FILE.replace("3.13", "3.12")),
    "a source is gone": change("s003/requirements.txt", None),
    "a folder is gone": change("s003/src", None),
    "the script has another name": lambda top: (top / "s003/src/main.py").rename(top / "s003/src/app.py"),
    "an ignore file": change("s003/.dockerignore", "src\n"),
    "an ignore file of the file's own": change("s003/Dockerfile.dockerignore", "requirements.txt\n"),
    "a compose file": change(
        "s003/compose.yaml", "services: {a: {build: {context: .., dockerfile: s003/Dockerfile}}}\n"
    ),
    "rights": executable,
    "a link instead": lambda top: (change("s003/src", None)(top), (top / "s003/src").symlink_to("/nowhere")),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_has_changed_is_judged_anew(
    name: str, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run(tree, tmp_path / "cache")
    CHANGES[name](tree)  # type: ignore[no-untyped-call,unused-ignore]
    names = judged(monkeypatch)
    after = run(tree, tmp_path / "cache")
    assert names == ["s003/Dockerfile"]
    assert after == run(tree, None)
    assert [one for one in after if "s003" not in one.name] == [one for one in before if "s003" not in one.name]
    assert name == "rights" or after != before


def test_other_options_are_other_reports(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tree, tmp_path / "cache")
    names = judged(monkeypatch)
    for more in (
        {"profile": "strict"},
        {"ignore": ("interpreter-doubled",)},
        {"build_args": {"X": "1"}},
        {"context": "."},
    ):
        names.clear()
        assert run(tree, tmp_path / "cache", **more) == run(tree, None, **more)
        assert len(names) == COUNT, more
    (tree / "lucid-audit.yaml").write_text("profile: strict\n")
    names.clear()
    assert run(tree, tmp_path / "cache") == run(tree, None)


def test_a_file_that_says_how_it_is_built_is_not_remembered(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "s001/Dockerfile").write_text(f"# docker build -f s001/Dockerfile .\n{FILE}")
    run(tree, tmp_path / "cache")
    names = judged(monkeypatch)
    run(tree, tmp_path / "cache")
    assert names == ["s001/Dockerfile"]


@pytest.mark.parametrize(
    "damage", [b"", b"{", b'{"shape": 1}', b'{"shape":1,"notes":{},"reports":{"a":1}}', b"[]", b"\xff" * 9]
)
def test_a_damaged_file_is_as_good_as_none(damage: bytes, tree: Path, tmp_path: Path) -> None:
    first = run(tree, tmp_path / "cache")
    (file,) = remember.files(str(tmp_path / "cache"))
    Path(file).write_bytes(damage)
    assert run(tree, tmp_path / "cache") == first


def test_a_report_of_another_shape_is_judged_anew(tree: Path, tmp_path: Path) -> None:
    first = run(tree, tmp_path / "cache")
    (file,) = remember.files(str(tmp_path / "cache"))
    found = json.loads(Path(file).read_text())
    for number, one in enumerate(found["reports"].values()):
        one[2] = [None, 7, [], one[2][:3], one[2] + ["more"]][number % 5]
    Path(file).write_text(json.dumps(found))
    assert run(tree, tmp_path / "cache") == first


def test_a_shared_context_is_asked_for_all(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository's root is everybody's context: what has changed there counts for who looked there, and what they said stays true."""
    subprocess.run(["git", "init", "-q"], check=True, cwd=tree)
    shared = FILE.replace("COPY src/ /app/", "COPY common/lib.py s000/src/main.py /app/")
    for number in range(COUNT):
        (tree / f"s{number:03}/Dockerfile").write_text(shared)
    first = run(tree, tmp_path / "cache")
    (tree / "s002/Dockerfile").write_text(FILE)
    assert run(tree, tmp_path / "cache") == run(tree, None)
    (tree / "common").mkdir()
    (tree / "common/lib.py").write_text("")
    assert run(tree, tmp_path / "cache") == run(tree, None) != first
    (tree / "common/lib.py").unlink()
    names = judged(monkeypatch)
    assert run(tree, tmp_path / "cache") == run(tree, None)
    assert "s004/Dockerfile" in names


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(sorted(CHANGES)), st.integers(0, COUNT - 1)), min_size=1, max_size=4))
def test_after_any_changes_the_answer_is_that_of_a_first_run(
    steps: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    top = tmp_path_factory.mktemp("any")
    here = Path.cwd()
    try:
        (top / "repo").mkdir()
        os.chdir(top / "repo")
        for number in range(COUNT):
            place = Path(f"s{number:03}")
            (place / "src").mkdir(parents=True)
            (place / "Dockerfile").write_text(FILE)
            (place / "requirements.txt").write_text("flask\n")
            (place / "src/main.py").write_text("")
        run(top, top / "cache")
        for name, number in steps:
            moved = Path(f"s{number:03}")
            if moved.exists() and not Path("s003").exists():
                moved.rename("s003")
            try:
                CHANGES[name](Path.cwd())  # type: ignore[no-untyped-call,unused-ignore]
            except OSError:
                continue
            assert run(top, top / "cache") == run(top, None)
    finally:
        os.chdir(here)


@given(st.text(), st.sampled_from(Severity), st.integers(0, 9))
def test_a_report_comes_back_as_it_was(text: str, severity: Severity, number: int) -> None:
    place = Location(text, number, number, number, number, text, text, number, text, text)
    finding = Finding(text, severity, text, place, text, text, text)
    report = SubjectReport(
        "dockerfile", text, (finding,), (Skipped(text, text, place),), (Problem(text, place),), ((number, text),), text, text,
        text, text, ((text, text),), text, (Suppressed(finding, text, text, number),),
    )  # fmt: skip
    assert remember._report(json.loads(json.dumps(remember._plain(report)))) == report


def test_clear(tree: Path, tmp_path: Path) -> None:
    run(tree, tmp_path / "cache")
    assert remember.clear(str(tmp_path / "cache")) == 1
    assert remember.clear(str(tmp_path / "cache")) == 0
    assert list(remember.files("")) == []


def test_a_folder_that_cannot_be_written_is_no_trouble(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert run(tree, tmp_path / "file") == run(tree, None)
