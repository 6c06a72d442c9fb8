"""``USER 65532:65532`` for a final stage that runs as root or by a name."""

from __future__ import annotations

from collections.abc import Sequence

from lucid_audit.dockerfile.model import Instruction, Plain
from lucid_audit.dockerfile.stages import Stage
from lucid_audit.fixes import Edit, Fault, fix

USER = "65532:65532"
# What only describes the container and may follow USER; RUN, COPY and WORKDIR act as the user that is in force.
_DESCRIBES = frozenset(("CMD", "ENTRYPOINT", "HEALTHCHECK", "EXPOSE", "LABEL", "STOPSIGNAL", "VOLUME", "ENV", "SHELL"))


def _distroless(fault: Fault) -> bool:
    base = fault.build.target.base if fault.build.target is not None else None
    return base is not None and base.distroless


@fix("final-user-root", "final-user-not-numeric")
def user(fault: Fault) -> Sequence[Edit]:
    """Name the user that every distroless image has (``nonroot``)."""
    return _edits(fault) if _distroless(fault) else ()


@fix("final-user-root", unsafe=True)
def user_elsewhere(fault: Fault) -> Sequence[Edit]:
    """The same on another base, where files may be meant for another user."""
    return () if _distroless(fault) else _edits(fault)


def _edits(fault: Fault) -> Sequence[Edit]:
    stage = fault.build.target
    if stage is None:
        return ()
    users = [step.instruction for step in stage.steps if step.instruction.keyword == "USER" and not step.onbuild]
    if users:
        return _instead(stage, users[-1])
    before = _describing(stage)
    if before is not None:
        return (Edit(before.span.start, before.span.start, f"USER {USER}{fault.newline}"),)
    last = stage.steps[-1].instruction if stage.steps else stage.from_
    at = last.span.end
    return (Edit(at, at, f"{fault.newline}USER {USER}"),)


def _instead(stage: Stage, last: Instruction) -> Sequence[Edit]:
    """Rewrite the last USER, unless something after it does its work as that user."""
    after = [step.instruction.keyword for step in stage.steps if step.instruction.span.start > last.span.start]
    if not isinstance(last, Plain) or not _DESCRIBES.issuperset(after):
        return ()
    name = last.word.raw.partition(":")[0]
    if name not in ("root", "nonroot", "") and not name.isdigit():
        return ()  # somebody of the image's own
    return (Edit(last.word.span.start, last.word.span.end, USER),)


def _describing(stage: Stage) -> Instruction | None:
    """Return the first instruction of the stage's end, where nothing is made any more."""
    first = None
    for step in reversed(stage.steps):
        if step.onbuild or step.instruction.keyword not in _DESCRIBES:
            break
        first = step.instruction
    return first
