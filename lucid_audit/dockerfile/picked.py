"""What ``--exclude`` and ``--parents`` leave of what COPY and ADD name.

Facts: moby/buildkit ``frontend/dockerfile/dockerfile2llb/convert_copy.go`` (the part of a source before ``/./`` is the folder
to copy, what follows a pattern in it; without ``/./`` the folder is the root) and github.com/tonistiigi/fsutil
``copy/copy.go`` (patterns count from the folder that is copied and are matched as lines of ``.dockerignore`` are; a folder
that is not matched itself is made when something in it is copied).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lucid_audit.container.tree import Node
from lucid_audit.dockerfile.globs import clean, has_wildcards
from lucid_audit.dockerfile.ignore import IgnoreFile
from lucid_audit.dockerfile.model import Transfer, Word
from lucid_audit.dockerfile.sources import Source
from lucid_audit.dockerfile.stages import Step

LIMIT = 20_000  # entries looked at for one source


class UnclearError(Exception):
    """What is copied cannot be told; the message says why."""


def patterns(lines: Iterable[str]) -> IgnoreFile:
    """Compile patterns.

    Raises:
        UnclearError: one is malformed, or has a form that is only given a meaning by the reader of ``.dockerignore``.

    """
    given = tuple(lines)
    for line in given:
        if not line.strip() or line.startswith(("#", "/", "!/")) or "\n" in line:
            raise UnclearError(f"what the pattern {line!r} matches is not followed")
    file = IgnoreFile.parse("", "\n".join(given).encode("utf-8", "surrogateescape"))
    if file.errors:
        raise UnclearError(file.errors[0].message)
    return file


class Picker:
    """Copies of folders without what is not wanted. ``only``: what ``--parents`` asks for; ``without``: ``--exclude``."""

    def __init__(self, only: IgnoreFile | None, without: IgnoreFile | None) -> None:
        self.only, self.without = only, without
        self._depth = _depth(only)
        self._left = LIMIT

    def pick(self, folder: Node, path: str = "") -> Node:
        """Return a folder with what is copied of it; ``path`` is where it is, from the folder that is copied.

        Raises:
            UnclearError: there is too much to look at, or something may be there that nobody has seen.

        """
        new = Node("d", folder.made, folder.mode, folder.uid, folder.gid)
        for name, child in folder.children.items():
            self._left -= 1
            if self._left < 0:
                raise UnclearError(f"there are more than {LIMIT} entries to look at")
            inner = f"{path}/{name}" if path else name
            taken = self._takes(inner)
            if child.kind == "?" and (self.only is not None or self.without is not None):
                raise UnclearError(f"what {inner} is, is not known")
            if child.kind != "d":
                if taken:
                    new.children[name] = child.copied()
            elif taken or self._enters(inner):
                below = self.pick(child, inner)
                if taken or below.children or below.open:
                    new.children[name] = below
        new.open = folder.open
        new.without = folder.without
        return new

    def _takes(self, path: str) -> bool:
        if self.only is not None and self.only.matched(path) is None:
            return False
        return self.without is None or self.without.matched(path) is None

    def _enters(self, folder: str) -> bool:
        """Whether something in a folder that is not taken itself may be."""
        if self.without is not None and self.without.matched(folder) and not self.without.may_hold_exceptions(folder):
            return False
        return self.only is None or self.only.matched(folder) is not None or folder.count("/") + 1 < self._depth


def split(source: str) -> tuple[str, str]:
    """Return the folder that a source of ``--parents`` counts from, and the pattern of what is taken along.

    Raises:
        UnclearError: it names the folder itself.

    """
    folder, pivot, pattern = source.partition("/./")
    if not pivot:
        folder, pattern = "/", source
    pattern = clean("/" + pattern)[1:]
    if not pattern:
        raise UnclearError(f"what --parents takes of {source} is not followed")
    return folder or "/", pattern


def _depth(only: IgnoreFile | None) -> int:
    """Return how many folders deep a pattern looks."""
    if only is None:
        return LIMIT
    return max((LIMIT if "**" in rule.pattern else rule.pattern.count("/") + 1 for rule in only.rules), default=0)


def picked(step: Step, instruction: Transfer, sources: Callable[[Word], Iterable[Source]]) -> list[Source]:
    """Return what an instruction with ``--exclude`` or ``--parents`` copies; ``sources`` reads a word without them.

    Raises:
        UnclearError: nobody can tell.

    """
    lines = [
        step.scope.text(flag.value) for flag in instruction.flags if flag.name == "exclude" and flag.value is not None
    ]
    if None in lines:
        raise UnclearError("what --exclude leaves out is not known")
    without = patterns(line for line in lines if line is not None) if lines else None
    parents = instruction.flag("parents")
    whole = parents is None or (parents.value is not None and parents.value.raw.lower() == "false")
    found: list[Source] = []
    for word in instruction.sources:
        only = None
        if not whole:
            value = step.scope.text(word)
            if value is None or any(one.word == word.span for one in instruction.heredocs):
                raise UnclearError("what --parents takes along is not known")
            folder, pattern = split(value)
            if has_wildcards(folder) or "$" in folder:
                raise UnclearError(f"what --parents takes of {value} is not followed")
            word, only = Word(folder, word.span), patterns([pattern])  # noqa: PLW2901  (the same source, split)
        found.extend(_pick(one, Picker(only, without)) for one in sources(word))
    return found


def _pick(source: Source, picker: Picker) -> Source:
    """Return what is left of a source. Whether a file that is named itself is left out is not followed.

    Raises:
        UnclearError: nobody can tell.

    """
    node = source.node
    if node is None:
        return source
    if node.kind == "d":
        picked = picker.pick(node)
        if picker.only is not None and not picked.children:
            raise UnclearError("nothing that --parents names is known to be there")
        return Source(source.name, picked)
    if picker.only is not None:
        raise UnclearError(f"{source.name} is no folder")
    if picker.without is not None:
        raise UnclearError(f"whether --exclude leaves out {source.name}, a source of its own, is not followed")
    return source
