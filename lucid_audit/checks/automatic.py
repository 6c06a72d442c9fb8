"""The platform ARGs that BuildKit sets by itself: defaults that hide their value, and uses that never declare them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lucid_audit.checks import Answers, check
from lucid_audit.checks.runtext import REFERENCE, called, closure, global_args, place
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Command, Instruction, Pair, Pairs, Plain, Transfer, Word
from lucid_audit.dockerfile.stages import AUTOMATIC, Scope, Step
from lucid_audit.finding import Hit
from lucid_audit.record import record
from lucid_audit.regex import rx
from lucid_audit.tuples import NamedTuple

_NAMES = {side: frozenset(side + name for name in AUTOMATIC) for side in ("TARGET", "BUILD")}
_ALL = _NAMES["TARGET"] | _NAMES["BUILD"]
_NAME = r"(?:TARGET|BUILD)(?:PLATFORM|OSVERSION|OS|ARCH|VARIANT)"
_USE = rf"(?<!\\)\$(?:\{{({_NAME})\b([^}}]?)|({_NAME})\b)"
_SINGLE = r"(?s)\\.|\"(?:\\.|[^\"\\])*\"|('[^']*')"
_COMMENT = r"(?m)^\s*#.*$"
_SOURCED = r"(?:^|[;&|\n({])\s*(?:\.|source)\s+\S"
_FALLBACK = ":-=+?"  # first characters of ${NAME…} forms that say what happens without a value
_OTHER_LANGUAGE = r"#!(?!.*sh\b)"
_QUOTED_HEREDOC = r"<<-?\s*['\"]"


@record
class AutomaticArg:
    """``side``: TARGET (what is asked for) or BUILD (the machine that builds)."""

    side: str


class _Default(NamedTuple):
    """An automatic ARG with a default, and what gets that default instead of BuildKit's value."""

    pair: Pair
    value: str
    used: str


@check("automatic-arg-default")
def automatic_arg_default(build: Build, params: AutomaticArg) -> Answers:
    """Judge defaults of automatic ARGs: BuildKit puts its own value only where none is given (``buildMetaArgs``)."""
    names = _NAMES[params.side]
    for default in (*_global_defaults(build, names), *_stage_defaults(build, names)):
        name = default.pair.key.raw
        if name not in build.settings.build_args and not _agrees(build, name, default.value):
            yield Hit(default.pair.key.span, name=name, value=default.value or "an empty value", used=default.used)


def _global_defaults(build: Build, names: frozenset[str]) -> Iterator[_Default]:
    """Yield the defaults before the first FROM that something uses; one that refers to automatic values hides nothing."""
    for instruction in global_args(build):
        for pair in instruction.pairs:
            name, word = pair.key.raw, pair.value
            if name in names and word is not None and not _ALL.intersection(REFERENCE.findall(word.raw)):
                used = _used(build, name)
                if used:
                    yield _Default(pair, build.graph.globals.text(word) or word.raw, used)


def _used(build: Build, name: str) -> str:
    """Say what first uses a global ARG: a FROM, or a stage that declares the bare name and so inherits the default."""
    for stage in build.stages:
        for word in (stage.from_.platform, stage.from_.image):
            if word is not None and name in closure(build, word.raw):
                return f"FROM of {called(stage)}"
    for stage, step in build.steps("ARG"):
        if any(pair.key.raw == name and pair.value is None for pair in _pairs(step.instruction)):
            return called(stage)
    return ""


def _stage_defaults(build: Build, names: frozenset[str]) -> Iterator[_Default]:
    for stage, step in build.steps("ARG"):
        for pair in _pairs(step.instruction):
            name, word = pair.key.raw, pair.value
            if name in names and word is not None and name not in step.scope.values:
                known = Scope(step.scope.values, "", step.scope.escape).text(word)
                if known is not None:
                    yield _Default(pair, known, called(stage))


