"""Lets one reader at a time, of several processes and threads, read a part: what several want at once is read once.

A claim is a lock on a file of a folder that the readers share; the system takes it from a process that ends, however it
ends. Claims are of slots, not of digests: two parts may have one slot, and then wait for each other without need.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

_SLOTS = 256
_POLL = 0.02  # seconds between two tries


class Claims:
    """Claims in a folder; with "" everybody reads for himself."""

    def __init__(self, folder: str = "") -> None:
        self._folder = folder

    @property
    def shared(self) -> bool:
        """Whether others may have read what one holds the claim of."""
        return bool(self._folder)

    @contextmanager
    def of(self, digest: str, deadline: float | None) -> Iterator[bool]:
        """Hold the claim of a digest, and say whether it had to be waited for.

        ``deadline`` is a moment of ``time.monotonic``: from then on nobody is waited for. Nor is he where claims cannot be made.
        """
        descriptor = self._open(digest)
        if descriptor < 0:
            yield False
            return
        try:
            yield self._wait(descriptor, deadline)
        finally:
            os.close(descriptor)

    def _open(self, digest: str) -> int:
        if not self._folder:
            return -1
        slot = int.from_bytes(blake2b(digest.encode("utf-8", "surrogatepass"), digest_size=2).digest(), "big") % _SLOTS
        try:
            return os.open(os.path.join(self._folder, f"{slot:02x}"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return -1

    @staticmethod
    def _wait(descriptor: int, deadline: float | None) -> bool:
        import fcntl  # noqa: PLC0415  (only where several processes read)

        waited = False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waited = True
            except OSError:
                return waited
            else:
                return waited
            if deadline is not None and time.monotonic() > deadline:
                return waited
            time.sleep(_POLL)
