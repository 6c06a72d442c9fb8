"""Which base images a build stands on: distroless or not, alive or not, published or not, allowed or not."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from lucid_audit.bases import Base
from lucid_audit.checks import Answers, check
from lucid_audit.container.config import Container
from lucid_audit.dates import date, timedelta
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.stages import Stage
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.reference import ImageRef, parse
from lucid_audit.text import Span
from lucid_audit.values import Unknown

Named = tuple[str, ImageRef | None, Span, str]  # as written or expanded, parsed, place, why it is unknown


@check("final-base-distroless")
def final_base_distroless(container: Container) -> Answers:
    """Judge whether the final base has no shell and no package manager by design; what is not catalogued is unknown."""
    ground = container.ground
    if ground is not None:
        if ground.distroless is None:
            what = f"{ground.name}, {ground.how}, is not in the catalogue" if ground.name else ground.how
            yield Skip(container.image.place, what or "nothing in the image says which base it has")
        elif not ground.distroless:
            carries = f", {ground.how}" + (f", with {_listed(ground.tools)}" if ground.tools else "")
            yield Hit(container.image.place, image=ground.name, carries=carries)
    elif container.base is None:
        reason = container.image.value.reason if isinstance(container.image.value, Unknown) else ""
        yield Skip(container.image.place, reason or "its base image is not in the catalogue")
    elif not container.base.distroless:
        base = container.base
        extras = [what for what in (base.shell and f"a shell ({base.shell})", base.package_manager) if what]
        carries = f", which carries {' and '.join(extras)}" if extras else ""
        yield Hit(container.image.place, image=base.ref.familiar, carries=carries)


def _listed(words: tuple[str, ...]) -> str:
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]


@check("final-base-debug")
def final_base_debug(container: Container) -> Answers:
    """Judge whether a distroless base is the variant with a shell in it."""
    base, ground = container.base, container.ground
    if ground is not None:
        if ground.distroless and ground.debug:
            yield Hit(container.image.place, image=ground.name, shell="/busybox/sh")
    elif base is not None and base.distroless and base.shell:
        yield Hit(container.image.place, image=base.ref.familiar, shell=base.shell)


@record
class BaseLife:
    """``stages``: "final" or "builder". ``days`` > 0 asks for bases whose end comes within that many days instead."""

    stages: str
    days: int = 0


@check("base-life")
def base_life(build: Build, params: BaseLife) -> Answers:
    """Judge bases by their end of life on the day of the run. Builders count long-term support, published bases do not."""
    today = build.settings.as_of
    for stage, base in _bases(build, params.stages):
        found = ending(base, _end(base, params.stages), today, params.days)
        if found is not None:
            yield Hit(stage.from_.image.span, **found)


def ending(base: Base, supported: date | None, today: date, days: int) -> dict[str, str] | None:
    """Return what a message says of a base's end, None when it is not the one asked for: within ``days``, or 0 for past.

    The end is that of its support or of its publication, whichever comes first.
    """
    ends = [day for day in (supported, base.removed) if day is not None]
    if not ends:
        return None
    end = min(ends)
    if not (today < end <= today + timedelta(days=days) if days else end <= today):
        return None
    successor = f"; its successor is {base.successor}" if base.successor else ""
    return {"image": base.ref.familiar, "end": end.isoformat(), "successor": successor}


def _end(base: Base, stages: str) -> date | None:
    return base.lts or base.eol if stages == "builder" else base.eol


def _bases(build: Build, which: str) -> Iterator[tuple[Stage, Base]]:
    """Yield the root stages that stand on a catalogued image: the target's, or the other ones that reach it."""
    final = build.target.root if build.target is not None else None
    for stage in build.stages:
        if stage.parent is None and stage.base is not None and (stage is final) == (which == "final"):
            yield stage, stage.base


@check("base-tag-published")
def base_tag_published(build: Build) -> Answers:
    """Judge tags of repositories whose whole list of tags is documented. A digest decides what is pulled, so it passes."""
    for stage in build.stages:
        base = stage.base
        if stage.parent is not None or base is None or base.tag_known or base.ref.digest is not None:
            continue
        name, tag = base.ref.name, base.ref.tag or "latest"
        if base.published_tags:
            tags = ", ".join(base.published_tags)
            what = f"{name} has no tag {tag}; it publishes {tags}, each with an optional -<arch>"
            yield Hit(stage.from_.image.span, what=what)
        elif name.startswith("gcr.io/distroless/"):
            yield Hit(stage.from_.image.span, what=f"{name} is not one of the published distroless images")


@check("base-platform-published")
def base_platform_published(build: Build) -> Answers:
    """Judge whether the final base exists for every platform that the image is declared to be built for."""
    target = build.target
    if target is None or target.base is None or not build.settings.platforms:
        return
    root = target.root
    if isinstance(root.platform, str):
        wanted: tuple[str, ...] = (root.platform,)
    elif isinstance(root.platform, Unknown) and "TARGETPLATFORM" not in (root.from_.platform or root.from_.image).raw:
        yield Skip(root.from_.span, root.platform.reason)
        return
    else:
        wanted = build.settings.platforms
    published = target.base.platforms
    if published is None:
        if target.base.family != "scratch":
            yield Skip(root.from_.image.span, f"the platforms of {target.base.ref.familiar} are not listed")
        return
    for platform in wanted:
        if not any(_same_platform(platform, other) for other in published):
            image = target.base.ref.familiar
            yield Hit(root.from_.image.span, image=image, platform=platform, platforms=", ".join(published))


