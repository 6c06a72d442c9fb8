"""What surrounds the images of a fleet, judged: build commands, and compose services on images that are known."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches

from lucid_audit import audit, lint
from lucid_audit.around.call import BuildCall, Lacking
from lucid_audit.around.service import Deployment, deploy
from lucid_audit.builders import absent, baked
from lucid_audit.builders.command import BuildCommand, Resolved, resolve
from lucid_audit.container.config import Container
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.parser import parse
from lucid_audit.engine.dockerfile import judge
from lucid_audit.finding import Severity
from lucid_audit.fleet.changed import Change
from lucid_audit.fleet.evidence import Deployment as Found
from lucid_audit.fleet.evidence import Repository
from lucid_audit.fleet.plan import Plan, Service
from lucid_audit.fleet.propose import full
from lucid_audit.gitcall import git
from lucid_audit.items import Item, content
from lucid_audit.record import replace
from lucid_audit.text import SourceText
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

LACKING = ("copy-source-missing", "copy-source-wrong-context", "copy-source-ignored", "copy-source-outside-context")
"""The rules that say that a build ends at COPY or ADD because of what is not in its context."""
Measured = Callable[[str], Container | None]


class Built(NamedTuple):
    """A Dockerfile as one build sees it: what it lacks, None when it cannot be judged, and its container."""

    lacking: tuple[Lacking, ...] | None
    container: Container | None


class Builds:
    """Dockerfiles as different builds see them, each looked at once."""

    def __init__(self, ask: audit.Request) -> None:
        self._ask = ask
        self._known: dict[tuple[object, ...], Built] = {}

    def of(
        self, dockerfile: str, context: str, target: str, args: tuple[tuple[str, str], ...], platforms: tuple[str, ...]
    ) -> Built:
        """Return what one build gives."""
        key = (dockerfile, context, target, args, platforms)
        if key not in self._known:
            self._known[key] = self._look(dockerfile, context, target, dict(args), platforms)
        return self._known[key]

    def _look(
        self, dockerfile: str, context: str, target: str, args: dict[str, str], platforms: tuple[str, ...]
    ) -> Built:
        problem, data = content(Item(dockerfile))
        if problem or not os.path.isdir(context):
            return Built(None, None)
        name = os.path.relpath(dockerfile)
        wanted = lint.Request(
            (name,), self._ask.as_of, context=os.path.relpath(context), target=target, build_args=args, policy=self._ask.policy,
            platform=platforms[0] if len(platforms) == 1 else "",
        )  # fmt: skip
        prepared = lint.prepare(wanted)
        settings = prepared.settings._replace(platforms=platforms) if platforms else prepared.settings
        build = Build(parse(SourceText.decode(name, data)), settings, prepared.places.contexts(name)[0])
        report = judge(build, [one for one in prepared.rules if one.rule.id in LACKING])
        if report.problems:
            return Built(None, None)
        lacking = tuple(
            Lacking(one.location.line, one.message) for one in report.findings if one.severity is Severity.error
        )
        return Built(lacking, build.container)


def calls(found: Repository, plan: Plan, builds: Builds, change: Change | None = None) -> Iterator[BuildCall]:
    """Yield the build commands of a repository with what is known of what they build; of a change only those that it concerns."""
    sources: dict[str, SourceText] = {}
    for command in found.commands:
        where = resolve(command)
        if command.bake is not None and (change is None or change.everything or _bakes_anew(command, change)):
            yield from _baking(command, _source(command.file, sources), found)
        if where is None or (change is not None and not _concerned(command.file, where, change)):
            continue
        yield _call(command, where, _source(command.file, sources), found, plan, builds)
    for one in absent.targets(found.builders, found.troubles, found.root):
        if change is None or change.of(one.source.path) or change.of(os.path.join(found.root, one.dockerfile)):
            yield one


def _source(file: str, sources: dict[str, SourceText]) -> SourceText:
    if file not in sources:
        _, data = content(Item(file))
        sources[file] = SourceText.decode(os.path.relpath(file), data)
    return sources[file]


def _bakes_anew(command: BuildCommand, change: Change) -> bool:
    """Whether a change is of the file that calls bake or of any that bake may read."""
    return change.of(command.file) or any(path.endswith((".hcl", ".json", ".yaml", ".yml")) for path in change.paths)


def _baking(command: BuildCommand, source: SourceText, found: Repository) -> Iterator[BuildCall]:
    """Yield what a call of bake names and is not there; a document may tell of files that are another repository's."""
    lost = baked.lacks(command, found.root)
    if "BAKE_FILE" in source.text:
        lost = Unknown("a variable names the file of bake")
    if isinstance(lost, Unknown):
        yield BuildCall(source, command.span, command.kind, lost.reason)
        return
    for one in lost:
        file = one.what == "bake file"
        name = os.path.relpath(one.name, found.root) if file else one.name
        near = tuple(os.path.relpath(path, found.root) for path in one.near) if file else one.near
        reason = "the document may speak of another repository" if file and command.kind == "document" else ""
        if file and (not near or git(found.root, "check-ignore", "--no-index", "--", name)):
            reason = (
                f"{name} may be made before the build"  # programs write such files; a like name beside it says: renamed
            )
        yield BuildCall(source, command.span, command.kind, reason, "", name, one.what, near)


