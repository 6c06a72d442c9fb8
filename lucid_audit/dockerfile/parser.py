"""Text of a Dockerfile to the model: BuildKit's grammar, and every error BuildKit finds without building.

The parser is total: it never raises, reads on after an error, and lists all errors in ``Dockerfile.problems``.
"""

from __future__ import annotations

from lucid_audit.dockerfile.flags import check_flags
from lucid_audit.dockerfile.instructions import BUILDERS
from lucid_audit.dockerfile.lexer import Lexer
from lucid_audit.dockerfile.model import Dockerfile, Instruction, Onbuild, SyntaxProblem
from lucid_audit.dockerfile.mounts import did_you_mean
from lucid_audit.dockerfile.statement import Statement, read_statements, short
from lucid_audit.text import SourceText, Span

_NO_TRIGGERS = frozenset({"ONBUILD", "FROM", "MAINTAINER"})


def parse(source: SourceText) -> Dockerfile:
    """Read one file. Never raises; a file that BuildKit refuses has ``problems``, ordered by their place."""
    lexer = Lexer(source)
    instructions: list[Instruction] = []
    empty, staged = True, False
    for statement in read_statements(lexer):
        empty = False
        instruction = _onbuild(statement) if statement.trigger is not None else _build(statement)
        if instruction is not None:
            instructions.append(instruction)
        if statement.keyword != "ARG":
            # An unknown word may have been meant as FROM; then what follows it is not wrong as well.
            if not staged and statement.keyword != "FROM" and statement.keyword in BUILDERS:
                message = f"{statement.keyword} stands before the first FROM, where only ARG may stand"
                statement.problem(message, statement.keyword_span, "instruction")
            staged = True
    if empty:
        lexer.problems.append(SyntaxProblem("the file has no instruction", Span(0, 0), "parser"))
    elif not staged:
        span = instructions[-1].keyword_span if instructions else Span(0, 0)
        lexer.problems.append(SyntaxProblem("the file has no FROM, so there is nothing to build", span))
    lexer.problems.sort(key=lambda problem: problem.span)
    return Dockerfile(
        source,
        tuple(lexer.directives),
        tuple(lexer.comments),
        tuple(instructions),
        tuple(lexer.problems),
        lexer.escape,
        tuple(lexer.empty_continuations),
    )


def _build(statement: Statement) -> Instruction | None:
    builder = BUILDERS.get(statement.keyword)
    if builder is None:
        _unknown(statement)
        return None
    if statement.flags and statement.keyword != "HEALTHCHECK":
        check_flags(statement)
    if statement.array is not None and statement.array.refused:
        statement.problem("a JSON array here may hold strings only", statement.arguments, "parser")
    return builder(statement)


def _unknown(statement: Statement) -> None:
    if statement.written:
        known = did_you_mean(statement.keyword, BUILDERS)
        message = f"there is no instruction {short(statement.written)}{known}"
    else:
        message = "the line continues, but no instruction follows"
    statement.problem(message, statement.keyword_span)


def _onbuild(statement: Statement) -> Instruction | None:
    """Build ONBUILD and its trigger. What is wrong in the trigger stops the builds that run it."""
    trigger = statement.trigger
    if trigger is None:
        return None
    check_flags(statement)
    if trigger.keyword in _NO_TRIGGERS:
        statement.problem(f"ONBUILD cannot have {trigger.keyword} as its trigger", trigger.keyword_span)
        return None
    built = _build(trigger)
    if built is None:
        return None
    return Onbuild("ONBUILD", statement.span, statement.keyword_span, statement.flags, (), built)
