"""The extension modules that a Python program imports when it starts, and the libraries that the dynamic linker loads for them.

Facts: CPython's ``Python/dynload_shlib.c`` (an extension module is opened by its path, with ``dlopen``); manylinux (PEP 600) leaves
out of wheels what every glibc system has.
"""

from __future__ import annotations

from functools import cache, lru_cache, partial

from lucid_audit.container.closure import Closure, Module
from lucid_audit.container.config import Container
from lucid_audit.container.imports import loads_libraries
from lucid_audit.container.launch import Interpreter
from lucid_audit.container.linker import Lack, Library, linked
from lucid_audit.container.reached import reached
from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

ENDINGS = (".so", ".node")
_STANDARD = regex(r"/lib/python[\d.]+/(?![\w-]+-packages/)")  # it can load, and does so for nobody


class Extensions(NamedTuple):
    """``modules`` that are extensions; the libraries that come with them; what each lacks, with the module that is imported."""

    modules: tuple[Module, ...]
    libraries: tuple[Library, ...]
    lacks: tuple[tuple[Module, Lack], ...]


@lru_cache(maxsize=4)  # of one container: rules ask, and who proves how it starts
def extensions(container: Container, interpreter: Interpreter) -> Extensions | None:
    """Load the extension modules of a program's imports. None when the imports or the interpreter are not known; never raises."""
    found = reached(container, interpreter)
    program = container.files.program(container.files.walk(interpreter.real))
    if found is None or program is None or isinstance(program, Unknown) or program.kind != "elf":
        return None
    modules = {module.path: module for module in found.modules if module.path.endswith(ENDINGS)}
    if not modules:
        return Extensions((), (), ())  # what the interpreter lacks itself is not theirs
    result = linked(container, interpreter.real, program, modules, by_hand=cache(partial(_by_hand, container, found)))
    lacks = [(modules[lack.root], lack) for lack in result.lacks if found.sure(modules[lack.root])]
    return Extensions(tuple(modules.values()), result.libraries, tuple(lacks))


def _by_hand(container: Container, found: Closure) -> bool:
    """Whether anything that is reached may load libraries by their path: a source that says so, or a second extension module."""
    own = [module for module in found.modules if "/lib-dynload/" not in module.path]
    if sum(module.path.endswith(ENDINGS) for module in own) > 1:
        return True
    for module in own:
        if not module.path.endswith(ENDINGS) and not _STANDARD.search(module.path) and _loads(container, module.path):
            return True
    return False


def _loads(container: Container, path: str) -> bool:
    """Whether a source may load libraries, or is not known."""
    walk = container.files.walk(path)
    return (
        walk.node is not None
        and walk.node.load is not None
        and container.files.learned(walk, "loads", loads_libraries) is not False
    )
