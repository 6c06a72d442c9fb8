"""Installed scripts that start: their first line names the interpreter of the stage they were installed in."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename, dirname

from lucid_audit.checks import Answers, check
from lucid_audit.checks.command import base_name
from lucid_audit.checks.pyfacts import packages
from lucid_audit.checks.runtext import called, stage_text
from lucid_audit.container.config import Container, Place
from lucid_audit.container.execute import effective, find_program, search_path, unwrapped
from lucid_audit.container.files import Placement, State, covers
from lucid_audit.container.interpret import PYTHON_SCRIPTS
from lucid_audit.dockerfile.build import Build
from lucid_audit.finding import Hit
from lucid_audit.regex import rx
from lucid_audit.values import Unknown

# Where pip writes scripts with the interpreter's own path; one in a virtual environment names that environment's.
_INSTALLED = ("/usr/local/bin", "/root/.local/bin")
_ELSEWHERE = ("user", "prefix", "target")  # where pip install is told to put packages, with their scripts in bin

_REWRITES = r"\bsed\b[^\n]*(?:#!|\bbin\b|python)|\s--(?:python|executable)\b"  # what gives scripts another first line


def _started(container: Container) -> Iterator[tuple[str, str, Place]]:
    """Yield the programs that start with the container and with the health check."""
    traced, health = effective(container), container.health.known()
    for who, argv, place in (
        ("the container starts", traced.known(), traced.place),
        ("the health check runs", health.argv if health is not None else None, container.health.place),
    ):
        words = unwrapped(argv.known() or ()) if argv is not None and not argv.shell else ()
        if words:
            yield who, words[0], place


@check("script-interpreter-exists")
def script_interpreter_exists(build: Build) -> Answers:
    """Judge scripts that pip wrote (PyPA entry points specification): copied alone, they miss their interpreter."""
    container = build.container
    for who, program, place in _started(container) if container is not None else ():
        if container is None or rx(PYTHON_SCRIPTS).fullmatch(basename(program)) is None:
            continue
        placed = _copied(container, program, build)
        stage = build.graph.stages[placed.stage] if placed is not None and placed.stage is not None else None
        interpreter = stage.base.interpreter if stage is not None and stage.base is not None else None
        if stage is None or interpreter is None or dirname(interpreter.path) != "/usr/local/bin":
            continue
        if rx(_REWRITES).search(stage_text(stage)):
            continue
        # pip takes the name it was started by: /usr/local/bin/python as well as .../python3.13.
        answers = [container.files.find(name) for name in (interpreter.path, *interpreter.aliases)]
        if all(one.state is State.ABSENT or (one.state is State.UNKNOWN and one.placed == placed) for one in answers):
            where, image = called(stage), base_name(container)
            yield Hit(place, who=who, program=program, interpreter=interpreter.path, stage=where, image=image)


def _copied(container: Container, program: str, build: Build) -> Placement | None:
    """Return what brought a script that pip wrote: the file itself, or a folder that pip alone filled."""
    answer = find_program(container, program)
    placed = answer.placed
    if placed is None or placed.stage is None or placed.path is None:
        return None
    if answer.state is not State.UNKNOWN or dirname(placed.origin) in _INSTALLED:
        return placed if placed.exact and dirname(placed.origin) in _INSTALLED else None
    made = packages(build.graph.stages[placed.stage])
    if any(one.kind == "venv" for one in made):
        return None  # pip may be the environment's, and write another first line
    for one in made:
        scripts = f"{one.root}/bin"
        if one.kind in _ELSEWHERE and covers(placed.origin, scripts):
            path = f"{placed.path}{scripts.removeprefix(placed.origin)}/{basename(program)}"
            if _only(container, program, path, placed):
                return placed
    return None


def _only(container: Container, program: str, path: str, placed: Placement) -> bool:
    """Whether a program can be found at this path only, if at all."""
    if "/" in program:
        return program == path
    folders = search_path(container)
    if isinstance(folders, Unknown) or dirname(path) not in folders:
        return False
    others = (f"{folder}/{program}" for folder in folders if not covers(str(placed.path), folder))
    return all(container.files.find(other).state is State.ABSENT for other in others)
