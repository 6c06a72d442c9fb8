"""The subjects of image checks: one image for one platform, and what a reference publishes."""

from __future__ import annotations

from datetime import date

from lucid_audit.container.config import Container, LayerPath
from lucid_audit.image.config import ImageConfig
from lucid_audit.image.descriptor import Descriptor, Platform
from lucid_audit.image.history import made_by
from lucid_audit.image.identity import Identity
from lucid_audit.image.layer import Layer
from lucid_audit.image.manifest import Index, Manifest
from lucid_audit.image.rootfs import Rootfs
from lucid_audit.record import record
from lucid_audit.reference import ImageRef


@record(eq=False)
class Image:
    """One image for one platform, read whole and verified.

    ``entry`` is its entry in the index, None when the reference names the manifest itself. ``layers`` are in the order of
    the manifest, the lowest first. ``size`` is what a pull transfers, in bytes: the packed layers.
    """

    name: str
    digest: str
    entry: Descriptor | None
    manifest: Manifest
    config: ImageConfig
    layers: tuple[Layer, ...]
    rootfs: Rootfs
    identity: Identity
    container: Container
    as_of: date

    @property
    def platform(self) -> Platform:
        """The platform that the image's own configuration names."""
        return self.config.platform

    @property
    def size(self) -> int:
        """Bytes of the packed layers."""
        return sum(layer.size for layer in self.layers)

    def place(self, path: str, layer: int) -> LayerPath:
        """Return the place of a path in a layer (from 0), for a finding."""
        return LayerPath(path, layer, self.layers[layer].digest, made_by(self.config, layer))

    def own(self, layer: int) -> bool:
        """Whether a layer (from 0) lies above the base; every layer does when the layers of the base are not confirmed."""
        return self.identity.tier != "layers" or layer >= self.identity.layers


@record(eq=False)
class Publication:
    """What a reference names: one manifest, or an index of several.

    ``images`` are those that were read; ``failed`` are entries of the index that could not be, with the reason.
    ``unread`` are entries that were not asked for. ``attestations`` are SBOMs and provenance, never platforms.
    ``wanted`` are the platforms that the profile or policy demands.
    """

    name: str
    ref: ImageRef | None
    digest: str
    index: Index | None
    images: tuple[Image, ...]
    wanted: tuple[Platform, ...] = ()
    attestations: tuple[Descriptor, ...] = ()
    others: tuple[Descriptor, ...] = ()
    unread: tuple[Descriptor, ...] = ()
    failed: tuple[tuple[Descriptor, str], ...] = ()
    as_of: date = date.min
