"""Where a Python program begins: the modules that are run, and the path along which the interpreter looks for them.

Facts: CPython's ``Modules/main.c`` (a folder or an archive that is run is on the path itself, else the folder of the script; with
``-m`` the working directory); uvicorn and gunicorn put the folder of an application in front.
"""

from __future__ import annotations

from posixpath import basename, dirname, join, normpath

from lucid_audit.container.archived import archived, opened
from lucid_audit.container.config import Container
from lucid_audit.container.files import Files
from lucid_audit.container.interpret import SERVERS, Task, task
from lucid_audit.container.python_path import Python, Search, search
from lucid_audit.container.tree import Walk
from lucid_audit.tuples import NamedTuple


class Begin(NamedTuple):
    """What is run. ``files`` are the container's, with the archives on the path as folders. ``script`` is its path, "" when modules are run by name: ``modules``; ``mains`` are the program among them."""

    files: Files
    search: Search
    script: str
    modules: tuple[str, ...]
    mains: frozenset[str]


def begin(container: Container, python: Python, told: Task) -> Begin | None:
    """Return where an interpreter begins that is told to run something; None when that is not known."""
    workdir = container.workdir.known()
    if workdir is None or told.kind not in ("script", "module", "app"):
        return None
    if told.kind != "script":
        always = (normpath(join(workdir, told.folder)),) if told.kind == "app" else ()
        first = (workdir,) if told.kind == "module" or told.server else ()
        run = told.name if told.kind == "module" else told.server
        mains = (run, f"{run}.__main__") if run else ()
        modules = dict.fromkeys((*mains, told.name, *told.also))
        return _begin(container, search(container, python, always, first), "", tuple(modules), frozenset(mains))
    walk = container.files.walk(join(workdir, told.name))
    script = walk.path
    served = _served(python, told)
    folders = (normpath(join(workdir, served.folder)),) if served is not None else ()
    names = (served.name, *served.also) if served is not None else ()
    if is_whole(walk):
        path = search(container, python, (script,))
        return _begin(container, path, f"{script}/__main__.py", (), frozenset(("__main__",)))
    path = search(container, python, folders, (dirname(script),))
    return _begin(container, path, script, names, frozenset(("__main__",)))


def is_whole(walk: Walk) -> bool:
    """Whether what is run is a folder or an archive, whose ``__main__`` is the program."""
    if walk.node is None or walk.node.kind != "f":
        return walk.node is not None and walk.node.kind == "d"
    return not walk.path.endswith(".py") and opened(walk.node) is not None


def _begin(container: Container, path: Search, script: str, names: tuple[str, ...], mains: frozenset[str]) -> Begin:
    return Begin(archived(container.files, path.folders), path, script, names, mains)


def _served(python: Python, told: Task) -> Task | None:
    """Return what a server's script is told to serve."""
    name, words = basename(told.name), python.arguments
    return task(name, words[words.index(told.name) + 1 :]) if name in SERVERS and told.name in words else None
