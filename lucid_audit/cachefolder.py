"""Where the user's cache is."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "LUCID_AUDIT_CACHE"


def cache_folder(environ: Mapping[str, str]) -> str:
    """Return the cache's folder: what LUCID_AUDIT_CACHE names, else the XDG base directory specification's.

    "" without any of these and without a home: then nothing is remembered.
    """
    named = environ.get(VARIABLE)
    if named:
        return named
    home = environ.get("HOME")
    base = environ.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else "")
    return f"{base}/lucid-audit" if base else ""
