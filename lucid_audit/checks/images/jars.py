"""Jars with native libraries for other platforms and none for the image's."""

from __future__ import annotations

from collections.abc import Iterator

from lucid_audit.checks import Answers, check
from lucid_audit.container.jar import LIMIT
from lucid_audit.container.jar_natives import Natives, natives
from lucid_audit.finding import Hit, Skip
from lucid_audit.image.image import Image
from lucid_audit.image.variants import plain


@check("jar-natives-fit")
def jar_natives_fit(image: Image) -> Answers:
    """Judge the shared objects in jars. What another jar of the same name brings for the image's platform counts for all of them."""
    machine = image.platform.normalised.architecture
    strange: list[tuple[str, str, str, list[str]]] = []
    fit: set[str] = set()
    for path, found in _jars(image):
        if found is None:
            place = image.place(path, image.rootfs.nodes[path].layer)
            yield Skip(place, f"{path} is too large to be looked into for native libraries")
            continue
        for inside, first, *machines in found:
            name = plain((inside or path).rpartition("/")[2])
            if machine in machines:
                fit.add(name)
            else:
                strange.append((name, path, f"{inside}!/{first}" if inside else first, machines))
    for name, path, first, machines in strange:
        if name not in fit:
            place = image.place(path, image.rootfs.nodes[path].layer)
            yield Hit(
                place, path=path, machines=" and ".join(machines), first=first, platform=str(image.platform.normalised)
            )


def _jars(image: Image) -> Iterator[tuple[str, Natives | None]]:
    """Yield the jars above a confirmed base with their native libraries; these are kept with the layer that has the jar."""
    for path, node in sorted(image.rootfs.nodes.items()):
        if node.entry.kind != "f" or not path.endswith((".jar", ".war")) or not image.own(node.layer):
            continue
        layer, inside = node.content
        store = image.layers[layer].learned
        known = store.get(inside, "natives", "")
        if known is None:
            data = image.rootfs.content(node) if node.entry.size < LIMIT else None
            if data is None:
                yield path, None
                continue
            known = [natives(data)]
            store.put(inside, "natives", "", known[0])
        yield path, known[0]
