"""How a command starts, step by step, as the runtime and the kernel do it; the first step that cannot work ends it.

Facts: runc looks argv0 up along the container's PATH and takes the first that is no folder and may be executed
(``os/exec`` LookPath); execve(2) and Linux ``fs/exec.c``, ``binfmt_script.c`` (``#!``, at most five deep), ``binfmt_elf.c`` (the
loader that PT_INTERP names must be there); env(1) of GNU coreutils (``-S``).
"""

from __future__ import annotations

from posixpath import basename, join

from lucid_audit.container.access import EXECUTE, Who, who
from lucid_audit.container.config import Container
from lucid_audit.container.execute import WRAPPERS, after_env, search_path, unwrapped
from lucid_audit.container.interpret import INTERPRETERS, PYTHON_SCRIPTS, VARIABLES, Task, task
from lucid_audit.container.program import Program
from lucid_audit.container.tree import Made, Walk
from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

SCRIPTS = 5  # interpreters of interpreters that the kernel follows
HOW_LONG = 20  # programs that start one another in one chain

_SCRIPT = regex(PYTHON_SCRIPTS)
_COMPATIBLE = (("386", "amd64"), ("arm", "arm64"))  # what 64-bit kernels run as well


class Link(NamedTuple):
    """One step of a chain: what happens, to which path, and who made it."""

    what: str
    path: str
    made: Made | None = None


class Break(NamedTuple):
    """Why a chain ends. ``kind`` is one of ``KINDS``; ``unknown`` is no defect but a lack of knowledge.

    ``lacks`` is the path that is missing, "" when something else is wrong.
    """

    kind: str
    path: str
    words: str
    lacks: str = ""


_OF_CONTENT = ("interpreter", "loader", "format", "machine", "library", "version")  # what a file's bytes tell
KINDS = ("missing", "link", "folder", "permission", *_OF_CONTENT, "script", "module", "class", "unknown")


class Interpreter(NamedTuple):
    """A program that runs others: ``python`` or ``node``, the path by which it is called, where that leads, and its command."""

    kind: str
    called: str
    real: str
    argv: tuple[str, ...]


class Chain(NamedTuple):
    """A command and what starting it does. ``end`` is None when nothing that is known keeps it from starting.

    ``doubts`` are kinds of break that could not be ruled out, with the reason. ``interpreter`` is the one in it, if any:
    what ends a chain that has one is what the interpreter is told to run.
    """

    argv: tuple[str, ...]
    links: tuple[Link, ...]
    end: Break | None
    doubts: tuple[tuple[str, str], ...] = ()
    interpreter: Interpreter | None = None


class _Stop(Exception):  # noqa: N818  (no error: the end of a walk)
    def __init__(self, kind: str, path: str, words: str, lacks: str = "") -> None:
        self.end = Break(kind, path, words, lacks)


def launch(container: Container, argv: tuple[str, ...]) -> Chain:
    """Follow a command as the container would start it. Never raises."""
    walk = _Launch(container, argv)
    try:
        walk.start(argv, SCRIPTS)
    except _Stop as stop:
        return Chain(argv, tuple(walk.links), stop.end, tuple(walk.doubts), walk.interpreter)
    return Chain(argv, tuple(walk.links), None, tuple(walk.doubts), walk.interpreter)


