"""Manifests and indexes: what a reference names, read strictly and with limits.

Sources: OCI image-spec v1.1 (``manifest.md``, ``image-index.md``), Docker Image Manifest Version 2, Schema 2.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from lucid_audit.errors import InputError
from lucid_audit.image.descriptor import Descriptor, read_descriptor, texts

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1"

INDEX_TYPES = (OCI_INDEX, DOCKER_LIST)
MANIFEST_TYPES = (OCI_MANIFEST, DOCKER_MANIFEST)
ACCEPTED = (*INDEX_TYPES, *MANIFEST_TYPES)  # in the order a registry should prefer them
CONFIG_TYPES = (OCI_CONFIG, DOCKER_CONFIG)

MANIFEST_LIMIT = 4 << 20  # bytes: what registries accept (distribution-spec, "Pushing Manifests")
LAYER_LIMIT = 1000  # layers of a manifest; overlay mounts end at 500 (kernel, OVL_MAX_STACK), Docker at 127
ENTRY_LIMIT = 1000  # manifests of an index

REFERENCE_TYPE = "vnd.docker.reference.type"
REFERENCE_DIGEST = "vnd.docker.reference.digest"
ATTESTATION = "attestation-manifest"
ATTESTATION_ARTIFACT = "application/vnd.docker.attestation.manifest.v1+json"


class Fetched(NamedTuple):
    """Bytes of a manifest as a source gave them. ``media_type`` is the source's word, "" when it has none.

    ``sized`` is False where the source made the manifest up and cannot know sizes: they may then be -1.
    """

    data: bytes
    media_type: str
    digest: str
    sized: bool = True


class Manifest(NamedTuple):
    """One image, or an artifact when ``config`` is no image configuration. ``subject``: what it is about, if it says so."""

    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str]
    artifact_type: str = ""
    subject: Descriptor | None = None

    @property
    def is_image(self) -> bool:
        """Whether the configuration is that of an image; artifacts (charts, signatures, modules) have another."""
        return self.config.media_type in CONFIG_TYPES


class Index(NamedTuple):
    """A list of manifests, one per platform, with attestations and other indexes among them."""

    media_type: str
    manifests: tuple[Descriptor, ...]
    annotations: Mapping[str, str]


def is_attestation(descriptor: Descriptor) -> bool:
    """Whether an entry of an index is an attestation (SBOM, provenance) in one of the two forms BuildKit writes."""
    return (
        descriptor.annotations.get(REFERENCE_TYPE) == ATTESTATION
        or descriptor.artifact_type == ATTESTATION_ARTIFACT
        or (descriptor.platform is not None and descriptor.platform[:2] == ("unknown", "unknown"))
    )


def read(fetched: Fetched) -> Manifest | Index:
    """Read a manifest or an index.

    Raises:
        InputError: it is too large, no JSON, of a kind that is not supported, or breaks the specification.

    """
    if len(fetched.data) > MANIFEST_LIMIT:
        raise InputError(f"the manifest has more than {MANIFEST_LIMIT} bytes")
    raw = read_json(fetched.data, "the manifest")
    kind = _kind(raw, fetched.media_type.partition(";")[0].strip())
    if kind in INDEX_TYPES:
        return Index(kind, _descriptors(raw, "manifests", ENTRY_LIMIT), texts(raw.get("annotations")))
    config = read_descriptor(raw.get("config"), fetched.sized)
    if isinstance(config, str):
        raise InputError(f"the manifest's config: {config}")
    subject = read_descriptor(raw["subject"]) if raw.get("subject") is not None else None
    artifact_type = raw.get("artifactType")
    return Manifest(
        kind,
        config,
        _descriptors(raw, "layers", LAYER_LIMIT, fetched.sized),
        texts(raw.get("annotations")),
        artifact_type if isinstance(artifact_type, str) else "",
        None if isinstance(subject, str) else subject,
    )


def read_json(data: bytes, what: str) -> dict[str, Any]:
    """Decode a JSON object.

    Raises:
        InputError: it is not one; nesting that exhausts the decoder counts as not being one.

    """
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{what} is not valid JSON: {error}") from None
    if not isinstance(raw, dict):
        raise InputError(f"{what} is not a JSON object")
    return raw


def _kind(raw: Mapping[str, Any], said: str) -> str:
    """Return the media type, from the document first; what the source said has to agree with it."""
    own = raw.get("mediaType")
    if raw.get("schemaVersion") == 1 or said.startswith(SCHEMA_1) or "fsLayers" in raw:
        raise InputError("the manifest is of schema 1, which has no image configuration; push the image again")
    if raw.get("schemaVersion") != 2:
        raise InputError(f"the manifest has schemaVersion {raw.get('schemaVersion')!r}, not 2")
    if own is not None and (not isinstance(own, str) or (said in ACCEPTED and said != own)):
        raise InputError(f"the manifest says it is {own!r}, but it was delivered as {said!r}")
    kind = own or (said if said in ACCEPTED else "")
    if not kind:
        kind = OCI_INDEX if "manifests" in raw else OCI_MANIFEST
    if kind not in ACCEPTED:
        raise InputError(f"a manifest of type {kind!r} is not an image")
    if "manifests" in raw and "layers" in raw:
        raise InputError("the manifest is an index and an image at once")
    return kind


def _descriptors(raw: Mapping[str, Any], key: str, limit: int, sized: bool = True) -> tuple[Descriptor, ...]:
    entries = raw.get(key)
    if entries is None and key == "manifests":
        entries = []
    if not isinstance(entries, list):
        raise InputError(f"the manifest's {key} is not a list")
    if len(entries) > limit:
        raise InputError(f"the manifest lists {len(entries)} {key}, more than {limit}")
    found = []
    for entry in entries:
        descriptor = read_descriptor(entry, sized)
        if isinstance(descriptor, str):
            raise InputError(f"the manifest's {key}: {descriptor}")
        found.append(descriptor)
    return tuple(found)
