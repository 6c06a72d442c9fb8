"""Which file an import finds: CPython's path finder over a file tree, with three answers.

Facts: ``importlib.machinery.FileFinder`` (in each folder a package with ``__init__`` comes first, then extension modules, sources
and byte code), PEP 420 (folders without ``__init__`` are portions of a namespace), PEP 3149 (tags of extension modules).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from posixpath import basename, dirname

from lucid_audit.container.files import Files
from lucid_audit.container.tree import Node
from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple

_SUFFIXES = (".py", ".pyc", ".so", ".abi3.so")
_STANDARD = regex(r"python\d+(?:\.\d+|\.zip)|lib-dynload")
_TAG = regex(r"\.(?:cpython-|cp)(\d)(\d+)[a-z]*(?:-([\w-]+))?")


class Found(NamedTuple):
    """What a name is: ``packages``, its folders, with ``path`` of ``__init__`` when it is no namespace; or a module at ``path``.

    ``doubt`` is why it may be something else, or somewhere when it was not found.
    """

    packages: tuple[str, ...] = ()
    path: str = ""
    doubt: str = ""


class Finder:
    """Looks along folders. ``version`` is the interpreter's, ``3.11``, "" when it is not known.

    ``own`` are folders of its standard library: the names of its extension modules tell which platform it is built for. ``mapped``
    are names that are looked for elsewhere when no folder has them.
    """

    def __init__(
        self, files: Files, version: str, own: Sequence[str] = (), mapped: Mapping[str, str] | None = None
    ) -> None:
        self._mapped = mapped or {}
        self.files, self._digits = files, version.replace(".", "")
        self._listed: dict[str, tuple[str, Node | None, str]] = {}
        self._by_stem: dict[str, dict[str, list[str]]] = {}
        self._adds: dict[str, str] = {}
        self._platform = self._built_for(own)

    def find(self, part: str, folders: Sequence[str], *, top: bool) -> Found:
        """Look one part of a dotted name up; ``top``: it is the first one."""
        packages: list[str] = []
        doubt = ""
        for folder in dict.fromkeys(folders):
            path, node, why = self._folder(folder)
            standard = (
                top and _STANDARD.fullmatch(basename(folder)) is not None
            )  # only the standard library is in there
            if node is None:
                doubt = doubt or ("" if standard else why)
                continue
            if not standard:
                doubt = doubt or self.files.doubt(node) or (self._added(path, node) if top else "")
            module = self._best(self._stems(path, node).get(part, ()))
            child = node.children.get(part)
            if child is not None and child.kind != "f":
                inside = f"{path.rstrip('/')}/{part}"
                begin = self._begin(inside)
                if begin:
                    return Found((inside,), begin, doubt)
                if not module:
                    packages.append(inside)
            if module and not packages:
                return Found((), f"{path.rstrip('/')}/{module}", doubt)
        if top and not packages and part in self._mapped:
            return self._placed(self._mapped[part], doubt)
        return Found(tuple(packages), "", doubt)

    def _placed(self, place: str, doubt: str) -> Found:
        """Return the package or module that is installed from elsewhere."""
        path, node, why = self._folder(dirname(place))
        if node is None:
            return Found((), "", doubt or why)
        begin = self._begin(place)
        if begin:
            return Found((place,), begin, doubt)
        module = self._best(self._stems(path, node).get(basename(place), ()))
        return Found((), f"{path}/{module}" if module else "", doubt or self.files.doubt(node))

    def has_records(self, folder: str) -> bool:
        """Whether packages were installed into a folder: it has their records (PEP 376)."""
        _, node, _ = self._folder(folder) if folder else ("", None, "")
        return node is not None and any(name.endswith((".dist-info", ".egg-info")) for name in node.children)

    def made_for_another(self, part: str, folders: Sequence[str]) -> str:
        """Return an extension module of this name that another Python would load, "" when there is none."""
        for folder in folders:
            path, node, _ = self._folder(folder)
            for name in self._stems(path, node).get(part, ()) if node is not None else ():
                if name.endswith(".so") and not self._fits(name):
                    return f"{path}/{name}"
        return ""

    def _folder(self, folder: str) -> tuple[str, Node | None, str]:
        """Return where a folder is and its entry, None when it is not there, with the reason if that is not known."""
        known = self._listed.get(folder)
        if known is None:
            walk = self.files.walk(folder)
            node = walk.node if walk.state == "present" else None
            why = walk.reason if walk.state == "unknown" else ""
            if node is not None and node.kind != "d":
                node, why = None, f"{folder} is not looked into"
            known = self._listed[folder] = walk.path, node, why
        return known

    def _stems(self, path: str, node: Node) -> dict[str, list[str]]:
        found = self._by_stem.get(path)
        if found is None:
            found = self._by_stem[path] = {}
            for name in node.children:
                stem, dot, _ = name.partition(".")
                if dot and name.endswith(_SUFFIXES):
                    found.setdefault(stem, []).append(name)
        return found

    def _begin(self, folder: str) -> str:
        """Return the file with which a package begins, "" of a namespace."""
        path, node, _ = self._folder(folder)
        names = self._stems(path, node).get("__init__", ()) if node is not None else ()
        begin = self._best(names)
        return f"{path}/{begin}" if begin else ""

    def _best(self, names: Iterable[str]) -> str:
        """Return the file that is loaded among those of one name, "" when none is."""
        return min((name for name in names if self._fits(name)), key=_rank, default="")

    def _fits(self, name: str) -> bool:
        """Whether this Python loads a file of this name, as far as its tag tells."""
        match = _TAG.search(name)
        if match is None:
            return True
        versions = not self._digits or match[1] + match[2] == self._digits
        return versions and (not self._platform or not match[3] or match[3] == self._platform)

    def _built_for(self, own: Sequence[str]) -> str:
        """Return the platform in the tags of the standard library, such as ``x86_64-linux-gnu``; "" when nothing tells."""
        for folder in own:
            _, node, _ = self._folder(folder)
            for name in node.children if node is not None and basename(folder) == "lib-dynload" else ():
                match = _TAG.search(name)
                if match is not None and match[3]:
                    return match[3]
        return ""

    def _added(self, path: str, node: Node) -> str:
        if path not in self._adds:
            self._adds[path] = _more(path, node)
        return self._adds[path]


def _more(path: str, node: Node) -> str:
    """Say why code that runs at start may add folders to the path."""
    for name in ("sitecustomize.py", "usercustomize.py"):
        child = node.children.get(name)
        if child is not None:
            data = child.load(1 << 16) if child.load is not None else None
            if data is None or b"path" in data:
                return f"{path}/{name} may change the path"
    return ""


def _rank(name: str) -> int:
    return 0 if name.endswith(".so") else 1 if name.endswith(".py") else 2
