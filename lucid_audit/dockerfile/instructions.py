"""One small builder per keyword: a statement to a typed instruction, and what BuildKit refuses in it.

Source: BuildKit ``instructions/parse.go``; what ``dockerfile2llb`` refuses without a build graph is here as well. A
builder returns None when too little can be read to build the instruction.
"""

from __future__ import annotations

from lucid_audit.dockerfile import verify
from lucid_audit.dockerfile.flags import check_flags
from lucid_audit.dockerfile.heredocs import heredoc_word
from lucid_audit.dockerfile.lexer import SPACE
from lucid_audit.dockerfile.model import (
    Command,
    From,
    Healthcheck,
    Instruction,
    Pair,
    Pairs,
    Plain,
    Transfer,
    Word,
)
from lucid_audit.dockerfile.syntax import WORD, json_array, plain_words, quoted_words
from lucid_audit.regex import regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lucid_audit.dockerfile.statement import Statement

_STAGE_NAME = regex(r"[a-z][a-z0-9_.-]*")
_BLANKS = regex(r"[\t\v\f\r ]+")


def _from(statement: Statement) -> Instruction | None:
    words = plain_words(statement.source, statement.start, statement.end)
    named = len(words) == 3 and words[1].raw.casefold() == "as"
    if len(words) != 1 and not named:
        statement.problem("FROM needs an image, or an image AS name", statement.arguments)
        if not words:
            return None
    if named and not _STAGE_NAME.fullmatch(words[2].raw.lower()):
        message = f"a stage cannot be named {words[2].raw}: a letter, then letters, digits, - _ or ."
        statement.problem(message, words[2].span)
    name, as_span = (words[2], words[1].span) if named else (None, None)
    return From("FROM", statement.span, statement.keyword_span, statement.flags, (), words[0], name, as_span)


def _run(statement: Statement) -> Instruction:
    command = statement.command(statement.start, statement.array)
    return Command(
        statement.keyword, statement.span, statement.keyword_span, statement.flags, statement.heredocs, command
    )


def _shell(statement: Statement) -> Instruction:
    if statement.array is None or not statement.array.refused:
        if statement.json is None and not statement.blank:
            statement.problem('SHELL needs a JSON array: ["program", "argument"]', statement.arguments)
        elif not statement.json:
            statement.problem("SHELL needs at least a program", statement.arguments)
    return _run(statement)


def _healthcheck(statement: Statement) -> Instruction | None:
    match = WORD.match(statement.text, statement.start, statement.end)
    if match is None:
        statement.problem("HEALTHCHECK needs NONE or CMD", statement.keyword_span)
        return None
    kind, start = match[0], match.end()
    gap = _BLANKS.match(statement.text, start, statement.end)
    start = gap.end() if gap is not None else start
    rest = statement.text[start : statement.end]
    array = json_array(statement.source, statement.end - len(rest.lstrip(SPACE)), statement.end)
    if array.refused:
        statement.problem(
            "a JSON array here may hold strings only", statement.source.span(start, statement.end), "parser"
        )
    command = statement.command(start, array)
    place = statement.source.span(statement.start, statement.start + len(kind))
    upper = kind.upper()
    if upper == "NONE":
        if not array.refused and (array.words or (array.words is None and start < statement.end)):
            statement.problem("HEALTHCHECK NONE takes nothing after it", command.span)
    else:
        check_flags(statement)
        verify.check_times(statement)
        if upper != "CMD":
            statement.problem(f"HEALTHCHECK needs NONE or CMD, not {kind}", place)
        elif not array.refused and (start >= statement.end or array.words == ()):
            statement.problem("HEALTHCHECK CMD needs a command", place)
    return Healthcheck(
        "HEALTHCHECK", statement.span, statement.keyword_span, statement.flags, (), command if upper == "CMD" else None
    )


def _transfer(statement: Statement) -> Instruction | None:
    words = _list(statement)
    if words is None:
        return None
    if len(words) < 2:
        statement.problem(f"{statement.keyword} needs a source and a destination", statement.arguments)
        return None
    destination = words[-1]
    if heredoc_word(destination.raw) is not None:
        statement.problem("a here-document cannot be the destination", destination.span)
    return Transfer(
        statement.keyword, statement.span, statement.keyword_span, statement.flags, statement.heredocs,
        words[:-1], destination, statement.json is not None,
    )  # fmt: skip


