"""The index of tar files: hostile headers, links, compression; against Python's own module where that is right."""

from __future__ import annotations

import errno
import gzip
import io
import os
import resource
import tarfile
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid_audit.image.source import AccessError, DamagedError, NotFoundError, SourceError, UnavailableError
from lucid_audit.sources import headers
from lucid_audit.sources import members as store_module
from lucid_audit.sources.files import explain
from lucid_audit.sources.members import HOPS, Members, open_members, spool
from tests.sources.builder import noise, tar

GNU, PAX, USTAR = tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT


def members(data: bytes) -> Members:
    return Members(spool([data], 1 << 30, "x"), "x.tar")


def read(store: Members, name: str) -> bytes:
    return b"".join(store.pieces(name))


def header(name: bytes = b"a", size: bytes = b"00000000004\0", flag: bytes = b"0", link: bytes = b"") -> bytes:
    """Return a header with a right checksum and anything else as it is given."""
    start = name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + size + b"0" * 11 + b"\0"
    end = flag + link.ljust(100, b"\0") + b"ustar\00000" + bytes(247)
    block = start + b" " * 8 + end
    assert len(block) == 512
    return start + b"%06o\0 " % sum(block) + end


def raw(*members: bytes) -> bytes:
    return b"".join(data + bytes(-len(data) % 512) for data in members) + bytes(1024)


NAMES = st.lists(st.sampled_from(["a", "bé", "c" * 60, "d" * 99, "e.tar", "..x", " "]), min_size=1, max_size=5).map(
    "/".join
)
TREES = st.dictionaries(NAMES, st.binary(max_size=1500), max_size=6)


@settings(deadline=None)
@given(TREES, st.sampled_from([GNU, PAX]))
def test_every_member_is_found(tree: dict[str, bytes], form: int) -> None:
    store = members(tar(tree, form=form))
    assert set(store.names()) == set(tree)
    assert {name: read(store, name) for name in tree} == tree
    store.close()


@settings(deadline=None)
@given(TREES.filter(bool), st.data())
def test_no_cut_goes_unnoticed(tree: dict[str, bytes], data: st.DataObject) -> None:
    whole = tar(tree)
    end = whole.rstrip(b"\0")
    cut = data.draw(st.integers(0, len(end) - 1))
    with pytest.raises(DamagedError):
        members(whole[:cut])


@settings(max_examples=300, deadline=None)
@given(TREES, st.lists(st.tuples(st.integers(0, 5000), st.binary(min_size=1, max_size=12)), max_size=4))
def test_damage_gives_our_error_or_an_answer(tree: dict[str, bytes], changes: list[tuple[int, bytes]]) -> None:
    damaged = bytearray(tar(tree))
    for start, change in changes:
        damaged[start : start + len(change)] = change
    try:
        store = members(bytes(damaged))
        for name in store.names():
            store.size(name)
            read(store, name)
    except SourceError:
        pass


@settings(deadline=None)
@given(st.binary(max_size=3000))
def test_noise(data: bytes) -> None:
    with suppress(SourceError):
        members(data)


@pytest.mark.parametrize(
    "data",
    [
        raw(header(size=b"\xff" * 12), b"text"),
        raw(header(size=b"\xff" * 11 + b"\x00")),
        raw(header(size=b"\xc0" + b"\0" * 11)),
        raw(header(size=b"\x80" + b"\x7f" * 11), b"text"),
        raw(header(size=b"77777777777\0"), b"text"),
        raw(header(size=b"-0000000004\0"), b"text"),
        raw(header(size=b"0000000000x\0"), b"text"),
        raw(header(size=b"00000000009\0"), b"text"),
        raw(header(b"../a"), b"text"),
        raw(header(b"a/../../b"), b"text"),
        raw(header(flag=b"S"), b"text"),
        raw(header(flag=b"x", size=b"00000000015\0"), b"12 size=-4\n..", header(), b"text"),
        raw(header(flag=b"x", size=b"00000000014\0"), b"12 size=4_0\n", header(), b"text"),
        raw(header(flag=b"x", size=b"00000000013\0"), b"11 path=b\0\n", header(), b"text"),
        raw(header(flag=b"x", size=b"00000000013\0"), b"99 path=ab\n", header(), b"text"),
        raw(header(flag=b"x", size=b"00000000013\0"), b"0 path=abc\n", header(), b"text"),
        raw(header(flag=b"x", size=b"00000000026\0"), b"22 GNU.sparse.major=1\n", header(), b"text"),
        raw(header(flag=b"g", size=b"00000000012\0"), b"10 path=b\n", header(), b"text"),
        raw(header(flag=b"x", size=b"77777777777\0"), b"text"),
        raw(header(flag=b"L", size=b"00010000000\0"), b"a" * (2 << 20), header(), b"text"),
        raw(header(), b"text")[:1024],
        header()[:100],
        b"",
        b"hello" * 200,
    ],
    ids=count(),
)
def test_refused(data: bytes) -> None:
    with pytest.raises(DamagedError):
        members(data)


