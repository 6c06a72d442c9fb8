"""Programs copied from a stage whose C library the final image does not have: another kind, or a newer version.

A program that is linked dynamically names its loader and the versions of the symbols it uses. Those of a newer glibc are
not in an older one ("version `GLIBC_2.38' not found"), and the loader of musl is not in an image with glibc ("no such file or
directory"). Which programs are linked dynamically is known of those a distribution installs, and of those that gcc and
cargo make without being told otherwise; what Go makes is left alone, as it is mostly static.
"""

from __future__ import annotations

from posixpath import basename, normpath

from lucid_audit.bases import Base, Libc
from lucid_audit.checks import Answers, check
from lucid_audit.checks.copyfacts import plain_sources
from lucid_audit.checks.runtext import called, stage_text
from lucid_audit.container.base_tree import LOADERS
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.globs import has_wildcards
from lucid_audit.dockerfile.model import Transfer
from lucid_audit.dockerfile.stages import Stage
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.regex import rx

_MANAGERS = frozenset(("apt-get", "apt", "aptitude", "apk", "dnf", "microdnf", "yum", "tdnf", "zypper"))
_CARGO = r"/target/(?:[^/]+/)?(?:release|debug)/[^/.]+$"
_COMPILED = r"\b(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+)\b[^;&|\n]*?\s-o[ =]?\s*([^\s;&|]+)"
_STATIC = r"-static\b|crt-static|-musl\b|\bstatic-pie\b|musl-gcc|\bLDFLAGS=[^\n]*static"


@record
class CopiedLibc:
    """``differs``: what is judged, another ``kind`` of C library or a newer ``version``."""

    differs: str


@check("copied-libc")
def copied_libc(build: Build, params: CopiedLibc) -> Answers:
    """Judge what COPY takes from stages that have another C library than the image."""
    target = build.target
    ours = target.root.base.libc if target is not None and target.root.base is not None else None
    if target is None or target.root.base is None or ours is None:
        return
    for _, step in build.final_steps("COPY"):
        instruction = step.instruction
        word = instruction.from_ if isinstance(instruction, Transfer) else None
        stage = build.graph.stage(word.raw) if word is not None else None
        theirs = stage.root.base.libc if stage is not None and stage.root.base is not None else None
        if not isinstance(instruction, Transfer) or stage is None or theirs is None:
            continue
        if not _differs(params.differs, theirs, ours):
            continue
        for source in plain_sources(instruction):
            path = step.scope.text(source)
            made = _linked(build, stage, normpath("/" + path.lstrip("/"))) if path and not has_wildcards(path) else ""
            if not made:
                continue
            doubt = _brought(build, theirs.kind) if params.differs == "kind" else ""
            if doubt == "":
                yield Hit(source.span, path=path, made=made, stage=called(stage), theirs=_named(theirs),
                          ours=_named(ours), base=target.root.base.ref.familiar)  # fmt: skip
            elif doubt is not None:
                yield Skip(source.span, doubt)


def _differs(what: str, theirs: Libc, ours: Libc) -> bool:
    if what == "kind" or theirs.kind != ours.kind:
        return what == "kind" and theirs.kind != ours.kind
    return theirs.kind == "glibc" and None not in (theirs.version, ours.version) and theirs.version > ours.version  # type: ignore[operator]


def _named(libc: Libc) -> str:
    return f"{libc.kind} {'.'.join(map(str, libc.version))}" if libc.version and libc.kind == "glibc" else libc.kind


def _linked(build: Build, stage: Stage, path: str) -> str:
    """Say what made a program that is surely or usually linked with the C library of its stage, "" for all else."""
    name = basename(path)
    if name == "busybox" or name.endswith("-static"):
        return ""  # copied for being static
    text = stage_text(stage)
    if rx(_STATIC).search(text):
        return ""
    if any(basename(found) == name for found in rx(_COMPILED).findall(text)):
        return "compiled"
    if rx(_CARGO).search(path) and "cargo" in text:
        musl = stage.root.base is not None and stage.root.base.libc is not None and stage.root.base.libc.kind == "musl"
        return "" if musl else "compiled by cargo"  # for musl, rustc links statically by default
    node = build.trees.end(stage).walk(path).node
    if node is None or node.kind == "d":
        return ""
    if node.made.span is None:
        return "a program of the base" if _program(stage.root.base, path) else ""
    return (
        f"installed by {node.made.words}"
        if node.made.words in _MANAGERS and ("/bin/" in path or "/sbin/" in path)
        else ""
    )


def _program(base: Base | None, path: str) -> bool:
    if base is None:
        return False
    interpreter = base.interpreter
    own = (
        interpreter is not None
        and interpreter.kind in ("python", "node")
        and path in (interpreter.path, *interpreter.aliases)
    )
    return own or (path in base.programs and base.family in ("debian", "ubuntu", "alpine"))


def _brought(build: Build, kind: str) -> str | None:
    """Return "" when the image surely lacks the other library's loader, None when it has it, else why that is not known."""
    container = build.container
    if container is None:
        return None
    doubt = ""
    for libc, name in LOADERS:
        if libc == kind:
            walk = container.files.walk(f"/lib/{name}")
            if walk.state == "present":
                return None
            doubt = doubt or (walk.reason if walk.state == "unknown" else "")
    return doubt
