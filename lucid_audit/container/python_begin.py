"""Where a Python program begins: the modules that are run, and the path along which the interpreter looks for them.

Facts: CPython's ``Modules/main.c`` (a folder or an archive that is run is on the path itself, else the folder of the script; with
``-m`` the working directory); servers put the folder of an application in front.
"""

from __future__ import annotations

from collections.abc import Mapping
from posixpath import basename, dirname, join, normpath

from lucid_audit.container.config import Container
from lucid_audit.container.files import Files
from lucid_audit.container.interpret import SERVERS, VARIABLES, Task, task
from lucid_audit.container.learned import LIMIT
from lucid_audit.container.python_path import Python, Search, search
from lucid_audit.container.python_switches import value
from lucid_audit.container.tree import Walk
from lucid_audit.tuples import NamedTuple

ARCHIVES = (".pyz", ".pyzw", ".zip", ".egg", ".whl")  # endings of archives that are run


class Begin(NamedTuple):
    """What is run. ``files`` are the container's, with the archives on the path as folders. ``script`` is its path, "" when modules are run by name: ``modules``; ``mains`` are the program among them.

    A module ``a:b`` stands for ``from a import b``. ``configs`` are files that a server runs.
    """

    files: Files
    search: Search
    script: str
    modules: tuple[str, ...]
    mains: frozenset[str]
    configs: tuple[str, ...] = ()


def variables(container: Container) -> Mapping[str, str]:
    """Return the variables that tell servers what to serve."""
    return {name: value(container, name) for name in VARIABLES}


def begin(container: Container, python: Python, told: Task) -> Begin | None:
    """Return where an interpreter begins that is told to run something; None when that is not known."""
    workdir = container.workdir.known()
    if workdir is None or told.kind not in ("script", "module", "app"):
        return None
    served = told if told.kind == "app" else _served(container, python, told)
    always, configs = tuple[str, ...](), tuple[str, ...]()
    if served is not None:
        folder = normpath(join(workdir, served.folder))
        always = (folder,)
        if served.climbs and container.files.walk(f"{folder}/__init__.py").state != "absent":
            return None
        configs = _configs(container, workdir, served)
    start = _started(container, python, told, served, always)
    doubt = start.search.doubt or next(filter(None, (_moves(container, path) for path in configs)), "")
    return start._replace(search=start.search._replace(doubt=doubt), configs=configs)


def _started(container: Container, python: Python, told: Task, served: Task | None, always: tuple[str, ...]) -> Begin:
    workdir = container.workdir.known() or "/"
    if told.kind != "script":
        first = (workdir,) if told.kind == "module" or told.server else ()
        run = told.name if told.kind == "module" else told.server
        mains = (run, f"{run}.__main__") if run else ()
        modules = dict.fromkeys((*mains, told.name, *told.also))
        return _begin(container, search(container, python, always, first), "", tuple(modules), frozenset(mains))
    walk = container.files.walk(join(workdir, told.name))
    script = walk.path
    names = (served.name, *served.also) if served is not None else ()
    if is_whole(walk):
        path = search(container, python, (script,))
        return _begin(container, path, f"{script}/__main__.py", (), frozenset(("__main__",)))
    path = search(container, python, always, (dirname(script),))
    return _begin(container, path, script, names, frozenset(("__main__",)))


def is_whole(walk: Walk) -> bool:
    """Whether what is run is a folder or an archive, whose ``__main__`` is the program."""
    if walk.node is None or walk.node.kind != "f":
        return walk.node is not None and walk.node.kind == "d"
    if walk.path.endswith(".py"):
        return False
    from lucid_audit.container.archived import opened  # noqa: PLC0415  (archives are rare)

    return opened(walk.node) is not None


def _begin(container: Container, path: Search, script: str, names: tuple[str, ...], mains: frozenset[str]) -> Begin:
    found = (container.files.walk(folder).node for folder in path.folders)
    if not any(node is not None and node.kind == "f" for node in found):
        return Begin(container.files, path, script, names, mains)
    from lucid_audit.container.archived import archived  # noqa: PLC0415  (as above)

    return Begin(archived(container.files, path.folders), path, script, names, mains)


def _served(container: Container, python: Python, told: Task) -> Task | None:
    """Return what a server's script is told to serve."""
    name, words = basename(told.name), python.arguments
    if name not in SERVERS or told.name not in words:
        return None
    return task(name, words[words.index(told.name) + 1 :], variables(container))


def _configs(container: Container, workdir: str, served: Task) -> tuple[str, ...]:
    """Return the configurations that are there: a server runs them as Python."""
    paths = (normpath(join(workdir, path)) for path in served.configs)
    return tuple(path for path in paths if container.files.walk(path).state != "absent")


def _moves(container: Container, path: str) -> str:
    """Say why a configuration may change where the application is looked for."""
    data = container.files.walk(path).load(LIMIT)
    known = data is not None and b"chdir" not in data and b"pythonpath" not in data
    return "" if known else f"{path} may change the path"
