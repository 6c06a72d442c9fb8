"""Why a module is not found that the image has, in words: it lies off the path, or is byte code of another Python.

Facts: importlib's ``_bootstrap_external.py`` (a module's byte code without its source is imported from beside where the source
would be, never from ``__pycache__``; "bad magic number" is an ImportError), which lists the numbers of all versions.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from posixpath import basename, dirname

from lucid_audit.container.files import Files
from lucid_audit.container.python_path import Search
from lucid_audit.regex import regex

_MAGIC = ((3390, "3.7"), (3400, "3.8"), (3420, "3.9"), (3430, "3.10"), (3450, "3.11"), (3500, "3.12"), (3550, "3.13"),
          (3600, "3.14"), (3650, ""))  # fmt: skip
_PACKAGES = regex(r".*/lib(?:64)?/python(\d+\.\d+)/(?:site|dist)-packages")
_SHOWN = 2  # places that a message names
HEAD = 4  # bytes of the magic number


def byte_code(files: Files, path: str, version: str) -> str:
    """Return the version of Python that made some byte code where that is not ``version``, "" when it fits or is not known."""
    head = files.walk(path).load(HEAD) or b""
    if len(head) < HEAD or head[2:4] != b"\r\n":
        return ""
    number = int.from_bytes(head[:2], "little")
    made = next((name for (low, name), (high, _) in pairwise(_MAGIC) if low <= number < high), "")
    return made if made and version in dict(_MAGIC).values() and "." in version and made != version else ""


def elsewhere(files: Files, search: Search, python: str, name: str) -> str:
    """Say where the image has a module that is not found, as a clause that begins with "; "; "" when it has none."""
    place = search.mapped.get(name)
    if place is not None:
        return f"; it is installed from {place}, which is not there"
    dropped = next((pair for pair in search.dropped if _of(pair[1], name)), None)
    if dropped is not None:
        return f"; {dropped[1]} names {dropped[0]}, which is not there"
    found = list(dict.fromkeys(_places(files, search, name)))
    found.sort(key=lambda folder: (_PACKAGES.fullmatch(folder) is None, folder.count("/"), folder))
    for folder in found:
        other = _PACKAGES.fullmatch(folder)
        if other is not None and search.version and other[1] != search.version:
            return f"; it is installed for Python {other[1]} in {folder}, and {python} is Python {search.version}"
    if not found:
        return ""
    return f"; it is in {' and '.join(found[:_SHOWN])}, where {python} does not look"


def _of(path: str, name: str) -> bool:
    """Whether a ``.pth`` file is that of a distribution of this name, as installers name it."""
    stem = basename(path).removeprefix("__editable__").strip("._").lower().replace("-", "_")
    return stem.startswith((f"{name.lower()}_", f"{name.lower()}.")) or stem == name.lower()


def _places(files: Files, search: Search, name: str) -> Iterator[str]:
    """Yield folders off the path that have a module of this name and are no package themselves."""
    on_path = {files.walk(folder).path for folder in search.folders}
    for path in (*files.seen(name), *files.seen(f"{name}.py")):
        folder = dirname(path)
        if folder in on_path or files.walk(f"{folder}/__init__.py").state != "absent":
            continue
        if path.endswith(".py") or files.walk(f"{path}/__init__.py").state == "present":
            yield folder