def _pairs(instruction: Instruction) -> tuple[Pair, ...]:
    return instruction.pairs if isinstance(instruction, Pairs) else ()


def declared_platforms(build: Build) -> tuple[str, ...]:
    """Return the platforms that the image is known to be built for; empty when nobody says."""
    settings = build.settings
    return settings.platforms or ((settings.platform,) if settings.platform else ())


def _agrees(build: Build, name: str, value: str) -> bool:
    """Whether a default is what BuildKit would say for every platform that the image is built for."""
    if not name.startswith("TARGET"):
        return False
    if name == "TARGETOS" and value == "linux":
        return all(platform.startswith("linux/") for platform in declared_platforms(build))
    platforms = declared_platforms(build)
    return bool(platforms) and all(_part(platform, name) == value.removesuffix("/v8") for platform in platforms)


def _part(platform: str, name: str) -> str:
    system, _, rest = platform.removesuffix("/v8").partition("/")
    architecture, _, variant = rest.partition("/")
    parts = {"PLATFORM": platform.removesuffix("/v8"), "OS": system, "ARCH": architecture, "VARIANT": variant}
    return parts.get(name.removeprefix("TARGET"), "")


@check("automatic-arg-undeclared")
def automatic_arg_undeclared(build: Build) -> Answers:
    """Judge uses of automatic ARGs in stages that never declare them: there they expand to nothing."""
    source = build.dockerfile.source.text
    if ("TARGET" not in source and "BUILD" not in source) or not rx(_USE).search(source):
        return
    seen: set[tuple[int, str]] = set()
    for stage in build.stages:
        for step in stage.steps:
            if step.onbuild:
                continue
            for name, written in _uses(step):
                if name not in step.scope.values and (stage.index, name) not in seen:
                    seen.add((stage.index, name))
                    yield Hit(place(build, step.instruction, written), name=name, stage=called(stage))


def _uses(step: Step) -> Iterator[tuple[str, str]]:
    """Yield the automatic ARGs that an instruction expands, and how each is written."""
    instruction = step.instruction
    if instruction.keyword == "RUN":
        text = _expanded_by_shell(instruction)
        if rx(_SOURCED).search(text):
            return
        for name, written in _references(text):
            if not re.search(rf"(?<![\w$]){name}=|\b(?:read|for|printf -v)\s[^;&|\n]*\b{name}\b", text):
                yield name, written
    else:
        for word in _words(instruction):
            yield from _references(word.raw)


def _references(text: str) -> Iterator[tuple[str, str]]:
    used = "$" in text and ("TARGET" in text or "BUILD" in text)
    for match in rx(_USE).finditer(text) if used else ():
        if match[3] or not match[2] or match[2] not in _FALLBACK:
            yield match[1] or match[3], match[0]


def _expanded_by_shell(instruction: Instruction) -> str:
    """Return a RUN's text without what its shell takes literally: single quotes, comments, quoted here-documents."""
    if not isinstance(instruction, Command):
        return ""
    command = instruction.command
    if command.exec_form:
        words = [word.raw for word in command.args]
        return words[2] if len(words) > 2 and words[1].endswith("c") else ""
    script = command.text.lstrip().startswith("<<")
    bodies = [heredoc.body for heredoc in instruction.heredocs if script or heredoc.expand]
    if any(rx(_QUOTED_HEREDOC).search(body) or rx(_OTHER_LANGUAGE).match(body) for body in bodies):
        return ""
    text = rx(_COMMENT).sub("", "\n".join((command.text, *bodies)))
    return rx(_SINGLE).sub(lambda match: "" if match[1] else match[0], text)


def _words(instruction: Instruction) -> tuple[Word, ...]:
    """Return the words of an instruction that BuildKit expands."""
    if isinstance(instruction, Transfer):
        return (*instruction.sources, instruction.destination)
    if isinstance(instruction, Pairs):
        return tuple(pair.value for pair in instruction.pairs if pair.value is not None)
    return instruction.words if isinstance(instruction, Plain) else ()
