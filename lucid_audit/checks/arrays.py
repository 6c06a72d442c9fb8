"""Arrays that are no JSON: single quotes, a missing comma, text behind the bracket. BuildKit takes them for plain text.

Facts: BuildKit ``parser/line_parsers.go`` (``parseJSON``, then the whole line as a string), Dockerfile reference
("Exec form": double quotes only).
"""

from __future__ import annotations

from lucid_audit.checks import Answers, check
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Command, Healthcheck, Instruction, Plain, Transfer
from lucid_audit.finding import Hit
from lucid_audit.regex import rx
from lucid_audit.text import Span

KEYWORDS = ("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "SHELL", "VOLUME", "COPY", "ADD")
_STRING = r"(?:'[^']*'|\"(?:[^\"\\]|\\.)*\")"
# A blank behind the bracket and no comma is the command "[", as in [ 'a' = 'b' ].
_ARRAY = rf"\[\s*{_STRING}(?:\s*,\s*{_STRING})+\s*,?\s*\]"
_OPERATOR = r"\]\s*(?:&&|\|\|?|;|>|<)"


def single_quoted(text: str) -> bool:
    """Whether a text is an array of strings of which some stand in single quotes."""
    text = text.strip()
    if text.startswith("['") and text.endswith("]"):
        return True  # as shell text it would start a program whose name starts with a bracket
    if not text.startswith("[") or "'" not in text or rx(_ARRAY).fullmatch(text) is None:
        return False
    return "'" in rx(r"\"(?:[^\"\\]|\\.)*\"").sub("", text)


def broken(text: str) -> str:
    """Say why a text that starts as an array of double-quoted strings is no JSON; "" when it is no such text."""
    text = text.strip()
    if not text.startswith(('["', "[“", "[”", "[\u2018", "[\u2019")) or single_quoted(text):
        return ""
    if text[1] != '"':
        return "its quotes are typographic"
    if not text.endswith("]"):
        return "something follows the closing bracket" if "]" in text else "the closing bracket is missing"
    if rx(r",\s*\]$").search(text):
        return "a comma stands before the closing bracket"
    if rx(r"\"(?:[^\"\\]|\\.)*\"\s*\"").search(text):
        return "a comma is missing between two strings"
    if rx(r"\\[^\"\\/bfnrtu]").search(text):
        return "a backslash has to be doubled"
    return "it does not parse"


def meant_as_array(text: str) -> bool:
    """Whether a shell-form command was meant as an array; ``["a"] && b`` was not, it is shell text with a habit."""
    return single_quoted(text) or (broken(text) != "" and rx(_OPERATOR).search(text) is None)


def _text(instruction: Instruction) -> tuple[str, Span] | None:
    """Return the arguments of an instruction as text, when they were not read as JSON, and their place."""
    if isinstance(instruction, Command | Healthcheck):
        command = instruction.command
        return None if command is None or command.exec_form else (command.text, command.span)
    if isinstance(instruction, Transfer):
        words = (*instruction.sources, instruction.destination)
    elif isinstance(instruction, Plain):
        words = instruction.words
    else:
        return None
    return " ".join(word.raw for word in words), Span(words[0].span.start, words[-1].span.end)


@check("json-quotes")
def json_quotes(build: Build) -> Answers:
    """Judge arrays in single quotes: JSON knows double quotes only, so the whole is taken as shell text or as words."""
    for _, step in build.steps(*KEYWORDS):
        found = _text(step.instruction)
        if found is not None and single_quoted(found[0]):
            yield Hit(found[1], keyword=step.instruction.keyword)


@check("json-parses")
def json_parses(build: Build) -> Answers:
    """Judge arrays that are no JSON for another reason. Where there is no shell, ``["a"] && b`` is left to that rule."""
    for stage, step in build.steps(*KEYWORDS):
        found = _text(step.instruction)
        why = broken(found[0]) if found is not None else ""
        if found is None or not why:
            continue
        if stage.base is not None and stage.base.has_shell is False and rx(_OPERATOR).search(found[0]):
            continue
        yield Hit(found[1], keyword=step.instruction.keyword, why=why)
