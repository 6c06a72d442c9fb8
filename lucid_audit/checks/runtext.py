"""What a RUN hands to its shell, as plain text to look for words in; and the variables a text refers to."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Command, Instruction, Pairs
from lucid_audit.dockerfile.stages import Stage
from lucid_audit.regex import regex
from lucid_audit.text import Span

REFERENCE = regex(r"(?<!\\)\$\{?([A-Za-z_]\w*)")


def run_text(instruction: Instruction) -> str:
    """Return the text that a RUN executes: its command line and the bodies of its here-documents."""
    if not isinstance(instruction, Command) or instruction.keyword != "RUN":
        return ""
    command = instruction.command
    text = " ".join(word.raw for word in command.args) if command.exec_form else command.text
    return "\n".join((text, *(heredoc.body for heredoc in instruction.heredocs)))


@lru_cache(maxsize=64)  # of one file: several checks ask for the same stages
def stage_text(stage: Stage) -> str:
    """Return everything that a stage and those it is FROM run or set: RUN texts, ENV and ARG as ``NAME=value``."""
    parts: list[str] = []
    for step in stage.all_steps():
        instruction = step.instruction
        if isinstance(instruction, Pairs) and instruction.keyword != "LABEL":
            parts.extend(f"{pair.key.raw}={pair.value.raw if pair.value else ''}" for pair in instruction.pairs)
        elif instruction.keyword == "RUN":
            parts.append(run_text(instruction))
    return "\n".join(parts)


def called(stage: Stage) -> str:
    """Return a stage in words for a message: ``stage builder`` or ``stage 0``."""
    return f"stage {stage.name}" if stage.name else stage.label


def global_args(build: Build) -> Iterator[Pairs]:
    """Yield the ARGs before the first FROM."""
    for instruction in build.dockerfile.instructions:
        if instruction.keyword == "FROM":
            return
        if isinstance(instruction, Pairs) and instruction.keyword == "ARG":
            yield instruction


def closure(build: Build, raw: str) -> set[str]:
    """Return the variables that a word of FROM depends on, through the defaults of global ARGs."""
    names = set(REFERENCE.findall(raw))
    if names:
        for instruction in reversed(list(global_args(build))):
            for pair in instruction.pairs:
                if pair.key.raw in names and pair.value is not None:
                    names.update(REFERENCE.findall(pair.value.raw))
    return names


def place(build: Build, instruction: Instruction, text: str) -> Span:
    """Return where a piece of an instruction stands; its keyword when continuations cut the piece apart."""
    at = build.dockerfile.source.text.find(text, instruction.span.start, instruction.span.end)
    return Span(at, at + len(text)) if at >= 0 else instruction.keyword_span
