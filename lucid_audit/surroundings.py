"""What lies around a Dockerfile on disk: its repository, and the build contexts it may be built with."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path

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
        if declared and not Path(declared).is_dir():
            raise UsageError(f"--context {declared}: there is no such folder")
        self._declared = declared
        self._policy = policy
        self._roots: dict[Path, Path | None] = {}

    def contexts(self, name: str | None) -> tuple[ContextSet | None, str]:
        """Return the possible build contexts of a file, None when nothing is known, and a line that says what was taken.

        ``name`` is None for standard input, which has a context only when one was declared.
        """
        file = Path(name) if name is not None else None
        declared = self._declared or (self._from_policy(file) if file is not None else "")
        if declared:
            found = candidates(explicit=DiskContext(declared, name or ""), own=None, repository=None)
            return found, f"build context: {declared}"
        if file is None:
            return None, ""
        own, root = os.path.dirname(name or ""), self.root(file.parent)  # noqa: PTH120  (as the person wrote it)
        found = candidates(
            explicit=None,
            own=DiskContext(own, file),
            repository=DiskContext(root, file) if root is not None else None,
            between=[DiskContext(folder, file) for folder in self._between(file.parent, root)],
        )
        return found, f"build context not declared: {' or '.join(context.name for context in found.candidates)}"

    def in_repository(self, name: str) -> str:
        """Return a file's path from the root of its repository, or its name when it is in none."""
        file = Path(name).absolute()
        root = self.root(file.parent)
        return file.relative_to(root).as_posix() if root is not None and file.is_relative_to(root) else name

    def root(self, folder: Path) -> Path | None:
        """Return the root of the repository that a folder is in."""
        if folder not in self._roots:
            self._roots[folder] = discover.repository_root(folder)
        return self._roots[folder]

    def _between(self, folder: Path, root: Path | None) -> list[Path]:
        """Return the folders above ``folder`` and below the repository's root, deepest first."""
        parents = folder.absolute().parents if root is not None else ()
        return [parent for parent in parents if parent != root and root in parent.parents]

    def _from_policy(self, file: Path) -> str:
        """Return the context that the policy maps a file to; the first glob that matches decides."""
        if not self._policy.contexts:
            return ""
        folder = Path(self._policy.folder)
        path = file.absolute()
        name = path.relative_to(folder.absolute()).as_posix() if path.is_relative_to(folder.absolute()) else ""
        for pattern, context in self._policy.contexts.items():
            if name and fnmatchcase(name, pattern):
                return str(folder / context)
        return ""