def _same_platform(wanted: str, published: str) -> bool:
    """Variants matter only where both name one: linux/arm64 is linux/arm64/v8."""
    left, right = wanted.split("/"), published.split("/")
    return left[:2] == right[:2] and (len(left) < 3 or len(right) < 3 or left[2] == right[2])


def _images(build: Build) -> Iterator[Named]:
    """Yield every image that a reaching stage names: FROM, ``COPY --from`` and mounts; stages and scratch are none."""
    for stage in build.stages:
        if stage.parent is None:
            span = stage.from_.image.span
            if isinstance(stage.image, Unknown):
                yield stage.from_.image.raw, None, span, stage.image.reason
            elif stage.image != "scratch":
                yield stage.image, stage.ref, span, ""
        for edge in build.graph.edges[stage.index]:
            if edge.kind != "base" and edge.stage is None and not edge.name.isdigit() and "$" not in edge.name:
                yield edge.name, parse(edge.name), edge.span, ""


@record
class BasePinned:
    """``how``: "tag" wants any tag or digest, "fixed" one other than latest, "digest" a digest, in the final base only."""

    how: str


@check("base-pinned")
def base_pinned(build: Build, params: BasePinned) -> Answers:
    """Judge how far image names fix what is pulled, after variables are expanded."""
    final = build.target.root.from_.image.span if build.target is not None else None
    for name, ref, span, unknown in _images(build):
        if ref is None:
            if unknown and params.how == "fixed":
                yield Skip(span, unknown)
        elif ref.digest is None and _floats(ref, params.how, span == final):
            yield Hit(span, image=name)


def _floats(ref: ImageRef, how: str, final: bool) -> bool:
    if how == "digest":
        return final
    if how == "tag":
        return ref.tag is None
    # Every tag of a distroless repository moves, and its Debian release is in the name: latest says nothing less.
    return ref.tag == "latest" and not ref.name.startswith("gcr.io/distroless/")


@check("base-release-fixed")
def base_release_fixed(build: Build) -> Answers:
    """Judge distroless names without a Debian release: what they mean has changed and will change again."""
    target = build.target
    base = target.base if target is not None else None
    if target is None or base is None or not base.release or base.ref.digest is not None:
        return
    name = base.ref.name
    if name.startswith("gcr.io/distroless/") and base.release not in name:
        yield Hit(target.root.from_.image.span, image=base.ref.familiar, release=base.release)


@check("builder-suite-fixed")
def builder_suite_fixed(build: Build) -> Answers:
    """Judge builders whose tag leaves the distribution's release open, so that their libc moves by itself."""
    for stage, base in _bases(build, "builder"):
        suite = base.values.get("suite")
        if suite and "suite" in base.dated and base.ref.digest is None:
            yield Hit(stage.from_.image.span, image=base.ref.familiar, suite=suite)


@record
class BaseAllowed:
    """``allowed``: globs over image names, short (``python``) or full (``docker.io/library/python``); empty allows all."""

    allowed: tuple[str, ...] = ()


@check("base-allowed")
def base_allowed(build: Build, params: BaseAllowed) -> Answers:
    """Judge every image that the build pulls by a list of allowed names."""
    if not params.allowed:
        return
    for name, ref, span, unknown in _images(build):
        if ref is None:
            if unknown:
                yield Skip(span, unknown)
            continue
        forms = (str(ref), ref.familiar, ref.name, ref.familiar.removesuffix(ref.suffix))
        if not any(fnmatchcase(form, glob) for glob in params.allowed for form in forms):
            yield Hit(span, image=name)


@check("from-image-valid")
def from_image_valid(build: Build) -> Answers:
    """Judge image names after expansion: BuildKit refuses what is no reference (distribution/reference)."""
    for stage in build.stages:
        if stage.parent is None and stage.ref is None and isinstance(stage.image, str) and stage.image:
            lower = stage.image.partition("@")[0].rpartition(":")[0] or stage.image
            why = "; a repository's name is in lower case" if lower != lower.lower() else ""
            yield Hit(stage.from_.image.span, image=stage.image, why=why)


@check("from-variable-declared")
def from_variable_declared(build: Build) -> Answers:
    """Judge variables in FROM that nothing declares before the first FROM: they expand to nothing."""
    for stage in build.stages:
        for word in (stage.from_.image, stage.from_.platform):
            if word is not None:
                for name in build.graph.globals.expand(word.raw).undefined:
                    yield Hit(word.span, name=name, where=_declared_in(build, name))


def _declared_in(build: Build, name: str) -> str:
    """Say where a variable is declared instead: an ARG inside a stage is not seen by FROM."""
    for stage in build.graph.stages:
        for step in stage.instructions("ARG"):
            if any(pair.key.raw == name for pair in getattr(step.instruction, "pairs", ())):
                return f"ARG {name} stands inside stage {stage.label}, after the first FROM"
    return f"no ARG {name} stands before the first FROM"


@check("from-arg-has-default")
def from_arg_has_default(build: Build) -> Answers:
    """Judge ARGs in FROM that have no default and were given no value: a plain build fails on the blank name."""
    for stage in build.stages:
        word = stage.from_.image
        for reason in build.graph.globals.expand(word.raw).unknown:
            if "has no default" in reason.reason:
                yield Hit(word.span, reason=reason.reason)
