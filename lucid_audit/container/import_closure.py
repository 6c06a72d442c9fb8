"""Everything that a program's imports reach, and what is not there: the start of a Python program, followed module by module.

Only imports that run whenever the module runs are followed (``container.imports``). A missing module is told when
nothing can make it appear: no folder that is not known, no code that changes the path, no package that makes up its own.

Facts: the Python language reference, "The import system".
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from posixpath import basename, dirname, join

from lucid_audit.container.access import READ, who
from lucid_audit.container.closure import Closure, Missing, Module
from lucid_audit.container.config import Container
from lucid_audit.container.imports import (
    LIMIT,
    Import,
    changes_path,
    confirmed,
    defines,
    imports,
    is_dynamic,
    makes_names,
)
from lucid_audit.container.interpret import SERVERS, task
from lucid_audit.container.launch import Interpreter
from lucid_audit.container.python_find import Finder, Found
from lucid_audit.container.python_path import Search, search
from lucid_audit.container.tree import Walk

MODULES = 20_000  # that are followed
# Compiled into the interpreter, so no file may show them (CPython's ``Modules/Setup`` and ``Modules/config.c.in``).
_BUILT_IN = frozenset((
    "array", "atexit", "binascii", "builtins", "cmath", "errno", "faulthandler", "fcntl", "gc", "grp", "itertools",
    "marshal", "math", "mmap", "posix", "pwd", "pyexpat", "readline", "resource", "select", "spwd", "sys", "syslog",
    "termios", "time", "unicodedata", "zlib", "nt", "winreg", "msvcrt", "winsound",
)).union(sys.builtin_module_names)  # fmt: skip
# What the standard library of some Python 3 has and that of the Python we run on may lack ("What's New", 3.8 to 3.14).
_SOMETIME = frozenset((
    "aifc", "annotationlib", "asynchat", "asyncore", "audioop", "binhex", "cgi", "cgitb", "chunk", "compression",
    "crypt", "distutils", "dummy_threading", "formatter", "imghdr", "imp", "lib2to3", "mailcap", "msilib", "nis",
    "nntplib", "ossaudiodev", "parser", "pipes", "smtpd", "sndhdr", "sunau", "symbol", "telnetlib", "uu", "xdrlib",
)).union(sys.stdlib_module_names)  # fmt: skip


@lru_cache(maxsize=4)  # of one container: rules ask, and who proves how it starts
def imported(container: Container, python: Interpreter) -> Closure | None:
    """Follow the imports of what an interpreter is told to run; None when that is not plain to see."""
    called, real, argv = python.called, python.real, python.argv
    workdir = container.workdir.known()
    told = task(called, argv[1:])
    if told is None or workdir is None or told.kind not in ("script", "module", "app"):
        return None
    if told.kind != "script":
        folder = join(workdir, told.folder)
        main = (f"{told.name}.__main__",) if told.kind == "module" else ()
        return _closure(container, search(container, called, real, (folder,)), "", (told.name, *main, *told.also))
    script = container.files.walk(join(workdir, told.name)).path
    served = task(basename(told.name), argv[argv.index(told.name) + 1 :]) if basename(told.name) in SERVERS else None
    folders = (join(workdir, served.folder),) if served is not None else ()
    names = (served.name, *served.also) if served is not None else ()
    return _closure(container, search(container, called, real, (dirname(script), *folders)), script, names)


def _closure(container: Container, search: Search, script: str, modules: tuple[str, ...]) -> Closure:
    """Follow all imports from a script ("" for none) and from modules that are run by name. Never raises."""
    look = _Closure(container, search)
    if script:
        look.enter(Module("__main__", script), "")
    for name in modules:
        look.reach(Import(name, "", 0), None)
    return look.run()


class _Closure:
    def __init__(self, container: Container, search: Search) -> None:
        self.files, self.search, self.who = container.files, search, who(container)
        self.finder = Finder(container.files, search.version, search.folders)
        self.found: dict[str, Found] = {}
        self.modules: dict[str, Module] = {}
        self.waiting: deque[tuple[Module, str]] = deque()
        self.lacking: dict[str, list[Missing]] = {}  # with everybody who needs it
        self.taken: dict[str, dict[str, tuple[Module, Import]]] = {}  # what is taken from each file, and by whom first
        self.changed = ""  # a source that changes the path

    def run(self) -> Closure:
        while self.waiting and len(self.modules) < MODULES:
            module, package = self.waiting.popleft()
            walk = self.files.walk(module.path)
            source = walk.load(LIMIT)
            if source is None or self._closed_to_user(module, walk):
                continue
            if not self.changed and not self._is_standard(module.path):
                own = "-packages/" not in module.path
                self.changed = module.path if changes_path(source, own=own) else ""
            for wanted in imports(source, package):
                self.reach(wanted, module)
        return self._closed()

    def reach(self, wanted: Import, by: Module | None) -> None:
        """Import a dotted name part by part, and the submodule that is taken from it if there is one."""
        parts = wanted.module.split(".")
        for depth in range(1, len(parts) + 1):
            if not self._one(".".join(parts[:depth]), wanted, by):
                return
        inner = f"{wanted.module}.{wanted.name}"
        if not wanted.name or "." in wanted.name:
            return
        module = self.found[wanted.module]
        if module.packages and self._one(inner, wanted, by, needed=not module.path):
            return
        if by is not None and module.path.endswith(".py") and not wanted.name.startswith("__"):
            self.taken.setdefault(module.path, {}).setdefault(inner, (by, wanted))

    def _one(self, name: str, wanted: Import, by: Module | None, *, needed: bool = True) -> bool:
        """Find a module whose parents were found; False when it is not there."""
        if name in self.lacking:
            if needed and by is not None:
                self.lacking[name].append(self.lacking[name][0]._replace(by=by, at=wanted))
            return False
        if name in self.found:
            return bool(self.found[name].packages or self.found[name].path)
        parent, _, part = name.rpartition(".")
        found = self.finder.find(part, self._folders(parent), top=not parent)
        if not found.packages and not found.path:
            if not parent and self._assumed(part):
                self.found[name] = found
            elif needed and by is not None:
                another = self.finder.made_for_another(part, self._folders(parent))
                there = f"there for another Python only ({another})" if another else "in no folder of its path"
                self.lacking[name] = [Missing(name, by, wanted, there, found.doubt)]
            return False
        self.found[name] = found
        self.enter(Module(name, found.path, by, wanted if by is not None else None), name if found.packages else parent)
        return True

    def _undefined(self) -> Iterator[Missing]:
        """Yield names that a source has not at all, where nothing in it makes names."""
        for path, names in sorted(self.taken.items()):  # sources that lie together are packed together
            source = self._source(path) if not self._is_standard(path) else None
            lacking = [name for name, (_, at) in names.items() if source is not None and at.name.encode() not in source]
            if source is not None and lacking and not makes_names(source):
                yield from (Missing(name, *names[name], f"not defined in {path}") for name in lacking)

    def _closed_to_user(self, module: Module, walk: Walk) -> bool:
        """Whether the user may not read a module; importing it then fails."""
        if walk.node is None or self.who.may(walk.node, READ) is not False:
            return False
        if module.by is not None and module.at is not None:
            self.lacking[module.name] = [
                Missing(module.name, module.by, module.at, f"closed to user {self.who.uid} ({walk.path})")
            ]
        return True

    def _folders(self, parent: str) -> tuple[str, ...]:
        return self.found[parent].packages if parent else self.search.folders

    def _assumed(self, name: str) -> bool:
        """Whether a module without a file is taken to be there: compiled in, or of a standard library that nobody lists."""
        return name in _BUILT_IN or name.startswith("_") or (not self.search.exact and name in _SOMETIME)

    def enter(self, module: Module, package: str) -> None:
        """Count a module as reached; its source is read later."""
        self.modules[module.name] = module
        if module.path and not module.path.endswith((".so", ".pyc")):
            self.waiting.append((module, package))

    def _source(self, path: str) -> bytes | None:
        return self.files.walk(path).load(LIMIT)

    def _is_standard(self, path: str) -> bool:
        return f"/lib/python{self.search.version}/" in path and "-packages/" not in path

    def _closed(self) -> Closure:
        """Sort what is lacking: what is surely not there, and what may be there all the same."""
        missing, unknown = [], []
        for undefined in self._undefined():
            self.lacking.setdefault(undefined.name, [undefined])
        for name, needs in self.lacking.items():
            one = next((need for need in needs if self._sure(need)), None)
            if one is None or self._made_up(name):
                continue
            reason = self._doubt(one)
            if reason:
                unknown.append((one, reason))
            else:
                missing.append(one)
        return Closure(tuple(self.modules.values()), tuple(missing), tuple(unknown), self._sure)

    def _made_up(self, name: str) -> bool:
        """Whether a package, or a module that is none, makes modules itself and names this one, as os and six do."""
        parent, _, part = name.rpartition(".")
        source = self._source(self.found[parent].path) if parent else None
        return source is not None and is_dynamic(source) and part.encode() in source

    def _sure(self, one: Missing | Module) -> bool:
        """Whether every import that leads to a module is a statement, and takes what it seems to take."""
        step: Missing | Module = one
        while step.by is not None and step.at is not None:
            source = self._source(step.by.path)
            if source is None or not confirmed(source, step.at) or self._is_attribute(step, step.by, step.at):
                return False
            step = step.by
        return True

    def _is_attribute(self, step: Missing | Module, by: Module, at: Import) -> bool:
        """Whether what is taken from a package may be something that its ``__init__`` defines, rather than the submodule."""
        package = self.found[at.module] if step.name == f"{at.module}.{at.name}" else None
        if package is None or not package.path or package.path == by.path:
            return False
        source = self._source(package.path)
        return source is None or defines(source, at.module, at.name)

    def _doubt(self, one: Missing) -> str:
        parent = one.name.rpartition(".")[0]
        doubt = one.doubt
        if not parent:
            return self.search.doubt or doubt or (f"{self.changed} changes the path" if self.changed else "")
        begin = self.found[parent].path
        if not begin:
            return doubt or self.search.doubt or ("" if self.search.exact else f"{parent} may be in other folders too")
        source = self._source(begin)
        if source is None or is_dynamic(source):
            return f"{begin} may make up {one.name} itself"
        return doubt
