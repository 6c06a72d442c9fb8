"""Folders that are copied whole with what tools leave in them: a COPY of a huge context, told by what makes contexts huge."""

from __future__ import annotations

from lucid_audit.checks import Answers, check
from lucid_audit.checks.copyfacts import plain_sources
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Transfer
from lucid_audit.finding import Hit
from lucid_audit.record import record


@record
class Bulk:
    """``names`` of folders that no image wants and that are often larger than all the rest."""

    names: tuple[str, ...]


@check("copy-takes-bulk")
def copy_takes_bulk(build: Build, params: Bulk) -> Answers:
    """Judge sources that are folders of the context and have such a folder directly in them that is sent.

    Deeper ones are not looked for, and no sizes are read: that would cost more than all other checks together.
    """
    context = build.trees.context
    for _, step in build.steps("COPY", "ADD") if context is not None else ():
        instruction = step.instruction
        if not isinstance(instruction, Transfer) or instruction.from_ is not None or context is None:
            continue
        for word in plain_sources(instruction):
            source = step.scope.text(word)
            match = context.match(source) if source else None
            if match is None or match.kind != "found" or len(match.paths) != 1 or context.kind(match.paths[0]) != "dir":
                continue
            folder = match.paths[0]
            inner = {name: name if folder == "." else f"{folder}/{name}" for name in params.names}
            found = [name for name, path in inner.items() if context.kind(path) == "dir" and context.sent(path)]
            if found:
                yield Hit(word.span, source=word.raw, names=", ".join(found))
