"""Regular expressions that are compiled when they are first used, and not even then where a wheel brings them along.

Compiling is what makes ``re`` slow to start with: the 55 patterns that one file meets took 4 of a cold run's 46 ms. A wheel
carries what CPython's compiler made of them when it was built (``precompile``); another version of Python, whose matching
engine may read it differently, compiles anew.
"""

from __future__ import annotations

import re
import sys
from functools import cache

_METHODS = ("findall", "finditer", "fullmatch", "match", "search", "split", "sub")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
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
            pattern = rx(self._text, self._flags)
            for method in _METHODS:
                setattr(self, method, getattr(pattern, method))
            return getattr(pattern, name)


@cache
def rx(text: str, flags: int = 0) -> re.Pattern[str]:
    """Return a pattern, compiled when the wheel was built if it is one of those."""
    ready = _table().get((text, int(flags)))
    if ready is None:
        return re.compile(text, flags)
    import _sre  # type: ignore[import-not-found]  # noqa: PLC0415

    every, code, groups, names, order = ready
    pattern: re.Pattern[str] = _sre.compile(text, every, list(code), groups, names, order)
    return pattern


@cache
def _table() -> Mapping[tuple[str, int], Any]:
    try:
        from lucid_audit.compiled_patterns import DATA, PYTHON  # type: ignore[import-not-found]  # noqa: PLC0415  (in a wheel only)
    except ModuleNotFoundError:
        return {}
    return DATA if version() == PYTHON else {}


def version() -> str:
    """Return the version of Python and of its matching engine: what compiled patterns are good for."""
    import _sre  # noqa: PLC0415

    return f"{sys.implementation.cache_tag} {sys.hexversion} {_sre.MAGIC}"
