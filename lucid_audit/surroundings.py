"""What lies around a Dockerfile on disk: its repository, and the build contexts it may be built with."""

from __future__ import annotations

import os
from collections.abc import Iterator

from lucid_audit import discover
from lucid_audit.dockerfile.context import ContextSet, DiskContext, candidates
from lucid_audit.errors import UsageError
from lucid_audit.policy import Policy


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

    def contexts(self, name: str) -> tuple[ContextSet | None, str]:
        """Return the possible build contexts of a file, None when nothing is known, and a line that says what was taken.

        ``name`` is "" for standard input, which has a context only when one was declared.

        Raises:
            UsageError: the policy names a context that is not there.

        """
        declared = self._declared or (self._from_policy(os.path.abspath(name)) if name else "")
        explicit = DiskContext(declared, name) if declared else None
        if not name:
            found = candidates(explicit=explicit, own=None, repository=None)
            return (found, f"build context: {declared}") if declared else (None, "")
        folder = os.path.dirname(os.path.abspath(name))
        root = self.root(folder)
        found = candidates(
            explicit=explicit,
            own=DiskContext(os.path.dirname(name), name),  # as the person wrote it
            repository=DiskContext(root, name) if root is not None else None,
            between=[DiskContext(path, name) for path in _between(folder, root)],
        )
        if declared:
            return found, f"build context: {declared}"
        return found, f"build context not declared: {' or '.join(context.name for context in found.candidates)}"

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
