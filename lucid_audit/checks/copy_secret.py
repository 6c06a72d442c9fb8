"""Files with secrets that COPY and ADD write into a layer, and what lies in root's home where the user cannot go."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename, join, normpath

from lucid_audit.checks import Answers, check
from lucid_audit.checks.contexts import judgement
from lucid_audit.checks.copyfacts import covers, plain_sources, remote, shape
from lucid_audit.checks.pyfacts import copies, packages
from lucid_audit.checks.secret_files import READ, kind_by_content, kind_by_name, open_name
from lucid_audit.checks.user import is_root, runs_as_root
from lucid_audit.container.config import Container
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.context import Context
from lucid_audit.dockerfile.model import Transfer
from lucid_audit.dockerfile.stages import Step
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.regex import rx
from lucid_audit.text import Span
from lucid_audit.values import Unknown


@record
class SecretFile:
    """``stages``: "final" for what ends up in the image, "builder" for the other stages."""

    stages: str


@check("copy-secret-file")
def copy_secret_file(build: Build, params: SecretFile) -> Answers:
    """Judge names of copied files, and where the context is known the content of those whose name leaves it open."""
    for step, instruction in _transfers(build, params.stages):
        context = _context(build) if instruction.from_ is None else None
        for word in plain_sources(instruction):
            source, known = shape(step, word)
            if remote(source):
                continue
            kind = kind_by_name(source) or _renamed(step, instruction, source)
            if not kind and known:
                kind = _content(context, source)
            if kind:
                yield Hit(word.span, file=source, kind=kind)


def _transfers(build: Build, which: str) -> Iterator[tuple[Step, Transfer]]:
    final = {id(step) for _, step in build.final_steps("COPY", "ADD")}
    steps = build.final_steps("COPY", "ADD") if which == "final" else build.steps("COPY", "ADD")
    for _, step in steps:
        instruction = step.instruction
        if isinstance(instruction, Transfer) and (which == "final" or id(step) not in final):
            yield step, instruction


def _renamed(step: Step, instruction: Transfer, source: str) -> str:
    """Say what a file is by the name it gets: ``COPY settings /app/.env``. A sample stays one under any name."""
    to = step.destination(instruction.destination)
    if isinstance(to, Unknown) or to.endswith("/") or len(instruction.sources) > 1:
        return ""
    if not basename(to).startswith((".env", "id_", ".netrc")):
        return ""
    sample = rx(r"[._-](?:example|sample|template|dist|defaults?)\b").search(basename(source)) is not None
    return kind_by_name(to) if not sample else ""


def _context(build: Build) -> Context | None:
    """Return the context that the sources are judged in, None when none is known."""
    judged = judgement(build)
    return judged.context if judged is not None else None


def _content(context: Context | None, source: str) -> str:
    if context is None or not open_name(source):
        return ""
    data = context.read(source, READ)
    return kind_by_content(source, data) if data is not None else ""


@check("copy-folder-with-secret")
def copy_folder_with_secret(build: Build) -> Answers:
    """Judge folders of the context that are copied whole, by the names directly in them: ``COPY . /app`` takes .env along.

    A builder's copy counts when the final image copies the file on from there. Deeper folders are not read, for that
    would cost more than all other checks together.
    """
    context = _context(build)
    if context is None:
        return
    final = {id(step) for _, step in build.final_steps("COPY", "ADD")}
    taken = [copy for copy in copies(build) if copy.stage is not build.target]
    for stage, step in build.steps("COPY", "ADD"):
        instruction = step.instruction
        to = step.destination(instruction.destination) if isinstance(instruction, Transfer) else ""
        if not isinstance(instruction, Transfer) or instruction.from_ is not None or isinstance(to, Unknown):
            continue
        for word in plain_sources(instruction):
            for name, kind in _secrets_in(context, step.scope.text(word)):
                lands = join(to, name)
                passed_on = any(stage in copy.stage.lineage() and copy.mapped(lands) for copy in taken)
                if id(step) in final or passed_on:
                    yield Hit(word.span, source=word.raw, file=name, kind=kind)


def _secrets_in(context: Context, source: str | None) -> Iterator[tuple[str, str]]:
    """Yield the entries directly in a folder that are sent and whose names say that they are secret."""
    if not source or remote(source):
        return
    match = context.match(source)
    folder = match.paths[0] if len(match.paths) == 1 and match.kind == "found" else ""
    if not folder or context.kind(folder) != "dir":
        return
    for name in context.list_dir(folder) or ():
        path = name if folder == "." else f"{folder}/{name}"
        kind = (
            kind_by_name(name) or _content(context, path)
            if name[0] in "._i" or name.endswith((".pem", ".key", ".env"))
            else ""
        )
        if kind and context.match(path).kind == "found":
            yield name, kind


@check("root-home-copied")
def root_home_copied(build: Build) -> Answers:
    """Judge what is copied below a /root that is closed to others; packages of Python are another check's matter."""
    container = build.container
    if container is None or not _closed_home(container):
        return
    user = container.user.value
    below = [placed for placed in container.files.placements if covers("/root", placed.path or "")]
    if not below or (isinstance(user, str) and is_root(user)):
        return
    packaged = {
        copy.span for copy in copies(build) for made in packages(copy.stage) if made.site and copy.mapped(made.site)
    }
    for placed in below:
        if placed.span not in packaged:
            if isinstance(user, Unknown):
                yield Skip(placed.span, user.reason)
            else:
                yield Hit(placed.span, path=normpath(placed.path or ""), user=user)


def _closed_home(container: Container) -> bool:
    entry = container.base.entries.get("/root") if container.base is not None else None
    return entry is not None and entry.mode is not None and not entry.mode & 0o005 and not container.files.opaque


_SEARCHED = ("PATH", "PYTHONPATH", "NODE_PATH", "LD_LIBRARY_PATH")


@check("root-home-on-path")
def root_home_on_path(container: Container) -> Answers:
    """Judge search paths that lead below a /root that the user cannot enter: such entries are passed over in silence."""
    user = container.user.value
    if isinstance(user, Unknown) or runs_as_root(container) or not _closed_home(container):
        return
    for name in _SEARCHED:
        traced = container.env.get(name)
        value = traced.known() if traced is not None else None
        for entry in (value or "").split(":"):
            if traced is not None and not traced.inherited and covers("/root", normpath(entry or ".")):
                at = traced.place
                place = Span(at.start, at.end) if isinstance(at, Span) else at
                yield Hit(place, name=name, entry=entry, user=user)
