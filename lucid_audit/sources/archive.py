"""What ``docker save`` writes, and the tools that imitate it: a tar file with ``manifest.json`` at its top.

Three generations are read: ``<id>/layer.tar`` with links between equal layers (Docker to 24), ``<digest>.tar`` (Podman)
and an OCI layout with a ``manifest.json`` beside it (Docker 25 and newer). Compressed layers are those of builders that
write such files themselves. There is no image manifest in it, so one is made up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lucid_audit.errors import InputError
from lucid_audit.image.descriptor import Descriptor, hasher, sha256, valid_digest
from lucid_audit.image.manifest import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    ENTRY_LIMIT,
    LAYER_LIMIT,
    MANIFEST_LIMIT,
    Fetched,
    read_json,
)
from lucid_audit.image.source import DamagedError, NotFoundError
from lucid_audit.sources.layout import blob_of, listed, same_image
from lucid_audit.sources.members import GZIP, ZSTD, Members, open_members

MANIFEST_FILE = "manifest.json"
CONFIG_LIMIT = 4 << 20  # bytes of an image configuration
_HEX = re.compile(r"[0-9a-f]{64}")
_BLOB = re.compile(r"blobs/(sha256)/([0-9a-f]{64})|blobs/(sha512)/([0-9a-f]{128})")
_ID = re.compile(r"[0-9a-f]{12,64}")


class Saved(NamedTuple):
    """One entry of ``manifest.json``: member names, and the tags the image was saved with."""

    config: str
    tags: tuple[str, ...]
    layers: tuple[str, ...]


class Archive:
    """One image of an archive. ``name`` is a tag or an image id; without it there has to be one image only."""

    kind = "archive"

    def __init__(self, path: Path | str, name: str = "", *, members: Members | None = None) -> None:
        self.name = f"{path}:{name}" if name else str(path)
        self._path, self._wanted = path, name
        self._members = members or open_members(Path(path))
        self._made: Fetched | None = None
        self._places: dict[str, str] = {}
        try:
            self._images = self._read_images()
        except BaseException:
            self._members.close()
            raise

    def manifest(self, digest: str = "") -> Fetched:
        """Return the manifest that stands for the chosen image, or one that the archive has as a blob."""
        made = self._manifest()
        if digest in ("", made.digest):
            return made
        data = b""
        for piece in blob_of(self._members, Descriptor("", digest, -1)):
            data += piece
            if len(data) > MANIFEST_LIMIT:
                raise DamagedError(f"the manifest {digest} has more than {MANIFEST_LIMIT} bytes")
        return Fetched(data, "", digest)

    def blob(self, descriptor: Descriptor) -> Iterator[bytes]:
        """Yield the content of a blob in pieces."""
        self._manifest()
        place = self._places.get(descriptor.digest)
        if place is None:
            yield from blob_of(self._members, descriptor)
            return
        size = self._members.size(place)
        if descriptor.size not in (-1, size):
            raise DamagedError(f"{descriptor.digest} has {size} bytes, not {descriptor.size}")
        yield from self._members.pieces(place)

    def close(self) -> None:
        """Release the file."""
        self._members.close()

    def _read_images(self) -> list[Saved]:
        try:
            data = self._members.document(MANIFEST_FILE, MANIFEST_LIMIT)
        except NotFoundError:
            raise DamagedError(f"{self._path} is not a saved image: it has no {MANIFEST_FILE}") from None
        try:
            raw = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise DamagedError(f"{MANIFEST_FILE} of {self._path} is not valid JSON: {error}") from None
        if not isinstance(raw, list) or len(raw) > ENTRY_LIMIT:
            raise DamagedError(f"{MANIFEST_FILE} of {self._path} is not a list of images")
        images = [_saved(entry) for entry in raw]
        found = [image for image in images if image is not None]
        if len(found) != len(images):
            raise DamagedError(f"{MANIFEST_FILE} of {self._path} has an entry that describes no image")
        return found

    def _manifest(self) -> Fetched:
        if self._made is None:
            self._made = self._make(self._chosen())
        return self._made

    def _chosen(self) -> Saved:
        if not self._images:
            raise NotFoundError(f"{self._path} has no images")
        labels = [", ".join(image.tags) or self._config_digest(image)[1] for image in self._images]
        if not self._wanted:
            if len(self._images) > 1:
                raise NotFoundError(f"{self._path} has several images, choose one of {listed(labels)}")
            return self._images[0]
        by_tag = [image for image in self._images if _has_tag(image, self._wanted)]
        found = by_tag or [image for image in self._images if self._has_id(image, self._wanted)]
        if len({image.config for image in found}) == 1:
            return found[0]
        problem = "several images" if found else "no image"
        raise NotFoundError(f"{self._path} has {problem} {self._wanted!r}; it has {listed(labels)}")

    def _has_id(self, image: Saved, wanted: str) -> bool:
        short = wanted.removeprefix("sha256:")
        return bool(_ID.fullmatch(short)) and self._config_digest(image)[1].startswith(f"sha256:{short}")

    def _config_digest(self, image: Saved) -> tuple[bytes, str]:
        """Return the configuration and its digest; where its name says a digest, that has to be it."""
        data = self._members.document(image.config, CONFIG_LIMIT)
        digest = sha256(data)
        said = _HEX.search(image.config)
        if said and said[0] != digest.removeprefix("sha256:"):
            raise DamagedError(f"{image.config} of {self._path} has other content than its name says")
        return data, digest

    def _make(self, image: Saved) -> Fetched:
        config, digest = self._config_digest(image)
        self._places[digest] = image.config
        ids = _diff_ids(config, image.config)
        if len(ids) != len(image.layers):
            raise DamagedError(
                f"{image.config} of {self._path} has {len(ids)} layers, {MANIFEST_FILE} {len(image.layers)}"
            )
        known: dict[int, tuple[str, str]] = {}
        layers = [self._layer(name, diff_id, known) for name, diff_id in zip(image.layers, ids, strict=True)]
        document = synthesised(Descriptor(DOCKER_CONFIG, digest, len(config)), layers)
        return Fetched(document, DOCKER_MANIFEST, sha256(document))

    def _layer(self, name: str, diff_id: str, known: dict[int, tuple[str, str]]) -> Descriptor:
        """Return the descriptor of a layer: of a plain tar file the configuration has the digest, others are hashed."""
        member = self._members.find(name)
        if member.offset not in known:
            known[member.offset] = self._examine(member.name)
        suffix, digest = known[member.offset]
        digest = digest or diff_id
        self._places[digest] = member.name
        return Descriptor(DOCKER_LAYER + suffix, digest, member.size)

    def _examine(self, name: str) -> tuple[str, str]:
        """Return the suffix of a layer's media type, and its digest where the diff_id cannot be it."""
        pieces = self._members.pieces(name)
        first = next(pieces, b"")
        suffix = ".gzip" if first.startswith(GZIP) else ".zstd" if first.startswith(ZSTD) else ""
        if not suffix:
            return "", ""
        if (said := _BLOB.fullmatch(name)) is not None:
            return suffix, ":".join(part for part in said.groups() if part)
        running = hasher("sha256:")
        running.update(first)
        for piece in pieces:
            running.update(piece)
        return suffix, f"sha256:{running.hexdigest()}"


