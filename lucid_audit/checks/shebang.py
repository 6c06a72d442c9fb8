"""Installed scripts that start: their first line names the interpreter of the stage they were installed in."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename, dirname

from lucid_audit.checks import Answers, check
from lucid_audit.checks.command import base_name
from lucid_audit.checks.runtext import called
from lucid_audit.container.config import Container, Place
from lucid_audit.container.execute import effective, find_program, unwrapped
from lucid_audit.container.files import State
from lucid_audit.container.interpret import PYTHON_SCRIPTS
from lucid_audit.dockerfile.build import Build
from lucid_audit.finding import Hit
from lucid_audit.regex import rx

# Where pip writes scripts with the interpreter's own path; one in a virtual environment names that environment's.
_INSTALLED = ("/usr/local/bin", "/root/.local/bin")


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
        placed = find_program(container, program).placed
        if placed is None or placed.stage is None or not placed.exact or dirname(placed.origin) not in _INSTALLED:
            continue
        stage = build.graph.stages[placed.stage]
        interpreter = stage.base.interpreter if stage.base is not None else None
        if interpreter is None or dirname(interpreter.path) != "/usr/local/bin":
            continue
        # pip takes the name it was started by: /usr/local/bin/python as well as .../python3.13.
        names = (interpreter.path, *interpreter.aliases)
        if all(container.files.find(name).state is State.ABSENT for name in names):
            where, image = called(stage), base_name(container)
            yield Hit(place, who=who, program=program, interpreter=interpreter.path, stage=where, image=image)
