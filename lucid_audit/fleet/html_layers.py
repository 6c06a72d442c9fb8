"""Layers drawn to scale, and which of them images have in common."""

from __future__ import annotations

from collections.abc import Iterator

from lucid_audit.fleet.words import Document
from lucid_audit.report.drawing import Piece, bar, mb
from lucid_audit.report.page import text

ROWS = 40  # groups of shared layers that are shown
LISTED = 60  # layers of one group


class Sharing:
    """Who has which layer. ``widest`` is the size of the largest image: all are drawn to its scale."""

    def __init__(self, document: Document) -> None:
        self.users: dict[str, list[str]] = {}
        self.made: dict[str, tuple[int, str]] = {}
        for one in document["services"]:
            for layer in one["layers"]:
                users = self.users.setdefault(layer["digest"], [])
                if one["name"] not in users:
                    users.append(one["name"])
                self.made[layer["digest"]] = layer["size"], layer["created_by"]
        self.widest = max(
            (sum(sizes.values()) for one in document["services"] for sizes in platforms(one).values()), default=0
        )


def platforms(service: Document) -> dict[str, dict[str, int]]:
    """Return the sizes of the layers of each platform, by their digests."""
    found: dict[str, dict[str, int]] = {}
    for layer in service["layers"]:
        found.setdefault(layer["platform"], {})[layer["digest"]] = layer["size"]
    return found


def layers(service: Document, sharing: Sharing) -> Iterator[str]:
    """Draw the layers of each platform; what other services have too is grey."""
    for platform, sizes in platforms(service).items():
        total = sum(sizes.values())
        own = sum(size for digest, size in sizes.items() if len(sharing.users[digest]) == 1)
        yield f'<p class="sizes"><b>{text(platform)}</b> {mb(total)} packed in {len(sizes)} layers, {mb(own)} of them its own</p>'
        if not sharing.widest:
            continue
        pieces = (_piece(service["name"], digest, size, sharing) for digest, size in sizes.items())
        yield bar(pieces, sharing.widest, f"layers of {service['name']} for {platform}")


def _piece(service: str, digest: str, size: int, sharing: Sharing) -> Piece:
    others = [name for name in sharing.users[digest] if name != service]
    also = f", also in {', '.join(others[:5])}{' …' if len(others) > 5 else ''}" if others else ""
    return Piece(size, f"{mb(size)}, {sharing.made[digest][1]}{also}", "shared" if others else "own")


def shared_layers(document: Document) -> Iterator[str]:
    """Yield what images have in common: what sharing saves, and which services have which layers together."""
    sharing, sizes = Sharing(document), document["totals"]["layers"]
    if not sizes["stored"]:
        return
    saved = sizes["listed"] - sizes["stored"]
    yield f'<h2 id="layers">Layers in common</h2><p>All images have {mb(sizes["listed"])} of packed layers; each layer once is'
    yield f"{mb(sizes['stored'])}, so sharing saves {mb(saved)} ({100 * saved // sizes['listed']} %).</p>"
    groups: dict[tuple[str, ...], list[str]] = {}
    for digest, users in sharing.users.items():
        groups.setdefault(tuple(users), []).append(digest)
    common = sorted((one for one in groups.items() if len(one[0]) > 1), key=lambda one: -_sum(sharing, one[1]))
    if not common:
        yield "<p>No layer is in the images of two services.</p>"
        return
    yield from _groups(document, sharing, common)


def _sum(sharing: Sharing, digests: list[str]) -> int:
    return sum(sharing.made[digest][0] for digest in digests)


def _groups(document: Document, sharing: Sharing, common: list[tuple[tuple[str, ...], list[str]]]) -> Iterator[str]:
    """Yield a line for each set of services that have layers together, with the layers folded away."""
    numbers = {one["name"]: number for number, one in enumerate(document["services"]) if one["layers"]}
    yield '<div class="scroll"><table class="common"><thead><tr><th scope="col">Size</th><th scope="col">In</th>'
    yield '<th scope="col">Services</th><th scope="col">Layers</th></tr></thead><tbody>'
    for users, digests in common[:ROWS]:
        yield f'<tr><th scope="row">{mb(_sum(sharing, digests))}</th><td>{len(users)} of {len(numbers)}</td><td class="dots">'
        for name, number in numbers.items():
            kind, mark = ("has", "■") if name in users else ("", "□")
            yield f'<a href="#s{number}" title="{text(name)}" class="{kind}" tabindex="-1">{mark}</a>'
        yield f"</td><td><details><summary>{len(digests)}: {text(sharing.made[max(digests, key=lambda d: sharing.made[d][0])][1][:60])}</summary><ul>"
        for digest in sorted(digests, key=lambda one: -sharing.made[one][0])[:LISTED]:
            size, made = sharing.made[digest]
            yield f"<li>{mb(size)} <code>{text(digest.rpartition(':')[2][:12])}</code> <small>{text(made[:90])}</small></li>"
        yield f"{f'<li>and {len(digests) - LISTED} smaller ones</li>' if len(digests) > LISTED else ''}</ul></details></td></tr>"
    yield "</tbody></table></div>"
    if len(common) > ROWS:
        yield f"<p>and {len(common) - ROWS} smaller groups</p>"
