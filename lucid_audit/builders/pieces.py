"""Shell text in a file, and where its commands are: the parser keeps no place of assignments."""

from __future__ import annotations

import re

from lucid_audit.dockerfile.shell_match import ScriptError
from lucid_audit.dockerfile.shell_words import read_word
from lucid_audit.text import Span
from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lucid_audit.dockerfile.shell_calls import SimpleCommand

PARENTHESES = r"\$\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
_VALUE = rf"((?:\"(?:\\.|{PARENTHESES}|[^\"\\])*\"|'[^']*'|{PARENTHESES}|\$\{{[^}}]*\}}|[^\s;&|\"'()$]|\$)*)"


_COMMENT = re.compile(r"^[ \t]*#[^\n]*", re.MULTILINE)

_LOOP = re.compile(
    r"(?:^|[\n;&|{(]|\bdo|\bthen)[ \t]*for[ \t]+([A-Za-z_]\w*)[ \t]+in[ \t]+([^;\n]*?)[ \t]*(?:;|\n)\s*do\b"
)
_DO_DONE = re.compile(r"(?:^|[\s;])(do|done)(?=[\s;&|)<>]|$)")

_FUNCTION = re.compile(
    r"^([ \t]*)(?:function[ \t]+([A-Za-z_][\w-]*)[ \t]*(?:\([ \t]*\))?|([A-Za-z_][\w-]*)[ \t]*\([ \t]*\))\s*\{",
    re.MULTILINE,
)


class Piece(NamedTuple):
    """Shell text in a file. ``start`` is its offset there; ``indent`` what every later line lost in front.

    ``exact`` is False where the text is not that of the file: then all of it is at ``start``.
    """

    text: str
    start: int
    indent: int = 0
    exact: bool = True
    end: int = 0  # where it ends in the file, when it is not exact

    def place(self, start: int, end: int) -> Span:
        """Return where a range of the text is in the file."""
        if not self.exact:
            return Span(self.start, max(self.end, self.start))
        return Span(self._at(start), max(self._at(end), self._at(start)))

    def _at(self, offset: int) -> int:
        return self.start + offset + self.indent * self.text.count("\n", 0, offset)


class Placed(NamedTuple):
    """A command, where it starts, and the assignments of one that only assigns, as written."""

    command: SimpleCommand
    start: int
    written: tuple[tuple[str, str], ...]


def placed(text: str, commands: Sequence[SimpleCommand]) -> Iterator[Placed]:
    """Say where each command is, and how what it assigns is written: of assignments the parser keeps no place.

    What a substitution holds is listed before the command that it is in, so only what is as deep or less moves the place.
    """
    code = _COMMENT.sub(lambda match: " " * len(match[0]), text)
    assigned = 0
    marks: dict[int, int] = {}
    for command in commands:
        spans = [*command.spans, *(one.span for one in command.redirects)]
        begin = max((assigned, *(at for depth, at in marks.items() if depth <= command.depth)))
        start, written = spans[0][0] if spans else begin, []
        if command.argv or not command.assignments:
            marks[command.depth] = start
            yield Placed(command, start, ())
            continue
        for number, (name, value) in enumerate(command.assignments):
            match = _written(code, name, value, assigned if number else begin)
            # What the parser knows has nothing to expand; of the rest it matters how it is written.
            raw = _quoted(value) if value is not None else match[1] if match is not None else f"${{{name}?}}"
            assigned = match.end(1) if match is not None else assigned
            start = match.start(1) if match is not None and not number else start
            written.append((name, raw))
        yield Placed(command, start, tuple(written))


def _written(code: str, name: str, value: str | None, start: int) -> re.Match[str] | None:
    """Find the assignment behind ``start`` that the parser read as ``value``, None for one that has to be expanded."""
    pattern = re.compile(rf"(?:^|[\s;&|(]){re.escape(name)}\+?={_VALUE}", re.MULTILINE)
    for match in pattern.finditer(code, start):
        try:
            read = read_word(match[1], 0, lambda _: None).text if match[1] else ""
        except ScriptError:
            continue
        if read == value or (value is None and match[1].startswith("(")):
            return match
    return None


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"


class Loop(NamedTuple):
    """A ``for`` loop: from where to where its body goes, its variable, and the words that it goes through."""

    start: int
    end: int
    name: str
    words: str


def loops(text: str) -> Iterator[Loop]:
    """Yield the ``for`` loops of a script, outer before inner."""
    for match in _LOOP.finditer(text):
        depth, end = 1, len(text)
        for token in _DO_DONE.finditer(text, match.end()):
            depth += 1 if token[1] == "do" else -1
            if not depth:
                end = token.start(1)
                break
        yield Loop(match.end(), end, match[1], match[2])


def split(text: str) -> Iterator[str]:
    """Yield the words of a list as they are written."""
    at = 0
    while at < len(text):
        if text[at] == "#":
            at = (text.find("\n", at) + 1) or len(text)
            continue
        try:
            end = read_word(text, at, lambda _: None).end
        except ScriptError:
            end = len(text)
        if end > at:
            yield text[at:end]
        at = max(end, at + 1)


class Function(NamedTuple):
    """A function of a script: its name, and from where to where its body goes."""

    name: str
    start: int
    end: int


def functions(text: str) -> Iterator[Function]:
    """Yield the functions of a script that end as people write them: in their own line, or with a brace at their own indentation."""
    for match in _FUNCTION.finditer(text):
        line_end = text.find("\n", match.end())
        line_end = line_end if line_end >= 0 else len(text)
        same = text.rfind("}", match.end(), line_end)
        closing = re.compile(rf"^{match[1]}\}}", re.MULTILINE).search(text, match.end())
        if same >= 0 and text[match.end() : same].strip():
            yield Function(match[2] or match[3], match.end(), same)
        elif closing is not None:
            yield Function(match[2] or match[3], match.end(), closing.start())
