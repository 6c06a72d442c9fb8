"""``ENTRYPOINT []`` where the base's interpreter would be started with itself as its script."""

from __future__ import annotations

from collections.abc import Sequence

from lucid_audit.fixes import Edit, Fault, fix


@fix("interpreter-doubled")
def entrypoint(fault: Fault) -> Sequence[Edit]:
    """Empty the entry point that the base sets, right before CMD; one that the file sets itself is left to a person."""
    container = fault.build.container
    instruction = fault.instruction
    if container is None or not container.entrypoint.inherited or instruction is None or instruction.keyword != "CMD":
        return ()
    at = instruction.span.start
    return (Edit(at, at, f"ENTRYPOINT []{fault.newline}"),)