def _concerned(file: str, where: Resolved | Unknown, change: Change) -> bool:
    if isinstance(where, Unknown):
        return change.of(file)
    return change.of(file) or change.touches(where.dockerfile, where.context)


def _call(
    command: BuildCommand, where: Resolved | Unknown, source: SourceText, found: Repository, plan: Plan, builds: Builds
) -> BuildCall:
    if isinstance(where, Unknown):
        return BuildCall(source, command.span, command.kind, where.reason)

    def shown(path: str) -> str:
        return os.path.relpath(path, found.root)

    context, dockerfile = shown(where.context), shown(where.dockerfile)
    if where.missing:
        if not _of_this_repository(command, where, found):
            return BuildCall(source, command.span, command.kind, "the document may speak of another repository")
        if _made(where, source.text, found.root):
            return BuildCall(
                source,
                command.span,
                command.kind,
                f"{context if where.missing == 'context' else dockerfile} may be made before the build",
            )
        near = _near(where, found)
        return BuildCall(source, command.span, command.kind, "", context, dockerfile, where.missing, near)
    target = command.target if isinstance(command.target, str) else ""
    platforms = () if isinstance(command.platforms, Unknown) else command.platforms
    args = tuple((name, value) for name, value in command.args.items() if value is not None)
    lacking = builds.of(where.dockerfile, where.context, target, args, platforms).lacking
    if command.open or isinstance(command.target, Unknown):
        lacking = None
    service = _planned(plan, where.dockerfile, command.tags, target)
    return BuildCall(
        source, command.span, command.kind, "", context, dockerfile, "", (), lacking, command.tags, platforms,
        service.name if service is not None else "",
        tuple(tag for tag in (service.image, *service.tags) if tag) if service is not None else (),
        service.platforms if service is not None else (),
        shown(os.path.abspath(os.path.join(plan.folder, service.context))) if service is not None and service.context else "",
    )  # fmt: skip


def _of_this_repository(command: BuildCommand, where: Resolved, found: Repository) -> bool:
    """Whether what is not there is surely meant to be: a document may tell of builds anywhere, but not below our folders."""
    if command.kind != "document":
        return True
    first = os.path.relpath(where.dockerfile, where.here).split("/")[0]
    inside = first not in ("..", ".") and os.path.isdir(os.path.join(where.here, first))
    near = {os.path.basename(file) for file in found.dockerfiles}
    return inside or (os.path.basename(where.dockerfile) in near and os.path.basename(where.dockerfile) != "Dockerfile")


def _made(where: Resolved, text: str, root: str) -> bool:
    """Whether what is not there is made by a build: git is told to ignore it, or the file that builds speaks of making it."""
    path = where.context if where.missing == "context" else where.dockerfile
    below = os.path.relpath(path, root)
    if (
        below.startswith("..")
        or git(root, "check-ignore", "--no-index", "--", below)
        or git(root, "check-ignore", "--no-index", "--", f"{below}/")
    ):
        return True
    name = re.escape(os.path.basename(path))
    making = (
        rf"(?:\bmkdir\b|\bcp\b|\bmv\b|\binstall\b|\brsync\b|\btouch\b|\bbuild\b|>)[^\n]*[\s/\"']{name}(?:[/\s\"']|$)"
    )
    return any(
        re.search(making, line) and not re.search(r"\b(?:docker|podman|buildah|nerdctl)\b", line)
        for line in text.splitlines()
    )


