"""One logical line taken apart as far as every instruction allows: keyword, flags, arguments, JSON, here-documents."""

from __future__ import annotations

from lucid_audit.dockerfile.flags import read_flags
from lucid_audit.dockerfile.heredocs import Announced, announced, without_tabs
from lucid_audit.dockerfile.lexer import SPACE, Lexer
from lucid_audit.dockerfile.model import CommandLine, Flag, Heredoc, SourceMap, SyntaxProblem, Word
from lucid_audit.dockerfile.syntax import Array, json_array
from lucid_audit.regex import regex
from lucid_audit.text import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    Level = Literal["parser", "instruction", "trigger"]

_KEYWORD = regex(r"[^\t\v\f\r ]*[\t\v\f\r ]*")
_ARGUMENT_SPACE = "\t\v\f\r "


TAKES_JSON = frozenset({"RUN", "CMD", "ENTRYPOINT", "SHELL", "COPY", "ADD", "VOLUME"})
TAKES_HEREDOCS = frozenset({"RUN", "COPY", "ADD"})


class Statement:
    """What one instruction is built from. ``text[start:end]`` are its arguments, without outer blanks."""

    __slots__ = (
        "array", "end", "escape", "flags", "heredocs", "keyword", "keyword_span", "level", "problems", "source", "start",
        "stop", "text", "trigger", "written",
    )  # fmt: skip

    def __init__(self, source: SourceMap, at: int, escape: str, problems: list[SyntaxProblem]) -> None:
        """Read the keyword at ``at`` and what follows it.

        ``heredocs``, ``trigger`` (of ONBUILD) and ``stop``, the end in the file, are set by ``read_statements``.
        """
        text = self.text = source.text
        self.source = source
        self.escape = escape
        self.problems = problems
        self.level: Level = "instruction"
        self.heredocs: tuple[Heredoc, ...] = ()
        self.trigger: Statement | None = None
        self.stop = 0
        end = max(at, len(text.rstrip(SPACE)))
        after = _KEYWORD.match(text, at, end).end()  # type: ignore[union-attr]  # it matches nothing, too
        keyword = text[at:after].rstrip(_ARGUMENT_SPACE)
        self.written = keyword
        self.keyword = keyword.lower().upper()  # in this order: Go looks the lower-case word up
        self.keyword_span = source.span(at, at + len(keyword))
        flags: tuple[Flag, ...] = ()
        if text.startswith("--", after):
            flags, after = read_flags(source, after, end)
        self.flags = flags
        self.start = after + len(text[after:end]) - len(text[after:end].lstrip(SPACE)) if after < end else end
        self.end = end
        self.array: Array | None = None
        if self.keyword in TAKES_JSON and text.startswith("[", self.start):
            self.array = json_array(source, self.start, end)

    @property
    def blank(self) -> bool:
        """Whether there are no arguments."""
        return self.start >= self.end

    @property
    def json(self) -> tuple[Word, ...] | None:
        """The elements of a JSON array of strings; None for the other form."""
        return self.array.words if self.array is not None else None

    @property
    def span(self) -> Span:
        """From the keyword to the end of the last line."""
        return Span(self.keyword_span.start, self.stop)

    @property
    def arguments(self) -> Span:
        """Where the arguments stand; the keyword when there are none."""
        return self.source.span(self.start, self.end) if self.start < self.end else self.keyword_span

    def word(self, start: int, end: int) -> Word:
        """Return ``text[start:end]`` as a word."""
        return Word(self.text[start:end], self.source.span(start, end))

    def problem(self, message: str, span: Span, level: Level | None = None) -> None:
        """Note why BuildKit refuses this instruction."""
        self.problems.append(SyntaxProblem(message, span, level or self.level))

    def command(self, start: int, array: Array | None) -> CommandLine:
        """Return ``text[start:end]`` as a command: exec form when it is an array of strings, else shell form."""
        words = array.words if array is not None else None
        span = self.source.span(start, self.end)
        return CommandLine(words is not None, words or (), self.source.slice(start, self.end), span)


def read_statements(lexer: Lexer) -> Iterator[Statement]:
    """Yield every logical line of a file as a statement, with the bodies of its here-documents read."""
    for line in lexer.lines():
        at = len(line.text) - len(line.text.lstrip(SPACE))
        statement = Statement(line, at, lexer.escape, lexer.problems)
        last = statement
        if statement.keyword == "ONBUILD" and not statement.blank:
            last = statement.trigger = Statement(line, statement.start, lexer.escape, lexer.problems)
            last.level = "trigger"
        if "<<" in line.text and last.keyword in TAKES_HEREDOCS and last.json is None:
            last.heredocs = tuple([_heredoc(lexer, last, found) for found in announced(line.text)])
        statement.stop = last.stop = lexer.end
        yield statement


def _heredoc(lexer: Lexer, statement: Statement, found: Announced) -> Heredoc:
    word = statement.source.span(found.start, found.end)
    body = lexer.body(found.name, tabs=found.tabs)
    if not body.terminated:
        statement.problem(f"the here-document has no end: no line is {short(found.name)}", word, "parser")
    text = without_tabs(body.text) if found.tabs else body.text
    return Heredoc(found.name, text, found.expand, found.tabs, word, body.span, found.fd)


def short(text: str) -> str:
    """Cut a text that a message quotes."""
    return text if len(text) <= 40 else text[:39] + "…"
