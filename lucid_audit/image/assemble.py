"""Put an image together of its verified parts, and check that the parts belong together."""

from __future__ import annotations

from collections.abc import Sequence

from lucid_audit.image.config import ImageConfig
from lucid_audit.image.descriptor import Descriptor
from lucid_audit.image.identify import identify
from lucid_audit.image.identity import Known
from lucid_audit.image.image import Image
from lucid_audit.image.layer import Layer
from lucid_audit.image.manifest import Manifest
from lucid_audit.image.measure import measure
from lucid_audit.image.rootfs import squash
from lucid_audit.image.source import DamagedError


def assemble(
    name: str,
    digest: str,
    entry: Descriptor | None,
    manifest: Manifest,
    config: ImageConfig,
    layers: Sequence[Layer],
    known: Known,
) -> Image:
    """Return the image.

    Raises:
        DamagedError: the layers are not those that the configuration names.

    """
    if len(config.diff_ids) != len(layers):
        raise DamagedError(f"the configuration names {len(config.diff_ids)} layers, the manifest {len(layers)}")
    for number, (layer, diff_id) in enumerate(zip(layers, config.diff_ids, strict=True), 1):
        if layer.diff_id != diff_id:
            raise DamagedError(f"layer {number} unpacks to {layer.diff_id}, but the configuration says {diff_id}")
    rootfs = squash(layers)
    identity = identify(config, layers, rootfs, known)
    container = measure(config, rootfs, identity)
    return Image(name, digest, entry, manifest, config, tuple(layers), rootfs, identity, container, known.as_of)
