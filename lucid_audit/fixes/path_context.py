"""The path bug: COPY sources that are spelt for another folder than the build context."""

from __future__ import annotations

from collections.abc import Sequence

from lucid_audit.checks.contexts import judgement
from lucid_audit.checks.copy_sources import respelt
from lucid_audit.dockerfile.model import Transfer
from lucid_audit.fixes import Edit, Fault, fix


@fix("copy-source-wrong-context")
def path_context(fault: Fault) -> Sequence[Edit]:
    """Spell the source as the context has it, where exactly one path there can be meant."""
    judged = judgement(fault.build)
    instruction = fault.instruction
    if judged is None or not isinstance(instruction, Transfer):
        return ()
    written = fault.text[fault.span.start : fault.span.end]
    for one in judged.sources:
        if one.source.span == fault.span and one.text == written.strip(
            "\"'"
        ):  # a variable in it is somebody's decision
            found = respelt(judged, one.text)
            if len(found) == 1:
                slash = "/" if one.text.endswith("/") and not found[0].endswith("/") else ""
                return (Edit(fault.span.start, fault.span.end, written.replace(one.text, found[0] + slash)),)
    return ()
