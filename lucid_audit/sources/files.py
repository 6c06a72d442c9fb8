"""Opening what a person or an image names, without being led elsewhere: regular files only, no links followed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from lucid_audit.image.source import CHUNK, AccessError, DamagedError, NotFoundError, SourceError, UnavailableError

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # a FIFO must not make us wait


class Files(Protocol):
    """Named files: a folder or a tar file."""

    def size(self, name: str) -> int:
        """Return the size of a file.

        Raises:
            SourceError: it is not there or cannot be read.

        """

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the content of a file.

        Raises:
            SourceError: it is not there, cannot be read, or changes meanwhile.

        """

    def document(self, name: str, limit: int) -> bytes:
        """Return a small file whole.

        Raises:
            SourceError: as above, or it is larger than ``limit``, or there are two of it.

        """

    def close(self) -> None:
        """Release the files."""


def explain(error: OSError, what: str) -> SourceError:
    """Return the error of ours for one of the system."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return UnavailableError(f"{what} does not exist")
    if error.errno in (errno.EACCES, errno.EPERM):
        return AccessError(f"{what} may not be read (permission denied)")
    if error.errno == errno.ELOOP:
        return DamagedError(f"{what} is a symbolic link, which is not followed here")
    return UnavailableError(f"{what} cannot be read ({error.strerror or error})")


def open_regular(path: Path) -> BinaryIO:
    """Open a file that a person named.

    Raises:
        SourceError: it is not there, not readable, or not a regular file.

    """
    try:
        return _regular(os.open(path, _FLAGS), str(path))
    except OSError as error:
        raise explain(error, str(path)) from None


def _regular(number: int, what: str) -> BinaryIO:
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise DamagedError(f"{what} is not a regular file")
    return os.fdopen(number, "rb", buffering=0)


def read_span(file: BinaryIO, offset: int, size: int, what: str) -> Iterator[bytes]:
    """Yield ``size`` bytes from ``offset`` on, whoever else reads the same file.

    Raises:
        SourceError: the file is closed, fails or has become shorter.

    """
    end = offset + size
    while offset < end:
        try:
            piece = os.pread(file.fileno(), min(CHUNK, end - offset), offset)
        except ValueError:
            raise UnavailableError(f"{what} was closed while it was read") from None
        except OSError as error:
            raise explain(error, what) from None
        if not piece:
            raise DamagedError(f"{what} ends {end - offset} bytes too early")
        offset += len(piece)
        yield piece


class Folder:
    """The files below a folder. Links are not followed: a layout of another person could point anywhere."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._root = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
        except OSError as error:
            raise explain(error, str(path)) from None
        self._open = True

    def size(self, name: str) -> int:
        """Return the size of a file."""
        with self._file(name) as file:
            return os.fstat(file.fileno()).st_size

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the content of a file."""
        with self._file(name) as file:
            yield from read_span(file, 0, os.fstat(file.fileno()).st_size, f"{self._path}/{name}")

    def document(self, name: str, limit: int) -> bytes:
        """Return a small file whole."""
        if self.size(name) > limit:
            raise DamagedError(f"{self._path}/{name} has more than {limit} bytes")
        return b"".join(self.pieces(name))

    def close(self) -> None:
        """Release the folder."""
        if self._open:
            self._open = False
            with suppress(OSError):
                os.close(self._root)

    def _check(self) -> None:
        if not self._open:
            raise UnavailableError(f"{self._path} was closed")

    def _file(self, name: str) -> BinaryIO:
        """Open step by step: no part of the name may be a link."""
        self._check()
        what = f"{self._path}/{name}"
        *parents, last = name.split("/")
        if not all(part and part not in (".", "..") for part in (*parents, last)):
            raise DamagedError(f"{what} is no name of a file")
        opened: list[int] = []
        try:
            at = self._root
            for parent in parents:
                at = os.open(parent, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
                opened.append(at)
            return _regular(os.open(last, _FLAGS | os.O_NOFOLLOW, dir_fd=at), what)
        except OSError as error:
            raise self._explain(error, name, what) from None
        finally:
            for number in opened:
                os.close(number)

    def _explain(self, error: OSError, name: str, what: str) -> SourceError:
        """A folder opened with O_NOFOLLOW reports a link as ENOTDIR; a missing file is a missing part of the image."""
        if error.errno == errno.ENOENT:
            return NotFoundError(f"{self._path} has no {name}")
        if error.errno == errno.ENOTDIR:
            return DamagedError(f"a part of {what} is not a folder; links are not followed here")
        return explain(error, what)
