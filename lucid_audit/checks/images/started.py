"""What a container starts, as far as an image tells: the words of its commands and the interpreters of its scripts."""

from __future__ import annotations

from posixpath import basename

from lucid_audit.container.config import Argv
from lucid_audit.container.execute import effective, search_path, shell_of
from lucid_audit.container.files import SHELLS
from lucid_audit.image.image import Image
from lucid_audit.values import Unknown


def started(image: Image) -> tuple[frozenset[str], str]:
    """Return the real paths of what entry point, command and health check start, and a shell script among them or "".

    Every word counts that names a program: what ``tini --``, ``env`` or a script gets as its arguments is often started.
    """
    container = image.container
    health = container.health.known()
    words: list[str] = []
    for argv in (effective(container).known(), health.argv if health is not None else None):
        if isinstance(argv, Argv):
            words += shell_of(container)[:1] if argv.shell else ()
            for word in argv.args:
                words += str(word).split()  # what a shell or a script is given may be a whole command
    found: set[str] = set()
    script = ""
    while words:
        path = _program(image, words.pop())
        if path and path not in found:
            found.add(path)
            program = image.rootfs.program(image.rootfs.nodes[path])
            if program is not None and program.kind == "script":
                words += [program.interpreter, *program.argument.split()]
                if basename(program.interpreter) in SHELLS or set(program.argument.split()) & SHELLS:
                    script = path
    return frozenset(found), script


def _program(image: Image, word: str) -> str:
    """Return the real path of the file that a word names, as a path or along PATH; "" when it names none."""
    if not word or word.startswith("-"):
        return ""
    workdir = image.container.workdir.known() or "/"
    folders = search_path(image.container)
    if "/" in word:
        places = [word if word.startswith("/") else f"{workdir}/{word}"]
    else:
        places = [f"{folder}/{word}" for folder in (folders if not isinstance(folders, Unknown) else ())]
    for place in places:
        found = image.rootfs.resolve(place)
        if found.node is not None and found.node.entry.kind == "f":
            return found.path
    return ""
