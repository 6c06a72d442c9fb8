"""What is copied into a final image that is meant to have no shell: programs, system folders, libraries."""

from __future__ import annotations

from fnmatch import fnmatchcase
from posixpath import basename, dirname

from lucid_audit.bases import Base
from lucid_audit.checks import Answers, check
from lucid_audit.checks.contexts import judgement
from lucid_audit.checks.copyfacts import Copied, bare_final, brought, covers
from lucid_audit.checks.runtext import stage_text
from lucid_audit.container.files import MERGED, PROGRAM_DIRECTORIES
from lucid_audit.container.predicted import canonical
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.globs import has_wildcards
from lucid_audit.dockerfile.model import Transfer
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.regex import rx
from lucid_audit.text import Span
from lucid_audit.values import Unknown

_WHOLE = ("/", "/usr", *PROGRAM_DIRECTORIES[:4])  # where every distribution has its programs
_LIBC = r"libc\.so\.6|libc-2\.\d+\.so|ld-2\.\d+\.so|ld-linux[\w.-]*\.so\.\d|ld-musl-\w+\.so\.1|libc\.musl-\w+\.so\.1"
_LIBC_FILES = {
    "glibc": ("libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"),
    "musl": ("ld-musl-x86_64.so.1",),
}
_LIBRARY_FOLDERS = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")


@record
class Programs:
    """``names`` of programs, the most telling first."""

    names: tuple[str, ...]


@check("copy-brings-program")
def copy_brings_program(build: Build, params: Programs) -> Answers:
    """Judge copied programs by name, and copied program folders by what the catalogue knows of the image they are from."""
    if bare_final(build) is None:
        return
    for copied in brought(build):
        if copied.path == "/" and copied.to == "/":
            continue  # the copy of a whole file system is a rule of its own
        found = _program(copied, params.names)
        if isinstance(found, Unknown):
            yield Skip(copied.span, found.reason)
        elif found:
            origin = f" of {copied.origin}" if copied.origin else " of the build context"
            yield Hit(copied.span, program=found, path=copied.lands(found), origin=origin)


def _is_context_folder(build: Build, copied: Copied) -> bool:
    """Whether a source is a folder of the build context: one called ``bash`` is no shell."""
    judged = judgement(build) if not copied.origin else None
    return judged is not None and judged.context.kind(copied.path) == "dir"


def _program(copied: Copied, names: tuple[str, ...]) -> str | Unknown:
    """Return the path of a program of these names that is copied, "" when none is."""
    name, folder = basename(copied.path), dirname(copied.path)
    runs = _is_program_folder(folder) or _is_program_folder(copied.to if copied.into else dirname(copied.to))
    if runs and (name in names or (not copied.into and basename(copied.to) in names)):
        return copied.path
    if not copied.origin:
        return ""
    if copied.base is None:
        whole = canonical(None, copied.folder) in _WHOLE
        return Unknown(f"what {copied.origin} has in {copied.folder} is not in the catalogue") if whole else ""
    known = sorted({*copied.base.programs, copied.base.shell or ""}, key=lambda path: _rank(path, names))
    for program in known:
        if basename(program) in names and (inner := _inside(copied, program)):
            return inner
    return ""


def _rank(path: str, names: tuple[str, ...]) -> tuple[int, str]:
    name = basename(path)
    return (names.index(name) if name in names else len(names), path)


def _inside(copied: Copied, program: str) -> str:
    """Return the program's path as the copied folder or wildcard names it, "" when it is not taken along."""
    here, there = canonical(copied.base, copied.folder), canonical(copied.base, program)
    if here != there and covers(here, there):
        return copied.folder.rstrip("/") + there[len(here.rstrip("/")) :]
    name = basename(copied.path)
    if has_wildcards(name) and dirname(here) == dirname(there) and fnmatchcase(basename(there), name):
        return f"{dirname(copied.path)}/{basename(there)}"
    return ""


def _is_program_folder(folder: str) -> bool:
    return basename(folder) in ("bin", "sbin", "busybox")


@check("copy-root-to-root")
def copy_root_to_root(build: Build) -> Answers:
    """Judge copies of a whole file system onto the final image; one that is known to have no shell may be."""
    final = bare_final(build)
    for copied in brought(build) if final is not None else ():
        if copied.origin and copied.folder == "/" and copied.to == "/":
            shell = copied.base.has_shell if copied.base is not None else None
            if shell is None:
                yield Skip(copied.span, f"whether {copied.origin} has a shell is not in the catalogue")
            elif shell:
                manager = copied.base.package_manager if copied.base is not None else ""
                also = f" and {manager}" if manager else ""
                yield Hit(copied.span, origin=copied.origin, shell=copied.base.shell if copied.base else "", also=also)


