"""The shell scripts of a file: what every RUN hands to a shell, in which shell, and where each character of it stands.

What a RUN hands over: BuildKit ``dispatchRun`` (a lone here-document is the script, or a program of its own when it begins with ``#!``; any other
is put behind the command line). The shell is SHELL's, that of a ``#!``, or the one that hadolint's README lets a comment name.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from posixpath import basename

from lucid_audit.dockerfile.heredocs import heredoc_word
from lucid_audit.dockerfile.model import Command, Dockerfile, Heredoc, Instruction, Onbuild, SourceMap
from lucid_audit.dockerfile.stages import PREDEFINED_ARGS, Graph, Scope, Stage
from lucid_audit.regex import regex
from lucid_audit.text import SourceText, Span
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

READ = frozenset(("sh", "bash", "dash", "ash", "ksh"))  # shells whose language can be examined
OTHERS = frozenset(("zsh", "fish", "csh", "tcsh", "yash", "rc", "elvish", "nu"))  # shells, of another language
DEFAULT = ("/bin/sh", "-c")
_WINDOWS = "mcr.microsoft.com/windows"
_PRAGMA = regex(r"hadolint\s+shell\s*=\s*(\S+).*")
_WORDS = regex(r"[A-Za-z_]\w*", re.ASCII)
_LEAD = regex(r"(?:[ \t]*(?:#[^\n]*)?\n)+")
_TABS = regex(r"^\t*", re.MULTILINE)


class ShellScript(NamedTuple):
    """One script. ``text`` is complete: a ``#!``, the variables that the build sets, then from ``head`` what is written.

    ``shell`` is its name, "" when ``reason`` says why the script cannot be examined. ``places`` maps what stands behind ``head``.
    """

    stage: int
    instruction: Instruction
    shell: str
    text: str
    head: int
    places: SourceMap
    reason: str = ""

    def span(self, start: tuple[int, int], end: tuple[int, int]) -> Span:
        """Return where a range stands in the file, given as lines and columns of ``text`` from 1; the keyword for what is not written there."""
        first, last = self._offset(start) - self.head, self._offset(end) - self.head
        size = len(self.places.text)
        if first < 0 or not size:
            return self.instruction.keyword_span
        first = min(first, size - 1)
        return self.places.span(first, min(max(last, first + 1), size))

    def _offset(self, place: tuple[int, int]) -> int:
        at = 0
        for _ in range(place[0] - 1):
            found = self.text.find("\n", at)
            if found < 0:
                return len(self.text)
            at = found + 1
        return at + place[1] - 1


class Remark(NamedTuple):
    """What an examiner says of a script. ``level``: error, warning, info or style. Lines and columns count from 1, ``end`` is exclusive."""

    code: str
    level: str
    message: str
    start: tuple[int, int]
    end: tuple[int, int]


class Examiner:
    """Who examines shell scripts; handed in, because that takes another program. ``identity`` changes with its answers."""

    identity = ""

    def examine(self, scripts: Sequence[str]) -> list[tuple[Remark, ...] | Unknown]:
        """Return what is to be said of each script, or why nothing can be."""
        raise NotImplementedError


def shell_scripts(dockerfile: Dockerfile, graph: Graph) -> Iterator[ShellScript]:
    """Yield the scripts of every stage's own RUNs, also those that ONBUILD puts off. What no shell reads is left out."""
    pragmas = _pragmas(dockerfile)
    shells: dict[int, tuple[str, ...]] = {}
    for stage in graph.stages:
        shell = shells[stage.parent.index] if stage.parent is not None else first_shell(stage)
        start = stage.from_.span.start
        for step in stage.steps:
            if step.onbuild:
                continue
            instruction = step.instruction
            trigger = instruction.trigger if isinstance(instruction, Onbuild) else instruction
            if not isinstance(trigger, Command):
                continue
            if trigger.keyword == "SHELL":
                if trigger is instruction:
                    shell, start = tuple(word.raw for word in trigger.command.args), trigger.span.start
            elif trigger.keyword == "RUN" and not trigger.command.exec_form and trigger.command.text.strip():
                at = bisect_right(pragmas, instruction.span.start, key=lambda one: one[0]) - 1
                said = pragmas[at][1] if at >= 0 and pragmas[at][0] > start else None
                found = _script(dockerfile, stage, trigger, step.scope, said or shell)
                if found is not None:
                    yield found
        shells[stage.index] = shell


