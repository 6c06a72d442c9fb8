"""Streams of every kind unpack the same, whatever the pieces; damage, cuts and bombs are noticed."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.image.compression import kind_of, unpack
from lucid_audit.image.limits import Limits
from lucid_audit.image.source import DamagedError
from tests.image.test_tar import archive, info

if sys.version_info >= (3, 14):
    from compression.zstd import compress as zstd
else:
    from backports.zstd import compress as zstd

SKIPPABLE = b"\x5a\x2a\x4d\x18\x04\x00\x00\x00note"
TAR = archive((info("file"), bytes(range(256)) * 5000))
HALF = len(TAR) // 2
KINDS = {
    "tar": TAR,
    "gzip": gzip.compress(TAR),
    "gzip of two members": gzip.compress(TAR[:HALF]) + gzip.compress(TAR[HALF:]),
    "gzip with an empty member": gzip.compress(TAR) + gzip.compress(b""),
    "gzip padded with zeros": gzip.compress(TAR) + bytes(600),
    "zstd": zstd(TAR),
    "zstd of two frames": zstd(TAR[:HALF]) + zstd(TAR[HALF:]),
    "zstd after a skippable frame": SKIPPABLE + zstd(TAR),
    "zstd with a skippable frame at the end": zstd(TAR) + SKIPPABLE,
}


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


@pytest.mark.parametrize("data", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("size", [1, 7, 512, 1 << 16, 1 << 30])
def test_every_kind_in_any_pieces(data: bytes, size: int) -> None:
    if size == 1 and len(data) > 100_000:
        size = 97
    assert b"".join(unpack(pieces(data, size))) == TAR


@pytest.mark.parametrize("data", [data for name, data in KINDS.items() if name != "tar"])
def test_the_fallback_without_isal(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setitem(sys.modules, "isal", None)
    assert b"".join(unpack(pieces(data, 1000))) == TAR


@pytest.mark.parametrize("name", ["gzip", "gzip of two members", "zstd", "zstd of two frames"])
@given(st.data())
def test_every_cut_is_noticed(name: str, data: st.DataObject) -> None:
    whole = KINDS[name]
    at = data.draw(st.integers(1, len(whole) - 1))
    boundary = {"gzip of two members": len(gzip.compress(TAR[:HALF])), "zstd of two frames": len(zstd(TAR[:HALF]))}
    if at == boundary.get(name):
        return  # a stream may end there; the digest tells
    with pytest.raises(DamagedError):
        b"".join(unpack(pieces(whole[:at], 1000)))


@given(st.data())
def test_a_changed_byte_never_gives_other_content(data: st.DataObject) -> None:
    whole = bytearray(KINDS["gzip"])
    at = data.draw(st.integers(20, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    with suppress(DamagedError):  # a byte of a gzip header may mean nothing
        assert b"".join(unpack(pieces(bytes(whole), 1000))) == TAR


def test_junk_after_the_last_member() -> None:
    with pytest.raises(DamagedError):
        b"".join(unpack(pieces(gzip.compress(TAR) + b"junk" * 200, 1000)))


def test_neither_tar_nor_compressed() -> None:
    for data in (b"hello", b"PK\x03\x04" + bytes(600), b"BZh9" + b"x" * 600):
        with pytest.raises(DamagedError, match="neither"):
            b"".join(unpack(iter([data])))


def test_nothing_at_all_is_an_empty_archive() -> None:
    assert b"".join(unpack(iter([]))) == b""


def test_bombs_end_early() -> None:
    bomb = zlib.compress(bytes(50 << 20), 9, wbits=31)
    limits = Limits(ratio=100, ratio_from=1 << 20)
    seen: list[int] = []
    with pytest.raises(DamagedError, match="bomb"):
        seen.extend(len(block) for block in unpack(pieces(bomb, 4096), limits))
    assert sum(seen) < 8 << 20
    with pytest.raises(DamagedError, match="more than 1048576 bytes"):
        sum(len(block) for block in unpack(pieces(zstd(bytes(50 << 20)), 4096), Limits(unpacked=1 << 20)))


def test_kinds_by_their_first_bytes() -> None:
    assert kind_of(gzip.compress(b"")) == "gzip"
    assert kind_of(zstd(b"")) == "zstd"
    assert kind_of(SKIPPABLE) == "zstd"
    assert kind_of(TAR) == "tar"
    assert kind_of(bytes(1024)) == "tar"
    assert kind_of(b"#!/bin/sh\n") == ""
