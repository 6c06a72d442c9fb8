"""Shell form to exec form, where nothing in the command needs a shell."""

from __future__ import annotations

from collections.abc import Sequence

from lucid_audit.dockerfile.execform import exec_form
from lucid_audit.dockerfile.model import Command, Healthcheck
from lucid_audit.fixes import Edit, Fault, fix
from lucid_audit.fixes.strings import FAILS, array


@fix("command-in-shell-form", "command-needs-shell", "health-check-needs-shell")
def shell_form(fault: Fault) -> Sequence[Edit]:
    """Write the words as an array. ``exec`` in front is what the exec form does by itself."""
    instruction = fault.instruction
    command = instruction.command if isinstance(instruction, Command | Healthcheck) else None
    if (
        instruction is None
        or command is None
        or command.exec_form
        or instruction.heredocs
        or instruction.keyword == "RUN"
    ):
        return ()
    text = command.text.strip()
    if instruction.keyword == "HEALTHCHECK":
        text = FAILS.sub("", text)
    words = exec_form(text.removeprefix("exec ").lstrip())
    return (Edit(command.span.start, command.span.end, array(words)),) if words else ()
