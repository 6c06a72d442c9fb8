"""Spelling: the case of keywords and protocols, and a flag that says what is so anyway."""

from __future__ import annotations

from collections.abc import Sequence

from lucid_audit.dockerfile.model import From
from lucid_audit.fixes import Edit, Fault, fix


@fix("instruction-casing")
def instruction_casing(fault: Fault) -> Sequence[Edit]:
    """Write a keyword in the case that most of the file has."""
    written = fault.text[fault.span.start : fault.span.end]
    wanted = written.lower() if f"written {written.lower()} " in fault.finding.message else written.upper()
    return (Edit(fault.span.start, fault.span.end, wanted),)


@fix("from-as-casing")
def from_as_casing(fault: Fault) -> Sequence[Edit]:
    """Write AS in the case of its FROM."""
    instruction = fault.instruction
    if not isinstance(instruction, From) or instruction.as_span is None:
        return ()
    keyword = fault.text[instruction.keyword_span.start : instruction.keyword_span.end]
    return (Edit(instruction.as_span.start, instruction.as_span.end, "as" if keyword.islower() else "AS"),)


@fix("expose-protocol-casing")
def expose_protocol_casing(fault: Fault) -> Sequence[Edit]:
    """Write a protocol in lower case."""
    return (Edit(fault.span.start, fault.span.end, fault.text[fault.span.start : fault.span.end].lower()),)


@fix("redundant-target-platform")
def redundant_target_platform(fault: Fault) -> Sequence[Edit]:
    """Take ``--platform=$TARGETPLATFORM`` out, with the blanks behind it."""
    instruction = fault.instruction
    flag = instruction.flag("platform") if instruction is not None else None
    if flag is None:
        return ()
    end = flag.span.end
    while fault.text[end : end + 1] in (" ", "\t"):
        end += 1
    return (Edit(flag.span.start, end, ""),)


@fix("add-instead-of-copy")
def add_instead_of_copy(fault: Fault) -> Sequence[Edit]:
    """Write COPY for ADD, in the case of the keyword."""
    instruction = fault.instruction
    if instruction is None or any(flag.name not in ("chown", "chmod", "link", "exclude") for flag in instruction.flags):
        return ()
    span = instruction.keyword_span
    lower = fault.text[span.start : span.end].islower()
    return (Edit(span.start, span.end, "copy" if lower else "COPY"),)
