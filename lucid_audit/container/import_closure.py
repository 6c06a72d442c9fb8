"""Everything that a program's imports reach, and what is not there: the start of a Python program, followed module by module.

Only imports that run whenever the module runs are followed (``container.imports``). A missing module is told when
nothing can make it appear: no folder that is not known, no code that changes the path, no package that makes up its own.

Facts: the Python language reference, "The import system".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from posixpath import basename

from lucid_audit.container.access import READ, who
from lucid_audit.container.closure import Closure, Missing, Module, Refusal
from lucid_audit.container.config import Container
from lucid_audit.container.imports import Import, Raw, absolute
from lucid_audit.container.interpret import task
from lucid_audit.container.launch import Interpreter
from lucid_audit.container.python_begin import ARCHIVES, Begin, begin, variables
from lucid_audit.container.python_find import Finder, Found
from lucid_audit.container.python_path import Python
from lucid_audit.container.python_release import release_of
from lucid_audit.container.python_sources import Facts, Parsed, Sources
from lucid_audit.container.python_standard import BUILT_IN, SOMETIME
from lucid_audit.container.tree import Walk

MODULES = 20_000  # that are followed


@lru_cache(maxsize=4)  # of one container: rules ask, and who proves how it starts
def imported(container: Container, python: Interpreter) -> Closure | None:
    """Follow the imports of what an interpreter is told to run; None when that is not plain to see. Never raises."""
    told = task(python.called, python.argv[1:], variables(container))
    start = begin(container, Python(python.called, python.real, python.argv[1:]), told) if told is not None else None
    if start is None:
        return None
    if start.script.endswith(ARCHIVES):
        program = Module("__main__", start.script)
        unread = Missing(f"the modules of {start.script}", program, Import("", "", 0), "")
        return Closure((program,), (), ((unread, "it is not looked into"),), lambda _: True)
    look = _Closure(container, start, python.real)
    if start.script:
        look.enter(Module("__main__", start.script), "")
    for path in start.configs:
        look.enter(Module("__config__", path), "")
    for name in start.modules:
        module, _, taken = name.partition(":")
        look.reach(Import(module, taken, 0), None)
    return look.run()


class _Closure:
    def __init__(self, container: Container, start: Begin, python: str) -> None:
        search = start.search
        self.files, self.python = start.files, python
        self.search, self.who = search, who(container)
        self.sources = Sources(start.files, release_of(container, python, search.version))
        self.finder = Finder(start.files, search.version, search.folders, search.mapped)
        self.mains = start.mains  # modules that are the program
        self.found: dict[str, Found] = {}
        self.whole: set[str] = set()  # modules that were found with all that they lie in
        self.modules: dict[str, Module] = {}
        self.waiting: deque[tuple[Module, str]] = deque()
        self.lacking: dict[str, list[Missing]] = {}  # with everybody who needs it
        self.taken: dict[str, dict[str, tuple[Module, Import]]] = {}  # what is taken from each file, and by whom first
        self.may: list[tuple[Module, Import, str]] = []  # imports that may not run, and what decides about them
        self.refused: list[Refusal] = []
        self.changed = ""  # a source that changes the path

    def run(self) -> Closure:
        while self.waiting and len(self.modules) < MODULES:
            module, package = self.waiting.popleft()
            facts = self.sources.facts(module.path)
            if facts is None or self._closed_to_user(module, self.sources.walk(module.path)):
                continue
            standard = self._is_standard(module.path)
            own = not standard and self._is_own(module)
            if not self.changed and (facts.moves if own else facts.moves_at_once and not standard):
                self.changed = module.path
            refused = self.sources.refused(module.path, own=own) if not standard else None
            if refused is not None:
                self.refused.append(Refusal(module, *refused))
                if not refused.doubt:
                    continue
            parsed = self.sources.parsed(module.path) if own else None
            for raw in self._raw(module, facts, parsed):
                wanted = absolute(raw, package)
                if wanted is not None:
                    self.reach(wanted, module)
        return self._closed()

    def _raw(self, module: Module, facts: Facts, parsed: Parsed | None) -> Sequence[Raw]:
        """Return the imports of a source that surely run, and note those of the service's own that may."""
        if parsed is None:
            return facts.imports
        self.may += [(module, Import(raw[1], raw[2], raw[3]), why) for raw, why in parsed.may if not raw[0]]
        if parsed.made:
            self.may.append((module, Import("", "", parsed.made), ""))
        return parsed.as_main if module.name in self.mains else parsed.sure

    def reach(self, wanted: Import, by: Module | None) -> None:
        """Import a dotted name part by part, and the submodule that is taken from it if there is one."""
        if wanted.module not in self.whole:
            parts = wanted.module.split(".")
            for depth in range(1, len(parts) + 1):
                if not self._one(".".join(parts[:depth]), wanted, by):
                    return
            self.whole.add(wanted.module)
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
        made = self._made_by(found.path) if found.path.endswith(".pyc") else ""
        if made and by is not None:
            there = f"there as byte code of Python {made} only ({found.path})"
            self.lacking[name] = [Missing(name, by, wanted, there, found.doubt)]
            return False
        self.enter(Module(name, found.path, by, wanted if by is not None else None), name if found.packages else parent)
        return True

    def _undefined(self) -> Iterator[Missing]:
        """Yield names that a source has not at all, where nothing in it makes names."""
        for path, names in sorted(self.taken.items()):  # sources that lie together are packed together
            if self._is_standard(path):
                continue
            spelled = {at.name: name for name, (_, at) in names.items()}
            lacking = self.sources.lacking(path, tuple(spelled))
            if lacking and self.sources.makes(path) is False:
                yield from (Missing(spelled[name], *names[spelled[name]], f"not defined in {path}") for name in lacking)

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
        return name in BUILT_IN or name.startswith("_") or (not self.search.exact and name in SOMETIME)

    def enter(self, module: Module, package: str) -> None:
        """Count a module as reached; its source is read later."""
        self.modules[module.name] = module
        if module.path and not module.path.endswith((".so", ".pyc")):
            self.waiting.append((module, package))

    def _is_standard(self, path: str) -> bool:
        return f"/lib/python{self.search.version}/" in path and "-packages/" not in path

    def _is_own(self, module: Module) -> bool:
        """Whether a module is the service's own: nobody installed it as a package."""
        if "-packages/" in module.path:
            return False
        above = module.name.count(".") + 1 + (basename(module.path).startswith("__init__."))
        return not self.finder.has_records(module.path.rsplit("/", above)[0] if module.by is not None else "")

    def _closed(self) -> Closure:
        """Sort what is lacking: what is surely not there, and what may be there all the same."""
        missing, unknown = [], []
        for undefined in self._undefined():
            self.lacking.setdefault(undefined.name, [undefined])
        for name, needs in self.lacking.items():
            one, unread = self._surest(needs)
            if one is None or self._made_up(name):
                continue
            reason = unread or self._doubt(one)
            if reason:
                unknown.append((one, reason))
            else:
                missing.append(self._explained(one))
        refused = tuple(one for one in self.refused if self._sure(one.module) is True)
        modules = tuple(self.modules.values())
        return Closure(modules, tuple(missing), (*unknown, *self._undecided()), self._is_sure, refused)

    def _made_by(self, path: str) -> str:
        from lucid_audit.container.import_words import byte_code  # noqa: PLC0415  (few modules have no source)

        return byte_code(self.files, path, self.search.version)

    def _explained(self, one: Missing) -> Missing:
        """Say which interpreter needs a module, if not all do, and where else it is when it is in no folder of the path."""
        one = one._replace(under=self.sources.only_under(one.by.path, one.at.line))
        if "." in one.name or not one.there.startswith("in no folder"):
            return one
        from lucid_audit.container.import_words import elsewhere  # noqa: PLC0415  (only for a finding)

        return one._replace(there=one.there + elsewhere(self.files, self.search, self.python, one.name))

    def _undecided(self) -> Iterator[tuple[Missing, str]]:
        """Yield what is not there of the imports that may run, of the service's own sources only."""
        told = set(self.lacking)
        for module, at, why in self.may:
            name = at.module.partition(".")[0]
            if not name:
                reason = f"{module.path} line {at.line} makes up the name of what it imports"
                yield Missing("a module named at run time", module, at, ""), reason
            elif name not in self.found and name not in told and not self._assumed(name):
                found = self.finder.find(name, self.search.folders, top=True)
                if not found.packages and not found.path and not found.doubt:
                    told.add(name)
                    yield Missing(name, module, at, ""), f"{why} whether {module.path} line {at.line} imports it"

    def _surest(self, needs: list[Missing]) -> tuple[Missing | None, str]:
        """Return who needs a module for sure, None when nobody does; with the reason when our parser cannot tell."""
        unread: tuple[Missing | None, str] = None, ""
        for need in needs:
            sure = self._sure(need)
            if sure is True:
                return need, ""
            if sure is not False and not unread[1]:
                unread = need, sure
        return unread

    def _made_up(self, name: str) -> bool:
        """Whether a package, or a module that is none, makes modules itself and names this one, as os and six do."""
        parent, _, part = name.rpartition(".")
        path = self.found[parent].path if parent else ""
        return bool(path and self.sources.dynamic(path) and self.sources.spells(path, part))

    def _is_sure(self, one: Module) -> bool:
        return self._sure(one) is True

    def _sure(self, one: Missing | Module) -> bool | str:
        """Whether every import that leads to a module is a statement, and takes what it seems to take; or why nobody can tell."""
        step: Missing | Module = one
        while step.by is not None and step.at is not None:
            lines = self.sources.statements(step.by.path)
            if lines is None:
                refused = next((other for other in self.refused if other.module.path == step.by.path), None)
                return refused.doubt if refused is not None else f"{step.by.path} cannot be parsed here"
            if step.at.line not in lines or self._is_attribute(step, step.by, step.at):
                return False
            step = step.by
        return True

    def _is_attribute(self, step: Missing | Module, by: Module, at: Import) -> bool:
        """Whether what is taken from a package may be something that its ``__init__`` defines, rather than the submodule."""
        package = self.found[at.module] if step.name == f"{at.module}.{at.name}" else None
        if package is None or not package.path or package.path == by.path:
            return False
        return self.sources.defines(package.path, at.module, at.name)

    def _doubt(self, one: Missing) -> str:
        parent = one.name.rpartition(".")[0]
        doubt = one.doubt
        if not parent:
            return self.search.doubt or doubt or (f"{self.changed} changes the path" if self.changed else "")
        begin = self.found[parent].path
        if not begin:
            return doubt or self.search.doubt or ("" if self.search.exact else f"{parent} may be in other folders too")
        if self.sources.dynamic(begin) is not False:
            return f"{begin} may make up {one.name} itself"
        return doubt