def test_numbers_in_base_256() -> None:
    assert read(members(raw(header(size=b"\x80" + bytes(10) + b"\4"), b"text")), "a") == b"text"


def test_a_size_in_an_extended_header_goes_first() -> None:
    record = b"9 size=4\n"
    data = raw(header(flag=b"x", size=b"%011o\0" % len(record)), record, header(size=b"00000000000\0"), b"text")
    assert read(members(data), "a") == b"text"


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store_module, "_write", full)
    (tmp_path / "x").write_bytes(gzip.compress(tar({"a": b""})))
    with pytest.raises(UnavailableError, match="No space left"):
        open_members(tmp_path / "x")


def test_an_extended_header_of_hundreds_of_megabytes_costs_no_memory(tmp_path: Path) -> None:
    size = 300 << 20
    start = header(flag=b"x", size=b"%011o\0" % size)
    (tmp_path / "x").write_bytes(gzip.compress(start + bytes(size), 1))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DamagedError, match="extended header"):
        open_members(tmp_path / "x")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


def test_extended_headers_add_up_only_in_what_counts() -> None:
    first, second = b"12 key=abcd\n", b"13 path=name\n"
    extended = [header(flag=b"x", size=b"%011o\0" % len(record)) for record in (first, second)]
    store = members(raw(extended[0], first, extended[1], second, header(), b"text", header(), b"more"))
    assert {name: read(store, name) for name in store.names()} == {"name": b"text", "a": b"more"}


def test_too_many_members(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headers, "MEMBER_LIMIT", 3)
    with pytest.raises(DamagedError, match="more than 3 members"):
        members(tar({str(number): b"" for number in range(4)}))


def test_names_that_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    long = "n" * 5000
    for hostile in ({long: b"x"}, {"a": long}):
        with pytest.raises(DamagedError):
            members(tar(hostile))
    monkeypatch.setattr(headers, "NAMES_LIMIT", 100)
    with pytest.raises(DamagedError, match="more than 100 characters"):
        members(tar({f"{number:030}": b"" for number in range(4)}))


@pytest.mark.parametrize("name", ["./a/b", "/a/b", "a//b", "a/./b", "x/../a/b"])
def test_names_are_normalised(name: str) -> None:
    assert read(members(raw(header(name.encode()), b"text")), "a/b") == b"text"


def test_a_name_that_is_not_utf_8() -> None:
    store = members(raw(header(b"\xff"), b"text"))
    assert read(store, os.fsdecode(b"\xff")) == b"text"


@pytest.mark.parametrize("form", [GNU, PAX])
def test_long_names(form: int) -> None:
    name = "/".join(["n" * 90] * 20)
    assert read(members(tar({name: b"x", "link": name}, form=form)), "link") == b"x"


def test_a_prefix_in_plain_headers() -> None:
    name = "p" * 90 + "/" + "n" * 90
    assert read(members(tar({name: b"x"}, form=USTAR)), name) == b"x"


def linked(*links: tuple[str, bytes, str]) -> Members:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for name, kind, target in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            file.addfile(member)
        member = tarfile.TarInfo("d/file")
        member.size = 4
        file.addfile(member, io.BytesIO(b"text"))
    return members(out.getvalue())


def test_links_are_followed_inside() -> None:
    store = linked(
        ("e/relative", tarfile.SYMTYPE, "../d/file"),
        ("e/absolute", tarfile.SYMTYPE, "/d/file"),
        ("e/hard", tarfile.LNKTYPE, "d/file"),
        ("chain", tarfile.SYMTYPE, "e/hard"),
    )
    for name in ("e/relative", "e/absolute", "e/hard", "chain"):
        assert read(store, name) == b"text"
        assert store.size(name) == 4


