"""What a folder on disk is asked, and a note of every answer, by which a later run knows whether it would be the same."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from lucid_audit.dockerfile.resolve import Kind

    Question = tuple[str, str, int]  # what is asked, of which path, how many bytes at most
    Notes = dict[tuple[str, Question], Any]  # by the folder and the question

_MODES: dict[int, Kind] = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "link"}


class Disk:
    """A folder. ``notes``, which several may share, are the questions that were asked with what their answers come to; None to keep none."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.notes: Notes | None = None

    def kind(self, path: str) -> Kind:
        """Say what an entry is; a link is not followed."""
        found = self._kind(path)
        self._note("kind", path, 0, found)
        return found

    def listing(self, folder: str) -> dict[str, Kind] | None:
        """Return the entries of a folder with their kinds, None when it cannot be read."""
        found = self._listing(folder)
        self._note("listing", folder, 0, found)
        return found

    def target(self, link: str) -> str:
        """Return what a symbolic link says, "" when it is none."""
        found = self._target(link)
        self._note("target", link, 0, found)
        return found

    def mode(self, path: str) -> int | None:
        """Return the permission bits of an entry, None when they are not known."""
        found = self._mode(path)
        self._note("mode", path, 0, found)
        return found

    def read(self, path: str, limit: int) -> bytes | None:
        """Return at most ``limit`` bytes of a file, None when it cannot be read."""
        found = self._read(path, limit)
        self._note("read", path, limit, found)
        return found

    def _note(self, what: str, path: str, limit: int, answer: object) -> None:
        if self.notes is not None:
            self.notes[self.root, (what, path, limit)] = _brief(answer)

    def same(self, notes: Mapping[Question, Any]) -> bool:
        """Whether every question has the answer that was noted, now."""
        for (what, path, limit), was in notes.items():
            now = self._read(path, limit) if what == "read" else getattr(self, f"_{what}")(path)
            if _brief(now) != was:
                return False
        return True

    def _path(self, path: str) -> str:
        return f"{self.root}/{path}"

    def _kind(self, path: str) -> Kind:
        try:
            return _MODES.get(stat.S_IFMT(os.lstat(self._path(path)).st_mode), "other")
        except PermissionError:
            return "unknown"
        except (OSError, ValueError):  # ValueError: a name that no file can have
            return "absent"

    def _listing(self, folder: str) -> dict[str, Kind] | None:
        try:
            with os.scandir(self._path(folder)) as entries:
                return {entry.name: _entry_kind(entry) for entry in entries}
        except OSError:
            return None

    def _target(self, link: str) -> str:
        try:
            return os.readlink(self._path(link))
        except OSError:
            return ""

    def _mode(self, path: str) -> int | None:
        try:
            return stat.S_IMODE(os.lstat(self._path(path)).st_mode)
        except (OSError, ValueError):
            return None

    def _read(self, path: str, limit: int) -> bytes | None:
        try:
            with open(self._path(path), "rb") as stream:
                return stream.read(limit)
        except OSError:
            return None


def _brief(answer: object) -> object:
    """Return what stands for an answer: itself, or a digest where it may be long."""
    if isinstance(answer, dict):
        answer = "\0".join(f"{name}\0{kind}" for name, kind in sorted(answer.items())).encode(
            "utf-8", "surrogateescape"
        )
    if not isinstance(answer, bytes):
        return answer
    from hashlib import blake2b  # noqa: PLC0415  (only where notes are kept)

    return blake2b(answer, digest_size=16).hexdigest()


def _entry_kind(entry: os.DirEntry[str]) -> Kind:
    try:
        if entry.is_symlink():
            return "link"
        if entry.is_dir(follow_symlinks=False):
            return "dir"
        return "file" if entry.is_file(follow_symlinks=False) else "other"
    except OSError:
        return "unknown"
