"""The container in words: what runs and how it is found, step by step, who made each step, and what is not known.

The lines are pairs of a name and a text; a line without a name goes on with the one above it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from posixpath import basename

from lucid_audit.container.config import Argv, Container, Place, Traced
from lucid_audit.container.execute import DEFAULT_SHELL, effective, shell_of
from lucid_audit.container.launch import Chain, Interpreter, Link, launch
from lucid_audit.container.tree import Made
from lucid_audit.regex import regex
from lucid_audit.values import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lucid_audit.container.closure import Closure

Line = tuple[str, str]
PACKAGES = 40  # that a proof lists
_STANDARD = regex(r".*/lib/python[\d.]+/(?!.*-packages/).*")

Where = Callable[[Place | Made], str]  # says in words where something was set or who made it, "" when nobody knows
Hide = Callable[[str, str], bool]  # whether the value of a variable of this name is not to be shown


def why(container: Container, where: Where, hide: Hide) -> tuple[Line, ...]:
    """Return the whole container, as far as it is known."""
    return tuple(_lines(container, where, hide))


def _lines(container: Container, where: Where, hide: Hide) -> Iterator[Line]:
    yield "image", _value(container.image, where, lambda ref: ref.familiar if ref is not None else "scratch")
    yield "user", _value(container.user, where, lambda user: user or "root (nothing sets it)")
    yield "workdir", _value(container.workdir, where, str)
    if container.platform is not None:
        yield "platform", _value(container.platform, where, str)
    yield from proof(container, where)
    yield from _several("port", ((port, "") for port in container.ports), where)
    yield from _several("volume", ((volume, "") for volume in container.volumes), where)
    yield from _mapping("env", container.env, where, hide)
    yield from _mapping("label", container.labels, where, hide)
    for reason in dict.fromkeys((container.env_open, container.files.opaque, container.files.open)):
        if reason:
            yield "not known", reason


def proof(container: Container, where: Where) -> Iterator[Line]:
    """Yield how the command and the health check start, to the first step that cannot work."""
    yield from _command("starts", container, effective(container), where)
    health = container.health
    if isinstance(health.value, Unknown) or health.value is None:
        yield "health check", _value(health, where, lambda _: "none")
    elif health.value.argv is None:
        yield "health check", f"turned off{_at(health.place, where)}"
    else:
        yield from _command("health check", container, Traced(health.value.argv, health.place, health.inherited), where)


def _command(name: str, container: Container, traced: Traced[Argv | None], where: Where) -> Iterator[Line]:
    argv = traced.value
    if isinstance(argv, Unknown) or argv is None:
        yield name, _value(traced, where, lambda _: "nothing: neither ENTRYPOINT nor CMD is set")
        return
    words = argv.known()
    if words is None:
        yield name, "not known: a word of the command is not known"
        return
    if argv.shell:
        words = (*(shell_of(container) or DEFAULT_SHELL), *words)
    yield name, f"{json.dumps(words, ensure_ascii=False)}{_at(traced.place, where)}"
    if words:
        chain = launch(container, words)
        yield from (_link(link, where) for link in chain.links)
        interpreter = chain.interpreter if chain.end is None else None
        imports = tuple(_imports(container, interpreter, where)) if interpreter is not None else ()
        yield from imports
        if not any(text.startswith("✗") for _, text in imports):
            yield _verdict(chain)


def _imports(container: Container, interpreter: Interpreter, where: Where) -> Iterator[Line]:
    """Yield what the program's imports reach, then what they do not find."""
    from lucid_audit.container.reached import reached  # noqa: PLC0415  (only for what gets that far)

    found = reached(container, interpreter)
    if found is None:
        return
    packages = len({module.package for module in found.modules})
    yield "", f"imports reach {len(found.modules)} modules in {packages} package{'s' if packages != 1 else ''}"
    yield from _packages(container, found, where)
    for one in found.missing:
        yield "", f"✗ {one.where} imports {one.name}, which is {one.there}"
    for refusal in found.refused:
        line = f"{refusal.module.path} line {refusal.line}"
        yield "", f"? {line}: {refusal.doubt}" if refusal.doubt else f"✗ {line}: {refusal.words}"
    for one, reason in found.unknown:
        yield "", f"? {one.where} imports {one.name}: {reason}"
    if found.missing or any(not refusal.doubt for refusal in found.refused):
        return  # it ends there, before it loads what comes after
    yield from _extensions(container, interpreter, where)


