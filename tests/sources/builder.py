"""Images in memory, and every way in which they are stored: layouts, saved archives, exports of engines."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lucid_audit.image.descriptor import sha256
from lucid_audit.image.manifest import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST
from lucid_audit.sources.legacy import chain_ids

OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
REF_NAME = "org.opencontainers.image.ref.name"
TAG = "docker.io/library/sample:1"
Spoil = Callable[[bytes], bytes]
Tree = dict[str, "bytes | str"]  # content of a file, or where a symbolic link leads


class Image(NamedTuple):
    """A configuration and layers as they are stored, compressed or not."""

    config: bytes
    layers: tuple[bytes, ...]
    diff_ids: tuple[str, ...]


def tar(tree: Mapping[str, bytes | str], *, form: int = tarfile.GNU_FORMAT) -> bytes:
    """Return a tar file, its members in the order of ``tree``."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as file:
        for name, content in tree.items():
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                file.addfile(member)
            else:
                member.size = len(content)
                file.addfile(member, io.BytesIO(content))
    return out.getvalue()


def noise(seed: str, size: int) -> bytes:
    """Return bytes that do not compress."""
    return hashlib.shake_256(seed.encode()).digest(size)


def image(*, layers: int = 3, compressed: bool = False, size: int = 300_000, seed: str = "") -> Image:
    """Return an image whose second layer is larger than one piece of a transfer."""
    plain = [tar({f"file{number}": noise(f"{seed}{number}", size if number == 1 else 700)}) for number in range(layers)]
    return image_of(plain, compressed=compressed)


def image_of(plain: Iterable[bytes], *, compressed: bool = False, **config: Any) -> Image:
    """Return an image of these uncompressed layers."""
    plain = list(plain)
    diff_ids = tuple(sha256(layer) for layer in plain)
    document = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["/x"]},
        "rootfs": {"type": "layers"},
    } | config
    document["rootfs"] = {"type": "layers", "diff_ids": list(diff_ids)}
    stored = tuple(gzip.compress(layer, mtime=0) if compressed else layer for layer in plain)
    return Image(json.dumps(document).encode(), stored, diff_ids)


def descriptor(data: bytes, media_type: str, **more: Any) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": sha256(data), "size": len(data), **more}


def manifest(source: Image) -> bytes:
    suffix = "+gzip" if source.layers and source.layers[0][:2] == b"\x1f\x8b" else ""
    layers = [descriptor(layer, OCI_LAYER + suffix) for layer in source.layers]
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": layers}
    return json.dumps(document | {"config": descriptor(source.config, OCI_CONFIG)}).encode()


def index(entries: Iterable[dict[str, Any]]) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries)}).encode()


def blob_path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def layout(sources: Mapping[str, Image], spoil: Spoil | None = None) -> Tree:
    """Return the files of a layout: names and their images, whose second layers are spoilt."""
    tree: Tree = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
    entries = []
    for name, source in sources.items():
        document = manifest(source)
        for data in (document, source.config, *source.layers):
            tree[blob_path(sha256(data))] = data
        if spoil:
            tree[blob_path(sha256(source.layers[1]))] = spoil(source.layers[1])
        more = {"annotations": {REF_NAME: name}} if name else {}
        entries.append(descriptor(document, OCI_MANIFEST, **more))
    tree["index.json"] = index(entries)
    return tree


def _listing(entries: Iterable[tuple[str, str, list[str]]]) -> bytes:
    return json.dumps(
        [{"Config": config, "RepoTags": [tag] if tag else None, "Layers": layers} for config, tag, layers in entries]
    ).encode()


def _spoilt(source: Image, spoil: Spoil | None) -> list[bytes]:
    layers = list(source.layers)
    if spoil:
        layers[1] = spoil(layers[1])
    return layers


def saved_legacy(sources: Mapping[str, Image], spoil: Spoil | None = None) -> Tree:
    """As Docker to 24 saves: folders named by an old kind of id, links between equal layers, sorted, mapping last."""
    tree: Tree = {}
    entries = []
    for tag, source in sources.items():
        stored, parent, paths = dict[str, str](), "", []
        for number, (layer, diff_id, chain) in enumerate(
            zip(_spoilt(source, spoil), source.diff_ids, chain_ids(source.diff_ids), strict=True)
        ):
            uppermost = number == len(source.layers) - 1
            identifier, document = _legacy_id(chain, parent, uppermost)
            tree[f"{identifier}/VERSION"], tree[f"{identifier}/json"] = b"1.0", document
            path = f"{identifier}/layer.tar"
            tree[path] = f"../{stored[diff_id]}" if diff_id in stored else layer
            stored.setdefault(diff_id, path)
            paths.append(path)
            parent = identifier
        config = f"{hashlib.sha256(source.config).hexdigest()}.json"
        tree[config] = source.config
        entries.append((config, tag, paths))
    ordered = {name: tree[name] for name in sorted(tree)}
    return ordered | {"manifest.json": _listing(entries), "repositories": b"{}"}