def _near(where: Resolved, found: Repository) -> tuple[str, ...]:
    """Return Dockerfiles with the path that may be meant: another spelling, or the same name elsewhere."""
    wanted = os.path.relpath(where.dockerfile, found.root)
    if where.missing == "context":
        folders = sorted({os.path.dirname(os.path.relpath(file, found.root)) for file in found.dockerfiles} - {""})
        return tuple(get_close_matches(os.path.relpath(where.context, found.root), folders, 1, 0.8))
    names = [os.path.relpath(file, found.root) for file in found.dockerfiles]
    alike = get_close_matches(wanted, names, 2, 0.85)
    same = [name for name in names if os.path.basename(name) == os.path.basename(wanted) != "Dockerfile"]
    beside = [name for name in names if os.path.dirname(name) == os.path.dirname(wanted)]
    return tuple(dict.fromkeys((*alike, *(same if len(same) < 3 else ()), *(beside if len(beside) < 3 else ()))))


def _planned(plan: Plan, dockerfile: str, tags: Sequence[str], target: str) -> Service | None:
    """Return the plan's service that a command builds; among several of one Dockerfile that of its image, else none."""
    real = os.path.realpath(dockerfile)
    same = [
        one
        for one in plan.services
        if one.dockerfile and os.path.realpath(os.path.join(plan.folder, one.dockerfile)) == real
    ]
    if len(same) > 1:
        names = {full(tag) for tag in tags}
        same = [one for one in same if names & {full(tag) for tag in (one.image, *one.tags) if tag}]
    same = [one for one in same if not target or not one.target or one.target == target]
    return same[0] if len(same) == 1 else None


def deployments(
    found: Repository, plan: Plan, builds: Builds, measured: Measured | None, change: Change | None = None
) -> Iterator[Deployment]:
    """Yield the compose services with the container of their image: as their build predicts it, else as the plan's does."""
    lost = absent.services(found.builders, found.troubles, found.root)
    for one in found.deployments:
        if change is not None and not _deployed_anew(one, plan, change):
            continue
        container, reason = _container(one, plan, builds, measured)
        source = SourceText(os.path.relpath(one.service.source.path), one.service.source.text)
        lacks = lost.get((one.service.source.path, one.service.name))
        yield deploy(replace(one.service, source=source), container, reason, lacks)


def _deployed_anew(one: Found, plan: Plan, change: Change) -> bool:
    """Whether a change concerns a service: its compose file, or what its image is built from."""
    if change.of(one.service.source.path):
        return True
    if one.build is not None:
        return change.touches(one.build.dockerfile, one.build.context)
    image = one.service.image
    return isinstance(image, str) and any(
        full(image) in {full(tag) for tag in (service.image, *service.tags) if tag}
        for service in plan.services
        if service.name in change.services
    )


def _container(one: Found, plan: Plan, builds: Builds, measured: Measured | None) -> tuple[Container | None, str]:
    build = one.build
    if build is not None:
        args = tuple((name, value) for name, value in build.args if value is not None)
        built = builds.of(build.dockerfile, build.context, build.target or "", args, build.platforms)
        return built.container, "" if built.container is not None else "its Dockerfile cannot be judged"
    image = one.service.image
    if not isinstance(image, str) or not image:
        return None, image.reason if isinstance(image, Unknown) else "it has no image"
    for service in plan.services:
        if full(image) not in {full(tag) for tag in (service.image, *service.tags) if tag}:
            continue
        if service.dockerfile:
            folder = os.path.abspath(plan.folder)
            file = os.path.normpath(os.path.join(folder, service.dockerfile))
            context = (
                os.path.normpath(os.path.join(folder, service.context)) if service.context else os.path.dirname(file)
            )
            built = builds.of(file, context, service.target, tuple(service.args.items()), service.platforms)
            return built.container, "" if built.container is not None else "its Dockerfile cannot be judged"
        return (measured(service.image) if measured is not None else None), "its image was not read"
    return None, "nothing here builds its image"
