"""How a build spreads its work over instructions: RUN after RUN, archives that are copied to be unpacked, folders that WORKDIR enters."""

from __future__ import annotations

from posixpath import basename, normpath

from lucid_audit.checks import Answers, check
from lucid_audit.checks.runs import runs
from lucid_audit.container.files import covers
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Plain, Transfer
from lucid_audit.dockerfile.stages import Step
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.regex import rx
from lucid_audit.values import Unknown

_ARCHIVE = r".*\.(?:tar|tar\.(?:gz|bz2|xz|zst|lzma)|tgz|tbz2?|txz|tlz|tzst)"  # what ADD unpacks by itself
_CHAINED = frozenset(("&&", ";", "\n", "||", "|", "&"))


@check("runs-apart")
def runs_apart(build: Build) -> Answers:
    """Judge a RUN right after a RUN where each is one command with the same flags. Layers of stages that are only copied from are thrown away."""
    single = {
        id(run.step.instruction)
        for run in runs(build)
        if run.calls and not any(ran.operator in _CHAINED for ran in run.calls)
    }
    for stage in build.target.lineage() if build.target is not None else ():
        for one, other in zip(stage.steps, stage.steps[1:], strict=False):
            both = one.instruction.keyword == other.instruction.keyword == "RUN"
            alone = id(one.instruction) in single and id(other.instruction) in single
            if both and alone and _flags(one) == _flags(other) and not (one.onbuild or other.onbuild):
                yield Hit(other.instruction.keyword_span)


def _flags(step: Step) -> list[tuple[str, str]]:
    return [(flag.name, flag.value.raw if flag.value else "") for flag in step.instruction.flags]


@check("archive-unpacked-later")
def archive_unpacked_later(build: Build) -> Answers:
    """Judge archives that COPY brings and a RUN of the same stage unpacks with tar: they stay in their layer. ADD would unpack them."""
    unpacked = [(run, ran) for run in runs(build) for ran in run.calls if ran.call.name in ("tar", "bsdtar")]
    for run, ran in unpacked:
        words = [word for word in ran.call.words if word is not None]
        extracts = any(rx(r"-?[a-zA-Z]*x[a-zA-Z]*").fullmatch(word) for word in words[:1])
        if not extracts and not {"-x", "--extract", "--get"} & set(words):
            continue
        names = {basename(word) for word in words if rx(_ARCHIVE).fullmatch(word)}
        for step in run.stage.instructions("COPY"):
            instruction = step.instruction
            if not isinstance(instruction, Transfer) or instruction.from_ is not None or not names:
                continue
            if instruction.span.start < run.step.instruction.span.start:
                for word in instruction.sources:
                    path = step.scope.text(word)
                    if path is not None and basename(path) in names:
                        yield Hit(word.span, archive=basename(path))


@record
class Places:
    """``paths``: folders that are the kernel's or the boot loader's, with all that lies below."""

    paths: tuple[str, ...]


@check("workdir-place")
def workdir_place(build: Build, params: Places) -> Answers:
    """Judge WORKDIR in folders where nothing of an image lives."""
    for _, step in build.steps("WORKDIR"):
        if not isinstance(step.instruction, Plain):
            continue
        word = step.instruction.word
        path = step.scope.value(word)
        if isinstance(path, Unknown):
            yield Skip(word.span, path.reason)
        elif path.startswith("/"):
            place = next((one for one in params.paths if covers(one, normpath(path))), None)
            if place is not None:
                yield Hit(word.span, path=path, place=place)