@pytest.mark.parametrize(
    ("links", "error"),
    [
        ([("a", tarfile.SYMTYPE, "a")], DamagedError),
        ([("a", tarfile.SYMTYPE, "b"), ("b", tarfile.LNKTYPE, "a")], DamagedError),
        ([("a", tarfile.SYMTYPE, "../d/file")], DamagedError),
        ([("a", tarfile.LNKTYPE, "../../etc/passwd")], DamagedError),
        ([("a", tarfile.SYMTYPE, "/etc/passwd")], NotFoundError),
        ([("a", tarfile.SYMTYPE, "d")], NotFoundError),
        ([("a", tarfile.DIRTYPE, "")], DamagedError),
        ([("a", tarfile.FIFOTYPE, "")], DamagedError),
        ([("a", tarfile.CHRTYPE, "")], DamagedError),
        ([("a" if not n else f"l{n}", tarfile.SYMTYPE, f"l{n + 1}") for n in range(HOPS + 1)], DamagedError),
    ],
)
def test_links_that_lead_nowhere(links: list[tuple[str, bytes, str]], error: type[SourceError]) -> None:
    store = linked(*links)
    with pytest.raises(error):
        read(store, "a")


def test_documents_that_are_there_twice_are_refused() -> None:
    store = members(raw(header(b"d"), b"text", header(b"./d"), b"more", header(b"e"), b"once"))
    assert store.document("e", 4) == b"once"
    with pytest.raises(DamagedError, match="twice"):
        store.document("d", 100)
    with pytest.raises(DamagedError, match="more than 3"):
        store.document("e", 3)


def test_members_after_the_end_are_not_seen() -> None:
    assert set(members(raw(header(), b"text") + raw(header(b"b"), b"text")).names()) == {"a"}


CONTENT = tar({"a": noise("a", 900_000), "b": b"b"})


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        lambda data: gzip.compress(data) + bytes(1000),
        lambda data: b"".join(gzip.compress(data[start : start + 100_001]) for start in range(0, len(data), 100_001)),
        lambda data: gzip.compress(data[:700]) + bytes(300) + gzip.compress(data[700:]),
    ],
    ids=count(),
)
def test_compressed(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    (tmp_path / "x").write_bytes(pack(CONTENT))
    store = open_members(tmp_path / "x")
    assert read(store, "a") == noise("a", 900_000)
    assert list(tmp_path.iterdir()) == [tmp_path / "x"]
    store.close()


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(CONTENT)[:-9],
        gzip.compress(CONTENT)[:5000],
        gzip.compress(CONTENT)[:10],
        gzip.compress(CONTENT) + b"junk",
        gzip.compress(CONTENT)[:-8] + bytes(8),
        b"\x1f\x8b",
        b"\x28\xb5\x2f\xfd" + bytes(100),
        b"\xfd7zXZ\0" + bytes(100),
        b"BZh9" + bytes(100),
    ],
    ids=count(),
)
def test_damaged_compression(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    open_files = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(DamagedError):
        open_members(tmp_path / "x")
    assert len(list(Path("/proc/self/fd").iterdir())) == open_files


def test_a_bomb_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(gzip.compress(bytes(20 << 20)))
    with pytest.raises(DamagedError, match="unpacks to more than"):
        open_members(tmp_path / "x", limit=1 << 20)


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(DamagedError, match="not a regular file"):
        open_members(tmp_path / "fifo")
    with pytest.raises(DamagedError, match="not a regular file"):
        open_members(tmp_path)
    with pytest.raises(UnavailableError, match="does not exist"):
        open_members(tmp_path / "absent")
    with pytest.raises(SourceError):
        open_members(tmp_path / ("n" * 300))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_permission_denied(tmp_path: Path) -> None:
    (tmp_path / "x").touch(0o000)
    with pytest.raises(AccessError):
        open_members(tmp_path / "x")


def test_what_the_system_says_is_translated() -> None:
    assert isinstance(explain(PermissionError(errno.EACCES, "x"), "a"), AccessError)
    assert isinstance(explain(FileNotFoundError(errno.ENOENT, "x"), "a"), UnavailableError)
    assert str(explain(OSError(errno.EIO, "Input/output error"), "a")) == "a cannot be read (Input/output error)"


def test_a_file_that_shrinks_and_one_that_is_closed(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(CONTENT)
    store = open_members(tmp_path / "x")
    pieces = store.pieces("a")
    next(pieces)
    os.truncate(tmp_path / "x", 300_000)
    with pytest.raises(DamagedError, match="too early"):
        list(pieces)
    pieces = store.pieces("a")
    next(pieces)
    store.close()
    with pytest.raises(UnavailableError, match="closed"):
        list(pieces)
