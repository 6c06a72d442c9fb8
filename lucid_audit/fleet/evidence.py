"""What a repository says of its builds, each with where it says so: compose and bake files, then whatever calls a builder."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from lucid_audit import discover
from lucid_audit.around.service import Deployed
from lucid_audit.builders.builder import Builder, Trouble
from lucid_audit.builders.command import BuildCommand, resolve
from lucid_audit.builders.deployed import deployed
from lucid_audit.builders.folder import declared
from lucid_audit.builders.written import kind_of, written
from lucid_audit.text import SourceText
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

RANKS = {
    "service": 0,
    "bake target": 1,
    "workflow step": 2,
    "workflow": 2,
    "pipeline": 2,
    "script": 3,
    "Makefile": 3,
    "document": 4,
}
"""Whose word counts where two differ: what is declared, what runs by itself, what people run, what is only told."""
_URL = re.compile(r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::(\d+))?[^\s\"'|;&)>]*")


class Evidence(NamedTuple):
    """One build as one place tells it. Paths are absolute, "" where they are not known; ``missing`` is what is not there.

    ``names`` are image names without their tag; ``unknown`` is why parts are left out.
    """

    kind: str
    place: str  # path:line, from the root
    name: str = ""
    tags: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    dockerfile: str = ""
    context: str = ""
    target: str = ""
    args: Mapping[str, str] = {}
    platforms: tuple[str, ...] = ()
    port: int = 0
    health: str = ""
    missing: str = ""
    unknown: tuple[str, ...] = ()

    @property
    def rank(self) -> int:
        """How much it counts, the lowest most."""
        return RANKS[self.kind]

    @property
    def said(self) -> str:
        """Name it as a person would."""
        return f"{self.place} ({self.kind}{' ' + self.name if self.name else ''})"


class Deployment(NamedTuple):
    """A compose service, and what says its build, None when it has none."""

    service: Deployed
    place: str
    build: Builder | None


class Repository(NamedTuple):
    """All that one repository says. ``dockerfiles`` are the absolute paths of all files of that kind."""

    root: str
    evidence: tuple[Evidence, ...]
    deployments: tuple[Deployment, ...]
    commands: tuple[BuildCommand, ...]
    dockerfiles: tuple[str, ...]
    troubles: tuple[Trouble, ...]
    builders: tuple[Builder, ...] = ()


def survey(folder: str) -> Repository:
    """Read what there is below a folder."""
    root = os.path.abspath(folder)
    names = discover.files(root, _chosen)
    found = written([name for name in names if kind_of(name)], root)
    troubles = list(found.troubles)
    builders: list[Builder] = []
    deployments: list[Deployment] = []
    folders: dict[str, list[str]] = {}
    for name in names:
        if discover.declares_builds(os.path.basename(name)):
            folders.setdefault(os.path.join(root, os.path.dirname(name)).rstrip("/"), []).append(os.path.basename(name))
    for place, files in folders.items():
        built, problems = declared(place, files, root)
        builders += built
        troubles += problems
        deployments += _deployments(place, files, built, root, troubles)
    evidence = [
        *_of_builders(builders, deployments, root),
        *_of_images(deployments, root),
        *_of_commands(found.commands, root),
    ]
    return Repository(
        root,
        tuple(sorted(evidence, key=lambda one: one.rank)),
        tuple(deployments),
        found.commands,
        tuple(os.path.join(root, name) for name in names if discover.is_dockerfile(name)),
        tuple(dict.fromkeys(troubles)),
        tuple(builders),
    )


def _chosen(path: str) -> bool:
    if discover.SKIPPED_FOLDERS.intersection(path.split("/")[:-1]):
        return False
    return bool(kind_of(path)) or discover.is_dockerfile(path) or discover.declares_builds(os.path.basename(path))


def _deployments(
    folder: str, files: list[str], built: list[Builder], root: str, troubles: list[Trouble]
) -> list[Deployment]:
    found = []
    for file in sorted(files):
        if not file.endswith((".yaml", ".yml")):
            continue
        services = deployed(os.path.join(folder, file), root)
        if isinstance(services, Trouble):
            troubles.append(services)
            continue
        for one in services:
            line = one.source.position(one.place().start).line
            build = next(
                (b for b in built if b.kind == "service" and b.name == one.name and b.file == one.source.path), None
            )
            found.append(Deployment(one, f"{os.path.relpath(one.source.path, root)}:{line}", build))
    return found


def _of_builders(builders: list[Builder], deployments: list[Deployment], root: str) -> list[Evidence]:
    services = {id(one.build): one.service for one in deployments if one.build is not None}
    found = []
    for one in builders:
        service = services.get(id(one))
        found.append(
            Evidence(
                one.kind,
                f"{os.path.relpath(one.file, root)}:{one.line}",
                one.name,
                one.tags,
                (),
                one.dockerfile,
                one.context,
                one.target or "",
                {name: value for name, value in one.args if value is not None},
                one.platforms,
                _port(service),
                _health(service),
                "" if os.path.isfile(one.dockerfile) else "Dockerfile",
                tuple(f"build argument {name} is not known here" for name, value in one.args if value is None)
                + (("the image's name is not known here",) if service and isinstance(service.image, Unknown) else ()),
            )
        )
    return found


def _of_images(deployments: list[Deployment], root: str) -> list[Evidence]:  # noqa: ARG001
    """Return the services that only name an image: somebody else in the repository may build it."""
    return [
        Evidence(
            "service",
            one.place,
            one.service.name,
            (one.service.image,),
            port=_port(one.service),
            health=_health(one.service),
        )
        for one in deployments
        if one.build is None and not one.service.builds and isinstance(one.service.image, str) and one.service.image
    ]


def _of_commands(commands: tuple[BuildCommand, ...], root: str) -> list[Evidence]:
    found = []
    sources: dict[str, SourceText] = {}
    for one in commands:
        place = resolve(one)
        if place is None:
            continue
        line = place_of(one, sources).line
        unknown = [*one.hidden, *([one.open] if one.open else [])]
        unknown += [value.reason for value in (one.target, one.platforms) if isinstance(value, Unknown)]
        unknown += [f"build argument {name} is not known here" for name, value in one.args.items() if value is None]
        if isinstance(place, Unknown):
            unknown.append(place.reason)
        found.append(
            Evidence(
                one.kind,
                f"{os.path.relpath(one.file, root)}:{line}",
                "",
                one.tags,
                one.names,
                "" if isinstance(place, Unknown) else place.dockerfile,
                "" if isinstance(place, Unknown) else place.context,
                one.target if isinstance(one.target, str) else "",
                {name: value for name, value in one.args.items() if value is not None},
                () if isinstance(one.platforms, Unknown) else one.platforms,
                missing="" if isinstance(place, Unknown) else place.missing,
                unknown=tuple(dict.fromkeys(unknown)),
            )
        )
    return found


class Spot(NamedTuple):
    """A line and column from 1."""

    line: int
    column: int


def place_of(command: BuildCommand, sources: dict[str, SourceText]) -> Spot:
    """Return where a command is; each file is read once for all of them."""
    if command.file not in sources:
        try:
            with open(command.file, encoding="utf-8-sig", errors="replace") as stream:
                sources[command.file] = SourceText(command.file, stream.read(4 << 20))
        except OSError:
            sources[command.file] = SourceText(command.file, "")
    return Spot(*sources[command.file].position(command.span.start))


def _port(service: Deployed | None) -> int:
    return service.ports[0] if service is not None and len(service.ports) == 1 else 0


def _health(service: Deployed | None) -> str:
    """Return the URL that a service's probe asks, "" when none can be read."""
    words = service.test.words if service is not None and service.test is not None else ()
    match = _URL.search(" ".join(word for word in words if isinstance(word, str)))
    return match[0].rstrip(",.") if match is not None else ""