def _packages(container: Container, found: Closure, where: Where) -> Iterator[Line]:
    """Yield the packages that are reached, but for the interpreter's own, each with the file that comes first in it."""
    groups: dict[str, list[str]] = {}
    for module in found.modules:
        if module.path and _STANDARD.fullmatch(module.path) is None:
            groups.setdefault(module.package or module.path, []).append(module.path)
    told = {module.path for module in found.modules if module.by is None}
    groups = {name: paths for name, paths in groups.items() if not told.issuperset(paths)}  # which are steps already
    for name, paths in list(groups.items())[:PACKAGES]:
        first, more = paths[0], f", {len(paths)} modules" if len(paths) > 1 else ""
        node = container.files.walk(first).node
        kind = "package" if more or "-packages/" in first or "/node_modules/" in first else "module"
        named = name.rpartition(" ")[2] if kind == "package" else basename(first)
        yield _link(Link(f"{kind} {named}{more}", first, node.made if node is not None else None), where)
    if len(groups) > PACKAGES:
        yield "", f"and {len(groups) - PACKAGES} packages more"


def _extensions(container: Container, interpreter: Interpreter, where: Where) -> Iterator[Line]:
    """Yield the libraries that imported extension modules bring with them, then what they lack."""
    from lucid_audit.container.extensions import extensions  # noqa: PLC0415  (only for what gets that far)

    found = extensions(container, interpreter)
    if found is None or not found.modules:
        return
    yield "", f"extension modules among them: {len(found.modules)}, more libraries for these: {len(found.libraries)}"
    for one in found.libraries:
        yield _link(Link(f"library {one.name} for {basename(one.by)}", one.path, one.made), where)
    for module, lack in found.lacks:
        yield "", f"? {module.path}: {lack.doubt}" if lack.doubt else f"✗ {lack.words}"


def _link(link: Link, where: Where) -> Line:
    made = where(link.made) if link.made is not None else ""
    return "", f"→ {link.path} ({link.what}{f', {made}' if made else ''})"


def _verdict(chain: Chain) -> Line:
    """Say how a chain ends."""
    if chain.end is None:
        unsure = dict.fromkeys(reason for _, reason in chain.doubts)
        return "", "nothing that is known keeps it from starting" + "".join(f"; {reason}" for reason in unsure)
    if chain.end.kind == "unknown":
        return "", f"? {chain.end.path}: {chain.end.words}"
    return "", f"✗ {chain.end.words}"


def _mapping(name: str, values: Mapping[str, Traced[str]], where: Where, hide: Hide) -> Iterator[Line]:
    found = (
        (Traced("…", traced.place, traced.inherited) if hide(key, traced.known() or "") else traced, f"{key}=")
        for key, traced in values.items()
    )
    yield from _several(name, found, where)


def _several(name: str, values: Iterator[tuple[Traced[str], str]], where: Where) -> Iterator[Line]:
    for number, (traced, before) in enumerate(values):
        yield "" if number else name, before + _value(traced, where, str)


def _value(traced: Traced[Any], where: Where, show: Callable[..., str]) -> str:
    if isinstance(traced.value, Unknown):
        return f"not known: {traced.value.reason}"
    return f"{show(traced.value)}{' (inherited)' if traced.inherited else _at(traced.place, where)}"


def _at(place: Place, where: Where) -> str:
    words = where(place)
    return f" ({words})" if words else ""
