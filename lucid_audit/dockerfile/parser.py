"""Text of a Dockerfile to the model: BuildKit's grammar, and every error BuildKit finds without building.

The parser is total: it never raises, reads on after an error, and lists all errors in ``Dockerfile.problems``.
"""

from __future__ import annotations

from lucid_audit.dockerfile import heredocs
from lucid_audit.dockerfile.flags import check_flags
from lucid_audit.dockerfile.instructions import BUILDERS
from lucid_audit.dockerfile.lexer import SPACE, Lexer
from lucid_audit.dockerfile.model import (
    Dockerfile,
    From,
    Heredoc,
    Instruction,
    Onbuild,
    SourceMap,
    SyntaxProblem,
)
from lucid_audit.dockerfile.mounts import did_you_mean
from lucid_audit.dockerfile.statement import TAKES_HEREDOCS, Statement
from lucid_audit.text import SourceText, Span

_NO_TRIGGERS = frozenset({"ONBUILD", "FROM", "MAINTAINER"})


def parse(source: SourceText) -> Dockerfile:
    """Read one file. Never raises; a file that BuildKit refuses has ``problems``, ordered by their place."""
    lexer = Lexer(source)
    parser = _Parser(lexer)
    for line in lexer.lines():
        parser.read(line)
    parser.check_file()
    lexer.problems.sort(key=lambda problem: problem.span)
    return Dockerfile(
        source,
        tuple(lexer.directives),
        tuple(lexer.comments),
        tuple(parser.instructions),
        tuple(lexer.problems),
        lexer.escape,
        tuple(lexer.empty_continuations),
    )


class _Parser:
    """Builds the instructions of one file."""

    def __init__(self, lexer: Lexer) -> None:
        self.instructions: list[Instruction] = []
        self._lexer = lexer
        self._problems = lexer.problems
        self._any = False  # a logical line was read
        self._staged = False  # a FROM was read, or a keyword that is unknown and may have been meant as one

    def read(self, line: SourceMap) -> None:
        """Build the instruction of one logical line."""
        text = line.text
        start = len(text) - len(text.lstrip(SPACE))
        self._any = True
        if start == len(text):
            self._problems.append(SyntaxProblem("the line continues, but no instruction follows", line.span(0, 0)))
            return
        statement = Statement(line, start, self._lexer.escape, self._problems)
        keyword = statement.keyword
        if keyword == "ONBUILD" and not statement.blank:
            instruction = self._onbuild(statement)
        else:
            self._finish(statement)
            instruction = self._build(statement)
        if not self._staged and keyword in BUILDERS and keyword not in ("ARG", "FROM"):
            message = f"{keyword} stands before the first FROM, where only ARG may stand"
            statement.problem(message, statement.keyword_span)
        self._staged = self._staged or keyword != "ARG"
        if instruction is not None:
            self.instructions.append(instruction)

    def check_file(self) -> None:
        """Note what only the whole file shows: nothing in it, or no stage."""
        if not self._any:
            self._problems.append(SyntaxProblem("the file has no instruction", Span(0, 0), "parser"))
        elif not self._staged and not any(isinstance(i, From) for i in self.instructions):
            span = self.instructions[-1].keyword_span if self.instructions else Span(0, 0)
            self._problems.append(SyntaxProblem("the file has no FROM, so there is nothing to build", span))

    def _build(self, statement: Statement) -> Instruction | None:
        builder = BUILDERS.get(statement.keyword)
        if builder is None:
            known = did_you_mean(statement.keyword, BUILDERS)
            statement.problem(f"there is no instruction {_short(statement.written)}{known}", statement.keyword_span)
            return None
        if statement.flags and statement.keyword != "HEALTHCHECK":
            check_flags(statement)
        if statement.array is not None and statement.array.refused:
            statement.problem("a JSON array here may hold strings only", statement.arguments, "parser")
        return builder(statement)

    def _onbuild(self, statement: Statement) -> Instruction | None:
        """Build ONBUILD and its trigger. An error in the trigger is one of the builds that run it."""
        trigger = Statement(statement.source, statement.start, statement.escape, statement.problems)
        trigger.level = "trigger"
        self._finish(trigger)
        statement.stop = trigger.stop
        check_flags(statement)
        if trigger.keyword in _NO_TRIGGERS:
            statement.problem(f"ONBUILD cannot have {trigger.keyword} as its trigger", trigger.keyword_span)
            return None
        built = self._build(trigger)
        if built is None:
            return None
        return Onbuild("ONBUILD", statement.span, statement.keyword_span, statement.flags, (), built)

    def _finish(self, statement: Statement) -> None:
        """Read the bodies of the here-documents and set where the instruction ends."""
        text = statement.text
        if "<<" in text and statement.keyword in TAKES_HEREDOCS and statement.json is None:
            statement.heredocs = tuple([self._heredoc(statement, found) for found in heredocs.announced(text)])
        statement.stop = self._lexer.end

    def _heredoc(self, statement: Statement, found: heredocs.Announced) -> Heredoc:
        word = statement.source.span(found.start, found.end)
        body = self._lexer.body(found.name, tabs=found.tabs)
        if not body.terminated:
            message = f"the here-document has no end: no line is {_short(found.name)}"
            statement.problem(message, word, "parser")
        text = heredocs.without_tabs(body.text) if found.tabs else body.text
        return Heredoc(found.name, text, found.expand, found.tabs, word, body.span, found.fd)


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
