"""Dynamic sections: made files of every kind, damage, and real files against pyelftools."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection, GNUVerNeedSection
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.container.linkage import Linkage, read_linkage, segments, slices
from tests.elf import MACHINES, elf

NAMES = st.text("abcxyz_.0123456789", min_size=1, max_size=12)
LISTS = st.lists(NAMES, max_size=4, unique=True)


@given(st.sampled_from(sorted(MACHINES)), LISTS, NAMES, st.dictionaries(NAMES, LISTS, max_size=3), LISTS, st.booleans())
def test_what_is_written_is_read(
    machine: str, needed: list[str], soname: str, wants: dict[str, list[str]], gives: list[str], default: bool
) -> None:
    data = elf(machine, needed=needed, soname=soname, wants=wants, gives=gives, default=default, runpath="$ORIGIN/x")
    pairs = tuple((library, tuple(versions)) for library, versions in wants.items())
    assert read_linkage(slices(data)) == Linkage(tuple(needed), soname, "", "$ORIGIN/x", pairs, tuple(gives), default)


def test_rpath_counts_only_without_runpath() -> None:
    assert read_linkage(slices(elf("amd64", needed=["x"], rpath="/a", runpath="/b"))) == Linkage(("x",), runpath="/b")
    assert read_linkage(slices(elf("arm", needed=["x"], rpath="/a"))) == Linkage(("x",), rpath="/a")


def test_weak_versions_are_left_out() -> None:
    found = read_linkage(
        slices(elf("arm64", wants={"libc.so.6": ["A_1"]}, weak={"libc.so.6": ["A_2"], "libm.so.6": ["B_1"]}))
    )
    assert found is not None
    assert found.wants == (("libc.so.6", ("A_1",)), ("libm.so.6", ()))


def test_a_static_program_wants_nothing() -> None:
    assert read_linkage(slices(elf("amd64"))) == Linkage()


@given(st.sampled_from(("amd64", "arm", "s390x")), st.data())
def test_damage_is_no_crash(machine: str, data: st.DataObject) -> None:
    whole = bytearray(elf(machine, needed=["libc.so.6"], soname="x", wants={"libc.so.6": ["A_1"]}, gives=["x", "X_1"]))
    for at in data.draw(st.lists(st.integers(4, len(whole) - 1), max_size=8)):
        whole[at] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    read_linkage(slices(cut))
    segments(cut)


def test_a_chain_of_versions_ends() -> None:
    """A record that says it is the first of four thousand million is not believed."""
    whole = bytearray(elf("amd64", soname="x", gives=["x", "X_1"]))
    at = whole.index(b"\x01\x00\x00\x00\x01\x00\x01\x00")  # the first definition
    whole[at + 16 : at + 20] = bytes(4)  # its next one
    tag = (0x6FFFFFFD).to_bytes(8, "little")
    where = whole.index(tag)
    whole[where + 8 : where + 16] = b"\xff" * 8
    assert read_linkage(slices(bytes(whole))) == Linkage(soname="x", gives=("x",))


def _programs() -> Iterator[Path]:
    folders = (Path(sys.base_prefix, "lib"), Path("/usr/lib"), Path("/usr/bin"))
    for folder in folders:
        files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
        yield from islice((path for path in files if _is_elf(path)), 60)


def _is_elf(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"\x7fELF" and path.stat().st_size < 8 << 20
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="needs ELF files of this machine")
def test_real_files_read_as_pyelftools_reads_them() -> None:
    paths = list(_programs())
    assert len(paths) > 50
    for path in paths:
        assert read_linkage(slices(path.read_bytes())) == _by_pyelftools(path), path


def _by_pyelftools(path: Path) -> Linkage:
    with path.open("rb") as file:
        parsed = ELFFile(file)
        dynamic = next((one for one in parsed.iter_segments() if isinstance(one, DynamicSegment)), None)
        if dynamic is None:
            return Linkage()
        tags = list(dynamic.iter_tags())

        def text(tag: str, field: str) -> str:
            return next((str(getattr(one, field)) for one in tags if one.entry.d_tag == tag), "")

        sections = list(parsed.iter_sections())
        wants = [
            (str(library.name), tuple(version.name for version in versions if not version["vna_flags"] & 2))
            for section in sections if isinstance(section, GNUVerNeedSection) for library, versions in section.iter_versions()
        ]  # fmt: skip
        gives = [
            next(iter(names)).name
            for section in sections if isinstance(section, GNUVerDefSection) for _, names in section.iter_versions()
        ]  # fmt: skip
        flags = next((one.entry.d_val for one in tags if one.entry.d_tag == "DT_FLAGS_1"), 0)
        runpath = text("DT_RUNPATH", "runpath")
        return Linkage(
            tuple(str(vars(one)["needed"]) for one in tags if one.entry.d_tag == "DT_NEEDED"),
            text("DT_SONAME", "soname"),
            "" if runpath else text("DT_RPATH", "rpath"),
            runpath,
            tuple(wants),
            tuple(gives),
            not flags & 0x800,
        )
