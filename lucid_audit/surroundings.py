"""What lies around a Dockerfile on disk: its repository, and the build contexts it may be built with."""

from __future__ import annotations

import os
from collections.abc import Iterator

from lucid_audit import discover
from lucid_audit.builders.index import Index
from lucid_audit.dockerfile.context import IGNORE_FILE, IGNORE_LIMIT, ContextSet, DiskContext, candidates
from lucid_audit.errors import UsageError
from lucid_audit.policy import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lucid_audit.builders.builder import Builder, Trouble
    from lucid_audit.dockerfile.disk import Notes
    from lucid_audit.dockerfile.model import Dockerfile


class Surroundings:
    """Answers for every file of one run. Repository roots are looked up once per folder."""

    def __init__(self, declared: str, policy: Policy) -> None:
        """``declared`` is the context that the person named for all files, or "".

        Raises:
            UsageError: it is not a folder.

        """
        if declared and not os.path.isdir(declared):
            raise UsageError(f"--context {declared}: there is no such folder")
        self._declared = declared
        self._policy = policy
        self._roots: dict[str, str | None] = {}
        self._disks: dict[str, DiskContext] = {}
        self._index = Index()
        self.notes: Notes | None = None  # what contexts are asked, for ``remember``; None to keep no notes
        self._tops: list[str] = []

    def walked(self, top: str, beside: list[str]) -> None:
        """Take note of a folder that was searched, and of the compose and bake files that the search has met.

        The folder may be a part of a repository: then the rest of it is searched for such files, too.
        """
        folder = os.path.abspath(top)
        root = self.root(folder)
        if root is not None and root != folder:
            for _ in discover.search(root, beside := []):
                pass  # the Dockerfiles elsewhere were not asked for
        self._tops.append(folder)
        self._index.add(map(os.path.abspath, beside), root or folder)

    def lost(self) -> dict[str, tuple[list[Builder], list[Trouble]]]:
        """Return the builds that files below searched folders declare and of which context or Dockerfile is not there, by root."""
        found: dict[str, tuple[list[Builder], list[Trouble]]] = {}
        builders, troubles = self._index.declared() if self._tops else ([], [])
        for one in builders:
            top = self._top(one.file)
            if top and not os.path.lexists(one.dockerfile):
                found.setdefault(self.root(top) or top, ([], []))[0].append(one)
        for trouble in troubles:
            top = self._top(trouble.file)
            if top and trouble.lost is not None:
                found.setdefault(self.root(top) or top, ([], []))[1].append(trouble)
        return found

    def _top(self, path: str) -> str:
        """Return the folder that was searched and in which an absolute path lies, "" for none."""
        return next((top for top in self._tops if path == top or path.startswith(f"{top.rstrip('/')}/")), "")

    def builders(self, name: str, dockerfile: Dockerfile) -> tuple[tuple[Builder, ...], tuple[Trouble, ...]]:
        """Return who builds a file, by compose and bake files, else by its own head; and what could not be used of those."""
        file = os.path.abspath(name)
        folders = self._reach(os.path.dirname(file))
        found = self._index.of(file, folders)
        troubles = self._index.troubles(folders)
        if found:  # what one service lacks is of no interest to a file that others build
            return found, tuple(trouble for trouble in troubles if not trouble.line)
        comments = _head(dockerfile)
        if comments:
            from lucid_audit.builders.header import hints  # noqa: PLC0415  (few files have such a comment)

            hint = hints(comments, file, folders)
            found = (hint,) if hint is not None else ()
        return found, troubles

    def told(self, name: str) -> str:
        """Return all that decides how a file is built but its own text: who declares it, and which ignore files there are."""
        file = os.path.abspath(name)
        folders = self._reach(os.path.dirname(file))
        found = self._index.of(file, folders)
        mapped = self._declared or self._from_policy(file)
        places = dict.fromkeys((*folders, mapped or folders[0], *(builder.context for builder in found)))
        ignores = [_bytes(f"{place}/{IGNORE_FILE}") for place in places]
        return repr(
            (folders, mapped, found, self._index.troubles(folders), ignores, _bytes(f"{name}.{IGNORE_FILE[1:]}"))
        )

    def _reach(self, folder: str) -> tuple[str, ...]:
        """Return the folders from one up to its repository's root, else to the folder that was searched, else itself."""
        root = self.root(folder)
        if root is None:
            root = self._top(folder) or folder
        return (folder, *_between(folder, root), root) if root != folder else (folder,)

    def contexts(self, name: str, builder: Builder | None = None) -> tuple[ContextSet | None, str]:
        """Return the possible build contexts of a file, None when nothing is known, and a line that says what was taken.

        ``name`` is "" for standard input, which has a context only when one was declared. A ``builder`` says which it
        is when neither the person nor the policy does.

        Raises:
            UsageError: the policy names a context that is not there.

        """
        declared = self._declared or (self._from_policy(os.path.abspath(name)) if name else "")
        by = f" ({builder.said()})" if builder is not None and not declared else ""
        if builder is not None and not declared:
            declared = os.path.relpath(builder.context)
        explicit = self._disk(declared, name, os.path.abspath(declared)) if declared else None
        if not name:
            found = candidates(explicit=explicit, own=None, repository=None)
            return (found, f"build context: {declared}") if declared else (None, "")
        folder = os.path.dirname(os.path.abspath(name))
        root = self.root(folder)
        found = candidates(
            explicit=explicit,
            own=self._disk(os.path.dirname(name), name, folder),  # as the person wrote it
            repository=self._disk(root, name, root) if root is not None else None,
            between=[self._disk(path, name, path) for path in _between(folder, root)],
        )
        if declared:
            return found, f"build context: {declared}{by}"
        return found, f"build context not declared: {' or '.join(context.name for context in found.candidates)}"

    def _disk(self, root: str, name: str, key: str) -> DiskContext:
        """Return a context; what is looked up in it serves every Dockerfile of the run. ``key`` is its absolute path."""
        if key not in self._disks:
            self._disks[key] = DiskContext(root, name)
            self._disks[key].disk.notes = self.notes
            return self._disks[key]
        return self._disks[key].beside(name)

    def in_repository(self, name: str) -> str:
        """Return a file's path from the root of its repository, or its name when it is in none."""
        file = os.path.abspath(name)
        root = self.root(os.path.dirname(file))
        return file.removeprefix(root).lstrip("/") if root is not None else name

    def root(self, folder: str) -> str | None:
        """Return the root of the repository that an absolute folder is in."""
        if folder not in self._roots:
            self._roots[folder] = discover.repository_root(folder)
        return self._roots[folder]

    def _from_policy(self, file: str) -> str:
        """Return the context that the policy maps a file to; the first glob that matches decides."""
        if not self._policy.contexts:
            return ""
        from fnmatch import fnmatchcase  # noqa: PLC0415  (only for policies with contexts)
        from pathlib import Path  # noqa: PLC0415

        above = os.path.abspath(self._policy.folder)
        if not Path(file).is_relative_to(above):
            return ""
        name = Path(file).relative_to(above).as_posix()
        for pattern, context in self._policy.contexts.items():
            if fnmatchcase(name, pattern):
                folder = Path(self._policy.folder, context)
                if not folder.is_dir():
                    raise UsageError(f"{self._policy.path}: contexts: {folder} is not a folder")
                return str(folder)
        return ""


def _between(folder: str, root: str | None) -> Iterator[str]:
    """Yield the folders above one and below the root of its repository, the nearest first."""
    for above in discover.upwards(folder) if root is not None else ():
        if above == root:
            break
        if above != folder:
            yield above


def _bytes(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read(IGNORE_LIMIT)
    except (OSError, ValueError):
        return None


def says_how_it_is_built(dockerfile: Dockerfile) -> bool:
    """Whether a file's own head may say how it is built."""
    return bool(_head(dockerfile))


def _head(dockerfile: Dockerfile) -> list[tuple[int, str]]:
    """Return the comments before the first FROM, with their lines, when they may say how the file is built."""
    stop = next((one.span.start for one in dockerfile.instructions if one.keyword == "FROM"), 0)
    head = [comment for comment in dockerfile.comments if comment.span.start < stop]
    if not any(" build " in f" {comment.text.casefold()} " for comment in head):
        return []
    return [(dockerfile.source.position(comment.span.start).line, comment.text) for comment in head]
