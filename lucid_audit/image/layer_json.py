"""The facts of a layer as bytes, for the cache, and back. A changed shape is a new ``VERSION``."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any

from lucid_audit.container.learned import Learned
from lucid_audit.container.linkage import revive
from lucid_audit.container.program import Program
from lucid_audit.image.entry import Entry
from lucid_audit.image.layer import Layer
from lucid_audit.image.sealed import seal, unseal
from lucid_audit.image.texts import Texts
from lucid_audit.image.texts import load as unpack

VERSION = "7"


def dump(layer: Layer) -> bytes:
    """Return the facts with a checksum before them. How the layer was packed is not among them."""
    document = {
        "unpacked": layer.unpacked,
        "entries": layer.entries,
        "programs": dict(layer.programs),
        "kept": {path: content.decode("latin-1") for path, content in layer.kept.items()},
        "too_large": layer.too_large,
        "repeated": layer.repeated,
    }
    text = json.dumps(document, separators=(",", ":"))
    return seal(zlib.compress(text.encode(), 1))


def load(
    sealed: bytes,
    texts: Callable[[], bytes],
    learned: Callable[[], bytes],
    *,
    digest: str,
    diff_id: str,
    size: Any,
    compression: str,
) -> Layer | None:
    """Return the facts that ``dump`` wrote; None when they are damaged or have another shape.

    ``texts`` fetches what ``image.texts.dump`` wrote of the same layer, ``learned`` what ``dump_learned`` did.
    """
    data = unseal(sealed)
    if data is None:
        return None
    try:
        raw = json.loads(zlib.decompress(data))
        return Layer(
            digest,
            diff_id,
            int(size),
            raw["unpacked"],
            compression,
            tuple([Entry(*entry) for entry in raw["entries"]]),
            {path: _program(program) for path, program in raw["programs"].items()},
            {path: content.encode("latin-1") for path, content in raw["kept"].items()},
            Texts(lambda: unpack(texts())),
            Learned(lambda: _learned(learned())),
            tuple(raw["too_large"]),
            tuple(raw["repeated"]),
        )
    except (ValueError, KeyError, TypeError, zlib.error):
        return None


def _program(raw: list[Any]) -> Program:
    return Program(*raw[:-1])._replace(linkage=revive(raw[-1]))


def dump_learned(learned: Learned) -> bytes:
    """Return what was learned of a layer's files with a checksum before it."""
    return seal(zlib.compress(json.dumps(learned.values, separators=(",", ":")).encode(), 1))


def _learned(sealed: bytes) -> dict[str, dict[str, list[Any]]]:
    """Return what ``dump_learned`` wrote; nothing when it is damaged."""
    data = unseal(sealed)
    try:
        values: dict[str, dict[str, list[Any]]] = json.loads(zlib.decompress(data)) if data else {}
    except (ValueError, zlib.error):
        return {}
    return values
