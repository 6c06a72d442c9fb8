"""Paths of the build context that are not there: spelt from another folder, made before the build, or left to chance."""

from __future__ import annotations

from posixpath import basename

from lucid_audit.dockerfile.context import Context, ContextSet
from lucid_audit.dockerfile.globs import has_wildcards
from lucid_audit.dockerfile.ignore import IgnoreFile
from lucid_audit.dockerfile.resolve import ROOT, inside

_GITIGNORE_LIMIT = 1 << 20  # bytes


def elsewhere(contexts: ContextSet, context: Context, source: str) -> str:
    """Say which spelling or which context would work for a source that is not in ``context``; "" when none is found.

    People write a path from the repository's root and build in a sub-folder, or the other way round.
    """
    parts = inside(source).split("/")
    for cut in range(1, len(parts)):
        rest = "/".join(parts[cut:])
        if _ends_with(context, parts[:cut]) and context.match(rest).kind == "found":
            return f"that is already {'/'.join(parts[:cut])}, so write {rest}{_or_build(contexts, context, source)}"
    below = context.dockerfile.split("/")[:-1]
    for depth in range(len(below), 0, -1):
        folder = "/".join(below[:depth])
        path = f"{folder}/{inside(source)}"
        if context.match(path).kind == "found":
            return f"write {path}, or build with {_named(contexts, context, folder)} as the context"
    return _or_build(contexts, context, source).replace(", or build", "it is there when you build")


def _fold(name: str) -> str:
    return name.casefold().replace("-", "_")


def _ends_with(context: Context, parts: list[str]) -> bool:
    """Whether a context is the folder that these parts name; folders get renamed between - and _."""
    path = context.key.rstrip("/").split("/")
    return [_fold(part) for part in path[-len(parts) :]] == [_fold(part) for part in parts]


def _or_build(contexts: ContextSet, context: Context, source: str) -> str:
    """Name another possible context that has the source as it is written."""
    for other in (*contexts.candidates, *contexts.between):
        if other is not context and other.match(source).kind == "found":
            return f", or build with {other.name} as the context"
    return ""


def _named(contexts: ContextSet, context: Context, folder: str) -> str:
    """Return a folder of a context as a person would write it at the prompt."""
    for other in (*contexts.candidates, *contexts.between):
        if other is not context and other.key.endswith("/" + folder):
            return other.name
    return folder if context.name == ROOT else f"{context.name}/{folder}"


def unversioned(contexts: ContextSet, context: Context, source: str) -> str:
    """Return a reason when .gitignore keeps a source out of the repository: then it is made before the build.

    Patterns without a slash hold in every folder (gitignore manual, "PATTERN FORMAT"), unlike in ``.dockerignore``.
    """
    path = inside(source)
    for other in (context, *contexts.candidates, *contexts.between):
        inner = _below(other, context)
        data = other.read(".gitignore", _GITIGNORE_LIMIT) if inner is not None else None
        if data:
            rule = _gitignore(data).matched(path if inner == ROOT else f"{inner}/{path}")
            if rule is not None:
                name = ".gitignore" if other.name == ROOT else f"{other.name}/.gitignore"
                return f"{source} is not there, and {name}:{rule.line} keeps it out of the repository"
    return ""


def _below(outer: Context, context: Context) -> str | None:
    """Return where a context lies in another one, None when it does not."""
    if outer.key == context.key:
        return ROOT
    prefix = "" if outer.key == ROOT else outer.key.rstrip("/") + "/"
    return context.key[len(prefix) :] if context.key.startswith(prefix) else None


def _gitignore(data: bytes) -> IgnoreFile:
    """Read a .gitignore as a .dockerignore that means the same."""
    lines = []
    for line in data.decode("utf-8", "surrogateescape").splitlines():
        text = line.strip()
        sign = "!" if text.startswith("!") else ""
        body = text.removeprefix("!")
        anywhere = body and not body.startswith("#") and "/" not in body.rstrip("/")
        lines.append(f"{sign}**/{body}" if anywhere else text)
    return IgnoreFile.parse(".gitignore", "\n".join(lines).encode("utf-8", "surrogateescape"))


def optional(source: str) -> bool:
    """Whether a wildcard is there so that a file may be missing: ``yarn.lock*``, ``config.ym[l]``."""
    name = basename(source)
    if name.endswith("*"):
        return "." in name and not has_wildcards(name[:-1])
    return name.count("[") == 1 and name.partition("[")[2].rstrip("]*")[1:] == "" and "*" not in name
