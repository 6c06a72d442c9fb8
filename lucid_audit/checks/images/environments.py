"""Scripts of virtual environments that nothing starts, and that nobody could start."""

from __future__ import annotations

from posixpath import basename, dirname

from lucid_audit.checks import Answers, check
from lucid_audit.checks.images.started import started
from lucid_audit.container.files import State
from lucid_audit.finding import Hit
from lucid_audit.image.image import Image


@check("environment-scripts-start")
def environment_scripts_start(image: Image) -> Answers:
    """Judge the interpreters of scripts beside a ``pyvenv.cfg`` (PEP 405). What the command starts has rules of its own."""
    rootfs, told = image.rootfs, None
    for folder in sorted(rootfs.children):
        if basename(folder) != "bin" or "pyvenv.cfg" not in rootfs.children.get(dirname(folder), ()):
            continue
        told = told or started(image)[0]
        lacking: dict[str, list[str]] = {}
        for name in rootfs.children[folder]:
            node = rootfs.nodes[f"{folder}/{name}"]
            program = rootfs.program(node) if node.entry.kind == "f" else None
            if program is not None and program.kind == "script" and f"{folder}/{name}" not in told:
                lacking.setdefault(program.interpreter, []).append(name)
        for interpreter, names in lacking.items():
            if interpreter.startswith("/") and image.container.files.find(interpreter).state is State.ABSENT:
                place = image.place(f"{folder}/{min(names)}", rootfs.nodes[f"{folder}/{min(names)}"].layer)
                many = f"{len(names)} scripts name" if len(names) > 1 else "a script names"
                yield Hit(place, folder=folder, many=many, interpreter=interpreter, first=min(names))
