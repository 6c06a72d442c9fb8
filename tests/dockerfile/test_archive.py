"""What ADD makes of archives and URLs."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.container.tree import Made, Node, Tree
from lucid_audit.dockerfile.archive import UnlistedError, listed
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.context import ContextSet, DiskContext
from lucid_audit.dockerfile.parser import parse
from lucid_audit.dockerfile.stages import Settings
from lucid_audit.text import SourceText
from tests.sketch import AS_OF, bases, sketch

Entry = tuple[str, bytes, int, str]  # name, type, mode, link
ENTRIES: list[Entry] = [
    ("./", tarfile.DIRTYPE, 0o700, ""),
    ("./bin/", tarfile.DIRTYPE, 0o750, ""),
    ("./bin/app", tarfile.REGTYPE, 0o755, ""),
    ("./bin/same", tarfile.LNKTYPE, 0o755, "./bin/app"),
    ("./lib", tarfile.SYMTYPE, 0o777, "usr/lib"),
]


def archive(entries: list[Entry]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, kind, mode, link in entries:
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.linkname, info.uid, info.gid = kind, mode, link, 7, 8
            tar.addfile(info)
    return out.getvalue()


def tree(tmp_path: Path, name: str, data: bytes, add: str) -> Tree:
    (tmp_path / name).write_bytes(data)
    file = tmp_path / "Dockerfile"
    contexts = ContextSet(True, (DiskContext(tmp_path, file),))
    build = Build(parse(SourceText(str(file), f"FROM scratch\n{add}\n")), Settings(bases(), AS_OF), contexts)
    assert build.target is not None
    return build.trees.end(build.target)


@pytest.mark.parametrize(
    ("name", "pack"),
    [("a.tar", bytes), ("a.tar.gz", gzip.compress), ("a.tar.bz2", bz2.compress), ("a.tar.xz", lzma.compress)],
)
def test_an_archive_is_unpacked(tmp_path: Path, name: str, pack: type[bytes]) -> None:
    found = tree(tmp_path, name, pack(archive(ENTRIES)), f"ADD {name} /x")
    said = {path: (node.kind, node.mode, node.uid, node.target) for path, node in found.below("/", found.root)}
    assert said == {
        "/x": ("d", 0o755, 0, ""),  # the archive's own root does not count
        "/x/bin": ("d", 0o750, 7, ""),
        "/x/bin/app": ("f", 0o755, 7, ""),
        "/x/bin/same": ("f", 0o755, 7, ""),
        "/x/lib": ("l", 0o777, 7, "usr/lib"),
    }


@pytest.mark.parametrize(
    "entries",
    [
        [("../out", tarfile.REGTYPE, 0o644, "")],
        [("a/b", tarfile.REGTYPE, 0o644, "")],  # where a is a link in the image, it is followed
        [("null", tarfile.CHRTYPE, 0o666, "")],
        [("a", tarfile.LNKTYPE, 0o644, "none")],
        [("l", tarfile.SYMTYPE, 0o777, "/etc"), ("l/passwd", tarfile.REGTYPE, 0o644, "")],
    ],
)
def test_what_is_not_followed(entries: list[Entry]) -> None:
    with pytest.raises(UnlistedError):
        listed(archive(entries), Made(None))


@pytest.mark.parametrize(
    "add", ["ADD --chown=5:6 a.tar /x/", "ADD --chmod=0700 a.tar /x/", "ADD --unpack=false a.tar /x/", "ADD *.tar /x/"]
)
def test_flags_that_leave_it_open(tmp_path: Path, add: str) -> None:
    found = tree(tmp_path, "a.tar", archive(ENTRIES), add).walk("/x")
    assert found.node is not None
    assert found.node.open


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lucid_audit.dockerfile.archive.UNPACKED_LIMIT", 1000)
    with pytest.raises(UnlistedError, match="unpacked it has more"):
        listed(gzip.compress(archive(ENTRIES)), Made(None))


@given(st.binary(max_size=2000), st.integers(0, 5120))
def test_damage_is_said_or_harmless(noise: bytes, at: int) -> None:
    data = archive(ENTRIES)
    for damaged in (noise, data[:at] + noise + data[at + len(noise) :], gzip.compress(data)[: at % 200]):
        with contextlib.suppress(UnlistedError):
            assert isinstance(listed(damaged, Made(None)), Node)


@pytest.mark.parametrize(
    ("add", "path", "mode"),
    [
        ("ADD https://example.com/v1/tini-amd64?x=/y /tini", "/tini", 0o600),
        ("ADD https://example.com/v1/tini-amd64?x=/y /opt/", "/opt/tini-amd64", 0o600),
        ("ADD --chmod=755 https://example.com/tini#a /tini", "/tini", 0o755),
        ("ADD https://example.com/a.tar.gz /x/", "/x/a.tar.gz", 0o600),
    ],
)
def test_a_url_is_one_file(add: str, path: str, mode: int) -> None:
    build = sketch(f"FROM scratch\n{add}\n")
    assert build.target is not None
    node = build.trees.end(build.target).walk(path).node
    assert node is not None
    assert (node.kind, node.mode, node.load) == ("f", mode, None)


@pytest.mark.parametrize("url", ["https://example.com/a/b.git#v1", "https://example.com", "https://example.com/a%2fb"])
def test_other_addresses_leave_it_open(url: str) -> None:
    build = sketch(f"FROM scratch\nADD {url} /x/\n")
    assert build.target is not None
    node = build.trees.end(build.target).walk("/x").node
    assert node is not None
    assert node.open
