"""Which libraries a program gets from the dynamic linker, and what it asks for in vain.

Facts: glibc ``elf/dl-load.c`` (a file for another machine is passed over, one that is no ELF file ends the search; an object
that is loaded already answers by its names), ``elf/dl-version.c`` (a version that a library does not define ends the start; a
library without versions is let pass); musl ``ldso/dynlink.c`` (its own names stand for libc; versions are not looked at).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from posixpath import basename, dirname, join

from lucid_audit.container.access import READ, who
from lucid_audit.container.config import Container
from lucid_audit.container.files import Files
from lucid_audit.container.ld_cache import configured
from lucid_audit.container.library_path import LibraryPath, Object
from lucid_audit.container.linkage import Linkage
from lucid_audit.container.program import Program
from lucid_audit.container.secure import secure
from lucid_audit.container.tree import Made, Walk
from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

LIBRARIES = 5000  # of one process
_MUSL_OWN = regex(r"lib(?:c|pthread|rt|m|dl|util|xnet)\..*")
# Container runtimes mount them from the host (NVIDIA Container Toolkit, "driver libraries").
FROM_HOST = regex(r"lib(?:cuda|nvidia-.*|nvcuvid|nvoptix|cudadebugger)\.so(?:\..*)?")
_VERSION = regex(r"(\w+?)_(\d+(?:\.\d+)*)")


class Library(NamedTuple):
    """A library that is loaded: the name by which it was needed, the file, and the file that needed it first."""

    name: str
    path: str
    by: str
    made: Made | None


class Lack(NamedTuple):
    """What is asked for in vain. ``kind`` is ``library`` or ``version``, ``by`` the file that needs it, ``words`` a sentence.

    ``doubt`` is why it may be there all the same, "" when it is surely not. ``root`` is the program or module for which all of
    this is loaded.
    """

    kind: str
    name: str
    by: str
    words: str
    doubt: str = ""
    root: str = ""


class Linked(NamedTuple):
    """What is loaded, in the linker's order, and what is lacking."""

    libraries: tuple[Library, ...]
    lacks: tuple[Lack, ...]


def linked(
    container: Container,
    path: str,
    program: Program,
    modules: Iterable[str] = (),
    *,
    by_hand: Callable[[], bool] = lambda: True,
) -> Linked:
    """Load a program, then modules that it opens while it runs; all are files, links followed. Never raises.

    With modules, only what they lack is told. ``by_hand`` says whether the program may load libraries for them by their path: then
    one that lies anywhere in the image is not surely lacking. It is asked only for such a library.
    """
    linker = _Linker(container, path, program)
    main = linker.enter(Object(path, NOTHING))
    linker.run(by_hand=lambda: False)
    if not modules:
        return linker.result(0)
    before = len(linker.lacks)
    libraries = len(linker.libraries)
    for module in modules:
        linker.enter(Object(module, NOTHING, main))
    linker.run(by_hand=by_hand)
    return linker.result(before, libraries)


NOTHING = Linkage()