@record
class OverBase:
    """``paths``: globs over destinations, each with what comes of it. ``unless``: a pattern; builders that run it may."""

    paths: dict[str, str]
    unless: str = ""


@check("copy-over-base")
def copy_over_base(build: Build, params: OverBase) -> Answers:
    """Judge copies of a builder's system files onto those that a distroless base brings itself."""
    base = bare_final(build)
    if base is None or base.family == "scratch":
        return
    for copied in brought(build):
        if not copied.origin:
            continue
        consequence = _consequence(copied, params.paths)
        if consequence and not (params.unless and copied.stage and rx(params.unless).search(stage_text(copied.stage))):
            names = {
                "source": copied.folder,
                "origin": copied.origin,
                "path": _target(copied),
                "image": base.ref.familiar,
            }
            yield Hit(copied.span, consequence=consequence, **names)


def _target(copied: Copied) -> str:
    """Return the destination; a file put into a folder keeps its name."""
    named = copied.into and "." in basename(copied.path) and not has_wildcards(copied.path)
    return copied.lands(copied.path) if named else copied.to


def _consequence(copied: Copied, paths: dict[str, str]) -> str:
    source, target = copied.folder, _target(copied)
    if not any(_is(source, glob) for glob in paths):
        return ""
    return next((text for glob, text in paths.items() if _is(target, glob)), "")


def _is(path: str, glob: str) -> bool:
    """Whether a glob names a path; a star stays within one folder."""
    return path == glob or ("*" in glob and path.count("/") == glob.count("/") and fnmatchcase(path, glob))


@record
class CopiedLibc:
    """``same``: judge copies of the version that the base has, instead of other ones."""

    same: bool = False


@check("copy-brings-libc")
def copy_brings_libc(build: Build, params: CopiedLibc) -> Answers:
    """Judge C libraries and loaders copied to where the loader of a base with a libc of its own finds them."""
    base = bare_final(build)
    if base is None or base.libc is None or base.libc.kind not in _LIBC_FILES:
        return
    for copied in brought(build):
        name = _libc_name(copied)
        if name and _loaded(build, copied.lands(copied.path)):
            theirs = copied.base.libc if copied.base is not None else None
            if params.same == (theirs is not None and theirs == base.libc and theirs.version is not None):
                of = copied.origin or "the build context"
                yield Hit(
                    copied.span,
                    name=name,
                    origin=of,
                    theirs=_version(copied.base),
                    ours=_version(base),
                    image=base.ref.familiar,
                )


def _libc_name(copied: Copied) -> str:
    name = basename(copied.path)
    if name.startswith(("libc", "ld-")) and rx(_LIBC).fullmatch(name):
        return name
    if not has_wildcards(name) or "lib" not in dirname(copied.path) or copied.path.endswith("/*"):
        return ""
    kind = copied.base.libc.kind if copied.base is not None and copied.base.libc is not None else "glibc"
    return next((file for file in _LIBC_FILES.get(kind, ()) if fnmatchcase(file, name)), "")


def _loaded(build: Build, path: str) -> bool:
    """Whether the loader looks where the file ends up: its own folders, or LD_LIBRARY_PATH."""
    folder = dirname(path)
    if any(covers(library, folder) for library in _LIBRARY_FOLDERS):
        return True
    container = build.container
    traced = container.env.get("LD_LIBRARY_PATH") if container is not None else None
    return traced is not None and folder in (traced.known() or "").split(":")


def _version(base: Base | None) -> str:
    """Return a libc in words: ``glibc 2.36``."""
    libc = base.libc if base is not None else None
    if libc is None:
        return "an unknown version"
    return f"{libc.kind} {'.'.join(map(str, libc.version))}" if libc.version else libc.kind


@check("copy-link-over-symlink")
def copy_link_over_symlink(build: Build) -> Answers:
    """Judge ``--link`` copies below a path that is a link in the base: the layer has real folders only, which hide it."""
    for stage, step in build.steps("COPY", "ADD"):
        instruction = step.instruction
        if not isinstance(instruction, Transfer) or not instruction.linked or stage.base is None:
            continue
        to = step.destination(instruction.destination)
        if isinstance(to, Unknown):
            continue
        for link in MERGED:
            entry = stage.base.entries.get(link)
            if entry is not None and entry.kind == "l" and covers(link, to.rstrip("/")):
                target = (entry.target or "").lstrip("/")
                span: Span = instruction.destination.span
                yield Hit(span, link=link, target=target, image=stage.base.ref.familiar)
