"""Which builders a Dockerfile has: the compose and bake files of a repository, each read once, and only when needed.

Without a walk, the folders from the Dockerfile's own up to the repository's root are listed; a walk adds the others. What
reads YAML and HCL is imported when there is something to read.
"""

from __future__ import annotations

import os

from lucid_audit import discover

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lucid_audit.builders.builder import Builder, Trouble

FOLDERS = 2_000  # with declarations, of one run


class Index:
    """The declared builds of one run."""

    def __init__(self) -> None:
        self._builders: dict[str, list[Builder]] = {}
        self._troubles: dict[str, list[Trouble]] = {}
        self._read: set[str] = set()
        self._walked: set[str] = set()

    def add(self, files: Iterable[str], root: str) -> None:
        """Read what a walk has found: absolute paths of compose and bake files below ``root``."""
        folders: dict[str, None] = dict.fromkeys(os.path.dirname(file) for file in files)
        for folder in folders:
            self._folder(folder, root)

    def of(self, file: str, folders: Sequence[str]) -> tuple[Builder, ...]:
        """Return the builders of a Dockerfile, no two of which build the same.

        ``folders`` are absolute: the file's own first, the root of its repository last.
        """
        for folder in folders:
            self._folder(folder, folders[-1])
        if not self._builders:
            return ()
        found: dict[tuple[object, ...], Builder] = {}
        for builder in self._builders.get(os.path.realpath(file), ()):
            found.setdefault(builder.build, builder)
        return tuple(found.values())

    def troubles(self, folders: Sequence[str]) -> tuple[Trouble, ...]:
        """Return what could not be used of the declarations in these folders."""
        return tuple(trouble for folder in folders for trouble in self._troubles.get(folder, ()))

    def declared(self) -> tuple[list[Builder], list[Trouble]]:
        """Return everything that was read so far."""
        builders = [one for some in self._builders.values() for one in some]
        return builders, [one for some in self._troubles.values() for one in some]

    def _folder(self, folder: str, root: str) -> None:
        """Read the declarations of one folder, once."""
        if folder in self._read or len(self._read) > FOLDERS:
            return
        self._read.add(folder)
        try:
            names = [name for name in os.listdir(folder) if discover.declares_builds(name)]
        except OSError:
            return
        if names:
            from lucid_audit.builders.folder import declared  # noqa: PLC0415  (reads YAML and HCL)

            builders, troubles = declared(folder, names, root)
            for builder in builders:
                self._builders.setdefault(os.path.realpath(builder.dockerfile), []).append(builder)
            if troubles:
                self._troubles[folder] = troubles
