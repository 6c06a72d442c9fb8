"""Layers: tar archives of described members, the same bytes each time, compressed with gzip or zstd."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tests.e2e import cache

GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
TAR = "application/vnd.oci.image.layer.v1.tar"

Member = tuple[tarfile.TarInfo, bytes]


class Layer(NamedTuple):
    """A layer whose blob lies in the cache."""

    blob: Path
    media_type: str
    digest: str
    size: int
    diff_id: str
    created_by: str = ""

    def tar(self) -> bytes:
        """The archive, uncompressed."""
        data = self.blob.read_bytes()
        if self.media_type == ZSTD:
            return subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=True).stdout
        return gzip.decompress(data) if self.media_type == GZIP else data

    def members(self) -> list[Member]:
        """What the archive holds."""
        with tarfile.open(fileobj=io.BytesIO(self.tar())) as archive:
            return [(info, _content(archive, info)) for info in archive]


def _content(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(info) if info.isreg() else None
    return stream.read() if stream is not None else b""


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _info(path: str, kind: bytes, mode: int, owner: int, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(path.strip("/"))
    info.type, info.mode, info.uid, info.gid, info.linkname = kind, mode, owner, owner, link
    return info


def file(path: str, data: bytes | str, mode: int = 0o644, owner: int = 0) -> Member:
    return _info(path, tarfile.REGTYPE, mode, owner), data.encode() if isinstance(data, str) else data


def directory(path: str, mode: int = 0o755, owner: int = 0) -> Member:
    return _info(path, tarfile.DIRTYPE, mode, owner), b""


def symlink(path: str, target: str) -> Member:
    return _info(path, tarfile.SYMTYPE, 0o777, 0, target), b""


def whiteout(path: str) -> Member:
    parent, _, name = path.strip("/").rpartition("/")
    return file(f"{parent}/.wh.{name}", b"")


def _archive(members: Iterable[Member], time: int, user: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for info, data in members:
            info.mtime, info.uname, info.gname, info.size = time, user, user, len(data)
            archive.addfile(info, io.BytesIO(data))
        end = archive.offset
    return out.getvalue()[:end] + bytes(1024)


def pack(members: Iterable[Member]) -> bytes:
    """Return an archive without anything of the machine that made it."""
    return _archive(members, 0, "")


def pack_at(members: Iterable[Member], time: int = 0, user: str = "") -> bytes:
    """Return an archive whose members have this time and this name of their owner."""
    return _archive(members, time, user)


def compress(tar: bytes, media_type: str = GZIP) -> bytes:
    if media_type == ZSTD:
        return subprocess.run(["zstd", "-3cq", "--no-progress"], input=tar, capture_output=True, check=True).stdout
    return gzip.compress(tar, 6, mtime=0) if media_type == GZIP else tar


def layer(tar: bytes, created_by: str = "", media_type: str = GZIP) -> Layer:
    """Return the layer of an archive; its blob is kept in the cache under the archive's digest."""
    diff_id = sha256(tar)

    def make(place: Path) -> None:
        blob = compress(tar, media_type)
        (place / "blob").write_bytes(blob)
        (place / "facts").write_text(json.dumps([sha256(blob), len(blob)]))

    place = cache.kept("layers", cache.key(diff_id, media_type), make)
    digest, size = json.loads((place / "facts").read_text())
    return Layer(place / "blob", media_type, digest, size, diff_id, created_by)


def of(members: Iterable[Member], created_by: str = "") -> Layer:
    """Return the gzip layer of some members."""
    return layer(pack(members), created_by)


def recompressed(one: Layer, media_type: str) -> Layer:
    """Return the same archive under another compression: another digest, the same diff_id."""
    return one if one.media_type == media_type else layer(one.tar(), one.created_by, media_type)