class _Launch:
    def __init__(self, container: Container, argv: tuple[str, ...]) -> None:
        self.container, self.argv = container, argv
        self.files, self.who = container.files, who(container)
        self.links: list[Link] = []
        self.started = 0
        self.doubts: list[tuple[str, str]] = []
        self.interpreter: Interpreter | None = None

    def start(self, argv: tuple[str, ...], depth: int) -> None:
        """Follow one program; raises _Stop where it ends."""
        self.started += 1
        if self.started > HOW_LONG:
            raise _Stop("unknown", argv[0], "too many programs start one another")
        called, walk = self._find(argv[0])
        self._enter(called, walk)
        self._image(called, walk, argv, depth)
        rest = self._wrapped(argv)
        if rest:
            self.links.append(Link("starts", rest[0]))
            self.start(rest, SCRIPTS)
            return
        kind = next(
            (kind for kind, name in INTERPRETERS if any(name.fullmatch(basename(p)) for p in (called, walk.path))), ""
        )
        if kind:
            self.interpreter = Interpreter(kind, called, walk.path, argv)
        told = self._task(called, argv) or self._task(walk.path, argv)
        if told is None:
            return
        self._told(called, walk.path, told, argv)
        if told.kind in ("jar", "class"):
            self._java(walk.path, told, argv[1:])

    def _task(self, program: str, argv: tuple[str, ...]) -> Task | None:
        given = ((name, self.container.env[name].known()) for name in VARIABLES if name in self.container.env)
        return task(program, argv[1:], {name: value for name, value in given if value})

    def _told(self, called: str, real: str, told: Task, argv: tuple[str, ...]) -> None:
        """Follow what an interpreter is told to run; of a script that tells it, the interpreter that runs the script."""
        from lucid_audit.container.python import python_start  # noqa: PLC0415  (only for what gets that far)
        from lucid_audit.container.python_path import Python  # noqa: PLC0415  (as above)

        by = self.interpreter
        python = Python(by.called, by.real, by.argv[1:]) if by is not None else Python(called, real, argv[1:])
        end = python_start(self.container, python, told, self.links) if told.kind != "class" else None
        if end is not None:
            raise _Stop(*end)

    def _java(self, real: str, told: Task, arguments: tuple[str, ...]) -> None:
        from lucid_audit.container.java import java_start  # noqa: PLC0415  (only for what gets that far)

        found = java_start(self.container, real, told, arguments, self.links)
        if found.words:
            raise _Stop("class", found.path, found.words)
        if found.doubt:
            self.doubts.append(("class", found.doubt))

    def _find(self, program: str) -> tuple[str, Walk]:
        """Return the path by which a program is called, and where that leads."""
        if "/" in program:
            workdir = self.container.workdir.value
            if not program.startswith("/") and isinstance(workdir, Unknown):
                raise _Stop("unknown", program, workdir.reason)
            path = program if program.startswith("/") else join(str(workdir), program)
            walk = self.files.walk(path)
            return path, self._there(path, walk)
        folders = search_path(self.container)
        if isinstance(folders, Unknown):
            raise _Stop("unknown", program, folders.reason)
        dangling = None
        for folder in folders:
            path = f"{folder.rstrip('/')}/{program}"
            walk = self.files.walk(path)
            if walk.state == "present" and walk.node is not None and walk.node.kind != "d":
                if self.who.may(walk.node, EXECUTE) is not False or self._last(program, folders, folder):
                    self.links.append(Link("PATH", path, walk.node.made))
                    return path, self._there(path, walk)
            elif walk.state == "unknown":
                self._installed(path)
                raise _Stop("unknown", path, walk.reason)
            elif walk.link is not None:
                dangling = dangling or (path, walk)
        if dangling is not None:
            self._there(*dangling)
        raise _Stop("missing", program, f"{program} is in no folder of PATH")

    def _installed(self, path: str) -> None:
        """Stop at a script of a virtual environment that nobody lists: it starts the environment's python (PEP 405)."""
        root, _, folder = path.rpartition("/")[0].rpartition("/")
        if folder != "bin" or _SCRIPT.fullmatch(basename(path)) is None:
            return
        if self.files.walk(f"{root}/pyvenv.cfg").state != "present":
            return
        pythons = [self.files.walk(f"{root}/bin/{name}") for name in ("python", "python3")]
        if all(walk.state == "absent" and walk.link is not None for walk in pythons):
            self.links.append(Link("PATH", path))
            words = f"scripts of {root} run its bin/python, a link to {pythons[0].path}, which is not in the image"
            raise _Stop("interpreter", path, words, pythons[0].path)

    def _last(self, program: str, folders: tuple[str, ...], here: str) -> bool:
        """Whether no later folder of PATH has the program."""
        later = folders[folders.index(here) + 1 :]
        return all(self.files.walk(f"{folder.rstrip('/')}/{program}").state == "absent" for folder in later)

    def _there(self, path: str, walk: Walk) -> Walk:
        self.links.extend(Link(f"link to {hop.target}", hop.path, hop.made) for hop in walk.hops)
        if walk.state == "unknown":
            self._installed(path)
            raise _Stop("unknown", walk.path, walk.reason)
        if walk.state == "absent" and walk.link is not None:
            raise _Stop("link", path, f"{walk.link.path} leads to {walk.path}, which is not in the image", walk.path)
        if walk.state == "absent":
            raise _Stop("missing", path, f"there is no {walk.path}", walk.path)
        return walk

    def _enter(self, path: str, walk: Walk) -> None:
        """Check that the user gets to a program and may execute it."""
        node = walk.node
        if node is None:
            return
        if node.kind == "d":
            raise _Stop("folder", walk.path, f"{walk.path} is a folder")
        shut = self.who.enters(walk.through)
        if shut is not None:
            raise _Stop("permission", path, f"{shut[0]} is closed to {_named(self.who)} ({_mode(shut[1].mode)})")
        granted = self.who.may(node, EXECUTE)
        if granted is None:
            self.doubts.append(("permission", f"whether {_named(self.who)} may execute {walk.path} is not known"))
        if granted is False:
            raise _Stop(
                "permission", path, f"{walk.path} may not be executed by {_named(self.who)} ({_mode(node.mode)})"
            )
        self.links.append(Link("program", walk.path, node.made))

    def _image(self, called: str, walk: Walk, argv: tuple[str, ...], depth: int) -> None:
        """Look at what the file is: a program for this machine with its loader, or a script with its interpreter."""
        program = self.files.program(walk)
        if program is None:
            raise _Stop("format", called, f"{walk.path} is neither a program nor does it begin with #!")
        if isinstance(program, Unknown):
            if walk.node is not None and walk.node.made.span is not None:  # what the base has is taken to work
                self.doubts += [(kind, program.reason) for kind in _OF_CONTENT]
            return
        if program.kind == "elf":
            self._elf(walk, program)
            return
        words = tuple(word for word in (program.interpreter, program.argument) if word)
        self.links.append(Link(f"#!{' '.join(words)}", walk.path))
        if depth == 0:
            raise _Stop("interpreter", called, "more than five scripts are each other's interpreter")
        found = self.files.walk(join("/", program.interpreter))
        if found.state == "unknown":
            self.doubts.append(("interpreter", f"whether {program.interpreter} is there: {found.reason}"))
        if found.state == "absent":
            link = f", a link to {found.path}" if found.link is not None else ""
            lacking = f"its first line names {program.interpreter}{link}, which is not in the image"
            raise _Stop("interpreter", called, lacking, found.path)
        shown = self._script(program, called, argv)
        if shown:
            self.start(shown, depth - 1)

    def _script(self, program: Program, called: str, argv: tuple[str, ...]) -> tuple[str, ...]:
        """Return the command that a ``#!`` line makes (binfmt_script.c: at most one argument, then the path)."""
        argument = (program.argument,) if program.argument else ()
        return (program.interpreter, *argument, called, *argv[1:])

    def _elf(self, walk: Walk, program: Program) -> None:
        platform = self.container.platform
        wanted = str(platform.known() or "").split("/") if platform is not None else []
        made, asked = program.architecture, wanted[1] if len(wanted) > 1 else ""
        if asked and made and made != asked and (made, asked) not in _COMPATIBLE:
            raise _Stop("machine", walk.path, f"{walk.path} is made for {made}, the container for {asked}")
        if program.interpreter:
            found = self.files.walk(program.interpreter)
            if found.state == "unknown":
                self.doubts.append(("loader", f"whether the loader {program.interpreter} is there: {found.reason}"))
            if found.state == "absent":
                raise _Stop("loader", walk.path, f"its loader {program.interpreter} is not in the image", found.path)
            if found.state == "present":
                self._link(walk.path, program)

    def _link(self, path: str, program: Program) -> None:
        """Load the libraries, as the loader does before the program's first instruction."""
        from lucid_audit.container.linker import linked  # noqa: PLC0415  (only for what gets that far)

        found = linked(self.container, path, program)
        self.links.extend(Link(f"library {one.name}", one.path, one.made) for one in found.libraries)
        for lack in found.lacks:
            if not lack.doubt:
                raise _Stop(lack.kind, path, lack.words)
            self.doubts += [(kind, lack.doubt) for kind in ("library", "version")]

    def _wrapped(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        """Return the command that a wrapper starts."""
        name = basename(argv[0])
        if name in WRAPPERS:
            rest = unwrapped(argv)
            return rest if rest is not argv else ()
        return after_env(argv) if name == "env" else ()


def _named(user: Who) -> str:
    return f"user {user.uid}" if user.uid is not None else "the user"


def _mode(mode: int | None) -> str:
    return f"mode {mode:04o}" if mode is not None else "mode unknown"
