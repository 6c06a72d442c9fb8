"""Build contexts on disk and in memory, and which of them a Dockerfile may be built with.

What a context answers, and how, is in ``resolve``; here is where its files come from.
"""

from __future__ import annotations

import os

from lucid_audit.dockerfile.disk import Disk
from lucid_audit.dockerfile.ignore import IgnoreError, IgnoreFile
from lucid_audit.dockerfile.match import ROOT, Match
from lucid_audit.dockerfile.resolve import Context, inside
from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lucid_audit.dockerfile.resolve import Kind

__all__ = ["Context", "ContextSet", "DiskContext", "Match", "MemoryContext", "candidates"]

IGNORE_FILE = ".dockerignore"
IGNORE_LIMIT = 4 << 20  # bytes of an ignore file


class DiskContext(Context):
    """A folder on disk. Nothing outside it is read but the Dockerfile's own ignore file, which may lie elsewhere."""

    def __init__(self, root: str | os.PathLike[str], dockerfile: str | os.PathLike[str] = "") -> None:
        """``dockerfile`` is the path of the Dockerfile, from the current folder; "" when it is no file (standard input).

        ``<Dockerfile>.dockerignore`` beside it wins over ``.dockerignore`` at the root (moby/buildkit
        frontend/dockerui/config.go); the two are never combined.
        """
        self.root = os.fspath(root) or "."
        file = os.fspath(dockerfile)
        below = os.path.relpath(file, self.root).replace(os.sep, "/") if file else ""
        own = _ignore_file(f"{file}.dockerignore") if file else None
        self._key = ""
        self.disk = Disk(self.root)
        self._shared = _ignore_file(os.path.join(self.root, IGNORE_FILE))
        super().__init__(
            _readable(self.root),
            "" if below.startswith("../") else below,
            own if own is not None else self._shared,
        )

    def beside(self, dockerfile: str) -> DiskContext:
        """Return the same folder as the context of another Dockerfile; what either looks up serves both.

        But for suggestions, which depend on where the Dockerfile stands.
        """
        other = DiskContext.__new__(DiskContext)
        other.root, other.disk = self.root, self.disk
        own = _ignore_file(f"{dockerfile}.dockerignore") if dockerfile else None
        below = os.path.relpath(dockerfile, self.root).replace(os.sep, "/") if dockerfile else ""
        ignore = own if own is not None else self._shared
        Context.__init__(other, self.name, "" if below.startswith("../") else below, ignore)
        other._shared, other._key = self._shared, self.key
        other._kinds, other._lists = self._kinds, self._lists
        if other.ignore is self.ignore:
            other._matches = self._matches
        return other

    @property
    def key(self) -> str:
        """The folder's real path."""
        if not self._key:
            self._key = os.path.realpath(self.root)
        return self._key

    def _kind(self, path: str) -> Kind:
        return self.disk.kind(path)

    def _list(self, folder: str) -> dict[str, Kind] | None:
        return self.disk.listing(folder)

    def _target(self, link: str) -> str:
        return self.disk.target(link)

    def _mode(self, path: str) -> int | None:
        return self.disk.mode(path)

    def _read(self, path: str, limit: int) -> bytes | None:
        return self.disk.read(path, limit)


class MemoryContext(Context):
    """Files given as a mapping from path to content; folders are implied, empty ones end in ``/``.

    ``links`` maps symbolic links to their targets, ``modes`` gives the permission bits that are known.
    """

    def __init__(
        self,
        files: Mapping[str, str | bytes],
        *,
        name: str = ROOT,
        dockerfile: str = "",
        links: Mapping[str, str] | None = None,
        modes: Mapping[str, int] | None = None,
    ) -> None:
        self._modes = {inside(path): mode for path, mode in (modes or {}).items()}
        self._files = {inside(path): data for path, data in files.items() if not path.endswith("/")}
        self._links = {inside(path): target for path, target in (links or {}).items()}
        self._tree: dict[str, dict[str, Kind]] = {ROOT: {}}
        for path in files:
            self._add(inside(path), "dir" if path.endswith("/") else "file")
        for path in self._links:
            self._add(path, "link")
        own = f"{dockerfile}.dockerignore"
        ignore = next((path for path in (own if dockerfile else "", IGNORE_FILE) if path in self._files), "")
        super().__init__(name, dockerfile, IgnoreFile.parse(ignore, self._data(ignore)) if ignore else None)

    def _add(self, path: str, kind: Kind) -> None:
        while path != ROOT:
            if kind == "dir":
                self._tree.setdefault(path, {})
            folder, _, name = path.rpartition("/")
            self._tree.setdefault(folder or ROOT, {})[name] = kind
            path, kind = folder or ROOT, "dir"

    def _data(self, path: str) -> bytes:
        data = self._files[path]
        return data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape")

    def _kind(self, path: str) -> Kind:
        folder, _, name = path.rpartition("/")
        return self._tree.get(folder or ROOT, {}).get(name, "absent")

    def _list(self, folder: str) -> dict[str, Kind] | None:
        return self._tree.get(folder)

    def _target(self, link: str) -> str:
        return self._links[link]

    def _mode(self, path: str) -> int | None:
        return self._modes.get(path)

    def _read(self, path: str, limit: int) -> bytes | None:
        return self._data(path)[:limit]


def _ignore_file(path: str) -> IgnoreFile | None:
    """Read an ignore file; None when there is none. One that cannot be read gives an error for line 0."""
    try:
        with open(path, "rb") as stream:
            return IgnoreFile.parse(path, stream.read(IGNORE_LIMIT))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError):
        return None
    except OSError as error:
        return IgnoreFile(path, errors=(IgnoreError(0, "", error.strerror or str(error)),))


def _readable(root: str) -> str:
    """Return a folder as a person at this prompt would write it."""
    return os.path.relpath(root).replace(os.sep, "/")


class ContextSet(NamedTuple):
    """The contexts that a Dockerfile may be built with.

    ``declared``: somebody said which (one candidate). Otherwise the candidates are what people use: the Dockerfile's own
    folder and the root of the repository. A file that resolves wholly in one of them is not to blame for the others.
    ``between`` are the folders between the two, and all of these when one was declared: good for a hint, not for a
    verdict.
    """

    declared: bool
    candidates: tuple[Context, ...]
    between: tuple[Context, ...] = ()


def candidates(
    *, explicit: Context | None, own: Context | None, repository: Context | None, between: Sequence[Context] = ()
) -> ContextSet:
    """Choose among contexts: a declared one wins alone; the same folder is not offered twice."""
    found: dict[str, Context] = {}
    for context in (explicit,) if explicit is not None else (own, repository):
        if context is not None:
            found.setdefault(context.key, context)
    chosen = tuple(found.values())
    for context in (repository, own, *between) if explicit is not None else between:
        if context is not None:
            found.setdefault(context.key, context)
    return ContextSet(explicit is not None, chosen, tuple(found.values())[len(chosen) :])
