"""One suite for both kinds of context: what a tree answers must not depend on where it lies."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid_audit.dockerfile import match, resolve
from lucid_audit.dockerfile.context import Context, DiskContext, MemoryContext, candidates

Make = Callable[..., Context]

FILES = {
    "Dockerfile": "FROM scratch\n",
    "app.py": "print()\n",
    "requirements.txt": "",
    "payment_systems/tron/main.py": "m",
    "payment_systems/tron/Dockerfile": "",
    "src/a.py": "a",
    "src/b.py": "b",
    "src/lib/c.py": "c",
    "docs/readme.md": "r",
    "docs/keep.md": "k",
    "Config/settings.yaml": "",
    "a[b]/x": "",
    "empty/": "",
}


@pytest.fixture(params=["memory", "disk"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    def memory(files: Mapping[str, str], dockerfile: str = "", links: Mapping[str, str] | None = None) -> Context:
        return MemoryContext(files, dockerfile=dockerfile, links=links)

    def disk(files: Mapping[str, str], dockerfile: str = "", links: Mapping[str, str] | None = None) -> Context:
        root = tmp_path / "context"
        root.mkdir()
        lay(root, files, links or {})
        return DiskContext(root, root / dockerfile if dockerfile else "")

    return memory if request.param == "memory" else disk


def lay(root: Path, files: Mapping[str, str], links: Mapping[str, str]) -> None:
    for path, text in files.items():
        if path.endswith("/"):
            (root / path).mkdir(parents=True, exist_ok=True)
        else:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
    for path, target in links.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).symlink_to(target)


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        (".", (".",)),
        ("/", (".",)),
        ("./", (".",)),
        ("app.py", ("app.py",)),
        ("/app.py", ("app.py",)),
        ("./src//../app.py", ("app.py",)),
        ("src", ("src",)),
        ("src/", ("src",)),
        ("app.py/", ("app.py",)),
        ("empty", ("empty",)),
        ("*.py", ("app.py",)),
        ("src/*.py", ("src/a.py", "src/b.py")),
        ("src/[ab].py", ("src/a.py", "src/b.py")),
        ("src/?.py", ("src/a.py", "src/b.py")),
        ("*/*/c.py", ("src/lib/c.py",)),
        ("s*/lib", ("src/lib",)),
        ("requirement[s].txt", ("requirements.txt",)),
        ("a[[]b]/x", ("a[b]/x",)),
        ("src/*", ("src/a.py", "src/b.py", "src/lib")),
    ],
)
def test_found(make: Make, source: str, paths: tuple[str, ...]) -> None:
    match = make(FILES).match(source)
    assert (match.kind, match.paths, match.ok) == ("found", paths, True)


@pytest.mark.parametrize(
    "source", ["nope", "src/nope", "app.py/x", "App.py", "nope/*", "app.py/*", "x" * 5000, "a\0b", "src\\a.py"]
)
def test_missing(make: Make, source: str) -> None:
    match = make(FILES).match(source)
    assert (match.kind, match.paths, match.ok) == ("missing", (), False)


@pytest.mark.parametrize("source", ["*.go", "src/*.go", "[x]", "src/[", "src/*/*/*", "**/c.py"])
def test_empty_wildcard(make: Make, source: str) -> None:
    match = make(FILES).match(source)
    assert (match.kind, match.ok) == ("empty-wildcard", False)
    assert match.folder_sent_by_itself is (not source.startswith("src/"))


@pytest.mark.parametrize(
    ("source", "clamped", "paths"),
    [
        ("../app.py", "app.py", ("app.py",)),
        ("../../src", "src", ("src",)),
        ("src/../../x", "x", ()),
        ("..", ".", (".",)),
        ("/../app.py", "app.py", ("app.py",)),
        ("../*.py", "*.py", ("app.py",)),
    ],
)
def test_outside(make: Make, source: str, clamped: str, paths: tuple[str, ...]) -> None:
    match = make(FILES).match(source)
    assert (match.kind, match.clamped, match.paths, match.ok) == ("outside", clamped, paths, bool(paths))


@pytest.mark.parametrize("source", ["https://x.test/a", "git@github.com:a/b.git", ""])
def test_what_is_no_path(make: Make, source: str) -> None:
    assert make(FILES).match(source).kind == "unknown"


@pytest.mark.parametrize(
    ("ignored", "source", "kind", "line"),
    [
        ("*.md", "docs/readme.md", "found", None),
        ("**/*.md", "docs/readme.md", "ignored", 1),
        ("x\ndocs", "docs", "ignored", 2),
        ("docs", "docs/readme.md", "ignored", 1),
        ("docs\n!docs/keep.md", "docs", "found", None),
        ("docs\n!docs/keep.md", "docs/readme.md", "ignored", 1),
        ("docs\n!docs/gone.md", "docs", "ignored", 1),
        ("docs\n!src/x", "docs", "ignored", 1),
        ("docs/*", "docs", "found", None),  # an empty folder is sent
        ("*", ".", "found", None),
        ("*\n!src/lib/c.py", "src", "found", None),
        ("*\n!**/c.py", "src/lib", "found", None),
        ("*.py", "*.py", "empty-wildcard", 1),
        ("src/a.py", "src/*.py", "found", None),
        ("**/.env*", "config/.env.secrets", "missing", 1),
        ("docs", "../docs", "outside", 1),
        ("[", "docs", "found", None),
    ],
)
def test_ignored(make: Make, ignored: str, source: str, kind: str, line: int | None) -> None:
    context = make({**FILES, ".dockerignore": ignored})
    match = context.match(source)
    assert (match.kind, match.rule and match.rule.line) == (kind, line)
    assert context.match(source) is match


def test_the_dockerfiles_own_ignore_file_wins(make: Make) -> None:
    files = {**FILES, ".dockerignore": "src", "Dockerfile.dockerignore": "docs"}
    context = make(files, "Dockerfile")
    assert context.ignore is not None
    assert context.ignore.path.endswith("Dockerfile.dockerignore")
    assert (context.match("src").kind, context.match("docs").kind) == ("found", "ignored")


def test_the_ignore_file_of_another_dockerfile_does_not_count(make: Make) -> None:
    assert make({**FILES, "Dockerfile.dockerignore": "docs"}, "payment_systems/tron/Dockerfile").ignore is None


LINKS = {
    "to-file": "app.py",
    "to-folder": "src",
    "deep/up": "../src/lib",
    "absolute": "/src/a.py",
    "chain": "to-folder/lib",
    "broken": "nowhere",
    "escapes": "../../../../etc/passwd",
    "system": "/etc/passwd",
    "self": "self",
    "round-a": "round-b",
    "round-b": "round-a",
    "via": "to-folder/../app.py",
}


@pytest.mark.parametrize(
    ("source", "kind", "paths", "link"),
    [
        ("to-file", "found", ("app.py",), ""),
        ("to-folder/a.py", "found", ("src/a.py",), ""),
        ("deep/up/c.py", "found", ("src/lib/c.py",), ""),
        ("absolute", "found", ("src/a.py",), ""),  # the context is the whole file system
        ("chain/c.py", "found", ("src/lib/c.py",), ""),
        ("via", "found", ("app.py",), ""),
        ("to-folder/*.py", "found", ("src/a.py", "src/b.py"), ""),
        ("to-folde*/a.py", "empty-wildcard", (), ""),  # Go's Walk does not enter a link between wildcards
        ("to-fil*", "found", ("app.py",), ""),
        ("to-folder/nope", "missing", (), ""),
        ("broken", "missing", (), "broken"),
        ("broke*", "empty-wildcard", (), "broken"),
        ("escapes", "missing", (), "escapes"),
        ("system", "missing", (), "system"),
        ("self", "missing", (), "self"),
        ("round-a/x", "missing", (), "round-a"),
    ],
)
def test_links(make: Make, source: str, kind: str, paths: tuple[str, ...], link: str) -> None:
    match = make(FILES, links=LINKS).match(source)
    assert (match.kind, match.paths, match.link if source != "round-a/x" else "round-a") == (kind, paths, link)


def test_an_ignored_link_is_not_followed(make: Make) -> None:
    context = make({**FILES, ".dockerignore": "to-*\nsrc/b.py"}, links={"to-file": "app.py", "b": "src/b.py"})
    assert context.match("to-file").kind == "ignored"
    assert context.match("b").kind == "ignored"


def test_looking_around(make: Make) -> None:
    context = make({**FILES, "src/data": "0123456789"}, links=LINKS)
    assert [context.kind(path) for path in ("src", "src/a.py", "to-file", "x", ".", "../..")] == [
        "dir", "file", "link", "absent", "dir", "dir",
    ]  # fmt: skip
    assert context.list_dir("src") == ("a.py", "b.py", "data", "lib")
    assert context.list_dir("app.py") is None
    assert context.list_dir("nope") is None
    assert context.read("src/data", 4) == b"0123"
    assert context.read("to-folder/data", 100) == b"0123456789"
    assert [context.read(path, 9) for path in ("src", "nope", "system")] == [None, None, None]
    assert context.exists("empty")
    assert not context.exists("empty/x")


def test_walk_is_what_is_sent(make: Make) -> None:
    files = {**FILES, ".dockerignore": "*\n!src\nsrc/a.py\n!docs/keep.md"}
    assert list(make(files, links={"src/link": "b.py"}).walk()) == [
        "docs/keep.md",
        "src/b.py",
        "src/lib/c.py",
        "src/link",
    ]


@pytest.mark.parametrize(
    ("dockerfile", "source", "suggested"),
    [
        ("", "payment-systems/tron/main.py", ("payment_systems/tron/main.py",)),
        ("", "config/settings.yaml", ("Config/settings.yaml",)),
        ("", "src/libs/c.py", ("src/lib/c.py",)),
        ("", "requirments.txt", ("requirements.txt",)),
        ("", "whatever/src/lib/c.py", ("src/lib/c.py",)),
        ("payment_systems/tron/Dockerfile", "main.py", ("payment_systems/tron/main.py",)),
        ("payment_systems/tron/Dockerfile", "tron/main.py", ("payment_systems/tron/main.py",)),
        ("", "payment-systems/tron/*.py", ("payment_systems/tron/*.py",)),
        ("", "nothing/like/this", ()),
        ("", "*.go", ()),
        ("", ".", ()),
        ("", "zzz", ()),
    ],
)
def test_suggestions(make: Make, dockerfile: str, source: str, suggested: tuple[str, ...]) -> None:
    assert make(FILES, dockerfile).suggest(source) == suggested


def test_a_path_from_the_root_is_recognised_in_the_services_own_folder() -> None:
    context = MemoryContext({"tron/main.py": "", "main.py": ""}, name="payment_systems/tron", dockerfile="Dockerfile")
    assert context.suggest("payment-systems/tron/main.py") == ("tron/main.py", "main.py")


def test_an_ignored_suggestion_is_no_suggestion(make: Make) -> None:
    assert make({**FILES, ".dockerignore": "Config"}).suggest("config/settings.yaml") == ()


source = st.text("ab./*?[]\\-^ é\0\ud800", max_size=12)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.text("ab./*", min_size=1, max_size=8), st.text(max_size=3), max_size=5),
    st.lists(st.text("ab*!/.\n[", max_size=6), max_size=3),
    st.dictionaries(st.text("xab/", min_size=1, max_size=4), st.text("abx./", max_size=6), max_size=3),
    source,
)
def test_never_raises(files: dict[str, str], ignored: list[str], links: dict[str, str], asked: str) -> None:
    context = MemoryContext({**files, ".dockerignore": "\n".join(ignored)}, dockerfile="a/Dockerfile", links=links)
    context.match(asked)
    context.suggest(asked)
    list(context.walk())


def test_on_disk_never_raises(tmp_path: Path) -> None:
    context = DiskContext(tmp_path)
    for asked in ("\ud800", "a\0b", "x" * 300, "/".join("y" * 200 for _ in range(40)), "\udcff"):
        assert context.match(asked).kind == "missing"
        assert context.suggest(asked) == ()


# -- on disk only ----------------------------------------------------------------------------------------------------


def test_names_of_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "services" / "tron").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert DiskContext("").name == "."
    assert DiskContext("./services/tron/").name == "services/tron"
    assert DiskContext(tmp_path / "services").name == "services"
    inside = DiskContext("services", "services/tron/Dockerfile")
    assert inside.dockerfile == "tron/Dockerfile"
    assert DiskContext("services/tron", "Dockerfile").dockerfile == ""


def test_an_ignore_file_beside_a_dockerfile_outside_of_the_context(tmp_path: Path) -> None:
    lay(tmp_path, {"docker/Dockerfile": "", "docker/Dockerfile.dockerignore": "a", "app/a": "", "app/b": ""}, {})
    context = DiskContext(tmp_path / "app", tmp_path / "docker" / "Dockerfile")
    assert [context.match(name).kind for name in "ab"] == ["ignored", "found"]


def test_special_files_are_other(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert DiskContext(tmp_path).kind("pipe") == "other"
    assert DiskContext(tmp_path).list_dir(".") == ("pipe",)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    assert DiskContext(tmp_path).match("closed/x").kind == "unknown"
    assert DiskContext(tmp_path).match("closed/*").kind == "unknown"


def test_failing_reads_are_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    context = DiskContext(tmp_path)

    def refuse(*_: object) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    assert context.match("closed/*") == match.Match("unknown", reason="closed cannot be read")
    assert list(context.walk()) == []
    monkeypatch.setattr(os, "lstat", refuse)
    assert context.match("other").kind == "unknown"


def test_an_unreadable_ignore_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    ignore = DiskContext(tmp_path).ignore
    assert ignore is not None
    assert ignore.errors[0].message == "Permission denied"


def test_too_many_entries_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "ENTRY_LIMIT", 10)
    files = {f"f{number}": "" for number in range(20)}
    assert MemoryContext(files).match("*").kind == "unknown"
    assert MemoryContext(files).match("f1").kind == "found"
    assert len(list(MemoryContext(files).walk())) == 20


def test_very_deep_trees(tmp_path: Path) -> None:
    deep = "/".join(["d"] * 1500)
    context = MemoryContext({f"{deep}/f": "", ".dockerignore": "d\n!**/f"})
    assert context.match("d").kind == "found"
    assert len(list(context.walk("d"))) == 1


def test_only_what_is_asked_for_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, {f"folder{number}/file": "" for number in range(50)} | {".dockerignore": "folder1\n!folder2/x"}, {})
    read: list[str] = []
    scandir = os.scandir

    def noting(path: str) -> Any:
        read.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", noting)
    context = DiskContext(tmp_path)
    assert context.match("folder3/file").kind == "found"
    assert context.match("folder1").kind == "ignored"
    assert context.match(".").kind == "found"
    assert read == []
    assert context.match("folder4/*").kind == "found"
    assert [Path(path).name for path in read] == ["folder4"]


# -- which contexts --------------------------------------------------------------------------------------------------


def test_a_declared_context_is_the_only_one() -> None:
    one, other = MemoryContext({}, name="a"), MemoryContext({}, name="b")
    assert candidates(explicit=one, own=other, repository=other) == (True, (one,), (other,))
    assert candidates(explicit=one, own=one, repository=None) == (True, (one,), ())


def test_without_one_the_usual_two() -> None:
    own, root, between = (MemoryContext({}, name=name) for name in ("a/b", ".", "a"))
    assert candidates(explicit=None, own=own, repository=root, between=[between, own]) == (
        False,
        (own, root),
        (between,),
    )
    assert candidates(explicit=None, own=own, repository=own).candidates == (own,)
    assert candidates(explicit=None, own=own, repository=None).candidates == (own,)


def test_the_same_folder_by_two_names_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(candidates(explicit=None, own=DiskContext("."), repository=DiskContext(tmp_path)).candidates) == 1


def test_importing_is_light() -> None:
    code = "import sys, lucid_audit.dockerfile.context; print([m for m in ('pathlib', 'subprocess', 'difflib', 'pathspec') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_large_tree_is_walked_in_reasonable_time() -> None:
    files = {f"pkg{number % 300}/sub{number % 7}/file{number}.py": "" for number in range(20_000)}
    rules = "**/__pycache__\n**/*.pyc\nnode_modules\n.git\n*.md\n**/.env*\nbuild\ndist\n**/*.log\n!README.md"
    context = MemoryContext({**files, ".dockerignore": rules})
    start = time.perf_counter()
    assert sum(1 for _ in context.walk()) == 20_001
    assert time.perf_counter() - start < 3
