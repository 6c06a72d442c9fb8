"""Which layer a folder of an old export holds, told before the layer has been read.

Docker to version 24 exports ``<id>/json`` and ``<id>/layer.tar``, sorted by an id that is no digest of the layer, and
the mapping comes last. But the id is a digest of what stands in ``json`` together with the layer's chain id, so that
it can be computed for every layer of the image and compared. Source: moby v20.10, ``image/v1/imagev1.go`` (``CreateID``)
and ``image/tarexport/save.go``; chain ids: OCI image-spec, ``config.md``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from lucid_audit.image.descriptor import sha256

_DECODER = json.JSONDecoder()
_BLANK = " \t\r\n"


def chain_ids(diff_ids: Sequence[str]) -> list[str]:
    """Return the chain id of every layer: a digest over it and all below."""
    chain: list[str] = []
    for diff_id in diff_ids:
        chain.append(sha256(f"{chain[-1]} {diff_id}".encode()) if chain else diff_id)
    return chain


def identify(identifier: str, document: bytes, diff_ids: Sequence[str]) -> str:
    """Return the diff_id of the layer in the folder ``identifier``, whose ``json`` is ``document``; "" if none fits."""
    try:
        fields = dict(_fields(document.decode()))
    except (ValueError, RecursionError, IndexError):
        return ""
    fields.pop("id", None)
    if "parent" in fields:
        fields["parent"] = fields["parent"].replace('"', '"sha256:', 1)
    for diff_id, chain in zip(diff_ids, chain_ids(diff_ids), strict=True):
        fields["layer_id"] = f'"{chain}"'
        # All but the uppermost layer get their "os" only after the id was computed.
        for left_out in ("", "os"):
            text = ",".join(f'"{key}":{fields[key]}' for key in sorted(fields) if key != left_out)
            if sha256(f"{{{text}}}".encode()) == f"sha256:{identifier}":
                return diff_id
    return ""


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Yield the fields of a JSON object with their values as they are written: every character counts in a digest."""
    position = _skip(text, 0) + 1
    if text[position - 1] != "{":
        raise ValueError("not an object")
    while text[_skip(text, position)] != "}":
        key, position = _DECODER.raw_decode(text, _skip(text, position))
        start = _skip(text, _skip(text, position) + 1)
        _, position = _DECODER.raw_decode(text, start)
        yield str(key), text[start:position]
        position = _skip(text, position)
        position += text[position] == ","


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in _BLANK:
        position += 1
    return position
