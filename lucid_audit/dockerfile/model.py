"""What a Dockerfile says, typed: instructions as written, nothing expanded and nothing judged.

Words keep their quotes and variables; ``stages`` gives them a scope. Every value knows its exact place.
Grammar: BuildKit ``frontend/dockerfile/parser`` and ``instructions``; Dockerfile reference.
"""

from __future__ import annotations

from bisect import bisect_right
from sys import maxsize

from lucid_audit.record import record
from lucid_audit.text import SourceText, Span
from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal


class Word(NamedTuple):
    """One word as written: continuations are joined, quotes and variables are kept. ``span`` is its place in the file."""

    raw: str
    span: Span


class Pair(NamedTuple):
    """``key=value`` of ENV, LABEL or ARG. ``value`` is None only for ``ARG name`` without a default."""

    key: Word
    value: Word | None
    legacy: bool = False  # written ``ENV key value``


class Flag(NamedTuple):
    """``--name=value`` before an instruction's arguments. ``value`` is None for ``--name`` alone (a boolean).

    Unlike other words, a flag's value has lost its quotes and backslashes: BuildKit takes them off while it reads flags.
    """

    name: str
    value: Word | None
    span: Span


class Comment(NamedTuple):
    """A whole-line comment, also one inside a continued instruction; ``text`` is without the ``#`` and outer blanks."""

    text: str
    span: Span


class Directive(NamedTuple):
    """A parser directive (``# name=value``) at the top of the file; ``name`` is lower case."""

    name: str
    value: str
    span: Span


class Heredoc(NamedTuple):
    """A here-document. ``body`` is its content after ``<<-`` took the tabs; ``span`` covers the body lines as written."""

    name: str
    body: str
    expand: bool  # the name was not quoted: variables in the body expand
    chomp: bool  # written <<-
    word: Span  # the ``<<NAME`` in the instruction
    span: Span
    fd: int = 0  # the file descriptor in ``3<<EOF``


class SourceMap:
    """Joined text of a continued instruction, and where each of its characters stands in the file."""

    __slots__ = ("_pieces", "_shift", "text")

    def __init__(self, text: str, pieces: tuple[tuple[int, int], ...]) -> None:
        """``pieces``: (offset in ``text``, offset in the file) of every run of adjacent characters, in order."""
        self.text = text
        self._pieces = pieces
        # Most instructions are one run: then a place is an addition, not a search.
        self._shift = pieces[0][1] - pieces[0][0] if len(pieces) == 1 else None

    def at(self, offset: int) -> int:
        """Return the file offset of the character at ``offset`` of the joined text."""
        if self._shift is not None:
            return offset + self._shift
        joined, source = self._pieces[bisect_right(self._pieces, (offset, maxsize)) - 1]
        return source + offset - joined

    def span(self, start: int, end: int) -> Span:
        """Return the file span of ``text[start:end]``; it may cross continuations."""
        shift = self._shift
        if shift is not None:
            return Span(start + shift, end + shift)
        if end > start:
            return Span(self.at(start), self.at(end - 1) + 1)
        place = self.at(start - 1) + 1 if start else self.at(0)  # an empty range stands behind what is before it
        return Span(place, place)

    def slice(self, start: int, end: int) -> SourceMap:
        """Return the map of ``text[start:end]``."""
        if self._shift is not None:
            return SourceMap(self.text[start:end], ((0, start + self._shift),))
        inner = tuple((joined - start, source) for joined, source in self._pieces if start < joined < end)
        return SourceMap(self.text[start:end], ((0, self.at(start)), *inner))

    def extended(self, text: str, pieces: tuple[tuple[int, int], ...]) -> SourceMap:
        """Return the map of this text with another behind it; ``pieces`` count from the start of that one."""
        size = len(self.text)
        return SourceMap(self.text + text, (*self._pieces, *((size + joined, source) for joined, source in pieces)))


