"""What ``site`` makes of the ``.pth`` files in its folders: more folders, names that are installed from elsewhere, or code.

Facts: CPython's ``Lib/site.py``, ``addsitedir`` and ``addpackage`` (files in the order of their names; each line is a folder, from
the file's own on, which counts when it is there, or code after ``import``); setuptools' documentation of editable installs
and the finder that it writes for them (``MAPPING`` from names to paths).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from posixpath import dirname, join, normpath

from lucid_audit.container.access import READ, who
from lucid_audit.container.config import Container
from lucid_audit.container.python_switches import value
from lucid_audit.container.tree import Node, Walk
from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LIMIT = 1 << 16  # bytes of a .pth file or a finder
_LINES = 1000  # of one .pth file
_EDITABLE = regex(rb"import (__editable__\w+_finder); *(\w+)\.install\(\)\s*")
_MAPPING = regex(r"^MAPPING(?:: [^\n=]+)? = (\{[^\n]*\})$", re.MULTILINE)
_SPACES = regex(r"^NAMESPACES(?:: [^\n=]+)? = (\{[^\n]*\})$", re.MULTILINE)
_SHIM = b"_distutils_hack"
# Code that adds nothing: it measures coverage, patches distutils, declares a namespace that its folder is anyway, or orders the path.
_HARMLESS = regex(
    rb"import [\w, ]*; ?exec\(.{0,80}(?:COVERAGE_PROCESS_START|COV_CORE_)|import coverage; ?coverage\.process_startup\(|import _virtualenv\s*$"
    rb"|import sys, ?types, ?os; ?(?:has_mfs|p) ?= ?.{0,80}(?:sitedir|version_info)|import sys; ?(?:sys\.__plen|new ?= ?sys\.path\[sys\.__plen)"
)


class Added(NamedTuple):
    """``folders`` in their order, those of ``site`` among them. ``mapped``: where names are that are in none of them.

    ``dropped`` are folders that a ``.pth`` file names and that are not there, with that file. ``doubt`` is why there may be more.
    """

    folders: tuple[str, ...]
    mapped: Mapping[str, str]
    dropped: tuple[tuple[str, str], ...]
    doubt: str


def added(container: Container, folders: Iterable[str], known: Iterable[str]) -> Added:
    """Return the folders that ``site`` adds, where ``known`` are on the path before. Never raises."""
    reader = _Reader(container, known)
    for folder in folders:
        reader.folder(folder)
    return Added(tuple(reader.folders), reader.mapped, tuple(reader.dropped.items()), reader.doubt)


class _Reader:
    def __init__(self, container: Container, known: Iterable[str]) -> None:
        self.container, self.files = container, container.files
        self.known = {normpath(path) for path in known}
        self.folders: list[str] = []
        self.mapped: dict[str, str] = {}
        self.dropped: dict[str, str] = {}
        self.doubt = ""

    def folder(self, folder: str) -> None:
        """Add one of the folders of ``site`` and what its files add. One that is not there stays: it is named in messages."""
        self._add(folder)
        walk = self.files.walk(folder)
        if walk.state != "present" or walk.node is None or walk.node.kind != "d":
            return
        for name, child in sorted(walk.node.children.items()):
            if name.endswith(".pth"):
                self._file(folder, f"{walk.path.rstrip('/')}/{name}", child)

    def _add(self, folder: str) -> None:
        if normpath(folder) not in self.known:
            self.known.add(normpath(folder))
            self.folders.append(folder)

    def _file(self, folder: str, path: str, node: Node) -> None:
        if node.kind not in "fl":
            return
        walk = self.files.walk(path)
        if walk.node is None or who(self.container).may(walk.node, READ) is False:
            return  # site passes over what it cannot open
        data = walk.load(_LIMIT)
        if data is None or len(data) == _LIMIT or data.count(b"\n") > _LINES:
            self._unsure(f"{path} may add folders to the path")
            return
        if data.startswith(b"\xef\xbb\xbf"):
            self._unsure(
                f"whether a byte order mark belongs to the first line of {path} depends on the release of Python"
            )
            data = data[3:]
        for line in data.splitlines():
            if line.startswith(b"#") or not line.strip():
                continue
            if line.startswith((b"import ", b"import\t")):
                self._code(folder, path, line)
            else:
                self._line(folder, path, line.rstrip().decode("utf-8", "surrogateescape"))

    def _line(self, folder: str, path: str, line: str) -> None:
        place = normpath(join(folder, line))
        walk = self.files.walk(place) if "\0" not in place else Walk("absent", place)
        if walk.state == "absent":
            self.dropped.setdefault(place, path)
        else:
            self._add(place)  # what is not known is looked into with that answer

    def _code(self, folder: str, path: str, line: bytes) -> None:
        """Read a line of code as far as it is one of those that installers write."""
        editable = _EDITABLE.fullmatch(line)
        if editable is not None and editable[1] == editable[2]:
            self._finder(f"{folder}/{editable[1].decode()}.py")
        elif _SHIM in line:
            if value(self.container, "SETUPTOOLS_USE_DISTUTILS") != "stdlib":
                self.mapped.setdefault("distutils", f"{folder}/setuptools/_distutils")
        elif _HARMLESS.match(line) is None:
            self._unsure(f"{path} runs code that may add to the path")

    def _finder(self, path: str) -> None:
        """Read what an editable install of setuptools maps."""
        data = self.files.walk(path).load(_LIMIT)
        text = data.decode("utf-8", "replace") if data is not None and len(data) < _LIMIT else ""
        mapping, spaces = _literal(_MAPPING, text), _literal(_SPACES, text)
        if not mapping or spaces or any("." in name or not isinstance(place, str) for name, place in mapping.items()):
            self._unsure(f"{path} finds modules by itself")
            return
        for name, place in mapping.items():
            self.mapped.setdefault(name, place)
            if self.files.walk(dirname(place)).state == "absent":
                self.dropped.setdefault(place, path)

    def _unsure(self, reason: str) -> None:
        self.doubt = self.doubt or reason


def _literal(pattern: re.Pattern[str], text: str) -> dict[str, Any] | None:
    """Return a dictionary that a line of a finder assigns, None when it is none."""
    import ast  # noqa: PLC0415  (only for editable installs)

    found = pattern.search(text)
    if found is None:
        return None
    try:
        read = ast.literal_eval(found[1])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return read if isinstance(read, dict) and all(isinstance(key, str) for key in read) else None
