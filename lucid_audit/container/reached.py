"""What an interpreter loads for the program that it is told to run, in its language."""

from __future__ import annotations

from lucid_audit.container.closure import Closure
from lucid_audit.container.config import Container
from lucid_audit.container.launch import Interpreter


def reached(container: Container, interpreter: Interpreter) -> Closure | None:
    """Follow the imports from the program on; None when it is not plain to see what that is. Never raises."""
    if interpreter.kind == "node":
        from lucid_audit.container.node_closure import required  # noqa: PLC0415  (one language per container)

        return required(container, interpreter)
    from lucid_audit.container.import_closure import imported  # noqa: PLC0415  (as above)

    return imported(container, interpreter)
