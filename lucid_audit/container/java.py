"""What Java finds: the archive or class that it is told to run, its main class, and whether it is too new for the runtime.

Facts: java(1); the JAR File Specification ("Main Attributes", "Class-Path", "Multi-release JAR files"); The Java Virtual
Machine Specification, table 4.1-A (major version 44 + N is that of release N).
"""

from __future__ import annotations

from posixpath import dirname, join, normpath

from lucid_audit.container.access import READ, who
from lucid_audit.container.class_file import LIMIT as CLASS
from lucid_audit.container.class_file import read_class
from lucid_audit.container.config import Container
from lucid_audit.container.interpret import Task
from lucid_audit.container.jar import LIMIT, Jar, UnreadableJarError, major_of, read_jar
from lucid_audit.container.launch import Link
from lucid_audit.container.tree import Walk
from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple

_JARS = 1000  # archives of a class path that are looked into
_HELD = 64 << 20  # bytes of archives that are held
_ABOVE = 200  # superclasses and interfaces that are followed
_VERSION = regex(r'JAVA_VERSION="(?:1\.)?(\d+)')
_MODULES = regex(r'MODULES="([^"]*)"')
_OPTIONS = ("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")
_ELSEWHERE = ("-javaagent", "-agentpath", "-agentlib", "-Xbootclasspath", "--patch-module", "-Djava.system.class.loader",
              "-Djava.class.path", "-XX:Flags", "-XX:VMOptionsFile")  # fmt: skip
_COMMAND = ("@", "-cp", "-classpath", "--class-path", "-jar", "-m", "--module")  # in variables only
_OF_JAVA = ("java.", "javax.", "jdk.", "sun.", "com.sun.", "org.w3c.", "org.xml.", "org.ietf.", "netscape.")
_NESTED = regex(r"org\.springframework\.boot\.loader\.(?:launch\.)?JarLauncher")


class Found(NamedTuple):
    """What is wrong, with the file that it is about; ``doubt`` is why nothing can be said."""

    path: str = ""
    words: str = ""
    doubt: str = ""


class Runtime(NamedTuple):
    """A Java runtime. ``release`` is its number, 0 when not known; ``plain``: it has Java's own modules and no others."""

    release: int = 0
    plain: bool = False


class _There(NamedTuple):
    """Where a class is: the archive or file, and the beginning of it. ``shut``: the user may not read it."""

    path: str
    data: bytes
    shut: bool = False


class _Doubt(Exception):  # noqa: N818  (no error: the end of a search)
    pass


def java_start(container: Container, real: str, told: Task, arguments: tuple[str, ...], links: list[Link]) -> Found:
    """Follow what ``java`` is told to run to its main class. Never raises."""
    workdir = container.workdir.known()
    if workdir is None:
        return Found()
    try:
        values = [container.env[name].known() for name in _OPTIONS if name in container.env]
        written = [word for value in values for word in ("@" if value is None else value).split()]
        given = arguments[: arguments.index(told.name)]
        if any(word.startswith((*_ELSEWHERE, *_COMMAND)) for word in written) or any(
            word.startswith(_ELSEWHERE) for word in given
        ):
            return Found(doubt="options of java change where classes come from")
        return _Search(container, _runtime(container, real), links).run(told, workdir)
    except UnreadableJarError:
        return Found(doubt="an archive of its class path cannot be read")
    except _Doubt as doubt:
        return Found(doubt=str(doubt))


def _runtime(container: Container, real: str) -> Runtime:
    content = container.files.read(f"{dirname(dirname(real))}/release")
    if isinstance(content, bytes):
        text = content.decode("ascii", "replace")
        version, modules = _VERSION.search(text), _MODULES.search(text)
        own = modules is not None and all(name.startswith(("java.", "jdk.")) for name in modules[1].split())
        return Runtime(int(version[1]) if version is not None else 0, own)
    base = container.base.interpreter if container.base is not None else None
    if base is not None and base.kind == "java" and base.path == real and (base.version or "").isdecimal():
        return Runtime(int(base.version or 0), plain=True)
    return Runtime()


