"""What is held of ELF files that pass by in a stream."""

from __future__ import annotations

import pytest

from lucid_audit.container.linkage import Linkage, read_linkage
from lucid_audit.image import elf as module
from lucid_audit.image.blocks import Blocks
from lucid_audit.image.elf import ElfBytes
from tests.elf import elf

HEAD = 400


def held(data: bytes, size: int) -> tuple[ElfBytes, Blocks]:
    blocks = Blocks(iter([data[at : at + size] for at in range(0, len(data), size)]))
    return ElfBytes(blocks.take(HEAD), len(data), blocks, executable=False), blocks


@pytest.mark.parametrize("size", [7, 1000, 1 << 20])
def test_a_section_far_behind_is_held(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(module, "FIRST", 2000)
    data = elf("amd64", needed=["libx.so.1"], soname="liby.so.1", gap=50_000, code=True) + bytes(9000)
    found, blocks = held(data, size)
    assert not found.whole
    assert read_linkage(found.read) == Linkage(("libx.so.1",), "liby.so.1")
    assert len(found.first) == 2000
    assert blocks.position < len(data)


def test_a_small_file_is_held_whole() -> None:
    data = elf("arm64", needed=["libx.so.1"])
    found, blocks = held(data, 64)
    assert (found.whole, found.first, blocks.position) == (True, data, len(data))


def test_a_first_segment_of_names_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST", 500)
    data = elf("amd64", needed=["x" * 3000], gap=5000)
    found, _ = held(data, 64)
    assert read_linkage(found.read) == Linkage(("x" * 3000,))
    monkeypatch.setattr(module, "NAMES", 1000)
    found, _ = held(data, 64)
    assert read_linkage(found.read) is None


def test_names_among_code_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST", 500)
    found, _ = held(elf("amd64", needed=["x" * 3000], gap=5000, code=True), 64)
    assert read_linkage(found.read) is None


def test_a_program_is_held_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST", 500)
    data = elf("amd64", needed=["x"], gap=5000, code=True)
    blocks = Blocks(iter([data]))
    assert ElfBytes(blocks.take(HEAD), len(data), blocks, executable=True).whole
