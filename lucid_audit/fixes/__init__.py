"""Fixes: how a finding is repaired in the text of its Dockerfile. One module per fix; listing the folder finds them all.

A fix is a function ``fix(fault) -> edits``, registered for the rules whose findings it repairs. It proposes; ``mend`` tries what is proposed,
judges the file again, and keeps only what takes the finding away and brings nothing new. A fix that is ``unsafe`` may change what
the container does beyond what the finding is about, and is applied on demand only.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Instruction
from lucid_audit.dockerfile.stages import Step
from lucid_audit.finding import Finding
from lucid_audit.text import Span
from lucid_audit.tuples import NamedTuple


class Edit(NamedTuple):
    """Characters of a source text and what replaces them; ``start == end`` inserts."""

    start: int
    end: int
    text: str


class Fault(NamedTuple):
    """A finding in the build that it was found in. ``span`` is the place that it marks."""

    build: Build
    finding: Finding
    span: Span

    @property
    def text(self) -> str:
        """The whole source."""
        return self.build.dockerfile.source.text

    @property
    def instruction(self) -> Instruction | None:
        """The instruction that the finding stands in."""
        instructions = self.build.dockerfile.instructions
        at = bisect_right(instructions, self.span.start, key=lambda one: one.span.start) - 1
        return instructions[at] if at >= 0 and self.span.start < instructions[at].span.end else None

    @property
    def step(self) -> Step | None:
        """The same with what is in force there."""
        wanted = self.instruction
        for stage in self.build.graph.stages:
            for step in stage.steps:
                if step.instruction is wanted and not step.onbuild:
                    return step
        return None

    @property
    def newline(self) -> str:
        """How the file ends its lines."""
        return "\r\n" if "\r\n" in self.text else "\n"


Propose = Callable[[Fault], Sequence[Edit]]


class Fix(NamedTuple):
    """A registered fix."""

    propose: Propose
    unsafe: bool


_registry: dict[str, list[Fix]] = {}


def fix(*rules: str, unsafe: bool = False) -> Callable[[Propose], Propose]:
    """Register a fix for findings of some rules. It returns no edits for a finding that it cannot repair."""

    def register(function: Propose) -> Propose:
        for rule in rules:
            _registry.setdefault(rule, []).append(Fix(function, unsafe))
        return function

    return register


@cache
def load() -> Mapping[str, Sequence[Fix]]:
    """Import all fixes and return them by rule, the safe ones first."""
    for file in sorted(os.listdir(__path__[0])):
        if file.endswith(".py") and file != "__init__.py":
            __import__(f"{__name__}.{file.removesuffix('.py')}")
    return {rule: sorted(found, key=lambda one: one.unsafe) for rule, found in _registry.items()}