class CommandLine(NamedTuple):
    """The command of RUN, CMD, ENTRYPOINT, SHELL or HEALTHCHECK CMD.

    Exec form (a valid JSON array of strings): ``args`` holds the decoded strings, each with the span of its JSON literal.
    Shell form: ``args`` is empty and ``source`` has the text the shell gets. A ``[`` that is no valid JSON is shell form.
    """

    exec_form: bool
    args: tuple[Word, ...]
    source: SourceMap
    span: Span

    @property
    def text(self) -> str:
        """The command as joined text, JSON or shell."""
        return self.source.text


@record
class Instruction:
    """One instruction. ``span`` runs from the keyword to the end of its last line, heredoc bodies included."""

    keyword: str  # upper case
    span: Span
    keyword_span: Span
    flags: tuple[Flag, ...]
    heredocs: tuple[Heredoc, ...]

    def flag(self, name: str) -> Flag | None:
        """Return the flag of that name, or None."""
        for flag in self.flags:
            if flag.name == name:
                return flag
        return None


@record
class From(Instruction):
    """``FROM [--platform=P] image [AS name]``."""

    image: Word
    name: Word | None
    as_span: Span | None  # the word AS

    @property
    def platform(self) -> Word | None:
        """The value of ``--platform``."""
        flag = self.flag("platform")
        return flag.value if flag else None


@record
class Command(Instruction):
    """RUN, CMD, ENTRYPOINT or SHELL: ``keyword`` tells which. A heredoc-only ``RUN <<EOF`` has its bodies in ``heredocs``."""

    command: CommandLine


@record
class Healthcheck(Instruction):
    """``HEALTHCHECK NONE`` (``command`` is None) or ``HEALTHCHECK [flags] CMD command``."""

    command: CommandLine | None


@record
class Transfer(Instruction):
    """COPY or ADD. ``sources`` includes heredoc words (``<<NAME``), whose content is in ``heredocs``."""

    sources: tuple[Word, ...]
    destination: Word
    json: bool

    @property
    def from_(self) -> Word | None:
        """The value of ``--from``."""
        flag = self.flag("from")
        return flag.value if flag else None

    @property
    def linked(self) -> bool:
        """Whether ``--link`` gives the files a layer of their own; with --chmod BuildKit copies as if it were not there."""
        flag = self.flag("link")
        on = flag is not None and (flag.value is None or flag.value.raw.lower() == "true")
        return on and self.flag("chmod") is None


@record
class Pairs(Instruction):
    """ENV, LABEL or ARG."""

    pairs: tuple[Pair, ...]


@record
class Plain(Instruction):
    """USER, WORKDIR, STOPSIGNAL, MAINTAINER (one word: the rest of the line), EXPOSE and VOLUME (one or more words)."""

    words: tuple[Word, ...]

    @property
    def word(self) -> Word:
        """The only word of USER, WORKDIR, STOPSIGNAL and MAINTAINER."""
        return self.words[0]


@record
class Onbuild(Instruction):
    """``ONBUILD trigger``. The heredocs are the trigger's."""

    trigger: Instruction


@record
class SyntaxProblem:
    """Why BuildKit would refuse the file. The message is one line, without the place.

    ``level`` is where BuildKit notices: "parser" while it reads lines, "instruction" when it checks what they say,
    "trigger" when an image built on this one runs an ONBUILD.
    """

    message: str
    span: Span
    level: Literal["parser", "instruction", "trigger"] = "instruction"


@record
class Dockerfile:
    """One parsed file: every instruction in order, and what surrounds them.

    ``problems`` lists what BuildKit refuses; the instructions that could be read are there all the same.
    ``empty_continuations`` are blank lines inside a continued instruction.
    """

    source: SourceText
    directives: tuple[Directive, ...]
    comments: tuple[Comment, ...]
    instructions: tuple[Instruction, ...]
    problems: tuple[SyntaxProblem, ...] = ()
    escape: str = "\\"
    empty_continuations: tuple[Span, ...] = ()
