"""How COPY and ADD are written: words that are no paths, destinations that are no folders, ADD where COPY serves."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename

from lucid_audit.checks import Answers, check
from lucid_audit.checks.contexts import judgement
from lucid_audit.checks.copyfacts import bare_final, covers, git, plain_sources, remote, shape
from lucid_audit.checks.copytext import first_non_path
from lucid_audit.container.files import State
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.globs import has_wildcards
from lucid_audit.dockerfile.model import Plain, Transfer
from lucid_audit.dockerfile.stages import Stage, Step
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.regex import rx
from lucid_audit.values import Unknown

# What ADD unpacks: tar archives, plain or compressed (BuildKit uses Docker's archive package, which looks at the content).
_ARCHIVE = r".*\.(?:tar|tar\.\w+|tgz|tbz2?|txz|tlz|tzst|t[abgx]z|gz|bz2|xz|zst|lzma|Z)"


def transfers(build: Build) -> Iterator[tuple[Stage, Step, Transfer]]:
    """Yield every COPY and ADD of the stages that reach the target."""
    for stage, step in build.steps("COPY", "ADD"):
        if isinstance(step.instruction, Transfer):
            yield stage, step, step.instruction


@record
class NonPath:
    """``what``: "shell" for operators, redirections, substitutions and comments, "flag" for flags behind a source."""

    what: str


@check("copy-non-path")
def copy_non_path(build: Build, params: NonPath) -> Answers:
    """Judge words that are taken for paths and were not meant as such; COPY knows no shell and no trailing comment."""
    for _, _, instruction in transfers(build):
        word, what = first_non_path(instruction)
        if word is not None and what == params.what:
            yield Hit(word.span, word=word.raw, keyword=instruction.keyword)


@record
class ManyToFile:
    """``certain``: judge destinations that are surely no folder, instead of those of which it is not known."""

    certain: bool


@check("copy-many-to-file")
def copy_many_to_file(build: Build, params: ManyToFile) -> Answers:
    """Judge several files with a destination that does not end in a slash.

    BuildKit takes it (``dispatchCopy`` has no such check): into a folder that exists the files go, otherwise each
    replaces the one before. The classic builder and others refuse.
    """
    for stage, step, instruction in transfers(build):
        if len(instruction.sources) == 1 and not has_wildcards(instruction.sources[0].raw):
            continue
        to = step.destination(instruction.destination)
        if isinstance(to, Unknown) or to.endswith("/") or to == "/" or first_non_path(instruction)[0] is not None:
            continue
        count, files = _count(build, step, instruction)
        if count < 2:
            continue
        folder = _is_folder(build, stage, step, to)
        if folder is not True and params.certain == (folder is False and files):
            yield Hit(instruction.destination.span, count=count, destination=to)


def _count(build: Build, step: Step, instruction: Transfer) -> tuple[int, bool]:
    """Return how many entries are copied as far as that is known, and whether the first is surely a file."""
    judged = judgement(build)
    context = judged.context if judged is not None else None
    count, files = 0, True
    for word in instruction.sources:
        text = step.scope.text(word)
        here = context is not None and instruction.from_ is None and text is not None and not remote(text)
        match = context.match(text) if here and context is not None and text is not None else None
        paths = match.paths if match is not None and match.kind == "found" else ()
        if count == 0:
            named = rx(r".*\w\.[a-z]\w{0,5}").fullmatch(text or "") is not None
            files = all(context.kind(path) == "file" for path in paths) if context is not None and paths else named
        count += len(paths) if paths else int(match is None or match.kind != "empty-wildcard")
    return count, files


def _is_folder(build: Build, stage: Stage, step: Step, path: str) -> bool | None:
    """Whether a path is a folder just before an instruction; None when that is not known."""
    files = build.files_before(stage, step.instruction)
    for placed in files.placements:
        if placed.path is None:
            return None
        if placed.path != path and covers(path, placed.path):
            return True
        if placed.path == path:
            return True if _made_by_workdir(build, placed.span.start) else None
    answer = files.find(path)
    if answer.state is State.PRESENT:
        entry = files.base.entries.get(path) if files.base is not None else None
        return entry.kind == "d" if entry is not None and entry.kind != "l" else None
    return False if answer.state is State.ABSENT else None


def _made_by_workdir(build: Build, start: int) -> bool:
    return any(i.span.start == start and isinstance(i, Plain) for i in build.dockerfile.instructions)


@check("copy-relative-destination")
def copy_relative_destination(build: Build) -> Answers:
    """Judge relative destinations in the final image where no WORKDIR was set and the base sets none.

    What a builder leaves in its root folder does nobody any harm.
    """
    final = {stage.index for stage in build.target.lineage()} if build.target is not None else set[int]()
    for stage, step, instruction in transfers(build):
        if stage.index not in final:
            continue
        text, known = shape(step, instruction.destination)
        if not known and instruction.destination.raw.lstrip("\"'").startswith("$"):
            continue  # whether it is absolute is up to the variable
        if text.startswith(("/", "\\")) or rx(r"[A-Za-z]:").match(text):
            continue
        if isinstance(step.workdir, Unknown):
            where = "whatever folder the base image is set to"
        elif step.workdir == "/":
            where = f"/{text.removeprefix('./')}" if text.strip("./") else "the root folder"
        else:
            continue
        if not _enters(stage, step):
            yield Hit(instruction.destination.span, destination=text, where=where)


def _enters(stage: Stage, step: Step) -> bool:
    """Whether a WORKDIR stands before a step, in its stage or those it is FROM."""
    for other in stage.all_steps():
        if other is step:
            return False
        if other.instruction.keyword == "WORKDIR":
            return True
    return False


@check("add-instead-of-copy")
def add_instead_of_copy(build: Build) -> Answers:
    """Judge ADD of local files that it would not unpack."""
    for _, step, instruction in transfers(build):
        if instruction.keyword != "ADD" or instruction.flag("unpack") is not None:
            continue
        words = list(plain_sources(instruction))
        for word in words:
            source, known = shape(step, word)
            if remote(source) or rx(_ARCHIVE).fullmatch(source):
                break
            if not known and rx(r".*\$\{?\w+\}?").fullmatch(word.raw):
                yield Skip(word.span, f"what {word.raw} names is not known")
                break
        else:
            if words:
                yield Hit(instruction.keyword_span, source=words[0].raw)


@check("add-url-checksum")
def add_url_checksum(build: Build) -> Answers:
    """Judge downloads without ``--checksum``; a git source names a commit instead."""
    for _, step, instruction in transfers(build):
        if instruction.keyword == "ADD" and instruction.flag("checksum") is None:
            for word in plain_sources(instruction):
                source, _ = shape(step, word)
                if source.startswith(("http://", "https://")) and not git(source):
                    yield Hit(word.span, url=source)


@record
class Chown:
    """``owners``: values of --chown that pass. ``except_below``: folders whose content may belong to root."""

    owners: tuple[str, ...]
    except_below: tuple[str, ...] = ()


@check("copy-chown")
def copy_chown(build: Build, params: Chown) -> Answers:
    """Judge who owns what is copied into the final image: root, unless --chown says otherwise, whatever USER is."""
    for _, step in build.final_steps("COPY", "ADD"):
        instruction = step.instruction
        to = step.destination(instruction.destination) if isinstance(instruction, Transfer) else ""
        if not isinstance(instruction, Transfer) or isinstance(to, Unknown):
            continue
        if any(covers(folder, to.rstrip("/")) for folder in params.except_below):
            continue
        flag = instruction.flag("chown")
        owner = step.scope.value(flag.value) if flag is not None and flag.value is not None else ""
        if isinstance(owner, Unknown):
            yield Skip(instruction.destination.span, owner.reason)
        elif owner not in params.owners:
            whose = f"belongs to {owner}" if owner else "belongs to root, for there is no --chown"
            yield Hit(instruction.keyword_span, destination=to, whose=whose, wanted=params.owners[0])


@check("copy-file-into-own-name")
def copy_file_into_own_name(build: Build) -> Answers:
    """Judge ``COPY .../bin/tini /usr/bin/tini/``: the slash makes a folder of the file's name with the file in it."""
    final = bare_final(build)
    for stage, step, instruction in transfers(build):
        if not instruction.destination.raw.endswith("/"):
            continue
        to = step.destination(instruction.destination)
        source, known = shape(step, instruction.sources[0])
        name = basename(source)
        if isinstance(to, Unknown) or not known or len(instruction.sources) > 1 or not to.endswith("/"):
            continue
        program = basename(source.rpartition("/")[0]) in ("bin", "sbin") and instruction.from_ is not None
        shared = ".so" in name and rx(r".+\.so(?:\.\d+)*").fullmatch(name) is not None
        if name and basename(to.rstrip("/")) == name and (program or shared) and not has_wildcards(source):
            there = "" if final is None or stage is not build.target else ", where nothing looks for it"
            yield Hit(instruction.destination.span, path=f"{to}{name}", there=there)