def _pragmas(dockerfile: Dockerfile) -> list[tuple[int, tuple[str, ...]]]:
    matches = [(one.span.start, _PRAGMA.fullmatch(one.text)) for one in dockerfile.comments]
    return [(start, (match[1],)) for start, match in matches if match is not None]


def first_shell(stage: Stage) -> tuple[str, ...]:
    """Return the shell of a stage before any SHELL: what its base is known for."""
    return ("cmd",) if stage.ref is not None and str(stage.ref).startswith(_WINDOWS) else DEFAULT


def _script(
    dockerfile: Dockerfile, stage: Stage, run: Command, scope: Scope, shell: tuple[str, ...]
) -> ShellScript | None:
    places = run.command.source
    if len(run.heredocs) == 1 and heredoc_word(places.text.strip()) is not None:
        places = body(dockerfile.source, run.heredocs[0])
        shell = named(places.text) or shell
    else:
        for heredoc in run.heredocs:
            places = _behind(dockerfile, places, heredoc)
    name, flags = interpreter(shell)
    if name not in READ:
        reason = f"ShellCheck does not know {name}" if name in OTHERS else ""
        return ShellScript(stage.index, run, "", "", 0, places, reason) if reason else None
    return _complete(stage, run, scope, f"#!/bin/{name}{flags}\n", places, name)


def _complete(stage: Stage, run: Command, scope: Scope, first: str, places: SourceMap, name: str) -> ShellScript:
    """Put in front what a shell is told otherwise. Comments at the top stay there: what they say is about the whole script."""
    lead = places.text.index("\n") + 1 if places.text.startswith("#!") and "\n" in places.text else 0
    comments = _LEAD.match(places.text, lead)
    cut = comments.end() if comments is not None else lead
    words = set(_WORDS.findall(places.text))
    names = sorted(words & (scope.values.keys() | PREDEFINED_ARGS))
    known = f"export {' '.join(f'{one}=1' for one in names)}\n" if names else ""
    head = f"{first}{places.text[lead:cut]}{known}"
    return ShellScript(stage.index, run, name, head + places.text[cut:], len(head), places.slice(cut, len(places.text)))


def named(script: str) -> tuple[str, ...]:
    """Return the words of a script's ``#!``, none when it has no such line."""
    return tuple(script.partition("\n")[0][2:].split()) if script.startswith("#!") else ()


def interpreter(words: tuple[str, ...]) -> tuple[str, str]:
    """Return the name of a shell, and ``" -e"`` when it is told to stop at the first failure."""
    rest = list(words)
    name = basename(rest.pop(0)) if rest else ""
    if name == "env":
        while rest and (rest[0].startswith("-") or "=" in rest[0]):
            rest.pop(0)
        name = basename(rest.pop(0)) if rest else ""
    stops = any(re.fullmatch(r"-[a-df-z]*e[a-z]*", word) for word in rest) or "errexit" in rest
    return name.lower().removesuffix(".exe"), " -e" if stops else ""


def body(source: SourceText, heredoc: Heredoc) -> SourceMap:
    """Return a here-document as its reader gets it; ``<<-`` takes the tabs."""
    raw, start = source.slice(heredoc.span), heredoc.span.start
    if not heredoc.chomp:
        return SourceMap(raw, ((0, start),))
    pieces: list[tuple[int, int]] = []
    taken = 0
    for match in _TABS.finditer(raw):
        taken += match.end() - match.start()
        pieces.append((match.end() - taken, start + match.end()))
    return SourceMap(heredoc.body, tuple(dict(pieces).items()) or ((0, start),))


def _behind(dockerfile: Dockerfile, places: SourceMap, heredoc: Heredoc) -> SourceMap:
    """Put a here-document, with its last line, behind the command line that announces it."""
    raw, span = dockerfile.source.slice(heredoc.span), heredoc.span
    return places.extended(
        f"\n{raw}{heredoc.name}", ((0, heredoc.word.start), (1, span.start), (1 + len(raw), span.end))
    )
