"""What a run has finished so far, one line of JSON for each service, so that a killed run can go on.

A line that was cut in two when the run was killed is no line; a state of a run that ended is removed.
"""

from __future__ import annotations

import json
import os
from typing import Any

from lucid_audit.errors import UsageError


class State:
    """A state file; one without a path keeps nothing."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._known: dict[str, dict[str, Any]] = {}
        if path and os.path.isfile(path):
            self._read()

    def _read(self) -> None:
        try:
            with open(self._path, encoding="ascii") as stream:
                for line in stream:
                    try:
                        key, answer = json.loads(line)
                        self._known[str(key)] = dict(answer)
                    except (ValueError, TypeError, RecursionError):
                        continue
        except (OSError, UnicodeDecodeError):
            self._known = {}  # what cannot be read is done again

    def find(self, key: str) -> dict[str, Any] | None:
        """Return the answer of an earlier run that did not end."""
        return self._known.get(key)

    def keep(self, key: str, answer: dict[str, Any]) -> None:
        """Add one answer, on disk before the next service begins.

        Raises:
            UsageError: it cannot be written.

        """
        if not self._path:
            return
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "ab") as stream:
                stream.write(f"\n{json.dumps([key, answer])}\n".encode("ascii"))  # a cut line ends before
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise UsageError(f"{self._path}: {error.strerror}") from None

    def finished(self) -> None:
        """Remove the file: the run it was for has ended."""
        if self._path and os.path.isfile(self._path):
            os.unlink(self._path)
