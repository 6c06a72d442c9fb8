"""What instructions put into a stage's files: the places that the text names, whether or not they can be looked into."""

from __future__ import annotations

from posixpath import basename

from lucid_audit.container.files import Placement, covers
from lucid_audit.container.predicted import PredictedFiles, canonical
from lucid_audit.dockerfile.effects.looks import code_only_looks
from lucid_audit.dockerfile.model import Command, CommandLine, Instruction, Plain, Transfer
from lucid_audit.dockerfile.stage_tree import Trees
from lucid_audit.dockerfile.stages import Graph, Stage, Step, find_stage
from lucid_audit.values import Unknown

RUN_IS_OPAQUE = "a RUN instruction may have written it"


def files_of(stage: Stage, trees: Trees, before: Instruction | None = None) -> PredictedFiles:
    """Return the stage's files as far as they are known, at its end or just ``before`` one of its instructions."""
    placements: list[Placement] = []
    opaque = ""
    for step in stage.all_steps():
        instruction = step.instruction
        if instruction is before:
            break
        if isinstance(instruction, Transfer):
            placements.extend(_placements(step, instruction, trees.graph))
        elif isinstance(instruction, Command) and instruction.keyword == "RUN":
            if not only_looks(instruction.command) and _can_run(instruction, stage, placements):
                opaque = RUN_IS_OPAQUE
        elif isinstance(instruction, Plain) and instruction.keyword == "WORKDIR":
            where = step.destination(instruction.word)
            if isinstance(where, str) and where != "/":
                placements.append(Placement(where.rstrip("/"), True, instruction.span))
    tree = trees.end(stage) if before is None else trees.before(stage, before)

    def elsewhere(path: str) -> str:
        having = (other for other in trees.graph.reaching() if other is not stage)
        found = next((other for other in having if trees.end(other).walk(path).state == "present"), None)
        return f"stage {found.label}" if found is not None else ""

    return PredictedFiles(stage.base, tree, tuple(placements), opaque, elsewhere)


def _placements(step: Step, instruction: Transfer, graph: Graph) -> list[Placement]:
    """Say where COPY or ADD puts each source, as far as the text tells."""
    destination = step.destination(instruction.destination)
    word = instruction.from_
    other = find_stage(graph.stages, word.raw) if word is not None else None
    stage = other.index if other is not None else None
    if isinstance(destination, Unknown):
        return [Placement(None, False, instruction.span)]
    found: list[Placement] = []
    into = destination.endswith("/") or len(instruction.sources) > 1
    for source_word in instruction.sources:
        heredoc = next((h for h in instruction.heredocs if h.word == source_word.span), None)
        source = heredoc.name if heredoc is not None else step.scope.text(source_word)
        span = source_word.span
        if source is None:
            found.append(Placement(destination.rstrip("/") or "/", False, span, "", stage))
            continue
        name = basename(source.rstrip("/"))
        listed = bool(name) and name not in (".", "..") and not any(char in name for char in "*?[")
        if heredoc is not None and listed:
            found.append(Placement(f"{destination}{name}" if into else destination, True, span, "", None))
        elif into and listed and not source.endswith("/"):
            # A file lands at folder/name; a folder gives its contents to the folder. Which of both is not in the text.
            found.append(Placement(f"{destination.rstrip('/')}/{name}", _is_file(source, other), span, source, stage))
            if not _is_file(source, other):
                found.append(Placement(destination.rstrip("/") or "/", False, span, source, stage))
        else:
            exact = not into  # the destination exists, be it a file or a folder
            found.append(Placement(destination.rstrip("/") or "/", exact, span, source, stage))
    return found


def _is_file(source: str, stage: Stage | None) -> bool:
    """Whether a source is surely one file: a name with a suffix (but ``conf.d``), or what stands in a program folder."""
    stem, dot, suffix = basename(source).rpartition(".")
    if stem and dot and suffix.isalnum() and suffix != "d" and not suffix.isdigit():
        return True
    return stage is not None and basename(source.rpartition("/")[0]) in ("bin", "sbin", "busybox")


def _can_run(instruction: Command, stage: Stage, placements: list[Placement]) -> bool:
    """Whether a RUN may run at all: shell form where there is surely no shell fails the build and writes nothing."""
    base = stage.base
    if instruction.command.exec_form or base is None or not base.closed or base.shell != "":
        return True
    shell = canonical(base, "/bin/sh")
    return any(
        placement.path is None or covers(canonical(base, placement.path), shell)
        for placement in placements
        if not placement.empty or placement.path == "/bin/sh"
    )


def only_looks(command: CommandLine) -> bool:
    """Whether a RUN is ``["python3", "-c", "…"]`` whose code writes nothing: how a stage without a shell checks itself."""
    words = [word.raw for word in command.args]
    if len(words) != 3 or words[1] != "-c" or not basename(words[0]).startswith("python"):
        return False
    return code_only_looks(words[2])
