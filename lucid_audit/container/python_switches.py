"""What an interpreter's options and its variables say of where it looks for modules.

Facts: python3(1), ``-E -I -P -s -S`` and PYTHONNOUSERSITE, PYTHONSAFEPATH, PYTHONUSERBASE; "The initialization of the sys.path
module search path" (``-P`` and PYTHONSAFEPATH since 3.11; a folder or an archive that is run is on the path in any case).
"""

from __future__ import annotations

from collections.abc import Sequence

from lucid_audit.container.config import Container
from lucid_audit.tuples import NamedTuple

_LONG = "--check-hash-based-pycs"  # the only long option that takes a value


class Switches(NamedTuple):
    """``variables``: those of Python count. ``first``: the script's folder, or the working directory, is looked into.

    ``user``: so are the user's own packages. ``site``: so are those of the system, and ``.pth`` files are read.
    """

    variables: bool = True
    first: bool = True
    user: bool = True
    site: bool = True


def switches(container: Container, arguments: Sequence[str], version: str) -> Switches:
    """Return what is set for an interpreter with these arguments; what is not known counts as not set."""
    letters = _letters(arguments)
    isolated = "I" in letters
    variables = not isolated and "E" not in letters
    safe = isolated or "P" in letters or (variables and newer(version) and _is_set(container, "PYTHONSAFEPATH"))
    user = not isolated and "s" not in letters and not (variables and _is_set(container, "PYTHONNOUSERSITE"))
    return Switches(variables, not safe, user, "S" not in letters)


def _letters(arguments: Sequence[str]) -> set[str]:
    """Return the options that are one letter, up to what is run."""
    found: set[str] = set()
    words = list(arguments)
    while words and words[0].startswith("-") and words[0] not in ("-", "--"):
        word = words.pop(0)
        if word.startswith("--"):
            del words[: word == _LONG]
            continue
        for at, letter in enumerate(word[1:], 2):
            if letter in "mc":
                return found
            if letter in "WX":
                del words[: not word[at:]]
                break
            found.add(letter)
    return found


def newer(version: str) -> bool:
    """Whether a version is 3.11 or newer."""
    major, _, minor = version.partition(".")
    return major == "3" and minor.isdigit() and int(minor) >= 11


def _is_set(container: Container, name: str) -> bool:
    return bool(value(container, name))


def value(container: Container, name: str) -> str:
    """Return a variable's value, "" when it is not set or not known."""
    traced = container.env.get(name)
    return (traced.known() or "") if traced is not None else ""
