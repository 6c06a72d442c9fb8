"""Everything that a Node.js program loads when it starts, and what is not there.

Facts: Node.js, "Command-line API" (``--require``, ``--import``, ``NODE_OPTIONS``, ``NODE_PATH``).
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from posixpath import join

from lucid_audit.container.closure import Closure, Missing, Module, Refusal
from lucid_audit.container.config import Container
from lucid_audit.container.imports import Import
from lucid_audit.container.interpret import task
from lucid_audit.container.launch import Interpreter
from lucid_audit.container.learned import LIMIT
from lucid_audit.container.node_find import NodeFinder, Target
from lucid_audit.container.node_kind import HOOKS, detected_modules, kind_of, required_modules, version_of
from lucid_audit.container.node_source import Need, needs

_MODULE = "an ES module"
MODULES = 20_000  # that are followed
_PRELOADS = (
    "--experimental-require-module",
    "--experimental-detect-module",
    "--experimental-default-type",
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
)
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
    look = _Look(container, _preloads(container, node.argv), version_of(container, node.real))
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
    def __init__(self, container: Container, changed: str, version: tuple[int, int | None] | None) -> None:
        self.files, self.changed, self.version = container.files, changed, version
        self.hooked = ""
        self.refused: list[Refusal] = []
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
            if not self.hooked and any(word in source for word in HOOKS):
                self.hooked = f"{module.path} may teach require() other kinds of source"
            found = needs(source)
            self._judge(module, found)
            for need in found:
                self._follow(module, Import(need.specifier, "", need.line), static=need.static)
        missing = tuple(self.missing.values())
        if self.changed or self.hooked:
            self.refused = [one._replace(doubt=self.changed or self.hooked) for one in self.refused]
        if self.changed:
            return self._closed((), (*self.unknown.values(), *((one, self.changed) for one in missing)))
        if self.hooked:
            doubts = [(one, self.hooked) for one in missing if one.there.startswith(_MODULE)]
            sure = tuple(one for one in missing if not one.there.startswith(_MODULE))
            return self._closed(sure, (*self.unknown.values(), *doubts))
        return self._closed(missing, tuple(self.unknown.values()))

    def _follow(self, module: Module, need: Import, *, static: bool) -> None:
        target = self.finder.find(need.module, module.path, static=static)
        if target is None:
            return
        if target.path and not static and self._refuses(target.path):
            words = f"{_MODULE}, and Node.js {_named(self.version)} cannot load one with require()"
            target = Target(there=words)
        if target.path:
            self.enter(Module(need.module, target.path, module, need))
            return
        key = f"{need.module} {target.there or target.doubt}"
        one = Missing(need.module, module, need, target.there, target.doubt)
        if target.doubt:
            self.unknown.setdefault(key, (one, target.doubt))
        else:
            self.missing.setdefault(key, one)

    def _judge(self, module: Module, found: tuple[Need, ...]) -> None:
        """Note an import statement in a file that is a CommonJS module for this version."""
        static = next((need for need in found if need.static), None)
        kind = kind_of(self.finder, module.path) if static is not None else "?"
        if static is None or kind not in ("", "commonjs"):
            return
        if kind or detected_modules(self.version) is False:
            says = "its package.json or its ending says so" if kind else "no package.json says otherwise"
            self.refused.append(Refusal(module, static.line, f"an import statement in a CommonJS module ({says})"))

    def _refuses(self, path: str) -> bool:
        """Whether require() surely does not load a file, as it is an ES module."""
        return (
            path.endswith((".js", ".mjs"))
            and not self.hooked
            and required_modules(self.version) is False
            and kind_of(self.finder, path) == "module"
        )

    def _closed(self, missing: tuple[Missing, ...], unknown: tuple[tuple[Missing, str], ...]) -> Closure:
        return Closure(tuple(self.modules.values()), missing, unknown, lambda _: True, tuple(self.refused))


def _named(version: tuple[int, int | None] | None) -> str:
    return ".".join(str(number) for number in version or () if number is not None)
