"""``python`` and interpreters of other images to the interpreter that the base has."""

from __future__ import annotations

from collections.abc import Sequence
from posixpath import basename

from lucid_audit.dockerfile.model import Command, Healthcheck
from lucid_audit.fixes import Edit, Fault, fix
from lucid_audit.fixes.strings import array


@fix("command-program-missing", "health-check-unresolvable")
def python_name(fault: Fault) -> Sequence[Edit]:
    """Write ``python3``, which every distroless python base has in PATH, for ``python``, and for the python3 of another folder."""
    instruction = fault.instruction
    command = instruction.command if isinstance(instruction, Command | Healthcheck) else None
    target = fault.build.target
    interpreter = target.base.interpreter if target is not None and target.base is not None else None
    if (
        command is None
        or not command.exec_form
        or not command.args
        or interpreter is None
        or interpreter.kind != "python"
    ):
        return ()
    word = command.args[0]
    name = basename(word.raw)
    if name not in ("python", "python3") or word.raw == "python3" or "venv" in word.raw:
        return ()  # a virtual environment that is missing is another mistake
    wanted = "/usr/bin/python3" if "/" in word.raw else "python3"
    return (Edit(word.span.start, word.span.end, array([wanted])[1:-1]),)
