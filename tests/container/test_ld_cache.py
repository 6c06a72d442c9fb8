"""The cache of the dynamic linker: what ldconfig itself writes, and damage."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.container.ld_cache import read_cache

LDCONFIG = shutil.which("ldconfig", path="/sbin:/usr/sbin")


@pytest.mark.skipif(LDCONFIG is None, reason="needs ldconfig")
def test_it_reads_as_ldconfig_does(tmp_path: Path) -> None:
    where = tmp_path / "cache"
    subprocess.run([str(LDCONFIG), "-X", "-C", str(where)], check=True, capture_output=True)
    shown = subprocess.run([str(LDCONFIG), "-C", str(where), "-p"], check=True, capture_output=True, text=True).stdout
    expected: dict[str, list[str]] = {}
    for name, path in re.findall(r"^\t(\S+) \([^)]*\) => (\S+)$", shown, re.MULTILINE):
        expected.setdefault(name, []).append(path)
    assert len(expected) > 5
    assert read_cache(where.read_bytes()) == {name: tuple(paths) for name, paths in expected.items()}


def cache(entries: dict[str, str], before: bytes = b"") -> bytes:
    table, strings = b"", b""
    start = 48 + 24 * len(entries)
    for name, path in entries.items():
        key = start + len(strings)
        strings += name.encode() + b"\0"
        table += struct.pack("<iIIIQ", 3, key, start + len(strings), 0, 0)
        strings += path.encode() + b"\0"
    return before + b"glibc-ld.so.cache1.1" + struct.pack("<II20x", len(entries), len(strings)) + table + strings


def test_the_old_format_may_stand_before_it() -> None:
    old = b"ld.so-1.7.0\0" + struct.pack("<I", 1) + bytes(12)
    old += bytes(-len(old) % 8)
    assert read_cache(cache({"libx.so.1": "/opt/libx.so.1"}, old)) == {"libx.so.1": ("/opt/libx.so.1",)}


@pytest.mark.parametrize(
    "content", [b"", b"ld.so-1.7.0\0", b"ld.so-1.7.0\0\xff\xff\xff\xff", b"glibc-ld.so.cache1.1", b"x" * 99]
)
def test_what_is_none_is_none(content: bytes) -> None:
    assert read_cache(content) is None


@given(st.binary(max_size=60), st.integers(0, 200))
def test_damage_is_no_crash(noise: bytes, at: int) -> None:
    whole = cache({"libx.so.1": "/opt/libx.so.1", "liby.so.2": "/opt/liby.so.2"})
    read_cache(whole[:at] + noise + whole[at + len(noise) :])
    read_cache(whole[:at])
