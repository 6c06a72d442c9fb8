"""Which base an image is really built on, and how sure that is.

Tiers, strongest first: ``layers`` (diff_ids that only this base has), ``history`` (lines its builder writes),
``files`` (what its file system looks like), ``none``. History and files can be forged; verified diff_ids cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from lucid_audit.bases import Base, Bases
from lucid_audit.image.config import ImageConfig
from lucid_audit.image.fingerprints import Fingerprints
from lucid_audit.image.layer import Layer
from lucid_audit.image.rootfs import Rootfs
from lucid_audit.record import record
from lucid_audit.reference import ImageRef
from lucid_audit.tuples import NamedTuple


@record(eq=False)
class Identity:
    """The base of an image. ``ref`` names its repository, and the tag as far as it can be told; None when unknown.

    ``tier`` is ``layers``, ``history``, ``files`` or ``none``; ``layers`` is how many layers from below are the base's, 0
    when that is not known. ``replaced_on`` is the day on which the first of its constant layers was replaced in the
    published images, None while all of them are current. ``claims`` says what names a base that the layers do not confirm,
    "" when nothing does. ``distroless``: whether it is made without shell and package manager; None when nobody can tell.
    """

    ref: ImageRef | None = None
    base: Base | None = None
    family: str = ""
    release: str = ""
    debug: bool | None = None
    tier: str = "none"
    layers: int = 0
    replaced_on: date | None = None
    claims: str = ""
    distroless: bool | None = None

    @property
    def name(self) -> str:
        """What the base is called, "" when nothing names it."""
        return self.ref.familiar if self.ref is not None else self.family

    @property
    def google(self) -> bool:
        """Whether it is an image of Google distroless, or says so."""
        return self.family.startswith("distroless")

    @property
    def how(self) -> str:
        """How it is known, in words; "" when it is not."""
        return {
            "layers": f"by the digests of its {self.layers} layers",
            "history": "by the history, which can be forged",
            "files": "by its files, which can be forged",
        }.get(self.tier, "")


class Known(NamedTuple):
    """What is known of bases on one day."""

    bases: Bases
    prints: Fingerprints
    as_of: date


class Evidence(NamedTuple):
    """What an identity is judged by. ``lines`` are the history lines of the layers, empty when their number differs."""

    config: ImageConfig
    layers: Sequence[Layer]
    rootfs: Rootfs
    release: Mapping[str, str]
    lines: tuple[str, ...]
    known: Known

    def line(self, layer: int) -> str:
        """Return the history line of a layer (from 0), "" when nobody knows it."""
        return self.lines[layer] if layer < len(self.lines) else ""
