"""What was read out of a file once and is kept: plain values of JSON, so that a cache can hold them.

A value is found again by the file, by ``what`` it is, and by ``of`` what else it depends on; another ``of`` takes its place.
``VERSION`` is that of everything that anybody learns: new patterns, new readers, a new version. So is the version of the parser.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HOST = sys.version_info[1]  # the minor version of Python 3 whose parser reads sources here
NEWEST = 14  # the newest minor version whose syntax is known here
VERSION = f"2:{sys.version_info[0]}.{sys.version_info[1]}"
LIMIT = 4 << 20  # bytes of a file that is read

Learn = Callable[[bytes], "Any"]


class Learned:
    """The values of some files by path. ``fetch`` is called when the first of them is asked for, and gives what was kept."""

    def __init__(self, fetch: Callable[[], dict[str, dict[str, list[Any]]]] = dict) -> None:
        self._fetch, self._values = fetch, None
        self.changed = False

    _values: dict[str, dict[str, list[Any]]] | None

    @property
    def values(self) -> dict[str, dict[str, list[Any]]]:
        """Everything there is: of each file, of each thing that was learned, what it depends on and the value."""
        if self._values is None:
            self._values = self._fetch()
        return self._values

    def get(self, path: str, what: str, of: str) -> list[Any] | None:
        """Return a value in a list, None when it is not known."""
        known = self.values.get(path, {}).get(what)
        return known[1:] if known is not None and known[0] == of else None

    def put(self, path: str, what: str, of: str, value: Any) -> None:
        """Keep a value."""
        self.values.setdefault(path, {})[what] = [of, value]
        self.changed = True
