"""What is held of ELF files that pass by in a stream."""

from __future__ import annotations

import pytest

from lucid_audit.container.linkage import Linkage, read_linkage
from lucid_audit.image import elf as module
from lucid_audit.image.blocks import Blocks
from lucid_audit.image.elf import ElfBytes
from tests.elf import elf

HEAD = 100


def held(data: bytes, size: int) -> tuple[ElfBytes, Blocks]:
    blocks = Blocks(iter([data[at : at + size] for at in range(0, len(data), size)]))
    return ElfBytes(blocks.take(HEAD), len(data), blocks), blocks


@pytest.mark.parametrize("size", [7, 1000, 1 << 20])
def test_a_section_far_behind_is_held(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(module, "FIRST", 2000)
    data = elf("amd64", needed=["libx.so.1"], soname="liby.so.1", gap=50_000) + bytes(9000)
    found, blocks = held(data, size)
    assert not found.whole
    assert read_linkage(found.read) == Linkage(("libx.so.1",), "liby.so.1")
    assert len(found.first) == 2000
    assert blocks.position < len(data)


def test_a_small_file_is_held_whole() -> None:
    data = elf("arm64", needed=["libx.so.1"])
    found, blocks = held(data, 64)
    assert (found.whole, found.first, blocks.position) == (True, data, len(data))


def test_names_that_are_not_held_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST", 300)
    found, _ = held(elf("amd64", needed=["x" * 500], gap=5000), 64)
    assert read_linkage(found.read) is None


def test_a_section_that_is_too_long_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST", 2000)
    monkeypatch.setattr(module, "SECTION", 8)
    found, _ = held(elf("amd64", needed=["x"], gap=5000), 64)
    assert read_linkage(found.read) is None
