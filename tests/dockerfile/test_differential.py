"""Our parser against BuildKit's own, which PyPI's ``dockerfile`` binds: same instructions, same verdict.

``dockerfile`` 3.4.0 holds ``frontend/dockerfile/parser`` of BuildKit v0.12.5 (January 2024), and that package only: it
knows no typed instructions, so only problems of level "parser" count for the verdict. Where BuildKit's parser changed
since, we follow the newer one, and ``changed`` names the files that show the change.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import dockerfile
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lucid_audit.dockerfile import model
from lucid_audit.dockerfile.lexer import SPACE, Lexer
from lucid_audit.dockerfile.parser import parse
from lucid_audit.dockerfile.statement import read_statements
from lucid_audit.text import SourceText
from tests.dockerfile.generate import dockerfiles

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
NAMES = re.compile(r"(?i)(.*[._-])?(docker|container)file([._-].*)?")
RELAXED = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def changed(ours: model.Dockerfile) -> str:
    """Say which change of BuildKit after v0.12.5 a file shows; "" when none."""
    text = ours.source.text
    if re.search(rf"^[{SPACE}]*#[{SPACE}]*check[\t\n\f\r ]*=", text, re.MULTILINE | re.IGNORECASE):
        return "check is a directive"
    if re.search(r"^\s*#[\t ]*[\v\x85\xa0\u2003]", text):
        return "any Unicode space may stand between # and the name of a directive"
    lines = [statement.text for statement in read_statements(Lexer(ours.source))]
    if any(_trailing(line, match.start()) for line in lines for match in re.finditer(r"\[", line)):
        return "text behind a JSON array makes it shell form (json.Unmarshal took the place of a Decoder)"
    if re.search(r"\$\{\w*[#%/]", text):
        return "the shell lexer, which finds <<words, knows ${a#b}, ${a%b} and ${a/b/c}"
    return ""


def _trailing(text: str, at: int) -> bool:
    """Whether a JSON array starts here and something follows it in its joined line."""
    try:
        _, end = json.JSONDecoder().raw_decode(text, at)
    except ValueError:
        return False
    return bool(text[end:].strip(SPACE))


def words(instruction: model.Instruction) -> list[str] | None:
    """Return an instruction's values as BuildKit's tree has them; None when we keep less than that."""
    match instruction:
        case model.From():
            if instruction.name is None:
                return [instruction.image.raw]
            assert instruction.as_span is not None
            return [instruction.image.raw, "as", instruction.name.raw]
        case model.Command(command=command):
            return _command(command)
        case model.Healthcheck(command=command):
            return None if command is None else ["cmd", *_command(command)]
        case model.Transfer():
            return [word.raw for word in (*instruction.sources, instruction.destination)]
        case model.Pairs(keyword="ARG", pairs=pairs):
            return [pair.key.raw + ("" if pair.value is None else "=" + pair.value.raw) for pair in pairs]
        case model.Pairs(pairs=pairs):
            return [word.raw for pair in pairs for word in (pair.key, pair.value) if word is not None]
        case model.Plain():
            return [word.raw for word in instruction.words]
    raise AssertionError(instruction)


def _command(command: model.CommandLine) -> list[str]:
    return [word.raw for word in command.args] if command.exec_form else [command.text] * bool(command.text)


def is_json(instruction: model.Instruction) -> bool:
    match instruction:
        case model.Command(command=command):
            return command.exec_form
        case model.Healthcheck(command=command):
            return command is not None and command.exec_form
        case model.Transfer():
            return instruction.json
    return False


def flags(instruction: model.Instruction) -> list[str]:
    """Return the flags as BuildKit has them: byte by byte, so that é becomes Ã©."""
    texts = [f"--{flag.name}" + ("" if flag.value is None else "=" + flag.value.raw) for flag in instruction.flags]
    return [text.encode().decode("latin-1") for text in texts]


def buildkit(text: str) -> list[dockerfile.Command] | str | None:
    """Return BuildKit's instructions, or why it refuses the file; None when the binding cannot say it in Unicode.

    BuildKit splits some arguments between the bytes of a letter.
    """
    try:
        return list(dockerfile.parse_string(text))
    except dockerfile.GoParseError as error:
        return str(error)
    except UnicodeDecodeError:
        return None


def compare(text: str) -> None:
    ours = parse(SourceText("Dockerfile", text))
    check_places(ours)
    if changed(ours):
        return
    refused = [p.message for p in ours.problems if p.level == "parser"]
    theirs = buildkit(text)
    if theirs is None:
        return
    if isinstance(theirs, str):
        assert refused, f"BuildKit refuses: {theirs}"
        return
    assert not refused
    position = ours.source.position
    by_end = {position(i.span.end).line: i for i in ours.instructions}
    assert len(by_end) == len(ours.instructions)
    troubled = [(position(p.span.start).line, position(p.span.end).line) for p in ours.problems]
    for command in theirs:
        instruction = by_end.pop(command.end_line, None)
        if instruction is None:
            assert any(first <= command.end_line and last >= command.start_line for first, last in troubled), command
        else:
            same(ours, instruction, command)
    assert not by_end


def check_places(ours: model.Dockerfile) -> None:
    """Every part stands where it says: the text there is what we kept, but for continuations, quotes of flags and JSON."""
    text, size = ours.source.text, len(ours.source.text)
    for instruction in ours.instructions:
        assert text[slice(*instruction.keyword_span)].upper() == instruction.keyword or "\n" in ours.source.slice(
            instruction.keyword_span
        )
        inner = instruction.trigger if isinstance(instruction, model.Onbuild) else instruction
        for word, json_form in _parts(inner):
            assert 0 <= word.span.start <= word.span.end <= size
            assert instruction.span.start <= word.span.start
            assert word.span.end <= instruction.span.end
            written = ours.source.slice(word.span)
            if "\n" not in written and not json_form:
                assert written == word.raw
        for flag in (*instruction.flags, *inner.flags):
            written = ours.source.slice(flag.span)
            if not set(written) & set("\"'\\\n"):
                assert written == f"--{flag.name}" + ("" if flag.value is None else "=" + flag.value.raw)
                assert flag.value is None or ours.source.slice(flag.value.span) == flag.value.raw
        for doc in inner.heredocs:
            assert "<<" in ours.source.slice(doc.word) or "\n" in ours.source.slice(doc.word)
            assert doc.chomp or ours.source.slice(doc.span) == doc.body
    for problem in ours.problems:
        assert 0 <= problem.span.start <= problem.span.end <= size


def _parts(instruction: model.Instruction) -> list[tuple[model.Word, bool]]:
    """Return every word of an instruction, and whether it was a JSON string."""
    match instruction:
        case model.From(image=image, name=name):
            return [(image, False)] + ([(name, False)] if name else [])
        case model.Command(command=command) | model.Healthcheck(command=model.CommandLine() as command):
            return [(word, True) for word in command.args] or [(model.Word(command.text, command.span), False)]
        case model.Transfer(json=form):
            return [(word, form) for word in (*instruction.sources, instruction.destination)]
        case model.Pairs(pairs=pairs):
            return [(word, False) for pair in pairs for word in (pair.key, pair.value) if word is not None]
        case model.Plain(keyword=keyword, words=words):
            return [(word, keyword == "VOLUME") for word in words]
    return []


def same(ours: model.Dockerfile, instruction: model.Instruction, command: dockerfile.Command) -> None:
    first = ours.source.position(instruction.span.start).line
    before = "".join(ours.source.line(n) for n in range(command.start_line, first))
    assert command.start_line <= first
    # BuildKit counts leading lines that are nothing but a continuation; our span starts at the keyword.
    assert not before.strip(SPACE + "\\`") or "#" in before
    assert command.cmd.upper() == instruction.keyword
    written = ours.source.slice(instruction.span).encode()
    if b"\x85" not in written and b"\xa0" not in written:  # BuildKit takes these bytes of a letter for spaces
        assert flags(instruction) == list(command.flags)
    heredocs = [(h.name, h.fd, ours.source.slice(h.span)) for h in instruction.heredocs]
    if isinstance(instruction, model.Onbuild):
        instruction = instruction.trigger
        assert (command.sub_cmd or "").upper() == instruction.keyword
    else:
        assert heredocs == [(h.name, h.file_descriptor, h.content) for h in command.heredocs]
    mine, value = words(instruction), list(command.value)
    if isinstance(instruction, model.From):
        if instruction.name is None and len(value) > 1:
            assert any(p.span.start <= instruction.image.span.start < p.span.end for p in ours.problems)
            value = value[:1]
        value[1:2] = ["as"] * (len(value) > 1)
    if isinstance(instruction, model.Healthcheck):
        value[:1] = ["cmd"]
    assert mine is None or mine == value
    if not isinstance(instruction, model.Plain) and mine is not None:
        assert is_json(instruction) == command.json


def _fixtures() -> list[Path]:
    return sorted(path for path in FIXTURES.rglob("*") if path.is_file() and NAMES.fullmatch(path.name))


@pytest.mark.parametrize("path", _fixtures() or [None], ids=lambda path: "none" if path is None else path.parent.name)
def test_fixture(path: Path | None) -> None:
    if path is not None:
        compare(path.read_bytes().decode("utf-8-sig", "replace"))  # the oracle's binding dies of what is not UTF-8


@pytest.mark.parametrize("letter", ["\xa0", "\u00e0", "\u0145", "\u00e9", "x"])
def test_a_backslash_before_a_letter_in_a_flag_escapes_one_byte(letter: str) -> None:
    compare(f"FROM a\nMAINTAINER --x\\{letter}RUN x\n")
    compare(f"FROM a\nMAINTAINER --x\\{letter} RUN x\n")
    compare(f'FROM a\nRUN --from=a --x=" \\{letter} a\n')


@settings(max_examples=400, deadline=None, suppress_health_check=RELAXED)
@given(dockerfiles())
def test_generated(text: str) -> None:
    compare(text)


@settings(max_examples=300, deadline=None, suppress_health_check=RELAXED)
@given(st.binary(max_size=300) | dockerfiles().map(lambda text: text.encode() + b"\xff\x00\xc3RUN \xa0"))
def test_any_bytes(data: bytes) -> None:
    source = SourceText.decode("Dockerfile", data)
    check_places(parse(source))
    assert source.encode() == data


@pytest.mark.fuzz
@settings(max_examples=20_000, deadline=None, suppress_health_check=RELAXED)
@given(dockerfiles())
def test_generated_long(text: str) -> None:
    compare(text)
