"""Says which base an image is built on, by the strongest evidence there is."""

from __future__ import annotations

from collections.abc import Sequence

from lucid_audit.image import distroless
from lucid_audit.image.config import ImageConfig
from lucid_audit.image.history import steps_of_layers
from lucid_audit.image.identity import Evidence, Identity, Known
from lucid_audit.image.layer import Layer
from lucid_audit.image.others import other
from lucid_audit.image.packages import os_release
from lucid_audit.image.rootfs import Rootfs


def identify(config: ImageConfig, layers: Sequence[Layer], rootfs: Rootfs, known: Known) -> Identity:
    """Say which base an image is built on."""
    lines = tuple(step.created_by for step in steps_of_layers(config))
    evidence = Evidence(config, layers, rootfs, os_release(rootfs), lines, known)
    for tier in (distroless.by_layers, distroless.by_history, distroless.by_files):
        found = tier(evidence)
        if found is not None:
            return found
    return other(evidence)
