"""What a person typed, and which source it becomes."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from lucid_audit.errors import UsageError
from lucid_audit.image.descriptor import Descriptor, sha256
from lucid_audit.image.manifest import Fetched
from lucid_audit.image.source import DamagedError, NotFoundError, Source, SourceError, UnavailableError
from lucid_audit.reference import ImageRef
from lucid_audit.sources import choose
from lucid_audit.sources.choose import Chooser, NowhereError, Subject, read_subject, split_path
from tests.sources.builder import FakeClient, image, layout, saved_layout, saved_legacy, tar, write

ONE = image(seed="one")


class FakeRegistry:
    kind = "registry"

    def __init__(self, ref: ImageRef) -> None:
        self.name = str(ref)

    def manifest(self, digest: str = "") -> Fetched:
        raise NotFoundError(digest)

    def blob(self, descriptor: Descriptor) -> Iterator[bytes]:
        raise NotFoundError(descriptor.digest)

    def close(self) -> None:
        pass


def refuse(ref: ImageRef) -> Source:
    raise UnavailableError(f"no registry for {ref}")


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lucid_audit.sources.sockets.DEFAULT_SOCKETS", ("$XDG_RUNTIME_DIR/docker.sock",))


def chooser(client: FakeClient | None = None) -> Chooser:
    if client is None:
        return Chooser(FakeRegistry, {})
    return Chooser(FakeRegistry, {"DOCKER_HOST": "unix:///s"}, client.connect)


def engine() -> FakeClient:
    return FakeClient(ONE, tar(saved_legacy({"": ONE})))


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("python:3", "auto", Subject("auto", "python:3")),
        ("docker://python:3", "auto", Subject("registry", "python:3")),
        ("docker-daemon:python:3", "auto", Subject("engine", "python:3")),
        ("oci:/a/b:c", "auto", Subject("layout", "/a/b:c")),
        ("oci-archive:a.tar", "layout", Subject("layout", "a.tar")),
        ("docker-archive:a.tar:b", "auto", Subject("archive", "a.tar:b")),
        ("python:3", "engine", Subject("engine", "python:3")),
        ("docker/python", "registry", Subject("registry", "docker/python")),
    ],
)
def test_prefixes(text: str, kind: str, expected: Subject) -> None:
    assert read_subject(text, kind) == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "auto"),
        ("oci:", "auto"),
        ("docker://", "auto"),
        ("oci:a", "registry"),
        ("docker-archive:a", "layout"),
        ("containers-storage:a", "auto"),
        ("dir:a", "auto"),
        ("a", "elsewhere"),
        ("a\0", "auto"),
    ],
)
def test_refused(text: str, kind: str) -> None:
    with pytest.raises(UsageError):
        read_subject(text, kind)


@pytest.mark.parametrize("text", ["Python", "a b", "docker://Python", "docker://a@sha256:0"])
def test_not_a_reference(text: str) -> None:
    with pytest.raises(UsageError, match="neither a path that exists nor the name of an image"):
        chooser().choose(text)


def test_paths_are_split_at_what_exists() -> None:
    Path("a:b").mkdir()
    Path("c").mkdir()
    digest = "sha256:" + "0" * 64
    for text, expected in {
        "a:b": ("a:b", ""),
        "a:b:c:d": ("a:b", "c:d"),
        "c:quay.io/x:1": ("c", "quay.io/x:1"),
        "absent:x:1": ("absent", "x:1"),
        f"c@{digest}": ("c", digest),
        f"c:x@{digest}": ("c", f"x@{digest}"),
        "n" * 300: ("n" * 300, ""),
    }.items():
        assert split_path(text) == (Path(expected[0]), expected[1])


@pytest.mark.parametrize(
    "text",
    ["layout", "./layout", "oci:layout", "oci:layout:1", "layout:1", "oci-archive:packed:1", "packed", "packed.gz:1"],
)
def test_layouts(text: str) -> None:
    tree = layout({"1": ONE})
    write(Path("layout"), tree)
    Path("packed").write_bytes(tar(tree))
    Path("packed.gz").write_bytes(gzip.compress(tar(tree)))
    chosen = chooser(engine()).choose(text)
    assert (chosen.source.kind, chosen.tried) == ("layout", ())
    assert chosen.source.manifest().data
    chosen.source.close()


@pytest.mark.parametrize(
    "text", ["old.tar", "./new", "docker-archive:old.tar:sample", "new:sample:latest", "docker-archive:new"]
)
def test_archives(text: str) -> None:
    Path("old.tar").write_bytes(tar(saved_legacy({"sample": ONE})))
    Path("new").write_bytes(tar(saved_layout({"sample": ONE})))
    chosen = chooser(engine()).choose(text)
    assert (chosen.source.kind, chosen.tried) == ("archive", ())
    assert chosen.source.manifest().data
    chosen.source.close()


def test_engine_before_registry() -> None:
    client = engine()
    chosen = chooser(client).choose("sample:1")
    assert (chosen.source.kind, chosen.tried, client.asked) == ("engine", (), "sample:1")
    assert chooser(client).choose("docker://sample:1").source.kind == "registry"
    assert chooser(client).choose("sample:1", "registry").source.name == "docker.io/library/sample:1"


def test_what_was_tried_is_given_back() -> None:
    Path("sample").mkdir()
    client = engine()
    client.inspected["Id"] = "none"
    chosen = chooser(client).choose("sample")
    assert chosen.source.kind == "registry"
    assert [attempt.place for attempt in chosen.tried] == ["path", "engine"]
    assert all("\n" not in str(attempt) for attempt in chosen.tried)
    assert client.closed


def test_no_engine() -> None:
    assert chooser().choose("sample").tried == ()
    with pytest.raises(UnavailableError, match="there is no engine"):
        chooser().choose("docker-daemon:sample")
    with pytest.raises(UnavailableError, match="no such socket"):
        Chooser(FakeRegistry, {"DOCKER_HOST": "unix:///absent/s"}).choose("docker-daemon:sample")


def test_every_socket_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = ("/run/a", "/run/b")
    monkeypatch.setattr(choose, "endpoints", lambda _: [f"unix://{path}" for path in paths])
    chosen = Chooser(FakeRegistry, {}).choose("sample")
    assert [attempt.place for attempt in chosen.tried] == ["engine", "engine"]
    assert all("no such socket" in attempt.why for attempt in chosen.tried)
    with pytest.raises(NowhereError, match=r"sample cannot be read; tried engine: .*; engine: "):
        Chooser(FakeRegistry, {}).choose("sample", "engine")


def test_a_socket_that_nothing_listens_on(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("docker.sock")
        chosen = Chooser(FakeRegistry, {"XDG_RUNTIME_DIR": str(tmp_path)}).choose("sample")
    assert "nothing listens there" in chosen.tried[0].why


def test_an_id_is_for_engines_only() -> None:
    assert chooser(engine()).choose(sha256(ONE.config)).source.kind == "engine"
    with pytest.raises(UnavailableError, match="there is no engine"):
        chooser().choose(sha256(ONE.config).removeprefix("sha256:"))


@pytest.mark.parametrize("text", ["./absent", "/absent/x.tar", "absent.tar", "../absent"])
def test_a_path_that_does_not_exist(text: str) -> None:
    with pytest.raises(UnavailableError, match="does not exist"):
        chooser(engine()).choose(text)


def test_a_path_that_is_no_image() -> None:
    Path("x.tar").write_bytes(b"text")
    Path("y.tar").write_bytes(tar({"a": b""}))
    Path("folder").mkdir()
    for text in ("x.tar", "y.tar", "./folder", "oci:folder", "docker-archive:folder"):
        with pytest.raises(DamagedError):
            chooser(engine()).choose(text)
    with pytest.raises(NotFoundError):
        chooser().choose(f"{write(Path('layout'), layout({'1': ONE}))}:2", "layout").source.manifest()


def test_the_registry_may_refuse() -> None:
    with pytest.raises(SourceError, match="no registry for"):
        Chooser(refuse, {}).choose("docker://sample")
