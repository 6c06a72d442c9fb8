"""Every source that a build reads from its context, resolved in the context that is in force or is likely to be."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from posixpath import join, normpath, relpath, split

from lucid_audit.checks.copyfacts import plain_sources, remote
from lucid_audit.checks.copytext import escaped_blank, first_non_path
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.context import Context, Match
from lucid_audit.dockerfile.ignore import IgnoreFile
from lucid_audit.dockerfile.model import Command, Transfer, Word
from lucid_audit.dockerfile.mounts import parse_mount
from lucid_audit.dockerfile.stages import Step
from lucid_audit.text import Span
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

_GIT_IGNORE = ".gitignore"
_GIT_IGNORE_LIMIT = 256 * 1024


class Source(NamedTuple):
    """One source as somebody wrote it. ``text`` is its value; ``only`` is False when its instruction has others."""

    text: str | Unknown
    span: Span
    keyword: str
    only: bool


class Judged(NamedTuple):
    """A source and what it comes to in the context it is judged in."""

    source: Source
    text: str
    match: Match


class Judgement(NamedTuple):
    """All sources of a file in one context. ``others``: more contexts that a hint may name, the likeliest first."""

    context: Context
    declared: bool
    sources: tuple[Judged, ...]
    others: tuple[Context, ...]

    @property
    def called(self) -> str:
        """The context for a message; one that nobody declared is said to be assumed."""
        return self.context.name if self.declared else f"{self.context.name} (assumed, none is declared)"


@lru_cache(maxsize=4)  # of one file: five checks ask
def sources(build: Build) -> tuple[Source, ...]:
    """Return what COPY, ADD and bind mounts read from the context, in the stages that reach the target."""
    found: list[Source] = []
    for _, step in build.steps("COPY", "ADD", "RUN"):
        if isinstance(step.instruction, Transfer):
            found.extend(_copied(step, step.instruction))
        elif isinstance(step.instruction, Command):
            found.extend(_mounted(step, step.instruction))
    return tuple(found)


def _copied(step: Step, instruction: Transfer) -> Iterator[Source]:
    if instruction.from_ is not None:
        return
    words = _paths(instruction)
    parents = instruction.flag("parents") is not None
    for word in words:
        if step.scope.expand(word.raw).error or escaped_blank(word, step.scope.escape):
            return  # a name that was torn at a blank, which is another rule's matter
        text = step.scope.value(word)
        if isinstance(text, str) and (remote(text) or not text or (parents and any(c in text for c in "*?["))):
            continue
        if isinstance(text, str) and parents:
            text = text.replace("/./", "/")
        yield Source(text, word.span, instruction.keyword, len(words) == 1)


def _paths(instruction: Transfer) -> list[Word]:
    """Return the words that are meant as sources; others are another rule's matter.

    Where shell text follows the destination, the destination is the last word before it.
    """
    words = list(plain_sources(instruction))
    stop, what = first_non_path(instruction)
    if stop is None:
        return words
    before = [word for word in words if word.span.start < stop.span.start]
    return before[:-1] if what == "shell" else before


def _mounted(step: Step, instruction: Command) -> Iterator[Source]:
    """A bind mount without ``from`` reads the context as well; wildcards mean nothing there."""
    for flag in instruction.flags:
        if flag.name == "mount" and flag.value is not None:
            mount = parse_mount(flag.value.raw)
            if mount.type == "bind" and not mount.from_ and mount.source and not any(c in mount.source for c in "*?["):
                text = step.scope.value(Word(mount.source, flag.value.span))
                yield Source(text, flag.value.span, "RUN --mount", True)


@lru_cache(maxsize=4)
def judgement(build: Build) -> Judgement | None:
    """Resolve all sources in the declared context, else in the likely one that has most of them; the first wins a tie.

    A folder between the likely ones is taken when it has all of them and they do not. None when no context is known.
    """
    contexts = build.contexts
    if contexts is None or not contexts.candidates:
        return None
    known = [(source, source.text) for source in sources(build) if isinstance(source.text, str)]
    best, judged, score = _best(contexts.candidates, known)
    if not score[0] and not contexts.declared:
        other, there, whole = _best(contexts.between, known) if contexts.between else (best, judged, (False, 0))
        if whole[0] and whole[1]:
            best, judged = other, there
    others = tuple(one for one in (*contexts.candidates, *contexts.between) if one is not best)
    return Judgement(best, contexts.declared, judged, others)


def _best(
    contexts: tuple[Context, ...], known: list[tuple[Source, str]]
) -> tuple[Context, tuple[Judged, ...], tuple[bool, int]]:
    """Return the context that has all sources, or most of them; whether it has all, and how many."""
    found = []
    for context in contexts:
        judged = tuple(Judged(source, text, context.match(text)) for source, text in known)
        whole = all(one.match.ok or one.match.kind in ("empty-wildcard", "unknown") for one in judged)
        found.append((context, judged, (whole, sum(one.match.ok for one in judged))))
    return max(found, key=lambda one: one[2])  # the first of equals


def elsewhere(judgement: Judgement, source: str) -> tuple[Context, str] | None:
    """Return another context in which a source is found, and how it is spelt there.

    The source as written comes first; then what a path with ``..`` would mean on disk.
    """
    for other in judgement.others:
        if not source.startswith("..") and other.match(source).kind == "found":
            return other, source
    lexical = normpath(join(judgement.context.name, source.lstrip("/")))
    for other in judgement.others:
        path = _below(lexical, other)
        if path and source.startswith("..") and other.match(path).kind == "found":
            return other, path
    return None


def kept_from_git(judgement: Judgement, source: str) -> bool:
    """Whether a ``.gitignore`` would keep a file out of the repository: then it may well exist where the image is built."""
    for context, path in places(judgement, source):
        folders = path.split("/")[:-1]
        for depth in range(len(folders) + 1):
            folder = "/".join(folders[:depth])
            file = f"{folder}/{_GIT_IGNORE}" if folder else _GIT_IGNORE
            if context.kind(file) == "absent":  # which is remembered, and nearly always so
                continue
            data = context.read(file, _GIT_IGNORE_LIMIT)
            if data and _as_docker(folder, data).matched(path) is not None:
                return True
    return False


def places(judgement: Judgement, source: str) -> Iterator[tuple[Context, str]]:
    """Yield the contexts that a path on disk lies in, with its path from there."""
    lexical = normpath(join(judgement.context.name, source.lstrip("/")))
    for context in (judgement.context, *judgement.others):
        path = _below(lexical, context)
        if path:
            yield context, path


def _below(path: str, context: Context) -> str:
    """Return a path, spelt like the context's name, from that context's root; "" when it is not inside."""
    if path == context.name:
        return "."
    folder, name = split(path)
    found = _folder_below(folder, context.name)
    return "" if found is None else join(found, name) if found else name


@lru_cache(maxsize=1024)  # the sources of a repository share their folders
def _folder_below(folder: str, context: str) -> str | None:
    """Return a folder's path from a context, "" for the context itself, None when it is not inside."""
    if folder.startswith("/") != context.startswith("/"):
        return None
    found = relpath(folder or ".", context)
    if found == ".." or found.startswith("../"):
        return None
    return "" if found == "." else found


def _as_docker(folder: str, data: bytes) -> IgnoreFile:
    """Read a ``.gitignore`` as the ``.dockerignore`` that means the same: a bare name counts at any depth."""
    lines = []
    for raw in data.decode("utf-8", "replace").splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        negated, line = line.startswith("!"), line.removeprefix("!").rstrip("/")
        deep = "" if "/" in line else "**/"
        pattern = f"{folder}/{deep}{line.lstrip('/')}" if folder else f"{deep}{line.lstrip('/')}"
        lines.append(f"{'!' * negated}{pattern}")
    return IgnoreFile.parse(_GIT_IGNORE, "\n".join(lines).encode())
