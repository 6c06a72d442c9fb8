"""OCI layouts for the benchmark: layers made of real programs, libraries and texts of this machine."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import tarfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
LEVEL = 6  # what builders use
FOLDERS = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib/python3",
    "/usr/bin",
    "/usr/share",
    "/usr/lib",
    "/usr/sbin",
    "/usr/local",
    "/opt",
)


def files(size: int) -> Iterator[Path]:
    """Yield regular files of this machine until they have ``size`` bytes, each once, none above a fifth of it."""
    seen: set[str] = set()
    total = 0
    for folder in FOLDERS:
        for parent, folders, names in os.walk(folder):
            folders.sort()
            for name in sorted(names):
                path = Path(parent, name)
                if path.is_symlink() or not path.is_file() or str(path) in seen or not os.access(path, os.R_OK):
                    continue
                length = path.stat().st_size
                if length > size // 5:
                    continue
                seen.add(str(path))
                total += length
                yield path
                if total >= size:
                    return


class Layout:
    """A layout that is being written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: list[dict[str, Any]] = []
        (folder / "blobs/sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def blob(self, data: bytes, media_type: str) -> dict[str, Any]:
        """Write a blob and return its descriptor."""
        digest = sha256(data).hexdigest()
        (self.folder / "blobs/sha256" / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    def layer(self, archive: bytes) -> tuple[dict[str, Any], str]:
        """Write a layer; return its descriptor and its diff_id."""
        return self.blob(gzip.compress(archive, LEVEL, mtime=0), LAYER), f"sha256:{sha256(archive).hexdigest()}"

    def image(self, tag: str, layers: list[tuple[dict[str, Any], str]], more: dict[str, Any] | None = None) -> None:
        """Write an image of these layers under a tag. ``more`` goes into its configuration."""
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"User": "65532", "Entrypoint": ["/usr/bin/python3"], "Labels": {"tag": tag}, **(more or {})},
            "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in layers]},
        }
        described = self.blob(json.dumps(config).encode(), CONFIG)
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": [d for d, _ in layers]}
        entry = self.blob(json.dumps(manifest).encode(), MANIFEST)
        self.entries.append({**entry, "annotations": {"org.opencontainers.image.ref.name": tag}})
        index = {"schemaVersion": 2, "manifests": self.entries}
        (self.folder / "index.json").write_text(json.dumps(index))

    @property
    def size(self) -> int:
        """Bytes of all blobs."""
        return sum(path.stat().st_size for path in (self.folder / "blobs/sha256").iterdir())


def archive(paths: list[Path]) -> bytes:
    """Return a layer's archive of files of this machine."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in paths:
            tar.add(path, str(path).lstrip("/"), recursive=False)
    return out.getvalue()


def large(folder: Path, unpacked: int, count: int) -> Layout:
    """Write one image of ``count`` layers, ``unpacked`` bytes of files in all."""
    layout = Layout(folder)
    every = list(files(unpacked))
    each = -(-len(every) // count)
    layers = [layout.layer(archive(every[at : at + each])) for at in range(0, len(every), each)]
    layout.image("one", layers)
    return layout


def fleet(folder: Path, unpacked: int, services: int) -> Layout:
    """Write images that share the layers of one base, with one small layer of their own each."""
    layout = Layout(folder)
    every = list(files(unpacked))
    base = [layout.layer(archive(every[at::3])) for at in range(3)]
    noise = random.Random(1)
    for number in range(services):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            info = tarfile.TarInfo("app/data.bin")
            info.size = 1 << 20
            tar.addfile(info, io.BytesIO(noise.randbytes(info.size)))
        layout.image(f"service-{number}", [*base, layout.layer(out.getvalue())])
    return layout


def huge(folder: Path, size: int) -> Layout:
    """Write an image with one layer that unpacks to ``size`` bytes: one file, of which a part repeats."""
    layout = Layout(folder)
    block = random.Random(2).randbytes(1 << 18) + bytes(3 << 18)
    running, packed = sha256(), io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1, mtime=0) as stream:
        info = tarfile.TarInfo("data/large.bin")
        info.size = size
        for piece in (info.tobuf(tarfile.GNU_FORMAT), *([block] * (size // len(block))), bytes(1024)):
            running.update(piece)
            stream.write(piece)
    layout.image("one", [(layout.blob(packed.getvalue(), LAYER), f"sha256:{running.hexdigest()}")])
    return layout
