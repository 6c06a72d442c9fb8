"""``ENV key value`` to ``ENV key=value``, and MAINTAINER to the label that took its place."""

from __future__ import annotations

from collections.abc import Sequence

from lucid_audit.dockerfile.model import Pairs, Plain
from lucid_audit.fixes import Edit, Fault, fix
from lucid_audit.fixes.strings import quoted


@fix("legacy-key-value")
def key_value(fault: Fault) -> Sequence[Edit]:
    """Join key and value by ``=``. The legacy form has one pair, and its value is the rest of the line."""
    instruction = fault.instruction
    if not isinstance(instruction, Pairs) or len(instruction.pairs) != 1 or instruction.pairs[0].value is None:
        return ()
    pair = instruction.pairs[0]
    value = pair.value
    if value is None or "\n" in fault.text[pair.key.span.start : value.span.end]:
        return ()
    return (Edit(pair.key.span.end, value.span.end, f"={quoted(value.raw, fault.build.dockerfile.escape)}"),)


@fix("maintainer-deprecated")
def maintainer(fault: Fault) -> Sequence[Edit]:
    """Name the author in the label of the OCI image specification (annotations.md, "Pre-Defined Annotation Keys")."""
    instruction = fault.instruction
    if not isinstance(instruction, Plain) or "\n" in fault.text[instruction.span.start : instruction.word.span.end]:
        return ()
    name = quoted(instruction.word.raw.strip("\"'"), fault.build.dockerfile.escape)
    label = f"LABEL org.opencontainers.image.authors={name}"
    return (Edit(instruction.span.start, instruction.word.span.end, label),)
