"""Variables that expand to nothing."""

from __future__ import annotations

from collections.abc import Iterator

from lucid_audit.checks import Answers, check
from lucid_audit.checks.runtext import REFERENCE
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Instruction, Pairs, Plain, Transfer, Word
from lucid_audit.dockerfile.stages import AUTOMATIC_ARGS, PREDEFINED_ARGS, Scope, Step
from lucid_audit.finding import Hit
from lucid_audit.text import Span

_NOT_EXPANDED = ("MAINTAINER", "RUN", "CMD", "ENTRYPOINT", "SHELL", "HEALTHCHECK", "ONBUILD")


@check("variable-undefined")
def variable_undefined(build: Build) -> Answers:
    """Judge variables in instructions that BuildKit expands: set by no ARG, no ENV and not by the base (UndefinedVar).

    Automatic platform ARGs, and those that the same ENV sets, are other checks' business.
    """
    for stage in build.stages:
        for step in stage.steps:
            instruction = step.instruction
            if step.onbuild or instruction.keyword in _NOT_EXPANDED:
                continue
            for word, own in _words(instruction):
                if "$" not in word.raw:
                    continue
                for name in dict.fromkeys(step.scope.expand(word.raw).undefined):
                    if name not in AUTOMATIC_ARGS and name not in own and name not in PREDEFINED_ARGS:
                        yield Hit(_place(build, word, name), name=name, hint=_hint(build, step, name))


def _words(instruction: Instruction) -> Iterator[tuple[Word, frozenset[str]]]:
    """Yield the words of an instruction that are expanded, and the other variables that the same ENV sets."""
    if isinstance(instruction, Transfer):
        for flag in instruction.flags:
            if flag.name in ("chown", "chmod") and flag.value is not None:
                yield flag.value, frozenset()
        for word in (*instruction.sources, instruction.destination):
            yield word, frozenset()
    elif isinstance(instruction, Pairs):
        keys = frozenset(pair.key.raw for pair in instruction.pairs) if instruction.keyword == "ENV" else frozenset()
        for pair in instruction.pairs:
            if pair.value is not None:
                yield pair.value, keys - {pair.key.raw}
    elif isinstance(instruction, Plain):
        for word in instruction.words:
            yield word, frozenset()


def _hint(build: Build, step: Step, name: str) -> str:
    """Say why it is not set: declared before FROM only, or probably misspelt."""
    known = build.graph.globals.values
    if name in known and name not in step.scope.values:
        return f"; ARG {name} before the first FROM is seen by FROM only"
    from difflib import get_close_matches  # noqa: PLC0415  (only a finding pays for the import)

    near = get_close_matches(name, [*step.scope.values, *(n for n in known if n not in AUTOMATIC_ARGS)], 1, 0.75)
    return f"; did you mean {near[0]}?" if near else ""


def _place(build: Build, word: Word, name: str) -> Span:
    """Return where the variable stands inside its word."""
    text = build.dockerfile.source.text
    for match in REFERENCE.finditer(text, word.span.start, word.span.end):
        if match[1] == name:
            return Span(match.start(), match.end())
    return word.span


@check("env-self-reference")
def env_self_reference(build: Build) -> Answers:
    """Judge values that use a variable of the same ENV: all pairs see the environment before the instruction."""
    for _, step in build.steps("ENV"):
        if not isinstance(step.instruction, Pairs) or len(step.instruction.pairs) < 2:
            continue
        keys = {pair.key.raw for pair in step.instruction.pairs}
        for pair in step.instruction.pairs:
            if pair.value is None or "$" not in pair.value.raw:
                continue
            # A base image whose variables are not all listed could set that name; PATH it surely does.
            closed = Scope(step.scope.values, "", step.scope.escape)
            for name in dict.fromkeys(closed.expand(pair.value.raw).undefined):
                if name in keys - {pair.key.raw, "PATH"}:
                    yield Hit(_place(build, pair.value, name), name=name, key=pair.key.raw)
