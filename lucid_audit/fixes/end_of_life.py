"""A distroless base at its end of life to its successor, with every line that the move touches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lucid_audit import reference
from lucid_audit.bases import Base
from lucid_audit.dockerfile.model import Instruction
from lucid_audit.dockerfile.stages import Stage
from lucid_audit.fixes import Edit, Fault, fix

_MINOR = re.compile(r"\d+\.\d+")
_SUITES = {"debian11": "bullseye", "debian12": "bookworm", "debian13": "trixie"}


@fix("final-base-end-of-life", "final-base-near-end-of-life", unsafe=True)
def end_of_life(fault: Fault) -> Sequence[Edit]:
    """Move the final stage; builders that made its packages, and paths with the interpreter's version, move along."""
    target = fault.build.target
    root = target.root if target is not None else None
    base = root.base if root is not None else None
    if root is None or base is None or not base.distroless or not base.successor or root.ref is None:
        return ()
    written = root.from_.image.raw
    name = written.split("@")[0].split(":")[0]
    new = _successor(fault, base)
    if new is None or "$" in written or name != base.ref.name or "@" in written:
        return ()
    edits = [_renamed(root, name, base.successor)]
    old_minor, new_minor = _minor(base), _minor(new)
    if old_minor and new_minor and old_minor != new_minor:
        edits += _moved(fault, root, (old_minor, new_minor), (base.release or "", new.release or ""))
    return edits


def _successor(fault: Fault, base: Base) -> Base | None:
    settings = fault.build.settings
    ref = reference.parse(f"{base.successor}{base.ref.suffix}")
    return settings.bases.lookup(ref, settings.as_of) if ref is not None else None


def _minor(base: Base) -> str:
    version = base.interpreter.version if base.interpreter is not None else None
    found = _MINOR.match(version or "")
    return found[0] if found else ""


def _renamed(stage: Stage, old: str, new: str) -> Edit:
    start = stage.from_.image.span.start
    return Edit(start, start + len(old), new)


def _moved(fault: Fault, root: Stage, minors: tuple[str, str], releases: tuple[str, str]) -> Iterator[Edit]:
    """Yield what else names the old interpreter: builders of its version, and ``python3.11`` in any instruction."""
    old, new = minors
    for stage in fault.build.stages:
        if stage is not root and stage.parent is None and stage.base is not None and stage.base.family == "python":
            span = stage.from_.image.span
            text = fault.text[span.start : span.end]
            suites = _SUITES.get(releases[0], ""), _SUITES.get(releases[1], "")
            moved = re.sub(rf"(?<=:){re.escape(old)}(?=-|@|$)", new, text)
            moved = moved.replace(f"-{suites[0]}", f"-{suites[1]}") if all(suites) else moved
            if moved != text and "@" not in text:
                yield Edit(span.start, span.end, moved)
        for step in stage.steps:
            if not step.onbuild:
                yield from _paths(fault, step.instruction, old, new)


def _paths(fault: Fault, instruction: Instruction, old: str, new: str) -> Iterator[Edit]:
    pattern = re.compile(rf"(?<=python){re.escape(old)}(?!\d)")
    for match in pattern.finditer(fault.text, instruction.span.start, instruction.span.end):
        yield Edit(match.start(), match.end(), new)
