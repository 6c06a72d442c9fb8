"""What a person sees while a fleet is judged: a bar, how many are done, and what is in work. On a terminal only, one line."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from time import monotonic
from typing import IO

from lucid_audit.report.escape import visible

_BAR = 20  # columns
_EVERY = 0.1  # seconds between two pictures, but for news of a service


class Shown:
    """Draws over its own line; writes nothing where ``stream`` is no terminal."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream, self._works = stream, stream.isatty()
        self._last, self._seen = 0.0, (-1, frozenset[str]())

    def told(self, done: int, count: int, moving: Mapping[str, int]) -> None:
        """Take in how many services of how many are done, and the bytes that have arrived for those in work."""
        if not self._works:
            return
        seen = done, frozenset(moving)
        if seen == self._seen and monotonic() - self._last < _EVERY:
            return
        self._seen, self._last = seen, monotonic()
        room = shutil.get_terminal_size().columns - 1
        self._stream.write(f"\r\x1b[K{line(done, count, moving)[:room]}")
        self._stream.flush()

    def end(self) -> None:
        """Take the line away."""
        if self._works:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def line(done: int, count: int, moving: Mapping[str, int]) -> str:
    """Return the picture as text."""
    full = _BAR * done // count if count else _BAR
    parts = [f"{visible(name)[:30]}{f' {size / 1e6:.1f} MB' if size else ''}" for name, size in moving.items()]
    return f"[{'#' * full}{'.' * (_BAR - full)}] {done} of {count}{': ' if parts else ''}{', '.join(parts)}"
