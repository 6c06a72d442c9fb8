"""Images as values, and image layouts (directories) written of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tests.e2e.tars import Layer, sha256

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
IN_TOTO = "application/vnd.in-toto+json"
ATTESTATION = "application/vnd.docker.attestation.manifest.v1+json"
EPOCH = "1970-01-01T00:00:00Z"

Descriptor = dict[str, Any]
Attestations = Literal["", "platform", "artifact"]


class Image(NamedTuple):
    architecture: str  # what the configuration says
    config: Mapping[str, Any]  # its "config" object
    layers: tuple[Layer, ...]
    lines: tuple[str, ...] = ()  # created_by of history entries without a layer, after the layers
    created: str = EPOCH
    annotations: Mapping[str, str] = {}
    platform: str = ""  # the architecture that an index gives it; empty: the same

    def configuration(self) -> dict[str, Any]:
        history = [self._line(one.created_by) for one in self.layers]
        history += [{**self._line(line), "empty_layer": True} for line in self.lines]
        return {
            "architecture": self.architecture,
            **variant(self.architecture),
            "os": "linux",
            "created": self.created,
            "config": dict(self.config),
            "rootfs": {"type": "layers", "diff_ids": [one.diff_id for one in self.layers]},
            "history": history,
        }

    def _line(self, created_by: str) -> dict[str, Any]:
        if created_by.startswith("bazel"):
            return {"created": EPOCH, "created_by": created_by}
        return {"created": self.created, "created_by": created_by, "comment": "buildkit.dockerfile.v0"}


def variant(architecture: str) -> dict[str, str]:
    return {"variant": "v8"} if architecture == "arm64" else {}


class Layout:
    """A directory that becomes a layout when ``close`` writes its index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: list[Descriptor] = []
        (folder / "blobs/sha256").mkdir(parents=True, exist_ok=True)

    def blob(self, data: bytes, media_type: str, **more: Any) -> Descriptor:
        digest = sha256(data)
        (self.folder / "blobs/sha256" / digest.removeprefix("sha256:")).write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data), **more}

    def json(self, value: Mapping[str, Any], media_type: str, **more: Any) -> Descriptor:
        return self.blob(json.dumps(value, indent=1).encode(), media_type, **more)

    def layer(self, one: Layer) -> Descriptor:
        place = self.folder / "blobs/sha256" / one.digest.removeprefix("sha256:")
        if not place.exists():
            shutil.copyfile(one.blob, place)  # no link: a test may damage its copy
        return {"mediaType": one.media_type, "digest": one.digest, "size": one.size}

    def image(self, image: Image) -> Descriptor:
        """Write an image's blobs and return the descriptor of its manifest."""
        manifest: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self.json(image.configuration(), OCI_CONFIG),
            "layers": [self.layer(one) for one in image.layers],
        }
        if image.annotations:
            manifest["annotations"] = dict(image.annotations)
        return self.json(manifest, OCI_MANIFEST)

    def index(self, images: Sequence[Image], attestations: Attestations = "") -> Descriptor:
        """Write an index of images, with an attestation for each where BuildKit would put it."""
        entries = []
        for image in images:
            architecture = image.platform or image.architecture
            platform = {"architecture": architecture, "os": "linux", **variant(architecture)}
            entries.append({**self.image(image), "platform": platform})
        if attestations:
            entries += [self.attestation(entry, attestations) for entry in list(entries)]
        return self.json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}, OCI_INDEX)

    def attestation(self, image: Descriptor, form: Attestations) -> Descriptor:
        """Write the provenance of an image and return its entry for an index."""
        kind = "https://slsa.dev/provenance/v0.2"
        subject = {"name": "service", "digest": {"sha256": image["digest"].removeprefix("sha256:")}}
        statement = {
            "_type": "https://in-toto.io/Statement/v0.1",
            "predicateType": kind,
            "subject": [subject],
            "predicate": {"builder": {"id": ""}, "buildType": "https://mobyproject.org/buildkit@v1"},
        }
        layer = self.json(statement, IN_TOTO, annotations={"in-toto.io/predicate-type": kind})
        manifest: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_MANIFEST}
        unknown = {"architecture": "unknown", "os": "unknown"}
        more: dict[str, Any] = {}
        if form == "artifact":
            manifest["artifactType"] = more["artifactType"] = ATTESTATION
            manifest["config"] = self.blob(b"{}", OCI_EMPTY)
            manifest["subject"] = {key: image[key] for key in ("mediaType", "digest", "size")}
        else:
            rootfs = {"type": "layers", "diff_ids": [layer["digest"]]}
            manifest["config"] = self.json({**unknown, "config": {}, "rootfs": rootfs}, OCI_CONFIG)
        manifest["layers"] = [layer]
        words = {
            "vnd.docker.reference.digest": image["digest"],
            "vnd.docker.reference.type": "attestation-manifest",
        }
        return self.json(manifest, OCI_MANIFEST, **more, annotations=words, platform=unknown)

    def name(self, tag: str, descriptor: Descriptor) -> None:
        """List a manifest or an index under a tag."""
        words = {**descriptor.get("annotations", {}), "org.opencontainers.image.ref.name": tag}
        self.entries.append({**descriptor, "annotations": words})

    def close(self) -> Path:
        (self.folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": self.entries}
        (self.folder / "index.json").write_text(json.dumps(index, indent=1))
        return self.folder


def single(folder: Path, image: Image, tag: str = "latest") -> Path:
    """Write a layout of one manifest."""
    layout = Layout(folder)
    layout.name(tag, layout.image(image))
    return layout.close()


def several(folder: Path, images: Sequence[Image], attestations: Attestations = "", tag: str = "latest") -> Path:
    """Write a layout of one index."""
    layout = Layout(folder)
    layout.name(tag, layout.index(images, attestations))
    return layout.close()
