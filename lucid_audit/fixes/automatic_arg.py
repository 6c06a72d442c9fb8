"""The default of an automatic ARG, which hides BuildKit's own value."""

from __future__ import annotations

from collections.abc import Sequence

from lucid_audit.dockerfile.model import Pairs
from lucid_audit.fixes import Edit, Fault, fix


@fix("automatic-arg-default", "automatic-build-arg-default")
def automatic_arg(fault: Fault) -> Sequence[Edit]:
    """Drop the default and keep the declaration."""
    instruction = fault.instruction
    for pair in instruction.pairs if isinstance(instruction, Pairs) else ():
        if pair.key.span == fault.span and pair.value is not None:
            return (Edit(pair.key.span.end, pair.value.span.end, ""),)
    return ()
