"""What the layers of an image cost, and archives and histories that are not what they should be."""

from __future__ import annotations

import re
from datetime import date, timedelta

from lucid_audit.checks import Answers, check
from lucid_audit.container.config import Field
from lucid_audit.container.files import MERGED
from lucid_audit.finding import Hit, Skip
from lucid_audit.image.history import made_by
from lucid_audit.image.image import Image
from lucid_audit.image.rootfs import Buried
from lucid_audit.record import record

_MIB = 1 << 20
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")


def megabytes(size: int) -> str:
    """Return a size as people read it."""
    return f"{size / _MIB:.1f} MiB" if size < 10 * _MIB else f"{size // _MIB} MiB"


def _layer(image: Image, number: int) -> Field:
    return Field(f"layers[{number + 1}]", made_by(image.config, number))


@record
class Most:
    """``most``: the highest number that passes."""

    most: int


@check("layer-limit")
def layer_limit(image: Image, params: Most) -> Answers:
    """Judge the number of all layers, the base's too: the engine stacks every one of them."""
    if len(image.layers) > params.most:
        yield Hit(Field("layers"), count=len(image.layers), most=params.most)


@record
class Above:
    """``most``: layers above the base that pass. ``deepest``: how many a base may have that is not known."""

    most: int
    deepest: int = 60


@check("layer-count")
def layer_count(image: Image, params: Above) -> Answers:
    """Judge the number of layers above the base. A distroless python3 base has 48 of its own."""
    below = image.identity.layers
    count = len(image.layers) - below
    if count <= params.most:
        return
    if below:
        yield Hit(Field("layers"), count=count, most=params.most)
    elif count > params.most + params.deepest:
        yield Hit(Field("layers"), count=f"at least {count - params.deepest}", most=params.most)
    else:
        yield Skip(Field("layers"), f"it is not known how many of the {count} layers are the base's")


@check("layer-empty")
def layer_empty(image: Image) -> Answers:
    """Judge layers above the base that change nothing."""
    for number, layer in enumerate(image.layers):
        if layer.empty and image.own(number):
            yield Hit(_layer(image, number), layer=number + 1)


@record
class Megabytes:
    """``most``: MiB that pass; 0 asks nothing."""

    most: int


@check("layer-size")
def layer_size(image: Image, params: Megabytes) -> Answers:
    """Judge the files of each layer above the base."""
    for number, layer in enumerate(image.layers):
        if params.most and image.own(number) and layer.content > params.most * _MIB:
            yield Hit(_layer(image, number), layer=number + 1, size=megabytes(layer.content), most=params.most)


@check("image-size")
def image_size(image: Image, params: Megabytes) -> Answers:
    """Judge what a pull transfers."""
    if params.most and image.size > params.most * _MIB:
        yield Hit(Field("layers"), size=megabytes(image.size), most=params.most)


@record
class Wasted:
    """``least``: KiB that are worth a finding."""

    least: int = 1024


@check("bytes-wasted")
def bytes_wasted(image: Image, params: Wasted) -> Answers:
    """Judge files that a layer above the base deleted or replaced: they are pulled and never seen.

    A hard link has its bytes elsewhere and is not counted.
    """
    links = {number: _hard_links(image, number) for number in {one.layer for one in image.rootfs.buried}}
    wasted: dict[int, list[Buried]] = {}
    for one in image.rootfs.buried:
        if one.entry.size and image.own(one.by) and one.entry.path not in links[one.layer]:
            wasted.setdefault(one.by, []).append(one)
    for by, files in sorted(wasted.items()):
        total = sum(one.entry.size for one in files)
        if total >= params.least * 1024:
            largest = max(files, key=lambda one: one.entry.size)
            how = "deletes" if all(one.deleted for one in files) else "replaces"
            more = f" and {len(files) - 1} more" if len(files) > 1 else ""
            yield Hit(
                image.place(largest.entry.path, largest.layer),
                size=megabytes(total), path=largest.entry.path, more=more, how=how, by=by + 1,
            )  # fmt: skip


def _hard_links(image: Image, number: int) -> set[str]:
    return {entry.path for entry in image.layers[number].entries if entry.kind == "h"}


@record
class Created:
    """``ask``: "form" (is it a date and time of RFC 3339) or "future"."""

    ask: str


@check("created-plausible")
def created_plausible(image: Image, params: Created) -> Answers:
    """Judge when image and layers say they were made; a day is left for time zones and clocks. No date is allowed."""
    stamps = [(Field("created"), image.config.created)]
    stamps += [(Field("history", step.created_by), step.created) for step in image.config.history]
    for place, text in stamps:
        day = _day(text) if text else None
        if params.ask == "form":
            found = bool(text) and day is None
        else:
            found = day is not None and day > image.as_of + timedelta(days=1)
        if found:
            yield Hit(place, created=text[:40])
            return  # what made one wrong made the others wrong too


def _day(text: str) -> date | None:
    match = _RFC3339.fullmatch(text)
    try:
        return date.fromisoformat(match[1]) if match is not None else None
    except ValueError:
        return None


@check("history-complete")
def history_complete(image: Image) -> Answers:
    """Judge whether as many history lines made a layer as there are layers; no history at all is allowed."""
    making = sum(not step.empty for step in image.config.history)
    if image.config.history and making != len(image.layers):
        yield Hit(Field("history"), lines=making, layers=len(image.layers))


@check("layer-repeats")
def layer_repeats(image: Image) -> Answers:
    """Judge archives that have a path twice: the last entry counts, and scanners that read the first see another file."""
    for number, layer in enumerate(image.layers):
        if layer.repeated and image.own(number):
            more = len(set(layer.repeated)) - 1
            yield Hit(
                image.place(layer.repeated[0], number),
                path=layer.repeated[0],
                more=f", and {more} more" if more else "",
            )


@record
class Conflicts:
    """``refused``: what no engine can unpack, instead of what engines unpack differently."""

    refused: bool


@check("layers-apply")
def layers_apply(image: Image, params: Conflicts) -> Answers:
    """Judge what goes wrong when the layers are put on top of each other."""
    for one in image.rootfs.conflicts:
        refused = one.what.startswith("is a hard link")
        if one.path in MERGED and not refused:
            continue  # system-link-replaced says it, and what is lost
        if image.own(one.layer) and refused == params.refused:
            yield Hit(image.place(one.path, one.layer), path=one.path, what=one.what)
