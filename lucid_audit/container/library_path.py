"""Where the dynamic linker looks for a library, in its order: that of glibc and that of musl.

Facts: ld.so(8), "DESCRIPTION" and "Rpath token expansion"; glibc ``elf/dl-load.c`` (``_dl_map_new_object``) and its ``Makeconfig``
(system folders; Debian's are those of its multiarch triplet, then /lib and /usr/lib); musl ``ldso/dynlink.c`` (``load_library``).
"""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename, dirname, join, normpath

from lucid_audit.container.config import Container
from lucid_audit.container.ld_cache import PATH, read_cache
from lucid_audit.container.linkage import Linkage
from lucid_audit.container.program import Program
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

TRIPLETS = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu", "386": "i386-linux-gnu", "arm": "arm-linux-gnueabihf",
            "ppc64le": "powerpc64le-linux-gnu", "s390x": "s390x-linux-gnu", "riscv64": "riscv64-linux-gnu",
            "mips64le": "mips64el-linux-gnuabi64", "loong64": "loongarch64-linux-gnu"}  # fmt: skip
_PLATFORMS = {"amd64": "x86_64", "arm64": "aarch64", "386": "i686"}  # AT_PLATFORM, where it is always the same
_MUSL = ("/lib", "/usr/local/lib", "/usr/lib")
# Elsewhere a loader has folders of its own.
_TRUSTED = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/")
_LOADERS = ("/lib", "/lib64", "/lib32", "/libx32", "/usr/lib", "/usr/lib64")


class Object(NamedTuple):
    """A file that the linker has loaded: the path by which it found it, and what loaded it (None: the kernel)."""

    path: str
    linkage: Linkage
    loader: Object | None = None

    @property
    def above(self) -> Iterator[Object]:
        """The object and those that led to it."""
        one: Object | None = self
        while one is not None:
            yield one
            one = one.loader


class Place(NamedTuple):
    """A folder or a file that is tried. ``doubt``: it is not known, and why."""

    path: str
    file: bool = False
    doubt: str = ""


class LibraryPath:
    """The search of one process. ``secure`` is why it runs in secure-execution mode, "" when it does not."""

    def __init__(self, container: Container, program: Program, secure: str = "") -> None:
        self.files, self._program = container.files, program
        self.musl = basename(program.interpreter).startswith("ld-musl-")
        self.known = dirname(program.interpreter) in _LOADERS
        self._container, self.secure = container, secure
        self._environment = tuple(self._variable()) if not secure else ()
        self.cache = self._cached() if not self.musl else {}
        self._system = tuple(self._musl() if self.musl else self._glibc())

    def of(self, name: str, by: Object) -> Iterator[Place]:
        """Yield what is tried for a needed name without a slash."""
        if self.musl:
            yield from self._environment
            for one in by.above:
                yield from self._expanded(one.linkage.runpath or one.linkage.rpath, one.path)
            yield from self._system
            return
        if not by.linkage.runpath:
            for one in by.above:
                yield from self._expanded(one.linkage.rpath, one.path)
        yield from self._environment
        yield from self._expanded(by.linkage.runpath, by.path)
        if by.linkage.default:
            if isinstance(self.cache, Unknown):
                yield Place(PATH, doubt=self.cache.reason)
            else:
                yield from (Place(path, file=True) for path in self.cache.get(name, ()))
            yield from self._system

    def preloaded(self) -> Iterator[str]:
        """Yield the libraries of LD_PRELOAD; what is not known of it is left out."""
        traced = self._container.env.get("LD_PRELOAD")
        if traced is not None and not self.secure:
            yield from (traced.known() or "").replace(":", " ").split()

    def outside(self) -> tuple[str, ...]:
        """Return the folders of LD_LIBRARY_PATH that do not count, as the program runs in secure-execution mode."""
        return tuple(place.path for place in self._variable() if not place.doubt) if self.secure else ()

    def _variable(self) -> Iterator[Place]:
        """Yield the folders of LD_LIBRARY_PATH; an empty one is the working directory."""
        traced = self._container.env.get("LD_LIBRARY_PATH")
        if traced is None and self._container.env_open:
            yield Place("LD_LIBRARY_PATH", doubt=self._container.env_open)
        if traced is None or traced.value == "":
            return
        if isinstance(traced.value, Unknown):
            yield Place("LD_LIBRARY_PATH", doubt=traced.value.reason)
            return
        for folder in traced.value.replace(";", ":").split(":"):
            yield from self._expanded(folder or ".", "")

    def _expanded(self, folders: str, path: str) -> Iterator[Place]:
        """Yield folders with $ORIGIN, $LIB and $PLATFORM replaced; relative ones are below the working directory."""
        triplet = TRIPLETS.get(self._program.architecture, "")
        for folder in folders.split(":") if folders else ():
            told = folder.replace("${", "$").replace("}", "") if "${" in folder else folder
            if "$ORIGIN" in told and path:
                told = told.replace("$ORIGIN", dirname(path))
                if self.secure and not self.musl and not normpath(told).startswith(_TRUSTED):
                    continue
            told = told.replace("$PLATFORM", _PLATFORMS.get(self._program.architecture, "$PLATFORM"))
            for lib in (f"lib/{triplet}", "lib64", "lib") if "$LIB" in told else ("",):
                yield self._place(told.replace("$LIB", lib))

    def _place(self, folder: str) -> Place:
        if "$" in folder:
            return Place(folder, doubt=f"where {folder} leads is not known")
        if folder.startswith("/"):
            return Place(folder)
        workdir = self._container.workdir.value
        return Place(folder, doubt=workdir.reason) if isinstance(workdir, Unknown) else Place(join(workdir, folder))

    def _cached(self) -> dict[str, tuple[str, ...]] | Unknown:
        content = self.files.read(PATH)
        if content is None:
            return {}
        if isinstance(content, Unknown):
            return content
        read = read_cache(content, ">" if self._program.architecture == "s390x" else "<")
        return read if read is not None else Unknown(f"{PATH} cannot be read")

    def _glibc(self) -> Iterator[Place]:
        """Yield every folder that is a system folder with one distribution or another."""
        triplet = TRIPLETS.get(self._program.architecture)
        names = (f"lib/{triplet}", "lib", "lib64") if triplet else ("lib", "lib64")
        for name in names:
            yield from (Place(f"/{name}"), Place(f"/usr/{name}"))

    def _musl(self) -> Iterator[Place]:
        """Yield the folders of ``/etc/ld-musl-*.path``, else the usual ones."""
        path = f"/etc/{basename(self._program.interpreter).partition('.so')[0]}.path"
        content = self.files.read(path)
        if isinstance(content, Unknown):
            yield Place(path, doubt=content.reason)
        elif content is not None:
            yield from (Place(one) for one in content.decode("utf-8", "replace").replace("\n", ":").split(":") if one)
        else:
            yield from (Place(folder) for folder in _MUSL)
