"""The build graph: stages, what each is built on, and the variables in force at every instruction.

Scopes follow BuildKit's ``dockerfile2llb``: FROM sees global ARGs and the automatic platform ARGs; a stage starts with
the environment of its base, an ARG without a default inherits the global value, and ENV and ARG write into one
environment in the order they stand; ``FROM stage`` inherits all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from posixpath import join, normpath

from lucid_audit.bases import Base, Bases
from lucid_audit.dockerfile.model import Dockerfile, From, Instruction, SyntaxProblem, Word
from lucid_audit.dockerfile.words import Expansion, expand, plain
from lucid_audit.record import record
from lucid_audit.reference import ImageRef, parse
from lucid_audit.text import Span
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import date

AUTOMATIC = ("PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT")
AUTOMATIC_ARGS = frozenset(side + name for side in ("TARGET", "BUILD") for name in AUTOMATIC) | {"TARGETSTAGE"}
PREDEFINED_ARGS = frozenset(
    name
    for lower in ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")
    for name in (lower, lower.upper())
)
SCRATCH = "scratch"
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Settings(NamedTuple):
    """What a build is started with. ``platform`` is one target platform, or "" when it is not decided.

    ``platforms`` are all those that the image is declared to be built for; empty when nobody says.
    """

    bases: Bases
    as_of: date
    build_args: Mapping[str, Value] = {}
    platform: str = ""
    target: str = ""
    platforms: tuple[str, ...] = ()
    contexts: Mapping[str, Value] = {}  # named ones: an image's reference, or why nothing is known of it

    def named(self, name: str) -> Value | None:
        """Return the named context that stands in for an image or a stage, None when there is none.

        Names are compared as references in their short form without ``:latest`` (BuildKit frontend/dockerui/namedcontext.go).
        """
        return self.contexts.get(context_name(name)) if self.contexts else None


def context_name(name: str) -> str:
    """Return a name of a context as it is compared."""
    ref = parse(name.lower())
    return ref.familiar.removesuffix(":latest") if ref is not None else name.lower()


class Scope(NamedTuple):
    """Variables in force at one place. ``open`` is a reason when names not listed may be set all the same, else ""."""

    values: Mapping[str, Value]
    open: str
    escape: str

    def lookup(self, name: str) -> Value | None:
        """Return the value of a variable, Unknown, or None when it is certainly not set."""
        value = self.values.get(name)
        if value is None and self.open:
            return Unknown(self.open)
        return value

    def expand(self, raw: str) -> Expansion:
        """Expand a word as written."""
        return expand(raw, self.lookup, self.escape)

    def value(self, word: Word) -> Value:
        """Return the expanded word, or Unknown with the first reason."""
        if plain(word.raw, self.escape):
            return word.raw
        expansion = self.expand(word.raw)
        if expansion.text is not None:
            return expansion.text
        return expansion.unknown[0] if expansion.unknown else Unknown(expansion.error or "it does not expand")

    def text(self, word: Word) -> str | None:
        """Return the expanded word, or None when it is not known."""
        return word.raw if plain(word.raw, self.escape) else self.expand(word.raw).text


class Step(NamedTuple):
    """One instruction in its stage, with what was in force before it ran. ``onbuild``: it came from the parent's ONBUILD."""

    instruction: Instruction
    scope: Scope
    workdir: Value
    onbuild: bool = False

    def destination(self, word: Word) -> Value:
        """Return a destination as an absolute path; a trailing slash is kept, because it means a folder."""
        value = self.scope.value(word)
        if isinstance(value, Unknown):
            return value
        if not value.startswith("/"):
            if isinstance(self.workdir, Unknown):
                return self.workdir
            path = normpath(join(self.workdir, value))
        else:
            path = normpath("/" + value.lstrip("/"))
        folder = value.endswith(("/", "/.")) or value in ("", ".")
        return path + "/" if folder and path != "/" else path


class Edge(NamedTuple):
    """A stage's need for another stage or for an image. ``kind``: base, copy or mount."""

    kind: str
    name: str
    stage: int | None
    span: Span


@record(eq=False)
class Stage:
    """One build stage. ``base`` are the catalogue's facts of the image at the root of its ``FROM`` chain."""

    index: int
    name: str
    from_: From
    image: Value
    parent: Stage | None
    ref: ImageRef | None
    base: Base | None
    platform: Value | None
    steps: tuple[Step, ...]
    end: Scope
    workdir: Value

    @property
    def label(self) -> str:
        """The stage as people call it: its name, else its number."""
        return self.name or f"stage {self.index}"

    @property
    def root(self) -> Stage:
        """The stage at the start of the ``FROM stage`` chain."""
        stage = self
        while stage.parent is not None:
            stage = stage.parent
        return stage

    def lineage(self) -> Iterator[Stage]:
        """Yield the chain of ``FROM stage``, root first, this stage last."""
        chain = [self]
        while (parent := chain[-1].parent) is not None:
            chain.append(parent)
        yield from reversed(chain)

    def all_steps(self) -> Iterator[Step]:
        """Yield every step that makes this stage, inherited ones first."""
        for stage in self.lineage():
            yield from stage.steps

    def instructions(self, *keywords: str) -> Iterator[Step]:
        """Yield this stage's own steps of these keywords."""
        for step in self.steps:
            if step.instruction.keyword in keywords:
                yield step


@record(eq=False)
class Graph:
    """The stages of a file. ``target`` is None when the file has none or the target was not found."""

    dockerfile: Dockerfile
    settings: Settings
    globals: Scope
    stages: tuple[Stage, ...]
    edges: tuple[tuple[Edge, ...], ...]  # by stage index
    target: Stage | None
    reached: frozenset[int]
    problems: tuple[SyntaxProblem, ...]

    def stage(self, name: str) -> Stage | None:
        """Return a stage by name (any case, the last of that name as in BuildKit) or by index."""
        return find_stage(self.stages, name)

    def reaching(self) -> Iterator[Stage]:
        """Yield the stages that the target is built from, in file order."""
        return (stage for stage in self.stages if stage.index in self.reached)


def find_stage(stages: tuple[Stage, ...] | list[Stage], name: str) -> Stage | None:
    """Look a stage up as ``COPY --from`` does: a number is an index, names ignore case and the last one wins."""
    if name.isascii() and name.isdigit():
        return stages[int(name)] if len(name) < 6 and int(name) < len(stages) else None
    lowered = name.lower()
    for stage in reversed(stages):
        if stage.name and stage.name == lowered:
            return stage
    return None
