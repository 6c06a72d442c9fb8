"""How what is configured starts: every step from argv0 to the script or module, and the first that cannot work."""

from __future__ import annotations

from functools import lru_cache
from posixpath import basename

from lucid_audit.checks import Answers, check
from lucid_audit.checks.command import interpreter_once
from lucid_audit.container.config import Argv, Container, Place, Traced
from lucid_audit.container.execute import effective, unwrapped
from lucid_audit.container.interpret import task
from lucid_audit.container.launch import Break, Chain, Interpreter, launch
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.values import Unknown

_TELL = (("script",), ("module",), ("class",))
_TOLD = ("script", "module", "class")  # what CMD says, whoever chose the interpreter


@record
class Start:
    """``of``: command or health. ``ends``: the kinds of break that the rule is about (``container.launch.KINDS``)."""

    of: str
    ends: tuple[str, ...]


@check("start-follows")
def start_follows(container: Container, params: Start) -> Answers:
    """Judge the chain of a command. A chain that is cut short by what is not known says nothing about the rest of it."""
    chain, place = chain_of(container, params.of)
    if isinstance(chain, Unknown):
        yield Skip(place, chain.reason)
    elif chain is None:
        return
    elif chain.end is None or _decided(chain, chain.end, params.ends):
        for kind, reason in chain.doubts:
            if kind in params.ends:
                yield Skip(place, reason)
                return
    elif chain.end.kind == "unknown":
        if params.ends in _TELL and not _told(chain.argv, params.ends[0]):
            return  # whatever it is, nobody tells it to run a script or module
        yield Skip(place, f"{chain.end.path}: {chain.end.words}")
    elif not _said_already(container, chain.end.kind):
        argv0, words = chain.argv[0], chain.end.words
        broken = words if words.startswith(argv0) else f"{argv0}: {words}"
        told = params.of == "command" and chain.end.kind in _TOLD and container.cmd.known() is not None
        yield Hit(container.cmd.place if told else place, broken=broken, hint=_hint(container, chain.end))


@record
class Imports:
    """``of``: command or health."""

    of: str


@check("imports-follow")
def imports_follow(container: Container, params: Imports) -> Answers:
    """Judge what a program imports whenever it starts. Where the command itself is not known, others say so."""
    interpreter, place = interpreter_of(container, params.of)
    if interpreter is None:
        return
    from lucid_audit.container.reached import reached  # noqa: PLC0415  (only for what gets that far)

    found = reached(container, interpreter)
    if found is None:
        return
    for one in found.missing:
        yield Hit(place, module=one.name, there=one.there, where=one.where)
    if found.unknown:
        (first, reason), *more = found.unknown
        others = f" and {len(more)} more" if more else ""
        yield Skip(place, f"whether {first.name}{others} can be imported: {reason}")


@check("syntax-understood")
def syntax_understood(container: Container, params: Imports) -> Answers:
    """Judge whether the interpreter can read every source that a program imports whenever it starts."""
    interpreter, place = interpreter_of(container, params.of)
    if interpreter is None:
        return
    from lucid_audit.container.reached import reached  # noqa: PLC0415  (only for what gets that far)

    found = reached(container, interpreter)
    doubt = ""
    for one in found.refused if found is not None else ():
        if not one.doubt:
            yield Hit(place, path=one.module.path, line=str(one.line), what=one.words, python=interpreter.real)
        doubt = doubt or (f"whether {one.module.path} can be read: {one.doubt}" if one.doubt else "")
    if doubt:
        yield Skip(place, doubt)


@check("extensions-load")
def extensions_load(container: Container, params: Imports) -> Answers:
    """Judge the libraries of the extension modules that a program imports whenever it starts."""
    interpreter, place = interpreter_of(container, params.of)
    if interpreter is None:
        return
    from lucid_audit.container.extensions import extensions  # noqa: PLC0415  (only for what gets that far)

    found = extensions(container, interpreter)
    for module, lack in found.lacks if found is not None else ():
        if lack.doubt:
            yield Skip(place, f"whether {module.path} can be loaded: {lack.doubt}")
        else:
            yield Hit(place, where=module.where, module=module.name, lacking=lack.words)


def interpreter_of(container: Container, of: str) -> tuple[Interpreter | None, Place]:
    """Return the interpreter that surely starts, and the place that tells it what to run."""
    chain, place = chain_of(container, of)
    if of == "command" and container.cmd.known() is not None:
        place = container.cmd.place  # what CMD says, whoever chose the interpreter
    if chain is None or isinstance(chain, Unknown) or chain.end is not None:
        return None, place
    return chain.interpreter, place


def _decided(chain: Chain, end: Break, ends: tuple[str, ...]) -> bool:
    """Whether a chain rules the ends out: by another end, or as an interpreter starts before what it runs is looked for."""
    if end.kind == "unknown":
        return chain.interpreter is not None and not set(ends) & set(_TOLD)
    return end.kind not in ends


def _said_already(container: Container, kind: str) -> bool:
    """Whether the script that is missing is the name of a program, behind an interpreter that CMD repeats."""
    return kind == "script" and any(isinstance(answer, Hit) for answer in interpreter_once(container))


def _told(argv: tuple[str, ...], kind: str) -> bool:
    words = unwrapped(argv)
    told = task(words[0], words[1:]) if words else None
    if told is None:
        return False
    kinds = {"module": ("module", "app"), "class": ("jar", "class")}.get(kind, ("script", "node", "jar"))
    return told.kind in kinds


@lru_cache(maxsize=4)  # of one container: several rules ask
def chain_of(container: Container, of: str) -> tuple[Chain | Unknown | None, Place]:
    """Return how the command or the health check starts, None where there is none or a shell has to read it."""
    traced: Traced[Argv | None]
    if of == "health":
        health = container.health
        value = health.value if isinstance(health.value, Unknown) or health.value is None else health.value.argv
        traced = Traced(value, health.place, health.inherited)
    else:
        traced = effective(container)
    argv = traced.value
    if isinstance(argv, Unknown):
        return argv, traced.place
    if argv is None or argv.shell or not argv.args:
        return None, traced.place
    words = argv.known()
    if words is None:
        return Unknown("a word of the command is not known"), traced.place
    return launch(container, words), traced.place


def _hint(container: Container, end: Break) -> str:
    """Say who else has what is missing, and what the base has instead."""
    parts = []
    has = container.files.elsewhere(end.lacks) if end.lacks else ""
    if has:
        parts.append(f"only {has} has it")
    base = container.base
    interpreter = base.interpreter if base is not None else None
    if base is not None and interpreter is not None and basename(end.lacks).startswith(interpreter.kind):
        parts.append(f"the interpreter of {base.ref.familiar} is {interpreter.path}")
    return "".join(f"; {part}" for part in parts)
