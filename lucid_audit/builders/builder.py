"""One way in which somebody builds a Dockerfile, and how the declarations of compose and bake files become one."""

from __future__ import annotations

import os

from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

DOCKERFILE = "Dockerfile"
REMOTE = (
    "http://",
    "https://",
    "git://",
    "ssh://",
    "git@",
    "github.com/",
    "docker-image://",
    "oci-layout://",
    "target:",
)
"""What a context starts with that is no folder (moby/buildkit frontend/dockerui, docker/buildx util/urlutil)."""


class Builder(NamedTuple):
    """A declared build. ``context`` and ``dockerfile`` are absolute paths; ``file`` and ``line`` say who declares it.

    ``args`` are (name, value), the value None when it comes from elsewhere or could not be worked out. ``target`` is ""
    for the last stage and None when it could not be worked out. ``contexts`` are additional ones: (name, what it is),
    None when that could not be worked out.
    """

    file: str
    line: int
    kind: str  # "service", "bake target" or "comment"
    name: str
    context: str
    dockerfile: str
    args: tuple[tuple[str, str | None], ...] = ()
    target: str | None = ""
    platforms: tuple[str, ...] = ()
    contexts: tuple[tuple[str, str | None], ...] = ()
    tags: tuple[str, ...] = ()  # what the image is called, as far as that is known
    named: bool = True  # whether the declaration names context or Dockerfile; else both are taken for granted

    @property
    def build(self) -> tuple[object, ...]:
        """What makes this build another one than the next; who declares it does not count."""
        return (
            os.path.realpath(self.context),
            frozenset(self.args),
            self.target,
            frozenset(self.platforms),
            self.contexts,
        )

    def said(self, *, place: bool = True) -> str:
        """Name the builder as a person would: ``service api in compose.yaml:12``, from the current folder."""
        what = f"{self.kind} {self.name}" if self.name else self.kind
        file = os.path.relpath(self.file)
        return f"{what} in {file}:{self.line}" if place else f"{what} in {file}"


class Lost(NamedTuple):
    """A build context, an absolute path, that a declaration names and that is not there."""

    kind: str
    name: str
    context: str


class Trouble(NamedTuple):
    """A declaration that could not be used, and why, in one clause."""

    file: str
    line: int
    reason: str
    lost: Lost | None = None  # where it is that something is not there

    def said(self) -> str:
        """Return it with its place, from the current folder."""
        place = f"{os.path.relpath(self.file)}:{self.line}" if self.line else os.path.relpath(self.file)
        return f"{place}: {self.reason}"


class Draft(NamedTuple):
    """A build as far as one declaration says; None is what it does not say.

    ``folder`` is what a relative ``context`` counts from: it travels with the context when drafts are merged.
    """

    file: str
    line: int
    kind: str
    name: str
    folder: str
    context: Value | None = None
    dockerfile: Value | None = None
    args: Mapping[str, str | None] = {}
    target: Value | None = None
    platforms: tuple[str, ...] | None = None
    contexts: Mapping[str, str | None] = {}
    inline: bool = False
    tags: tuple[str, ...] = ()
    declared: bool = True  # False for a service without a build, which may still be laid over one that has it

    def over(self, below: Draft) -> Draft:
        """Return this declaration with what it leaves open taken from another one."""
        own = self.context is not None
        return self._replace(
            folder=self.folder if own else below.folder,
            context=self.context if own else below.context,
            dockerfile=self.dockerfile if self.dockerfile is not None else below.dockerfile,
            args={**below.args, **self.args},
            target=self.target if self.target is not None else below.target,
            platforms=self.platforms if self.platforms is not None else below.platforms,
            contexts={**below.contexts, **self.contexts},
            tags=self.tags or below.tags,
            declared=self.declared or below.declared,
            inline=self.inline or (below.inline and self.dockerfile is None),
        )


def finish(draft: Draft, root: str) -> Builder | Trouble | None:
    """Return the builder that a draft comes to; None for one that builds no file of this repository.

    The Dockerfile's path counts from the context (compose specification, build, ``dockerfile``; docker/buildx
    ``bake/bake.go``, ``toBuildOpt``). What lies outside of ``root`` is not looked at.
    """
    if draft.inline:
        return None
    context, file = draft.context, draft.dockerfile
    who = f"{draft.kind} {draft.name}"
    for value, what in ((context, "context"), (file, "Dockerfile")):
        if isinstance(value, Unknown):
            return Trouble(draft.file, draft.line, f"the {what} of {who} is not known: {value.reason}")
    at, below = str(context or "."), str(file or DOCKERFILE)
    if at.startswith(REMOTE) or "://" in at or "://" in below or "\0" in at + below:
        return None
    folder = os.path.normpath(os.path.join(draft.folder, at))
    if not within(folder, root):
        return Trouble(draft.file, draft.line, f"the context of {who} lies outside of the repository: {at}")
    if not os.path.isdir(folder):
        lost = Lost(draft.kind, draft.name, folder)
        return Trouble(draft.file, draft.line, f"the context of {who} is not here: {at}", lost)
    args = tuple(sorted(draft.args.items(), key=lambda item: item[0]))
    target = None if isinstance(draft.target, Unknown) else draft.target or ""
    path = os.path.normpath(os.path.join(folder, below))
    return Builder(
        draft.file,
        draft.line,
        draft.kind,
        draft.name,
        folder,
        path,
        args,
        target,
        draft.platforms or (),
        tuple(sorted(draft.contexts.items())),
        draft.tags,
        context is not None or file is not None,
    )


def within(path: str, root: str) -> bool:
    """Whether a path, links followed, is a folder or lies in it."""
    real, top = os.path.realpath(path), os.path.realpath(root)
    return real == top or real.startswith(top.rstrip("/") + "/")


def read(path: str, root: str, limit: int = 1 << 20) -> str | Trouble:
    """Return the text of a file in the repository, or why it is not used. Never more than ``limit`` bytes are read."""
    if not within(path, root):
        return Trouble(path, 0, "it lies outside of the repository")
    try:
        if not os.path.isfile(path):  # a pipe would never end
            return Trouble(path, 0, "it is not here")
        with open(path, "rb") as stream:
            data = stream.read(limit + 1)
    except (OSError, ValueError) as error:
        return Trouble(path, 0, f"it cannot be read: {getattr(error, 'strerror', None) or error}")
    if len(data) > limit:
        return Trouble(path, 0, f"it is larger than {limit >> 10} KiB")
    return data.decode("utf-8-sig", "replace")
