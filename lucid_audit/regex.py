"""Regular expressions that are compiled when they are first used.

Compiling is what makes ``re`` slow to start with: the 107 patterns that a cold run met took 9 of its 58 ms, and one file needs
a part of them.
"""

from __future__ import annotations

import re

_METHODS = ("findall", "finditer", "fullmatch", "match", "search", "split", "sub")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    regex = re.compile
else:

    class regex:  # noqa: N801  # it is called as ``re.compile`` is
        """A pattern: the methods of ``re.Pattern``. Once compiled they cost what they cost there."""

        __slots__ = ("_flags", "_text", *_METHODS)

        def __init__(self, text: str, flags: int = 0) -> None:
            self._text = text
            self._flags = flags

        def __getattr__(self, name: str) -> Any:
            """Compile: the first use of a method finds none."""
            if name not in _METHODS:
                raise AttributeError(name)
            compiled = re.compile(self._text, self._flags)
            for method in _METHODS:
                setattr(self, method, getattr(compiled, method))
            return getattr(compiled, name)
