"""The tar reader against Python's and GNU tar's archives, and against archives that nobody should write."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.image.limits import Limits
from lucid_audit.image.source import DamagedError
from lucid_audit.image.tar import BLOCK, Member, TarReader

END = bytes(2 * BLOCK)


def blocks(data: bytes, size: int = 700) -> Iterator[bytes]:
    """Hand the data out in pieces that fit no boundary."""
    for at in range(0, len(data), size):
        yield data[at : at + size]


def read(data: bytes, limits: Limits | None = None, size: int = 700) -> list[tuple[Member, bytes]]:
    reader = TarReader(blocks(data, size), limits or Limits())
    return [(member, reader.blocks.take(member.stored)) for member in reader]


def names(data: bytes) -> list[str]:
    return [member.name for member, _ in read(data)]


def archive(*infos: tuple[tarfile.TarInfo, bytes], format_: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format_) as tar:
        for info, data in infos:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def info(name: str, **more: Any) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for key, value in more.items():
        setattr(made, key, value)
    return made


def header(name: bytes = b"f", size: bytes = b"00000000000\0", flag: bytes = b"0", **more: bytes) -> bytes:
    """A header by hand; the checksum is right."""
    field = bytearray(BLOCK)
    field[0 : len(name)] = name
    field[100:108] = more.get("mode", b"0000644\0")
    field[108:116] = field[116:124] = more.get("uid", b"0000000\0")
    field[124:136] = size
    field[136:148] = b"00000000000\0"
    field[156:157] = flag
    field[257:265] = b"ustar\x0000"
    field[148:156] = b" " * 8
    field[148:156] = b"%06o\0 " % sum(field)
    return bytes(field)


@pytest.mark.parametrize("format_", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_what_python_writes(format_: int) -> None:
    data = archive(
        (info("a/b", mode=0o755, uid=65532, gid=1), b"hello"),
        (info("link", type=tarfile.SYMTYPE, linkname="a/b"), b""),
        (info("hard", type=tarfile.LNKTYPE, linkname="a/b"), b""),
        (info("dir", type=tarfile.DIRTYPE, mode=0o1777), b""),
        (info("dev", type=tarfile.CHRTYPE, devmajor=1, devminor=3), b""),
        format_=format_,
    )
    found = read(data)
    assert [(m.name, m.kind, m.link) for m, _ in found] == [
        ("a/b", "f", ""),
        ("link", "l", "a/b"),
        ("hard", "h", "a/b"),
        ("dir/", "d", ""),
        ("dev", "c", ""),
    ]
    assert found[0][1] == b"hello"
    assert (found[0][0].mode, found[0][0].uid, found[0][0].gid, found[0][0].size) == (0o755, 65532, 1, 5)
    assert found[3][0].mode == 0o1777
    assert found[4][0].device == (1, 3)


NAME = st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=300)


@given(st.lists(st.tuples(NAME, st.binary(max_size=2000), st.integers(0, 2**40)), max_size=6), st.integers(1, 3000))
def test_any_names_sizes_and_owners(files: list[tuple[str, bytes, int]], size: int) -> None:
    for format_ in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        data = archive(*((info(name, uid=uid), content) for name, content, uid in files), format_=format_)
        found = read(data, size=size)
        assert [(m.name, body, m.uid) for m, body in found] == files


@given(st.binary(max_size=4000))
def test_no_input_hangs_or_raises_anything_else(data: bytes) -> None:
    for prefix in (b"", header(size=b"00000001000\0"), header(flag=b"x", size=b"00000000100\0")):
        with suppress(DamagedError):
            read(prefix + data)


@given(st.integers(0, 5 * BLOCK))
def test_every_cut_inside_an_entry_is_noticed(at: int) -> None:
    data = archive((info("file"), b"x" * 700), (info("n" * 200), b"y" * 300))
    whole = read(data)
    cut = data[:at]
    try:
        found = read(cut)
    except DamagedError:
        return
    assert found == whole[: len(found)], "what is read is what was there"
    ends = (0, BLOCK + 700, BLOCK + 700 + 2 * BLOCK)  # the padding of the last body is nobody's loss
    assert any(end <= at <= -(-end // BLOCK) * BLOCK for end in ends), "an archive may end between entries only"


@pytest.mark.skipif(shutil.which("tar") is None, reason="needs GNU tar")
@pytest.mark.parametrize("format_", ["gnu", "pax", "ustar", "oldgnu"])
def test_what_gnu_tar_writes(tmp_path: Path, format_: str) -> None:
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "plain").write_bytes(b"content")
    os.link(root / "folder" / "plain", root / "folder" / "same")
    (root / "link").symlink_to("folder/plain")
    if format_ != "ustar":
        (root / ("long" * 60)).write_bytes(b"long")
    with (root / "sparse").open("wb") as stream:
        stream.seek(3_000_000)
        stream.write(b"end")
    subprocess.run(
        [
            "tar",
            "-C",
            root,
            *(["-S"] if format_ != "ustar" else []),
            f"--format={format_}",
            "-cf",
            tmp_path / "a.tar",
            ".",
        ],
        check=True,
    )
    data = (tmp_path / "a.tar").read_bytes()
    found = {member.name: member for member, _ in read(data)}
    with tarfile.open(tmp_path / "a.tar") as tar:
        for one in tar:
            name = one.name if one.name == "." else one.name.removeprefix("./")
            mine = found.get(f"./{name}") or found.get(f"./{name}/") or found.get("./")
            assert mine is not None, name
            if one.isreg():
                assert (mine.kind, mine.size) == ("f", one.size), name
    sparse = found["./sparse"]
    assert sparse.size == 3_000_003
    if format_ != "ustar":
        assert sparse.stored < 100_000
        assert not sparse.data


def test_an_archive_may_end_without_zeros() -> None:
    assert names(header()) == ["f"]
    assert names(b"") == []
    assert names(END) == []
    assert names(header() + bytes(BLOCK)) == ["f"]


def test_a_directory_of_old_archives_has_a_slash() -> None:
    ((member, _),) = read(header(b"folder/", flag=b"\0") + END)
    assert member.kind == "d"


def test_links_have_no_body_whatever_they_say() -> None:
    data = header(b"l", size=b"00000001000\0", flag=b"1") + header(b"next") + END
    assert names(data) == ["l", "next"]


def test_owners_beyond_octal() -> None:
    base256 = b"\x80\x00\x00\x00\x7f\xff\xff\xff"
    ((member, _),) = read(header(uid=base256) + END)
    assert member.uid == 2**31 - 1


def test_extended_attributes() -> None:
    entry = info("ping", pax_headers={"SCHILY.xattr.security.capability": "\x01\x00\x00\x02"})
    ((member, _),) = read(archive((entry, b"")))
    assert member.xattrs == {"security.capability": b"\x01\x00\x00\x02"}
    other = info("ping", pax_headers={"LIBARCHIVE.xattr.security%2ecapability": "AQAAAg"})
    ((member, _),) = read(archive((other, b"")))
    assert member.xattrs == {"security.capability": b"\x01\x00\x00\x02"}


def pax(**records: str) -> bytes:
    body = b""
    for key, value in records.items():
        rest = f" {key.replace('_', '.')}={value}\n".encode()
        length = len(rest)
        while len(str(length)) + len(rest) != length:
            length = len(str(length)) + len(rest)
        body += str(length).encode() + rest
    return header(b"pax", size=b"%011o\0" % len(body), flag=b"x") + body + bytes(-len(body) % BLOCK)


def test_a_global_header_concerns_all_that_follow() -> None:
    body = b"13 uid=65532\n"
    data = header(b"g", size=b"%011o\0" % len(body), flag=b"g") + body + bytes(BLOCK - len(body))
    assert [m.uid for m, _ in read(data + header() + header(b"g") + END)] == [65532, 65532]
    assert read(data + END) == []


HOSTILE = {
    "a negative size": header(size=b"\xff" * 12) + END,
    "a negative size in digits": header(size=b"-0000000001\0") + END,
    "a size beyond int64": header(size=b"\x80" + b"\x00" * 2 + b"\xff" * 9) + END,
    "a wrong checksum": header()[:-1] + b"x" + END,
    "letters for a number": header(size=b"0000000abc\0\0") + END,
    "a body that is not there": header(size=b"00000001000\0"),
    "half a header": header()[:300],
    "an entry after a block of zeros": bytes(BLOCK) + header() + END,
    "data after the end": header() + END + b"more" + bytes(508),
    "an unknown type": header(flag=b"Q") + END,
    "an extended header that nothing follows": pax(path="x") + END,
    "a broken record": header(size=b"00000000005\0", flag=b"x") + b"9 x=y" + bytes(BLOCK - 5) + header() + END,
    "a record without an equals sign": header(size=b"00000000005\0", flag=b"x")
    + b"5 xy\n"
    + bytes(BLOCK - 5)
    + header(),
    "a name with a NUL byte": pax(path="a\0b") + header() + END,
    "a size that is no number": pax(size="-1") + header() + END,
    "an extended header of 300 MiB": header(size=b"%011o\0" % (300 << 20), flag=b"x"),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_archives_are_refused(data: bytes) -> None:
    with pytest.raises(DamagedError) as caught:
        read(data)
    assert "\n" not in str(caught.value)


def test_more_entries_than_allowed() -> None:
    with pytest.raises(DamagedError, match="more than 3 entries"):
        read(header() * 4 + END, Limits(entries=3))
