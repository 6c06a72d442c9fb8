"""What Python finds: whether the script or module that it is told to run is there, on the path it would look along.

Facts: CPython's ``Modules/getpath.py`` (a ``pyvenv.cfg`` beside the program or one folder up makes a virtual environment),
``site.py`` and Debian's change to it (``dist-packages``; ``site-packages`` only in a virtual environment), runpy's ``-m``
(a package needs ``__main__``), PEP 420 (folders without ``__init__.py``).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from posixpath import basename, dirname, join

from lucid_audit.container.access import READ, who
from lucid_audit.container.config import Container
from lucid_audit.container.interpret import PYTHON, Task, task
from lucid_audit.container.launch import Link
from lucid_audit.container.tree import Node, Walk
from lucid_audit.regex import regex
from lucid_audit.values import Unknown

Ending = tuple[str, str, str]  # kind, path and words of a Break
_SUFFIXES = (".py", ".pyc", ".so", ".abi3.so")
_STANDARD = regex(r"python\d+\.\d+|lib-dynload")
_ARCHIVES = (".zip", ".egg", ".whl", ".pyz")


def python_start(
    container: Container, called: str, real: str, argv: tuple[str, ...], links: list[Link]
) -> Ending | None:
    """Follow what an interpreter is told to run; None when nothing that is known is in its way."""
    told = task(called, argv[1:]) or task(real, argv[1:])
    workdir = container.workdir.known()
    if told is None or workdir is None:
        return None
    if told.kind in ("script", "node", "jar"):
        return _script(container, told, workdir, links)
    look = _Path(container, called, real, told, workdir)
    return look.module(told, links)


def _script(container: Container, told: Task, workdir: str, links: list[Link]) -> Ending | None:
    path = join(workdir, told.name)
    names = (path, f"{path}.js", f"{path}.json", f"{path}.node", f"{path}/index.js") if told.kind == "node" else (path,)
    walks = [container.files.walk(name) for name in names]
    there = next((walk for walk in walks if walk.state != "absent"), None)
    if there is None:
        first = walks[0]
        lead = f" ({first.link.path} leads there)" if first.link is not None else ""
        return "script", path, f"there is no {first.path}{lead}"
    if there.state == "unknown":
        return "unknown", path, there.reason
    if there.node is not None:
        links.append(Link("script", there.path, there.node.made))
        user = who(container)
        shut = user.enters(there.through)
        if shut is not None:
            return "permission", path, f"{shut[0]} is closed to user {user.uid}"
        if there.node.kind == "f" and user.may(there.node, READ) is False:
            return "permission", path, f"{there.path} may not be read by user {user.uid}"
    return None


class _Path:
    """The folders that an interpreter looks along, and what is in them."""

    def __init__(self, container: Container, called: str, real: str, told: Task, workdir: str) -> None:
        self.container, self.files = container, container.files
        self.doubt = ""
        first = join(workdir, told.folder) if told.kind == "app" else workdir
        self.folders = [first, *self._given(workdir), *self._own(called, real)]

    def _given(self, workdir: str) -> list[str]:
        traced = self.container.env.get("PYTHONPATH")
        if traced is None:
            self.doubt = self.doubt or self.container.env_open
            return []
        if isinstance(traced.value, Unknown):
            self.doubt = self.doubt or traced.value.reason
            return []
        return [join(workdir, entry) for entry in traced.value.split(":") if entry]

    def _own(self, called: str, real: str) -> list[str]:
        """Return the interpreter's own folders; too many rather than too few, for what is in none of them is missing."""
        home = self.container.env.get("PYTHONHOME")
        base = self.container.base
        interpreter = base.interpreter if base is not None and base.interpreter is not None else None
        version = _version(real) or _version(called) or (interpreter.version if interpreter is not None else "") or ""
        if home is not None or "." not in version:
            self.doubt = self.doubt or "which Python runs is not known"
            return []
        found = list(base.python_paths) if base is not None else []
        for root in dict.fromkeys((dirname(dirname(called)), dirname(dirname(real)), "/usr", "/usr/local")):
            lib = f"{root.rstrip('/')}/lib/python{version}"
            found += [lib, f"{lib}/lib-dynload", f"{lib}/site-packages", f"{lib}/dist-packages"]
        found += ["/usr/lib/python3/dist-packages"]
        homes = {
            "/root",
            "/home/nonroot",
            (self.container.env["HOME"].known() or "") if "HOME" in self.container.env else "",
        }
        return [*found, *(f"{folder}/.local/lib/python{version}/site-packages" for folder in sorted(homes) if folder)]

    def module(self, told: Task, links: list[Link]) -> Ending | None:
        """Follow a dotted name from package to package."""
        parts = told.name.split(".")
        if parts[0] in sys.stdlib_module_names or not all(parts):
            return None
        folders: Sequence[str] = self.folders
        for depth, part in enumerate(parts):
            packages, module, doubt = self._in(folders, part, top=depth == 0)
            name = ".".join(parts[: depth + 1])
            last = depth == len(parts) - 1
            if module:
                links.append(Link(f"module {name}", module))
                return None if last else ("module", module, f"{name} is {module}, which is no package")
            if not packages:
                if doubt:
                    return "unknown", name, doubt
                return "module", name, self._nowhere(name, folders, top=depth == 0)
            if not last or told.kind == "app":
                links.append(Link(f"package {name}", packages[0]))
            folders = packages
        if told.kind == "module":
            mains = [
                self.files.walk(f"{folder}/{name}") for folder in folders for name in ("__main__.py", "__main__.pyc")
            ]
            if all(walk.state == "absent" for walk in mains):
                return "module", told.name, f"{folders[0]} is a package without __main__.py"
        return None

    def _nowhere(self, name: str, folders: Sequence[str], *, top: bool) -> str:
        if not top:
            return f"there is no {name.rpartition('.')[2]} in {folders[0]}"
        known = [folder for folder in dict.fromkeys(folders) if self.files.walk(folder).state == "present"]
        return f"no module {name} in {', '.join(known) or 'any folder of its path'}"

    def _in(self, folders: Sequence[str], part: str, *, top: bool) -> tuple[list[str], str, str]:
        """Return the packages of a name, or the file that is the module, or why that is not known."""
        packages: list[str] = []
        doubt = self.doubt if top else ""
        for folder in dict.fromkeys(folders):
            walk = self.files.walk(folder)
            if walk.state == "unknown" and not (top and _STANDARD.fullmatch(basename(folder))):
                doubt = doubt or walk.reason
            if walk.state != "present" or walk.node is None:
                continue
            if walk.node.kind != "d":
                doubt = doubt or f"{folder} is not looked into"
                continue
            names = walk.node.listed()
            if not (top and _STANDARD.fullmatch(basename(folder))):  # only the standard library is in there
                doubt = doubt or self.files.doubt(walk.node) or (_more(names) if top else "")
            module = next((name for name in names if _is_module(name, part)), "")
            child = names.get(part)
            if child is not None and child.kind != "f" and not module:
                packages.append(f"{walk.path.rstrip('/')}/{part}")
                inside = self.files.walk(packages[-1])
                if _has(inside, "__init__.py"):
                    return packages, "", doubt
            elif module and not packages:
                return [], f"{walk.path.rstrip('/')}/{module}", doubt
        return packages, "", doubt


def _version(path: str) -> str:
    match = PYTHON.fullmatch(basename(path))
    return match[1] or "" if match is not None else ""


def _is_module(name: str, part: str) -> bool:
    stem, dot, _ = name.partition(".")
    return stem == part and bool(dot) and name.endswith(_SUFFIXES)


def _has(walk: Walk, name: str) -> bool:
    return walk.node is not None and walk.node.kind == "d" and name in walk.node.listed()


def _more(names: dict[str, Node]) -> str:
    """Say why a folder on the path may lead to others: a ``.pth`` file that is not read, or one that names folders."""
    for name, node in names.items():
        if name.endswith(".pth"):
            data = node.load(1 << 16) if node.load is not None else None
            lines = data.splitlines() if data is not None else [b"?"]
            if any(line.strip() and not line.startswith((b"#", b"import ", b"import\t")) for line in lines):
                return f"{name} adds folders to the path"
        elif name in ("sitecustomize.py", "usercustomize.py") or name.endswith((".egg-link", *_ARCHIVES)):
            return f"{name} may change the path"
    return ""
