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

    def contexts(self, name: str) -> tuple[ContextSet | None, str]:
        """Return the possible build contexts of a file, None when nothing is known, and a line that says what was taken.

        ``name`` is "" for standard input, which has a context only when one was declared.

        Raises:
            UsageError: the policy names a context that is not there.

        """
        declared = self._declared or (self._from_policy(_absolute(name)) if name else "")
        explicit = DiskContext(declared, name) if declared else None
        if not name:
            found = candidates(explicit=explicit, own=None, repository=None)
            return (found, f"build context: {declared}") if declared else (None, "")
        folder = _absolute(name).parent
        root = self.root(folder)
        found = candidates(
            explicit=explicit,
            own=DiskContext(os.path.dirname(name), name),  # noqa: PTH120  (as the person wrote it)
            repository=DiskContext(root, name) if root is not None else None,
            between=[DiskContext(path, name) for path in folder.parents if root is not None and root in path.parents],
        )
        if declared:
            return found, f"build context: {declared}"
        return found, f"build context not declared: {' or '.join(context.name for context in found.candidates)}"

    def in_repository(self, name: str) -> str:
        """Return a file's path from the root of its repository, or its name when it is in none."""
        file = _absolute(name)
        root = self.root(file.parent)
        return file.relative_to(root).as_posix() if root is not None else name

    def root(self, folder: Path) -> Path | None:
        """Return the root of the repository that an absolute folder is in."""
        if folder not in self._roots:
            self._roots[folder] = discover.repository_root(folder)
        return self._roots[folder]

    def _from_policy(self, file: Path) -> str:
        """Return the context that the policy maps a file to; the first glob that matches decides."""
        folder = Path(self._policy.folder)
        above = _absolute(self._policy.folder)
        if not self._policy.contexts or not file.is_relative_to(above):
            return ""
        name = file.relative_to(above).as_posix()
        for pattern, context in self._policy.contexts.items():
            if fnmatchcase(name, pattern):
                if not (folder / context).is_dir():
                    raise UsageError(f"{self._policy.path}: contexts: {folder / context} is not a folder")
                return str(folder / context)
        return ""


def _absolute(name: str) -> Path:
    """Return the absolute path without ``..``; links are kept, because a checkout is where it was named."""
    return Path(os.path.abspath(name))  # noqa: PTH100
