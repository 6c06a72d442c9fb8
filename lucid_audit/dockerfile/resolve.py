"""The build context: the only files that a Dockerfile's COPY and ADD can see, and the only I/O the pure part is handed.

Sources are resolved as BuildKit does it: ``frontend/dockerfile/dockerfile2llb/convert_copy.go`` (a source counts from the
context root, ``..`` stops there, wildcards may be empty), github.com/tonistiigi/fsutil ``copy/copy.go`` (wildcards and
symbolic links, which never leave the context) and ``filter.go`` (what is sent at all).

Paths are relative to the context root, with ``/``; the root itself is ``.``. Everything looked up is kept, and only the
folders that a question needs are read.
"""

from __future__ import annotations

from lucid_audit.dockerfile.globs import clean, element, has_wildcards
from lucid_audit.dockerfile.match import ROOT, Match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Literal

    from lucid_audit.dockerfile.ignore import IgnoreFile, IgnoreRule

    Kind = Literal["file", "dir", "link", "other", "absent", "unknown"]

LINK_LIMIT = 255  # symbolic links followed for one path, as in containerd's fs.RootPath
ENTRY_LIMIT = 200_000  # entries looked at for one source; beyond that the answer is "unknown"
_REMOTE = ("http://", "https://", "git://", "ssh://", "git@")


class _LimitError(Exception):
    """More entries than one question may look at, or a folder that cannot be read; the message says so."""


