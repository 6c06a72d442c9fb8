"""How an image is packed: platforms, index, layers, history."""

from __future__ import annotations

from lucid_audit.checks import Answers, check
from lucid_audit.container.config import Field
from lucid_audit.finding import Hit
from lucid_audit.image.image import Publication


@check("platforms-published")
def platforms_published(publication: Publication) -> Answers:
    """Judge whether every demanded platform is there; what is not demanded is nobody's business."""
    offered = [image.platform for image in publication.images]
    offered += [entry.platform for entry in (*publication.unread, *publication.failed) if entry.platform is not None]
    shown = ", ".join(sorted({str(platform.normalised) for platform in offered})) or "none"
    for wanted in publication.wanted:
        if not any(platform.matches(wanted) for platform in offered):
            yield Hit(Field("platforms"), wanted=wanted, offered=shown)
