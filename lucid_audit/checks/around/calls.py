"""Build commands in workflows, scripts and documents: whether what they build is there, and what the plan says of it."""

from __future__ import annotations

from lucid_audit import reference
from lucid_audit.around.call import Absent, BuildCall
from lucid_audit.checks import Answers, check
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.text import Span

DOCUMENT, TARGET = "document", "bake target"
SHOWN = 3  # sources that one finding names


@record
class Stands:
    """``documents``: judge commands in documents; else those that are run: in workflows, pipelines, scripts and Makefiles."""

    documents: bool = False


def _meant(call: BuildCall, params: Stands) -> bool:
    return call.kind != TARGET and (call.kind == DOCUMENT) is params.documents


@check("build-finds")
def build_finds(call: BuildCall, params: Stands) -> Answers:
    """Judge whether context and Dockerfile are there."""
    if not _meant(call, params):
        return
    if call.reason:
        yield Skip(call.span, call.reason)
    elif call.missing:
        what, path = ("build context", call.context) if call.missing == "context" else (call.missing, call.dockerfile)
        yield from lost(call.span, Absent(what, path, call.near))


@check("bake-finds")
def bake_finds(call: BuildCall) -> Answers:
    """Judge whether what a bake target builds is there."""
    if call.kind != TARGET or not call.missing:
        return
    what = "build context" if call.missing == "context" else "Dockerfile"
    yield from lost(call.span, Absent(what, call.context or call.dockerfile, call.near, call.reason))


def lost(place: Span, absent: Absent) -> Answers:
    """Say that something is not there, or why it may be."""
    if absent.reason:
        yield Skip(place, absent.reason)
        return
    near = f"; did you mean {' or '.join(absent.near)}?" if absent.near else ""
    yield Hit(place, what=absent.what, path=absent.path, near=near)


@check("build-has-sources")
def build_has_sources(call: BuildCall, params: Stands) -> Answers:
    """Judge whether the sources of COPY and ADD are in the context that the command gives."""
    if not _meant(call, params) or call.reason or call.missing:
        return
    if call.lacking is None:
        yield Skip(call.span, f"{call.dockerfile} cannot be judged")
    elif call.lacking:
        said = "; ".join(f"line {one.line}: {one.message}" for one in call.lacking[:SHOWN])
        more = f" and {len(call.lacking) - SHOWN} more" if len(call.lacking) > SHOWN else ""
        yield Hit(call.span, dockerfile=call.dockerfile, context=call.context, said=said + more)


@check("build-context-planned")
def build_context_planned(call: BuildCall) -> Answers:
    """Judge the context against the plan's."""
    if call.service and call.planned_context and not call.missing and call.context != call.planned_context:
        yield Hit(call.span, service=call.service, found=call.context, wanted=call.planned_context)


@check("build-tags-planned")
def build_tags_planned(call: BuildCall) -> Answers:
    """Judge the names that a command gives to the image of a planned service."""
    if not call.service or not call.planned_tags:
        return
    planned = {_full(tag) for tag in call.planned_tags}
    for tag in call.tags:
        if _full(tag) not in planned:
            yield Hit(call.span, service=call.service, found=tag, wanted=call.planned_tags[0])


def _full(tag: str) -> str:
    ref = reference.parse(tag)
    return f"{ref.name}:{ref.tag or 'latest'}" if ref is not None else tag


@check("build-platforms-planned")
def build_platforms_planned(call: BuildCall) -> Answers:
    """Judge whether a command that names platforms names all that the plan wants."""
    if not call.service or not call.platforms:
        return
    lost = [name for name in call.planned_platforms if name not in call.platforms]
    if lost:
        yield Hit(call.span, service=call.service, found=", ".join(call.platforms), lost=", ".join(lost))
