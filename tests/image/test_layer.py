"""One pass over a layer: what it lists, recognises, keeps and refuses."""

from __future__ import annotations

import gzip
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lucid_audit.image.descriptor import Descriptor, sha256
from lucid_audit.image.entry import normalise, unsupported
from lucid_audit.image.layer import Layer, read_layer
from lucid_audit.image.layer_json import dump, load
from lucid_audit.image.limits import Limits
from lucid_audit.image.source import DamagedError
from lucid_audit.image.wanted import wanted
from tests.elf import elf
from tests.image_sketch import archive


def read(data: bytes, want: tuple[str, ...] = (), limits: Limits | None = None, **descriptor: Any) -> Layer:
    described = Descriptor("", descriptor.get("digest", sha256(data)), descriptor.get("size", len(data)))
    return read_layer(iter([data[:700], data[700:]]), described, wanted(want), limits or Limits())


FILES: dict[str, Any] = {
    "/app/": {"mode": "0750", "uid": 65532, "gid": 65532},
    "/app/main.py": "print(1)\n",
    "/app/run": {"text": "#! /usr/bin/env  -S python3 -u\nbody", "mode": "0755"},
    "/app/notes": {"text": "#!/bin/sh\n"},
    "/bin/tool": {"elf": "arm64", "interpreter": "/lib/ld-linux-aarch64.so.1"},
    "/bin/helper": {"elf": "amd64", "contains": ["BusyBox v1.36"]},
    "/bin/link": {"link": "tool"},
    "/bin/same": {"hard": "/bin/tool"},
    "/old/gone": {"whiteout": True},
    "/old": {"opaque": True},
    "/dev/null": {"device": [1, 3]},
    "/dev/overlay": {"device": [0, 0]},
}


def test_what_is_listed() -> None:
    layer = read(archive(FILES))
    found = {entry.path: entry for entry in layer.entries}
    assert (found["/app"].kind, found["/app"].mode, found["/app"].uid) == ("d", 0o750, 65532)
    assert (found["/app/main.py"].kind, found["/app/main.py"].size) == ("f", 9)
    assert (found["/bin/link"].kind, found["/bin/link"].link) == ("l", "tool")
    assert (found["/bin/same"].kind, found["/bin/same"].link) == ("h", "/bin/tool")
    assert found["/old/gone"].kind == "w"
    assert found["/old"].kind == "o"
    assert found["/dev/null"].kind == "c"
    assert found["/dev/overlay"].kind == "w", "overlayfs writes whiteouts so"
    assert layer.diff_id == layer.digest == sha256(archive(FILES))
    assert layer.compression == "tar"


def test_programs_are_recognised() -> None:
    programs = read(archive(FILES)).programs
    assert set(programs) == {"/app/run", "/bin/tool", "/bin/helper"}, "a text that nobody may execute is no script"
    assert programs["/app/run"][:3] == ("script", "/usr/bin/env", "-S python3 -u")
    assert programs["/bin/tool"].architecture == "arm64"
    assert programs["/bin/tool"].interpreter == "/lib/ld-linux-aarch64.so.1"
    assert programs["/bin/helper"].known_as == "busybox"


def test_wanted_files_are_kept_up_to_a_size() -> None:
    size = len(elf("amd64", ["BusyBox v1.36"]))
    assert size < len(elf("arm64", [], "/lib/ld-linux-aarch64.so.1"))
    layer = read(archive(FILES), ("/app/*.py", "/bin/**"), Limits(keep_file=size))
    assert layer.kept["/app/main.py"] == b"print(1)\n"
    assert layer.kept["/bin/helper"] == elf("amd64", ["BusyBox v1.36"])
    assert layer.programs["/bin/helper"].architecture == "amd64"
    assert layer.too_large == ("/bin/tool",)
    assert read(archive(FILES), ("/**",), Limits(keep=15)).kept.keys() == {"/app/main.py"}


def test_a_path_that_comes_twice_counts_as_it_came_last() -> None:
    data = _joined({"/a": {"elf": "arm64"}}, {"/a": "text", "/d/": {}}, {"/d/": {}})
    layer = read(data, ("/a",))
    assert [entry.path for entry in layer.entries] == ["/a", "/d"]
    assert layer.repeated == ("/a",), "folders are repeated without harm"
    assert layer.programs == {}
    assert layer.kept == {"/a": b"text"}