def _legacy_id(chain: str, parent: str, uppermost: bool) -> tuple[str, bytes]:
    fields: dict[str, Any] = {"created": "1970-01-01T00:00:00Z", "container_config": {"Cmd": None, "Image": "a<b"}}
    if uppermost:
        fields |= {"config": {"Cmd": ["/x"]}, "os": "linux"}
    hashed = fields | {"layer_id": chain} | ({"parent": f"sha256:{parent}"} if parent else {})
    text = json.dumps({key: hashed[key] for key in sorted(hashed)}, separators=(",", ":"))
    identifier = hashlib.sha256(text.encode()).hexdigest()
    shown = {"id": identifier} | ({"parent": parent} if parent else {}) | fields | {"os": "linux"}
    return identifier, json.dumps(shown, separators=(",", ":")).encode()


def saved_podman(sources: Mapping[str, Image], spoil: Spoil | None = None) -> Tree:
    """As Podman saves: layers by digest, then the configuration, then links for old readers."""
    tree: Tree = {}
    entries = []
    for tag, source in sources.items():
        paths = [f"{diff_id.removeprefix('sha256:')}.tar" for diff_id in source.diff_ids]
        tree |= dict(zip(paths, _spoilt(source, spoil), strict=True))
        config = f"{hashlib.sha256(source.config).hexdigest()}.json"
        tree[config] = source.config
        tree |= {f"{number:064x}/layer.tar": f"../{path}" for number, path in enumerate(paths)}
        entries.append((config, tag, paths))
    return tree | {"manifest.json": _listing(entries)}


def saved_layout(sources: Mapping[str, Image], spoil: Spoil | None = None) -> Tree:
    """As Docker 25 and newer saves: a layout with ``manifest.json`` beside it."""
    tree = layout(sources, spoil)
    entries = [
        (blob_path(sha256(source.config)), tag, [blob_path(sha256(layer)) for layer in source.layers])
        for tag, source in sources.items()
    ]
    return tree | {"manifest.json": _listing(entries)}


def saved_compressed(sources: Mapping[str, Image], spoil: Spoil | None = None) -> Tree:
    """As builders without an engine save: ``sha256:<digest>`` and ``<digest>.tar.gz``."""
    tree: Tree = {}
    entries = []
    for tag, source in sources.items():
        paths = [f"{hashlib.sha256(layer).hexdigest()}.tar.gz" for layer in source.layers]
        tree |= dict(zip(paths, _spoilt(source, spoil), strict=True)) | {sha256(source.config): source.config}
        entries.append((sha256(source.config), tag, paths))
    return tree | {"manifest.json": _listing(entries)}


def write(path: Path, tree: Tree) -> Path:
    """Write a folder."""
    for name, content in tree.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            file.symlink_to(content)
        else:
            file.write_bytes(content)
    return path


class FakeClient:
    """An engine's client that has one image."""

    def __init__(self, source: Image, export: bytes, inspected: Mapping[str, Any] | None = None) -> None:
        self.inspected = {
            "Id": sha256(source.config),
            "RootFS": {"Type": "layers", "Layers": list(source.diff_ids)},
            **(inspected or {}),
        }
        self.export = export
        self.driver: object = [["Backing Filesystem", "extfs"]]
        self.asked = ""
        self.exports = 0
        self.ended = 0
        self.sent = 0
        self.closed = False

    def connect(self, endpoint: str, environ: Mapping[str, str]) -> FakeClient:
        self.endpoint, self.environ = endpoint, environ
        return self

    def inspect_image(self, image: str) -> dict[str, Any]:
        self.asked = image
        return dict(self.inspected)

    def get_image(self, image: str, chunk_size: int) -> Iterator[bytes]:
        assert image == self.inspected["Id"]
        assert chunk_size > 0
        self.exports += 1
        try:
            for start in range(0, len(self.export), 10_007):
                piece = self.export[start : start + 10_007]
                self.sent += len(piece)
                yield piece
        finally:
            self.ended += 1

    def info(self) -> dict[str, Any]:
        return {"DriverStatus": self.driver}

    def close(self) -> None:
        self.closed = True