def synthesised(config: Descriptor, layers: list[Descriptor]) -> bytes:
    """Return a manifest of Docker's schema 2 for parts that came without one."""
    parts = [{"mediaType": part.media_type, "size": part.size, "digest": part.digest} for part in (config, *layers)]
    raw = {"schemaVersion": 2, "mediaType": DOCKER_MANIFEST, "config": parts[0], "layers": parts[1:]}
    return json.dumps(raw, separators=(",", ":")).encode()


def _saved(raw: Any) -> Saved | None:
    if not isinstance(raw, dict):
        return None
    config, tags, layers = raw.get("Config"), raw.get("RepoTags") or [], raw.get("Layers") or []
    if not isinstance(config, str) or not isinstance(tags, list) or not isinstance(layers, list):
        return None
    if len(layers) > LAYER_LIMIT or not all(isinstance(text, str) for text in (*tags, *layers)):
        return None
    return Saved(config, tuple(tags), tuple(layers))


def _has_tag(image: Saved, wanted: str) -> bool:
    return any(wanted == tag or same_image(wanted, tag) for tag in image.tags)


def _diff_ids(config: bytes, name: str) -> list[str]:
    try:
        rootfs = read_json(config, name).get("rootfs")
    except InputError as error:
        raise DamagedError(str(error)) from None
    ids = rootfs.get("diff_ids") if isinstance(rootfs, Mapping) else None
    if ids is None:
        ids = []
    if not isinstance(ids, list) or not all(isinstance(text, str) and valid_digest(text) for text in ids):
        raise DamagedError(f"{name} has diff_ids that cannot be verified")
    return ids