def _joined(*parts: dict[str, Any]) -> bytes:
    """Archives one after the other, with one end."""
    whole = b""
    for part in parts:
        data = archive(part)
        while data.endswith(bytes(512)):
            data = data[:-512]
        whole += data
    return whole + bytes(1024)


def test_everything_is_verified() -> None:
    data = gzip.compress(archive(FILES), mtime=0)
    assert read(data).compression == "gzip"
    assert read(data, size=-1).size == len(data)
    for change, what in (
        ({"digest": sha256(b"other")}, "other content"),
        ({"size": len(data) - 1}, "more than"),
        ({"size": len(data) + 1}, "ends after"),
    ):
        with pytest.raises(DamagedError, match=what):
            read(data, **change)
    with pytest.raises(DamagedError, match="layer sha256:"):
        read(data[:-9], digest=sha256(data[:-9]), size=len(data) - 9)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a", "/a"),
        ("./a/", "/a"),
        ("/a//b", "/a/b"),
        ("./", "/"),
        (".", "/"),
        ("a/./b", "/a/b"),
        (".wh.x", "/.wh.x"),
        ("a\udcff", "/a\udcff"),
    ],
)
def test_names_are_normalised(name: str, path: str) -> None:
    assert normalise(name) == path


@pytest.mark.parametrize("name", ["../a", "a/../../b", "a/..", "x" * 5000])
def test_names_that_lead_out_or_are_endless(name: str) -> None:
    with pytest.raises(DamagedError):
        normalise(name)


def test_whiteouts_of_nothing_are_refused() -> None:
    for name in ("/a/.wh.", "/a/.wh..", "/a/.wh..."):
        with pytest.raises(DamagedError, match="whiteout"):
            read(archive({name: ""}))
    assert read(archive({"/.wh..wh.plnk": "", "/.wh..wh.aufs": ""})).entries == ()


def test_kinds_that_cannot_be_audited_say_why() -> None:
    plain = "application/vnd.oci.image.layer.v1.tar+gzip"
    assert unsupported(Descriptor(plain, sha256(b""), 0)) == ""
    for media_type in (
        "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.v1.squashfs",
    ):
        assert "layer sha256:" in unsupported(Descriptor(media_type, sha256(b""), 0))
    nydus = {"containerd.io/snapshot/nydus-blob": "true"}
    assert "nydus" in unsupported(Descriptor(plain, sha256(b""), 0, annotations=nydus))


def test_the_cache_gives_back_what_it_took() -> None:
    layer = read(archive({**FILES, "/n\udcff": "x"}), ("/app/*",))
    same = load(
        dump(layer), bytes, bytes, digest=layer.digest, diff_id=layer.diff_id, size=layer.size, compression="tar"
    )
    assert same is not None
    assert (same.entries, same.programs, same.kept) == (layer.entries, layer.programs, layer.kept)
    changed = bytearray(dump(layer))
    changed[-1] ^= 1
    assert load(bytes(changed), bytes, bytes, digest="", diff_id="", size=0, compression="") is None
    assert load(b"short", bytes, bytes, digest="", diff_id="", size=0, compression="") is None


HUGE = """
    import sys
    sys.path.insert(0, {root!r})
    from tests.image.test_layer import huge
    from lucid_audit.image.descriptor import Descriptor
    from lucid_audit.image.layer import read_layer
    from lucid_audit.image.wanted import ALWAYS, wanted
    layer = read_layer(huge({size}), Descriptor("", {digest!r}, -1), wanted(ALWAYS))
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(len(layer.entries), int(peak.split()[1]) // 1024)
"""


def huge(size: int) -> Iterator[bytes]:
    """A layer with one file of ``size`` MiB, uncompressed, made as it is read."""
    import tarfile

    head = tarfile.TarInfo("big")
    head.size = size << 20
    yield head.tobuf(tarfile.GNU_FORMAT)
    block = bytes(range(256)) * 4096
    for _ in range(size):
        yield block
    yield bytes(1024)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
def test_a_layer_of_a_gigabyte_needs_little_memory() -> None:
    from hashlib import sha256 as new

    running = new()
    for piece in huge(1024):
        running.update(piece)
    root = str(Path(__file__).parents[2])
    script = textwrap.dedent(HUGE.format(root=root, size=1024, digest=f"sha256:{running.hexdigest()}"))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    count, peak = map(int, done.stdout.split())
    assert count == 1
    assert peak < 200, f"{peak} MiB"