def _list(statement: Statement) -> tuple[Word, ...] | None:
    """Return the elements of the JSON array or the words; None when it is an array of something else."""
    if statement.array is not None and statement.array.refused:
        return None
    if statement.json is not None:
        return statement.json
    return plain_words(statement.source, statement.start, statement.end)


def _pairs(statement: Statement) -> Instruction | None:
    keyword = statement.keyword
    words = quoted_words(statement.source, statement.start, statement.end, statement.escape)
    if not words:
        statement.problem(f"{keyword} needs name=value", statement.keyword_span)
        return None
    pairs = _legacy(statement) if "=" not in words[0][0] else []
    if pairs is None:
        return None
    for raw, at in () if pairs else words:
        name, equals, value = raw.partition("=")
        key = Word(name, statement.source.span(at, at + len(name)))
        if not equals:
            statement.problem(f"{name} has no value: write {name}=...", key.span, "parser")
            continue
        if not name:
            statement.problem(f"{keyword} has a value without a name", statement.source.span(at, at + len(raw)))
        start = at + len(name) + 1
        pairs.append(Pair(key, Word(value, statement.source.span(start, start + len(value)))))
    return Pairs(keyword, statement.span, statement.keyword_span, statement.flags, (), tuple(pairs))


def _legacy(statement: Statement) -> list[Pair] | None:
    """Read ``ENV name value``: the name up to the first blank, the rest is the value; None when there is none."""
    gap = _BLANKS.search(statement.text, statement.start, statement.end)
    if gap is None:
        name = statement.word(statement.start, statement.end)
        statement.problem(f"{statement.keyword} {name.raw} has no value: write {name.raw}=...", name.span, "parser")
        return None
    key, value = statement.word(statement.start, gap.start()), statement.word(gap.end(), statement.end)
    return [Pair(key, value, legacy=True)]


def _arg(statement: Statement) -> Instruction | None:
    pairs: list[Pair] = []
    for raw, at in quoted_words(statement.source, statement.start, statement.end, statement.escape):
        name, equals, value = raw.partition("=")
        if not name:
            statement.problem("ARG has a default without a name", statement.source.span(at, at + len(raw)))
        start = at + len(name) + 1
        default = Word(value, statement.source.span(start, start + len(value))) if equals else None
        pairs.append(Pair(Word(name, statement.source.span(at, at + len(name))), default))
    if not pairs:
        statement.problem("ARG needs a name", statement.keyword_span)
        return None
    return Pairs("ARG", statement.span, statement.keyword_span, statement.flags, (), tuple(pairs))


def _whole(statement: Statement) -> Instruction | None:
    """Build an instruction whose argument is the rest of the line."""
    if statement.blank:
        statement.problem(f"{statement.keyword} needs an argument", statement.keyword_span)
        return None
    word = statement.word(statement.start, statement.end)
    if statement.keyword == "STOPSIGNAL":
        verify.check_signal(statement, word)
    return _plain(statement, (word,))


def _several(statement: Statement) -> Instruction | None:
    """Build EXPOSE or VOLUME: one word or more."""
    words = _list(statement)
    if words is None:
        return None
    if not words:
        statement.problem(f"{statement.keyword} needs an argument", statement.arguments)
        return None
    for word in words:
        if statement.keyword == "EXPOSE":
            verify.check_port(statement, word)
        elif not word.raw.strip(SPACE):
            statement.problem("a volume cannot be empty", word.span)
    return _plain(statement, words)


def _plain(statement: Statement, words: tuple[Word, ...]) -> Instruction:
    return Plain(statement.keyword, statement.span, statement.keyword_span, statement.flags, (), words)


BUILDERS: dict[str, Callable[[Statement], Instruction | None]] = {
    "ADD": _transfer,
    "ARG": _arg,
    "CMD": _run,
    "COPY": _transfer,
    "ENTRYPOINT": _run,
    "ENV": _pairs,
    "EXPOSE": _several,
    "FROM": _from,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _pairs,
    "MAINTAINER": _whole,
    "ONBUILD": _whole,  # without a trigger, which the parser builds
    "RUN": _run,
    "SHELL": _shell,
    "STOPSIGNAL": _whole,
    "USER": _whole,
    "VOLUME": _several,
    "WORKDIR": _whole,
}
"""Every instruction there is, with its builder."""
