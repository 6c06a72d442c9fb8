"""What an image is, in the few lines that a report opens with."""

from __future__ import annotations

import json

from lucid_audit.container.config import Argv, Container
from lucid_audit.container.execute import effective
from lucid_audit.image.identity import Identity
from lucid_audit.image.image import Image, Publication

Facts = tuple[tuple[str, str], ...]


def facts_of(image: Image) -> Facts:
    """Return platform, base, size, user, command and health check of one image."""
    container = image.container
    unpacked = sum(layer.unpacked for layer in image.layers)
    return (
        ("platform", str(image.platform)),
        ("digest", image.digest),
        ("base", base_of(image.identity)),
        ("size", f"{size(image.size)} packed, {size(unpacked)} unpacked, {len(image.layers)} layers"),
        ("user", container.user.known() or "root (not set)"),
        ("runs", command(effective(container).known())),
        ("health check", health(container)),
    )  # fmt: skip


def facts_of_publication(publication: Publication) -> Facts:
    """Return what an index holds."""
    if publication.index is None:
        return ()
    found = [("index", publication.digest)]
    platforms = [str(image.platform.normalised) for image in publication.images]
    unread = [str(entry.platform.normalised) for entry in publication.unread if entry.platform]
    shown = ", ".join(platforms) + (f" (not audited: {', '.join(unread)})" if unread else "")
    found.append(("platforms", shown or "none"))
    if publication.attestations:
        found.append(("attestations", str(len(publication.attestations))))
    return tuple(found)


def base_of(identity: Identity) -> str:
    """Name a base and how that is known."""
    if identity.tier == "none" or not identity.name:
        return "unknown" + (f"; {identity.claims}" if identity.claims else "")
    debug = " (debug)" if identity.debug else ""
    return f"{identity.name}{debug}, {identity.how}"


def command(argv: Argv | None) -> str:
    """Return a command as a JSON array, or as the text of a shell form."""
    if argv is None:
        return "nothing: neither ENTRYPOINT nor CMD is set"
    if argv.shell:
        return f"{argv.args[0]} (shell form)"
    return json.dumps(argv.known(), ensure_ascii=False)


def health(container: Container) -> str:
    """Return the health check in one line."""
    found = container.health.known()
    if found is None:
        return "none"
    return "NONE (turned off)" if found.argv is None else command(found.argv)


def size(count: int) -> str:
    """Return a number of bytes as people read it, in decimal units as registries show them."""
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