class _Search:
    def __init__(self, container: Container, runtime: Runtime, links: list[Link]) -> None:
        self.files, self.runtime, self.links = container.files, runtime, links
        self.jars: dict[str, Jar | None] = {}
        self.held = 0
        self.who = who(container)

    def run(self, told: Task, workdir: str) -> Found:
        """Find the main class."""
        if told.kind == "class":
            return self._class(told.name.replace("/", "."), self._elements(told.folder, workdir), "")
        path = join(workdir, told.name)
        jar = self._jar(path)
        if jar is None:
            return Found(path, f"{path} is no zip archive, so no jar")
        main = jar.main.get("main-class", "")
        if not main:
            return Found(path, f"the manifest of {path} names no Main-Class")
        if "launcher-agent-class" in jar.main or "javafx-application-class" in jar.main:
            return Found(doubt=f"{path} starts by other means than its main class")
        start = jar.main.get("start-class", "")
        if start and _NESTED.fullmatch(main):
            inside = f"BOOT-INF/classes/{start.replace('.', '/')}.class"
            newer = self._newer(start, _There(path, jar.beginning(inside, 0, CLASS)))
            if newer is not None:
                return newer
        return self._class(main.replace("/", "."), [path], path)

    def _elements(self, classpath: str, workdir: str) -> list[str]:
        found = []
        for part in classpath.split(":"):
            if part == "*" or part.endswith("/*"):
                folder = self.files.walk(join(workdir, part[:-1] or "."))
                if folder.state == "unknown" or (folder.node is not None and self.files.doubt(folder.node)):
                    raise _Doubt(f"what is in {folder.path} is not known")
                names = folder.node.children if folder.node is not None else ()
                found += [f"{folder.path}/{name}" for name in sorted(names) if name.endswith((".jar", ".JAR"))]
            else:
                found.append(join(workdir, part) if part else workdir)
        return found

    def _class(self, name: str, elements: list[str], of: str) -> Found:
        """Look a class up along the class path, and all that the runtime loads before it."""
        there, closed = self._lookup(name, elements)
        if there is not None and there.shut:
            return Found(there.path, f"{there.path} may not be read by user {self.who.uid}")
        if there is not None:
            node = self._walk(there.path).node
            self.links.append(Link(f"main class {name}", there.path, node.made if node is not None else None))
            return self._newer(name, there) or self._above(name, there, elements) or Found()
        if not self._foreign(name):
            raise _Doubt(f"whether the Java runtime itself has {name} is not known")
        if of:
            return Found(of, f"the manifest of {of} names the main class {name}, which is not in it")
        return Found(name, f"the main class {name} is nowhere on the class path{closed}")

    def _above(self, name: str, there: _There, elements: list[str]) -> Found | None:
        """Look at superclasses and interfaces: without them a class is not even loaded."""
        seen, waiting = {name}, [(name, there)]
        while waiting:
            by, place = waiting.pop(0)
            read = read_class(place.data)
            for one in read.above if read is not None else ():
                if one in seen or one.startswith(_OF_JAVA) or len(seen) > _ABOVE:
                    continue
                seen.add(one)
                found, closed = self._lookup(one, elements)
                if found is None and self._foreign(one):
                    words = (
                        f"{by} in {place.path} extends or implements {one}, which is nowhere on the class path{closed}"
                    )
                    return Found(place.path, words)
                if found is not None and not found.shut:
                    newer = self._newer(one, found)
                    if newer is not None:
                        return newer
                    waiting.append((one, found))
        return None

    def _foreign(self, name: str) -> bool:
        """Whether the runtime surely does not have a class itself."""
        return not name.startswith(_OF_JAVA) and self.runtime.plain and self.runtime.release >= 9

    def _lookup(self, name: str, elements: list[str]) -> tuple[_There | None, str]:
        """Return where a class is along the class path, as far as manifests lengthen it, and what of that is closed."""
        inside, seen, closed, left = f"{name.replace('.', '/')}.class", set[str](), "", list(elements)
        while left:
            path = left.pop(0)
            if path in seen:
                continue
            seen.add(path)
            if len(seen) > _JARS:
                raise _Doubt("its class path is too long")
            walk = self._walk(path)
            if walk.node is not None and self._closed(walk):
                closed = closed or f", of which user {self.who.uid} may not read {walk.path}"
                continue  # java passes over what it cannot open
            if walk.node is not None and walk.node.kind == "d":
                there = self._walk(f"{path}/{inside}")
                if there.node is not None:
                    data = there.node.load(CLASS) if there.node.load is not None else None
                    return _There(there.path, data or b"", self._closed(there)), closed
                continue
            jar = self._jar(path)
            if jar is not None and jar.has(inside):
                return _There(path, jar.beginning(inside, self.runtime.release, CLASS)), closed
            left[:0] = self._more(path, jar) if jar is not None else ()
        return None, closed

    def _more(self, path: str, jar: Jar) -> list[str]:
        """Return the Class-Path of a manifest; what ends without a slash is no folder."""
        written = jar.main.get("class-path", "").split()
        if any(":" in one or "%" in one for one in written):
            raise _Doubt(f"the Class-Path of {path} has addresses")
        more = [(normpath(join(dirname(path), one)), one.endswith("/")) for one in written]
        return [one for one, folder in more if folder or (node := self._walk(one).node) is None or node.kind != "d"]

    def _newer(self, name: str, there: _There) -> Found | None:
        major, release = major_of(there.data), self.runtime.release
        if release and major > 44 + release:
            made = f"{name} in {there.path} is compiled for Java {major - 44} (class file version {major})"
            return Found(there.path, f"{made}, the image has Java {release}")
        return None

    def _walk(self, path: str) -> Walk:
        walk = self.files.walk(path)
        if walk.state == "unknown":
            raise _Doubt(walk.reason)
        return walk

    def _closed(self, walk: Walk) -> bool:
        """Whether the user surely cannot open what a path led to."""
        node = walk.node
        shut = self.who.enters(walk.through) is not None
        return shut or (node is not None and node.kind == "f" and self.who.may(node, READ) is False)

    def _jar(self, path: str) -> Jar | None:
        """Read a jar, None when it surely is none."""
        if path in self.jars:
            return self.jars[path]
        walk = self._walk(path)
        if walk.node is None:
            return None
        data = walk.node.load(LIMIT) if walk.node.kind == "f" and walk.node.load is not None else None
        if data is None or len(data) >= LIMIT:
            raise _Doubt(f"the content of {walk.path} is not known")
        jar = read_jar(data)
        self.held += len(data)
        if self.held <= _HELD:
            self.jars[path] = jar
        return jar