class _Linker:
    def __init__(self, container: Container, path: str, program: Program) -> None:
        self.container, self.files, self.who = container, container.files, who(container)
        self.path = LibraryPath(container, program, secure(container, self.files.walk(path)))
        self.program = program
        self.loaded: dict[str, Object] = {}  # by every name that it answers to
        self.libraries: list[Library] = []
        self.lacks: list[Lack] = []
        self.waiting: deque[Object] = deque()
        self.unmet: dict[str, tuple[Object, _Search]] = {}

    def enter(self, one: Object) -> Object:
        """Load a file that somebody opens by its path."""
        walk = self.files.walk(one.path)
        linkage = self.files.linkage(walk)
        made = self.files.program(walk)
        if made is not None and not isinstance(made, Unknown) and made.architecture != self.program.architecture:
            words = (
                f"{one.path} is made for {made.architecture}, the program that loads it for {self.program.architecture}"
            )
            self.lacks.append(Lack("library", one.path, one.path, words, root=one.path))
            return one
        if isinstance(linkage, Unknown):
            self.lacks.append(Lack("library", "", one.path, "", linkage.reason, one.path))
        one = one._replace(linkage=linkage if isinstance(linkage, Linkage) else NOTHING)
        self.loaded.setdefault(one.linkage.soname or basename(one.path), one)
        self.waiting.append(one)
        return one

    def run(self, *, by_hand: Callable[[], bool]) -> None:
        """Load everything that is needed, breadth first, and compare versions at last, as ld.so does."""
        objects = []
        while self.waiting and len(self.libraries) < LIBRARIES:
            one = self.waiting.popleft()
            objects.append(one)
            if one.loader is None:
                for name in self.path.preloaded():
                    self._need(name, one, required=False)  # ld.so(8): what cannot be preloaded is passed over
            for name in one.linkage.needed:
                self._need(name, one, required=True)
        for name, (by, search) in self.unmet.items():
            if name not in self.loaded:
                self.lacks.append(self._lack(name, by, search, by_hand))
        self.unmet.clear()
        for one in () if self.path.musl else objects:
            self._versions(one)

    def result(self, lacks: int, libraries: int = 0) -> Linked:
        """Return what was found since."""
        return Linked(tuple(self.libraries[libraries:]), tuple(self.lacks[lacks:]))

    def _need(self, name: str, by: Object, *, required: bool) -> None:
        if name in self.loaded or name in self.unmet or (self.path.musl and _MUSL_OWN.fullmatch(name)):
            return
        search = _Search(self, name, by)
        if search.found is None:
            if required:
                self.unmet[name] = by, search
            return
        walk = search.walk
        opaque = search.opaque or search.doubt  # before it, another may be found
        one = Object(search.found, search.linkage._replace(gives=()) if opaque else search.linkage, by)
        self.libraries.append(Library(name, walk.path, by.path, walk.node.made if walk.node is not None else None))
        self.loaded[name] = one
        self.loaded.setdefault(one.linkage.soname or name, one)
        self.waiting.append(one)
        if opaque:
            self.lacks.append(Lack("library", name, one.path, "", opaque, _root(one)))

    def _lack(self, name: str, by: Object, search: _Search, by_hand: Callable[[], bool]) -> Lack:
        elsewhere = self.files.named(basename(name))
        doubt = search.doubt
        if FROM_HOST.fullmatch(name):
            doubt = doubt or f"the container runtime may mount {name} from the host"
        if not self.path.known and not self.path.musl:
            doubt = doubt or f"the loader {self.program.interpreter} may look in folders of its own"
        if elsewhere and (any("/glibc-hwcaps/" in path for path in elsewhere) or by_hand()):
            doubt = doubt or f"{elsewhere[0]} may be loaded for {by.path} by other means"
        words = f"{by.path} needs {name}, {self._where(name, elsewhere, search)}"
        return Lack("library", name, by.path, words, doubt, _root(by))

    def _where(self, name: str, elsewhere: tuple[str, ...] | None, search: _Search) -> str:
        """Say where a library is that was not found."""
        if search.refused:
            return search.refused
        if elsewhere is None:
            return "which is in no folder where the loader looks"
        if not elsewhere:
            from lucid_audit.container.debian import package_of  # noqa: PLC0415  (only before it is told)

            package = package_of(self.files, name)
            return f"which is not in the image{f' (in Debian, {package} has it)' if package else ''}"
        return f"which is at {elsewhere[0]} only, where the loader does not look{self._why(elsewhere)}"

    def _why(self, places: tuple[str, ...]) -> str:
        """Say why the folder of a library is not among those of the loader, where the image tells."""
        folders = {dirname(self.files.canonical(path)) for path in places}
        if self.path.secure:
            ignored = folders & {self.files.canonical(folder) for folder in self.path.outside()}
            count = "LD_LIBRARY_PATH does not count" if ignored else "neither LD_LIBRARY_PATH nor $ORIGIN counts"
            return f": {self.path.secure}, so {count}"
        cached = bool(self.path.cache) and not isinstance(self.path.cache, Unknown)
        settings = configured(self.files, folders) if not self.path.musl else ""
        if settings:
            there = "was made before" if cached else "is not in the image"
            return f": {settings} names the folder, but /etc/ld.so.cache {there}, and ldconfig has to write it"
        return ": /etc/ld.so.cache does not list it" if cached else ""

    def _versions(self, one: Object) -> None:
        for name, versions in one.linkage.wants:
            library = self.loaded.get(name)
            gives = library.linkage.gives if library is not None else ()
            lacking = [version for version in versions if version not in gives] if gives else []
            if library is not None and lacking:
                most = max(lacking, key=_rank)
                ends = max((give for give in gives if _rank(give)[0] == _rank(most)[0]), key=_rank, default="")
                has = f"goes up to {ends}" if ends and _rank(ends) < _rank(most) else f"has no {most}"
                words = f"{one.path} needs {most} of {name}, and {library.path} {has}"
                self.lacks.append(Lack("version", most, one.path, words, root=_root(one)))


class _Search:
    """One search along the library path. ``found`` is the path that is opened, ``refused`` what is said of one that is not."""

    def __init__(self, linker: _Linker, name: str, by: Object) -> None:
        self.found: str | None = None
        self.linkage, self.opaque, self.doubt, self.refused = NOTHING, "", "", ""
        self.walk: Walk
        self._linker = linker
        if "/" in name:
            workdir = linker.container.workdir.value
            if not name.startswith("/") and isinstance(workdir, Unknown):
                self.doubt = workdir.reason
                return
            self._try(name if name.startswith("/") else join(str(workdir), name))
            return
        for place in linker.path.of(name, by):
            self.doubt = self.doubt or place.doubt
            if not place.doubt and not self._try(place.path if place.file else join(place.path, name)):
                return

    def _try(self, path: str) -> bool:
        """Try a file; False when the search ends with it."""
        files: Files = self._linker.files
        walk = files.walk(path)
        if walk.state == "unknown":
            self.doubt = self.doubt or walk.reason
        if walk.state != "present" or walk.node is None:
            return True
        user = self._linker.who
        if user.enters(walk.through) is not None or user.may(walk.node, READ) is False:
            self.refused = self.refused or f"which is at {path} but closed to user {user.uid}"
            return True
        program = files.program(walk)
        if isinstance(program, Unknown):
            self.found, self.walk, self.opaque = path, walk, program.reason
            return False
        if program is None or program.kind != "elf":
            self.refused = f"but {path} is no library"
            return False
        if program.architecture != self._linker.program.architecture:
            self.refused = self.refused or f"which is at {path} but made for {program.architecture}"
            return True
        linkage = files.linkage(walk)
        self.found, self.walk = path, walk
        if isinstance(linkage, Linkage):
            self.linkage = linkage
        else:
            self.opaque = linkage.reason if linkage is not None else ""
        return False


def _root(one: Object) -> str:
    """Return the program or module for which an object is loaded: the last but the program itself."""
    root = one
    for above in one.above:
        root = above if above.loader is not None else root
    return root.path


def _rank(version: str) -> tuple[str, tuple[int, ...]]:
    """Return what versions of one family are compared by: ``GLIBC_2.9`` comes before ``GLIBC_2.36``."""
    match = _VERSION.fullmatch(version)
    return (match[1], tuple(map(int, match[2].split(".")))) if match else (version, ())


def newest(versions: Iterable[str]) -> str:
    """Return the newest of some versions of symbols."""
    return max(versions, key=_rank)
