"""What COPY and ADD bring into the final image: from which stage, image or context, and where it ends up."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from posixpath import basename, join, normpath

from lucid_audit.bases import Base
from lucid_audit.checks.runtext import called
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.globs import has_wildcards
from lucid_audit.dockerfile.model import Transfer, Word
from lucid_audit.dockerfile.stages import Stage, Step
from lucid_audit.reference import parse
from lucid_audit.regex import regex
from lucid_audit.text import Span
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

# BuildKit dfgitutil.ParseGitRef: schemes, and user@host:path.
_REMOTE = regex(r"(?:https?|git|ssh)://|[\w.-]+@[\w.-]+:")
_GIT = regex(r"(?:git|ssh)://|[\w.-]+@[\w.-]+:|https?://[^#?]*\.git(?:[#?]|$)")
_VARIABLE = regex(r"\$(?:\w+|\{[^{}]*\})")


class Copied(NamedTuple):
    """One source of a COPY or ADD in the final image.

    ``origin`` says in words what it is copied from, "" for the build context. ``path`` is absolute; ``known`` is False
    when a variable in it is unknown, and then an ``x`` stands for the variable. ``to`` is absolute; ``into``: it is a folder
    that the source is put into; with an unknown variable it is what the words around it say.
    """

    step: Step
    instruction: Transfer
    origin: str
    stage: Stage | None
    base: Base | None
    path: str
    known: bool
    to: str
    into: bool
    span: Span

    def lands(self, inner: str) -> str:
        """Return where a file of the source ends up: the source itself, or a file below it."""
        if inner == self.path:
            return join(self.to, basename(inner)) if self.into else self.to
        return normpath(join(self.to, inner[len(self.path) :].lstrip("/")))

    @property
    def folder(self) -> str:
        """The source as a folder: ``/usr/bin/*`` takes what ``/usr/bin`` does."""
        return self.path[:-2] or "/" if self.path.endswith("/*") else self.path


def remote(source: str) -> bool:
    """Whether a source of ADD is a URL or a git repository."""
    return ":" in source and _REMOTE.match(source) is not None


def git(source: str) -> bool:
    """Whether a remote source is a git repository."""
    return _GIT.match(source) is not None


def plain_sources(instruction: Transfer) -> Iterator[Word]:
    """Yield the sources that are no here-documents."""
    inline = {heredoc.word for heredoc in instruction.heredocs}
    return (word for word in instruction.sources if word.span not in inline)


def shape(step: Step, word: Word) -> tuple[str, bool]:
    """Return an expanded word and whether it is known; in an unknown one an ``x`` stands for each variable."""
    text = step.scope.text(word)
    return (text, True) if text is not None else (_VARIABLE.sub("x", word.raw).strip("\"'"), False)


@lru_cache(maxsize=4)  # of one file: several checks ask
def brought(build: Build) -> tuple[Copied, ...]:
    """Return what COPY and ADD bring into the final image."""
    return tuple(_brought(build))


def _brought(build: Build) -> Iterator[Copied]:
    for _, step in build.final_steps("COPY", "ADD"):
        instruction = step.instruction
        if not isinstance(instruction, Transfer):
            continue
        to = step.destination(instruction.destination)
        if isinstance(to, Unknown):
            to = shape(step, instruction.destination)[0]
        origin, stage, base = _origin(build, instruction)
        for word in plain_sources(instruction):
            path, known = shape(step, word)
            if path and not remote(path):
                into = to.endswith("/") or len(instruction.sources) > 1 or has_wildcards(path)
                where = normpath("/" + path.lstrip("/"))
                yield Copied(
                    step, instruction, origin, stage, base, where, known, normpath(join("/", to)), into, word.span
                )


def _origin(build: Build, instruction: Transfer) -> tuple[str, Stage | None, Base | None]:
    word = instruction.from_
    if word is None:
        return "", None, None
    stage = build.graph.stage(word.raw)
    if stage is not None:
        return called(stage), stage, stage.base
    ref = parse(word.raw)
    found = build.settings.bases.lookup(ref, build.settings.as_of) if ref is not None else None
    return word.raw, None, found


def bare_final(build: Build) -> Base | None:
    """Return the final base when it has no shell by design (distroless, or scratch); None when it has or is unknown."""
    base = build.target.base if build.target is not None else None
    return base if base is not None and base.distroless and not base.shell else None


def covers(folder: str, path: str) -> bool:
    """Whether ``path`` is ``folder`` or lies below it."""
    return folder in ("/", path) or path.startswith(folder + "/")