class Context:
    """A tree of files with an ignore file. Subclasses say what is there; the rest is shared.

    ``name`` is how a person would write it; ``dockerfile`` is the Dockerfile's path in it, or "" when it is not inside.
    """

    def __init__(self, name: str, dockerfile: str, ignore: IgnoreFile | None) -> None:
        self.name = name
        self.dockerfile = dockerfile
        self.ignore = ignore
        self._kinds: dict[str, Kind] = {ROOT: "dir"}
        self._lists: dict[str, tuple[str, ...] | None] = {}
        self._matches: dict[str, Match] = {}
        self._suggested: dict[str, tuple[str, ...]] = {}

    def _kind(self, path: str) -> Kind:
        raise NotImplementedError

    def _list(self, folder: str) -> dict[str, Kind] | None:
        raise NotImplementedError

    def _target(self, link: str) -> str:
        raise NotImplementedError

    def _read(self, path: str, limit: int) -> bytes | None:
        raise NotImplementedError

    def _mode(self, path: str) -> int | None:
        raise NotImplementedError

    @property
    def key(self) -> str:
        """Equal for two contexts that are the same folder."""
        return self.name

    def kind(self, path: str) -> Kind:
        """Say what an entry itself is, ignored or not; a symbolic link at its end is not followed."""
        path = inside(path)
        if path not in self._kinds:
            self._kinds[path] = self._kind(path)
        return self._kinds[path]

    def exists(self, path: str) -> bool:
        """Whether there is such an entry, ignored or not."""
        return self.kind(path) not in ("absent", "unknown")

    def list_dir(self, folder: str) -> tuple[str, ...] | None:
        """Return the names in a folder, sorted; None when it cannot be read or is no folder."""
        folder = inside(folder)
        if folder not in self._lists:
            entries = self._list(folder) if self.kind(folder) == "dir" else None
            if entries is not None:
                self._kinds.update((join(folder, name), kind) for name, kind in entries.items())
            self._lists[folder] = tuple(sorted(entries)) if entries is not None else None
        return self._lists[folder]

    def read(self, path: str, limit: int) -> bytes | None:
        """Return at most ``limit`` bytes of a file, links followed; None when it is no readable file."""
        real, _ = self._resolve(inside(path))
        return self._read(real, limit) if real is not None and self.kind(real) == "file" else None

    def mode(self, path: str) -> int | None:
        """Return the permission bits of an entry, None when they are not known; a link is not followed."""
        return self._mode(inside(path))

    def target(self, path: str) -> str:
        """Return what a symbolic link says."""
        return self._target(inside(path))

    def sent(self, path: str) -> bool:
        """Whether an entry is sent to the builder; one of too many to look at is taken to be."""
        try:
            return self._kept_out(inside(path), _Budget(ENTRY_LIMIT)) is None
        except _LimitError:
            return True

    def walk(self, folder: str = ROOT) -> Iterator[str]:
        """Yield the files and links below a folder that are sent, by name; folders that cannot be read are passed over."""
        for path, rule in self._below(inside(folder), _Budget(None)):
            if rule is None and self.kind(path) != "dir":
                yield path

    def suggest(self, source: str) -> tuple[str, ...]:
        """Return at most three paths that exist and that somebody who wrote ``source`` may have meant, the best first."""
        from lucid_audit.dockerfile.nearby import suggest  # noqa: PLC0415  (only for sources that fail)

        if source not in self._suggested:
            self._suggested[source] = suggest(self, source)
        return self._suggested[source]

    def match(self, source: str) -> Match:
        """Resolve one source as written in COPY or ADD, variables already expanded. Never raises.

        Not for heredocs, for ``--from``, nor for ``--parents``, which reads its sources differently.
        """
        if source not in self._matches:
            self._matches[source] = self._match(source)
        return self._matches[source]

    def _match(self, source: str) -> Match:
        if source.startswith(_REMOTE) or not source:
            return Match("unknown", reason="not a path in the build context")
        path = inside(source)
        lexical = clean(source.lstrip("/"))
        try:
            found = self._find(path)
        except _LimitError as limit:
            found = Match("unknown", reason=str(limit))
        if lexical == ".." or lexical.startswith("../"):
            return found._replace(kind="outside", clamped=path)
        return found

    def _find(self, path: str) -> Match:
        parts = path.split("/")
        fixed = next((at for at, part in enumerate(parts) if has_wildcards(part)), len(parts))
        if fixed < len(parts):
            return self._glob("/".join(parts[:fixed]) or ROOT, parts[fixed:])
        real, link = self._resolve(path)
        if real is None:
            rule = self._rule(link)
            return Match("ignored" if rule is not None else "missing", rule=rule, link=link)
        if self.kind(real) == "absent":
            return Match("missing", rule=self._rule(path))
        if self.kind(real) == "unknown":
            return Match("unknown", reason=f"{real} cannot be read")
        rule = self._kept_out(real, _Budget(ENTRY_LIMIT))
        return Match("ignored", rule=rule) if rule is not None else Match("found", (real,))

    def _glob(self, folder: str, patterns: Sequence[str]) -> Match:
        """Match patterns level by level. Like Go's Walk, it does not go through links between the levels."""
        start, link = self._resolve(folder)
        if start is None or self.kind(start) != "dir":
            return Match("missing", rule=self._rule(folder), link=link)
        budget = _Budget(ENTRY_LIMIT)
        level = [start]
        for pattern in patterns:
            level = [path for parent in level for path in self._matching(parent, pattern, budget)]
        found: list[str] = []
        left_out, broken = None, ""
        for path in level:
            real, link = self._resolve(path)
            if real is None or self.kind(real) == "absent":
                broken = broken or link
                continue
            rule = self._kept_out(real, budget)
            left_out = left_out or rule
            if rule is None:
                found.append(real)
        if found:
            return Match("found", tuple(found), folder=folder)
        return Match("empty-wildcard", rule=left_out, link=broken, folder=folder)

    def _matching(self, folder: str, pattern: str, budget: _Budget) -> list[str]:
        if self.kind(folder) != "dir":
            return []
        if not has_wildcards(pattern) and "\\" not in pattern:
            path = join(folder, pattern)
            return [path] if self.kind(path) != "absent" else []
        regex = element(pattern)
        names = self._names(folder, budget)
        return [join(folder, name) for name in names if regex.fullmatch(name)] if regex is not None else []

    def _names(self, folder: str, budget: _Budget) -> tuple[str, ...]:
        names = self.list_dir(folder)
        if names is None:
            if budget.strict:
                raise _LimitError(f"{folder} cannot be read")
            return ()
        budget.spend(len(names))
        return names

    def _resolve(self, path: str) -> tuple[str | None, str]:
        """Follow links as if the context were the whole file system.

        Returns the real path, which need not exist, and "". When a link on the way leads nowhere or is ignored, returns
        None and the link.
        """
        real, todo, followed = ROOT, _steps(path), 0
        link, inside_target = "", 0  # how many of the next steps are the target of ``link``
        while todo:
            part = todo.pop(0)
            step = (real.rpartition("/")[0] or ROOT) if part == ".." else join(real, part)
            kind = self.kind(step)
            inside_target -= 1
            if kind == "link":
                followed += 1
                if followed > LINK_LIMIT or self._rule(step) is not None:
                    return None, step
                target = self._target(step)
                steps = _steps(target)
                link, inside_target = (link if inside_target >= 0 else step), max(inside_target, 0) + len(steps)
                real = ROOT if target.startswith("/") else real
                todo = steps + todo
                continue
            if kind == "absent" and inside_target >= 0:
                return None, link
            real = step
        return real, ""

    def _rule(self, path: str) -> IgnoreRule | None:
        return self.ignore.matched(path) if self.ignore is not None else None

    def _may_hold_exceptions(self, folder: str) -> bool:
        return self.ignore is not None and self.ignore.may_hold_exceptions(folder)

    def _kept_out(self, path: str, budget: _Budget) -> IgnoreRule | None:
        """Return the rule that keeps an entry out; a folder goes in as soon as one entry in it does."""
        rule = self._rule(path)
        if rule is None or self.kind(path) != "dir" or not self._may_hold_exceptions(path):
            return rule
        return None if any(kept is None for _, kept in self._below(path, budget)) else rule

    def _below(self, folder: str, budget: _Budget) -> Iterator[tuple[str, IgnoreRule | None]]:
        """Yield every entry that the walk of BuildKit comes by, parents first, and the rule that keeps it out."""
        todo = [folder]
        while todo:
            path = todo.pop()
            rule = self._rule(path)
            if path != folder:
                yield path, rule
            if self.kind(path) == "dir" and (path == folder or rule is None or self._may_hold_exceptions(path)):
                todo += [join(path, name) for name in reversed(self._names(path, budget))]


class _Budget:
    """Counts the entries that one question has looked at; ``limit`` None is for a caller who stops by himself."""

    def __init__(self, limit: int | None) -> None:
        self.strict = limit is not None
        self._left = limit or 0

    def spend(self, entries: int) -> None:
        self._left -= entries
        if self.strict and self._left < 0:
            raise _LimitError(f"more than {ENTRY_LIMIT} files to look at")


def _steps(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def inside(path: str) -> str:
    """Return a path from the context root, cleaned; what climbs above the root stops there."""
    return clean("/" + path)[1:] or ROOT


def join(folder: str, name: str) -> str:
    """Return the path of an entry of a folder."""
    return name if folder == ROOT else f"{folder}/{name}"
