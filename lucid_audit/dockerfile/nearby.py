"""What somebody may have meant by a COPY source that is not there.

Three things happen to paths in practice: folders are renamed (case, ``-`` and ``_``), the build is started from another
folder than the one the Dockerfile was written for, and people mistype.
"""

from __future__ import annotations

from lucid_audit.dockerfile.globs import has_wildcards
from lucid_audit.dockerfile.match import ROOT
from lucid_audit.dockerfile.resolve import Context, inside, join

LIMIT = 3  # suggestions
_NAMES = 5_000  # names of one folder that are compared
_BRANCHES = 8  # spellings that are followed at the same time
_CLOSE = 0.8  # difflib's ratio from which a name is taken for a typing error


def suggest(context: Context, source: str) -> tuple[str, ...]:
    """Return paths close to ``source`` that COPY would find, the best first. A wildcard is kept as it was written."""
    parts = inside(source).split("/")
    fixed = next((at for at, part in enumerate(parts) if has_wildcards(part)), len(parts))
    wanted, pattern = parts[:fixed], parts[fixed:]
    if wanted in ([], [ROOT]):
        return ()
    found: dict[str, None] = {}
    for path in (*_respelled(context, wanted), *_rerooted(context, wanted), *_mistyped(context, wanted)):
        whole = "/".join([path, *pattern])
        if path != "/".join(wanted) and context.match(whole).kind == "found":
            found[whole] = None
    return tuple(found)[:LIMIT]


def _respelled(context: Context, wanted: list[str]) -> list[str]:
    """Follow names that differ only in case, ``-`` and ``_``; an exact name goes first."""
    level = [ROOT]
    for part in wanted:
        level = [join(folder, name) for folder in level for name in _spellings(context, folder, part)][:_BRANCHES]
    return level


def _spellings(context: Context, folder: str, wanted: str) -> list[str]:
    if context.kind(folder) != "dir":
        return []
    same = _fold(wanted)
    names = [name for name in (context.list_dir(folder) or ())[:_NAMES] if _fold(name) == same]
    return sorted(names, key=lambda name: name != wanted)


def _fold(name: str) -> str:
    return name.casefold().replace("-", "_")


def _rerooted(context: Context, wanted: list[str]) -> list[str]:
    """Try the path from the Dockerfile's folder and from those above it, then without its first folders."""
    below = context.dockerfile.split("/")[:-1]
    deeper = [_respelled(context, below[:depth] + wanted) for depth in range(len(below), 0, -1)]
    # What is left has to say enough: a bare name is only taken when the folders left out lead to this context.
    here = _fold(context.key.rpartition("/")[2])
    shorter = [
        _respelled(context, wanted[cut:])
        for cut in range(1, len(wanted))
        if len(wanted) - cut > 1 or _fold(wanted[cut - 1]) == here
    ]
    return [path for group in (*deeper, *shorter) for path in group]


def _mistyped(context: Context, wanted: list[str]) -> list[str]:
    """Return names that look like the first one that is not there, when the rest of the path exists below them."""
    folder = ROOT
    for at, part in enumerate(wanted):
        path = join(folder, part)
        if context.kind(path) != "absent":
            folder = path
            continue
        from difflib import get_close_matches  # noqa: PLC0415  (only for sources that fail)

        # People rarely mistype the first letter, and comparing every name of a large folder costs more than linting.
        names = [name for name in (context.list_dir(folder) or ())[:_NAMES] if name[0].casefold() == part[0].casefold()]
        close = get_close_matches(part, names, LIMIT, _CLOSE)
        return ["/".join([join(folder, name), *wanted[at + 1 :]]) for name in close]
    return []
