"""Everything that a Node.js program loads when it starts, and what is not there.

Facts: Node.js, "Command-line API" (``--require``, ``--import``, ``NODE_OPTIONS``, ``NODE_PATH``).
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from posixpath import join

from lucid_audit.container.closure import Closure, Missing, Module
from lucid_audit.container.config import Container
from lucid_audit.container.imports import Import
from lucid_audit.container.interpret import task
from lucid_audit.container.launch import Interpreter
from lucid_audit.container.learned import LIMIT
from lucid_audit.container.node_find import NodeFinder
from lucid_audit.container.node_source import needs

MODULES = 20_000  # that are followed
_PRELOADS = ("-r", "--require", "--import", "--loader", "--experimental-loader")
# What changes how specifiers are resolved: the loader's own functions, and packages that replace them.
_CHANGES = ("_resolveFilename", "_nodeModulePaths", "module-alias", "app-module-path", "tsconfig-paths", "registerHooks",
            "globalPaths", ".pnp.")  # fmt: skip


@lru_cache(maxsize=4)  # of one container: rules ask, and who proves how it starts
def required(container: Container, node: Interpreter) -> Closure | None:
    """Follow what Node.js is told to run; None when that is not plain to see."""
    workdir = container.workdir.known()
    told = task(node.called, node.argv[1:]) or task(node.real, node.argv[1:])
    if told is None or workdir is None or told.kind != "node":
        return None
    look = _Look(container, _preloads(container, node.argv))
    main = look.finder.main(join(workdir, told.name))
    if not main.path:
        return None
    look.enter(Module("main", main.path))
    return look.run()


def _preloads(container: Container, argv: tuple[str, ...]) -> str:
    """Say what may change how modules are found before the program runs."""
    traced = container.env.get("NODE_OPTIONS")
    options = traced.known() if traced is not None else ""
    if options is None:
        return "NODE_OPTIONS is not known"
    preload = next((word for word in (*argv, *options.split()) if word.partition("=")[0] in _PRELOADS), "")
    return f"what {preload} loads may change how modules are found" if preload else container.env_open


class _Look:
    def __init__(self, container: Container, changed: str) -> None:
        self.files, self.changed = container.files, changed
        traced = container.env.get("NODE_PATH")
        path = traced.known() if traced is not None else ""
        if path is None:
            self.changed = self.changed or "NODE_PATH is not known"
        self.finder = NodeFinder(container.files, tuple(filter(None, (path or "").split(":"))))
        self.modules: dict[str, Module] = {}
        self.waiting: deque[Module] = deque()
        self.missing: dict[str, Missing] = {}
        self.unknown: dict[str, tuple[Missing, str]] = {}

    def enter(self, module: Module) -> None:
        """Count a file as reached; its source is read later."""
        if module.path not in self.modules:
            self.modules[module.path] = module
            if module.path.endswith((".js", ".cjs", ".mjs")):
                self.waiting.append(module)

    def run(self) -> Closure:
        """Follow everything that is reached."""
        while self.waiting and len(self.modules) < MODULES:
            module = self.waiting.popleft()
            data = self.files.walk(module.path).load(LIMIT)
            source = data.decode("utf-8", "replace") if data is not None else ""
            if not self.changed and any(word in source for word in _CHANGES):
                self.changed = f"{module.path} may change how modules are found"
            for need in needs(source):
                self._follow(module, Import(need.specifier, "", need.line), static=need.static)
        missing = tuple(self.missing.values())
        if self.changed:
            return self._closed((), (*self.unknown.values(), *((one, self.changed) for one in missing)))
        return self._closed(missing, tuple(self.unknown.values()))

    def _follow(self, module: Module, need: Import, *, static: bool) -> None:
        target = self.finder.find(need.module, module.path, static=static)
        if target is None:
            return
        if target.path:
            self.enter(Module(need.module, target.path, module, need))
            return
        key = f"{need.module} {target.there or target.doubt}"
        one = Missing(need.module, module, need, target.there, target.doubt)
        if target.doubt:
            self.unknown.setdefault(key, (one, target.doubt))
        else:
            self.missing.setdefault(key, one)

    def _closed(self, missing: tuple[Missing, ...], unknown: tuple[tuple[Missing, str], ...]) -> Closure:
        return Closure(tuple(self.modules.values()), missing, unknown, lambda _: True)
