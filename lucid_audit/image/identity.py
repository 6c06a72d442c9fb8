"""Which base an image is really built on, and how sure that is.

Tiers, strongest first: ``layers`` (diff_ids that only this base has), ``history`` (lines its builder writes),
``files`` (what its file system looks like), ``none``. History and files can be forged; verified diff_ids cannot.
"""

from __future__ import annotations

from lucid_audit.bases import Base
from lucid_audit.record import record
from lucid_audit.reference import ImageRef


@record(eq=False)
class Identity:
    """The base of an image. ``ref`` names its repository, without a tag where that cannot be told; None when unknown.

    ``tier`` is ``layers``, ``history``, ``files`` or ``none``; ``layers`` is how many layers from below are the base's, 0
    when that is not known. ``era`` is when the constant layers were in use, in words. ``claims`` says which other tier
    names a base that the layers do not confirm (flattened or an impostor), "" when none does.
    """

    ref: ImageRef | None = None
    base: Base | None = None
    family: str = ""
    release: str = ""
    debug: bool | None = None
    tier: str = "none"
    layers: int = 0
    era: str = ""
    claims: str = ""


NOBODY = Identity()
