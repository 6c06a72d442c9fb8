"""Images of a container engine: Docker 20.10 and newer, and Podman through the same interface.

An engine has no manifests: it unpacked the layers and knows them by their uncompressed digests. The manifest is made up
of what ``inspect`` says, and the blobs come out of one export, as they come. Engines that keep images as registries
have them (containerd's store) export other blobs than ``inspect`` names; such an export is read from a temporary file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any, Protocol

from lucid_audit import reference
from lucid_audit.image.descriptor import Descriptor, sha256, valid_digest
from lucid_audit.image.manifest import DOCKER_CONFIG, DOCKER_LAYER, DOCKER_MANIFEST, LAYER_LIMIT, Fetched
from lucid_audit.image.source import CHUNK, DamagedError, NotFoundError
from lucid_audit.sources.archive import CONFIG_LIMIT, Archive, synthesised
from lucid_audit.sources.export import parts
from lucid_audit.sources.members import AT_MOST, Members, spool
from lucid_audit.sources.sockets import connect, endpoints, no_engine, translated

_ID = re.compile(r"sha256:[0-9a-f]{64}|[0-9a-f]{64}")
_CONTAINERD = "io.containerd.snapshotter.v1"


class Client(Protocol):
    """What is used of the SDK's client."""

    def inspect_image(self, image: str) -> dict[str, Any]:
        """Return what the engine knows about an image."""

    def get_image(self, image: str, chunk_size: int) -> Iterator[bytes]:
        """Yield the export of an image."""

    def info(self) -> dict[str, Any]:
        """Return what the engine says about itself."""

    def close(self) -> None:
        """End all connections."""


Connect = Callable[[str, Mapping[str, str]], Client]


class Engine:
    """One image of an engine. ``image`` is its name or id there; ``endpoint`` defaults to the first socket there is.

    Who needs the configuration and layers asks for all in one ``stream``: each call of ``blob`` is an export of its own.
    """

    kind = "engine"

    def __init__(self, image: str, environ: Mapping[str, str], endpoint: str = "", connect: Connect = connect) -> None:
        found = [endpoint] if endpoint else endpoints(environ)
        if not found:
            raise no_engine(environ)
        if reference.parse(image) is None and not is_id(image):
            raise NotFoundError(f"{image!r} is not the name of an image")
        self.name = f"{image} of the engine at {found[0]}"
        self._image, self._endpoint = image, found[0]
        with translated(self._endpoint, image):
            self._client = connect(self._endpoint, environ)
        self._inspected: dict[str, Any] = {}
        self._made: Fetched | None = None
        self._config: Descriptor = Descriptor(DOCKER_CONFIG, "", -1)
        self._layers: list[Descriptor] = []
        self._kept: bytes | None = None
        self._archive: Archive | None = None

    def manifest(self, digest: str = "") -> Fetched:
        """Return the manifest that stands for the image; sizes are not known."""
        made = self._manifest()
        if digest in ("", made.digest):
            return made
        if self._archive is not None:
            return self._archive.manifest(digest)
        raise NotFoundError(f"the engine at {self._endpoint} keeps no manifests, so not {digest} either")

    def blob(self, descriptor: Descriptor) -> Iterator[bytes]:
        """Yield the content of a blob. Anything but a configuration that came by already is an export of its own."""
        with closing(self.stream([descriptor])) as stream:
            for _, pieces in stream:
                yield from pieces

    def stream(self, wanted: Iterable[Descriptor]) -> Generator[tuple[Descriptor, Iterator[bytes]], None, None]:
        """Yield each wanted blob once, in the order of the export, which ends with the last of them."""
        self._manifest()
        missing = {descriptor.digest: descriptor for descriptor in wanted}
        if self._archive is not None:
            for descriptor in missing.values():
                yield descriptor, self._archive.blob(descriptor)
            return
        if self._kept is not None and (config := missing.pop(self._config.digest, None)):
            yield config, iter([self._kept])
        if unknown := missing.keys() - {part.digest for part in (self._config, *self._layers)}:
            raise NotFoundError(f"{min(unknown)} is no part of {self.name}")
        if not missing:
            return
        with closing(self._export()) as export:
            for part in parts(export, [layer.digest for layer in self._layers]):
                wanted_now = missing.pop(part.digest, None)
                pieces = part.pieces
                if part.digest == self._config.digest and part.size <= CONFIG_LIMIT:
                    self._kept = b"".join(pieces)
                    pieces = iter([self._kept])
                if wanted_now is not None:
                    _check_size(wanted_now, part.size)
                    yield wanted_now, pieces
                if not missing:
                    return
        raise NotFoundError(f"the export of {self.name} has no {min(missing)}")

    def close(self) -> None:
        """End all connections."""
        self._client.close()
        if self._archive is not None:
            self._archive.close()

    def _manifest(self) -> Fetched:
        if self._made is None:
            self._made = self._make()
        return self._made

    def _make(self) -> Fetched:
        with translated(self._endpoint, self._image):
            self._inspected = self._client.inspect_image(self._image)
            registry_like = "Descriptor" in self._inspected or _CONTAINERD in str(
                self._client.info().get("DriverStatus")
            )
        if registry_like:
            file = spool(self._export(), AT_MOST, f"the export of {self.name}")
            self._archive = Archive(self.name, members=Members(file, f"the export of {self.name}"))
            return self._archive.manifest()
        identifier = self._inspected.get("Id")
        if not isinstance(identifier, str) or not valid_digest(identifier):
            raise DamagedError(f"{self.name} has the id {identifier!r}")
        self._config = self._config._replace(digest=identifier)
        self._layers = [Descriptor(DOCKER_LAYER, layer, -1) for layer in self._diff_ids()]
        data = synthesised(self._config, self._layers)
        return Fetched(data, DOCKER_MANIFEST, sha256(data), sized=False)

    def _diff_ids(self) -> list[str]:
        """Return the layers that ``inspect`` names; an image without any has ``RootFS`` without ``Layers``."""
        rootfs = self._inspected.get("RootFS")
        layers = (rootfs.get("Layers") or []) if isinstance(rootfs, dict) else None
        if not isinstance(layers, list) or len(layers) > LAYER_LIMIT:
            raise DamagedError(f"{self.name} has no list of layers, or one of more than {LAYER_LIMIT}")
        if not all(isinstance(layer, str) and valid_digest(layer) for layer in layers):
            raise DamagedError(f"{self.name} has layers that cannot be verified")
        return layers

    def _export(self) -> Generator[bytes, None, None]:
        """Yield the export. It is asked for by id: the name may stand for another image by now."""
        with translated(self._endpoint, self._image):
            pieces = self._client.get_image(str(self._inspected.get("Id") or self._image), CHUNK)
            yield from pieces


def is_id(image: str) -> bool:
    """Whether this is the full id of an image, which is no name; a shortened one reads as a name."""
    return _ID.fullmatch(image) is not None


def _check_size(wanted: Descriptor, size: int) -> None:
    if wanted.size not in (-1, size):
        raise DamagedError(f"{wanted.digest} has {size} bytes, not {wanted.size}")
