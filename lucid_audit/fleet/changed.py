"""Which services a change concerns: those whose Dockerfile, whose base, or what is copied from their build context has changed."""

from __future__ import annotations

import os
from collections.abc import Iterator

from lucid_audit.dockerfile.context import DiskContext
from lucid_audit.dockerfile.graph import build_graph
from lucid_audit.dockerfile.model import Command, Dockerfile, Transfer
from lucid_audit.dockerfile.mounts import parse_mount
from lucid_audit.dockerfile.parser import parse
from lucid_audit.dockerfile.stages import Graph, Settings
from lucid_audit.fleet.names import known_as
from lucid_audit.fleet.plan import Plan, Service
from lucid_audit.items import Item, content
from lucid_audit.text import SourceText
from lucid_audit.tuples import NamedTuple

_OPEN = "$*?["  # from here on a source may be anything


def concerned(plan: Plan, changed: frozenset[str], settings: Settings, everything: frozenset[str]) -> frozenset[str]:
    """Return the names of the services that a change concerns. ``changed`` are real paths, of files that are gone too.

    ``settings`` give build arguments and the catalogue of bases. A change of one of ``everything``, such as the policy, or of
    the plan concerns all services. A service without a Dockerfile is concerned by nothing else.
    """
    if (everything | {os.path.realpath(plan.path)}) & changed:
        return frozenset(one.name for one in plan.services)
    built = {one.name: _Built(plan, one, settings) for one in plan.services if one.dockerfile}
    found = {name for name, one in built.items() if one.touched(changed)}
    names = {known_as(one.image): one.name for one in plan.services if one.image}
    while True:  # a base that changed changes what stands on it, and so on
        more = {
            name for name, one in built.items() if any(names.get(base) in found for base in one.images if base)
        } - found
        if not more:
            return frozenset(found)
        found |= more


class Change(NamedTuple):
    """What differs: real paths, of files that are gone too, and the plan's services that this concerns.

    ``everything``: the plan or the policy is among the paths, so that all is to be judged.
    """

    paths: frozenset[str]
    services: frozenset[str]
    settings: Settings
    everything: bool = False

    def of(self, path: str) -> bool:
        """Whether a file has changed."""
        return self.everything or os.path.realpath(path) in self.paths

    def touches(self, dockerfile: str, context: str) -> bool:
        """Whether what a build reads has changed, by absolute paths."""
        service = Service("", dockerfile=dockerfile, context=context)
        return self.everything or _Built(Plan("", "/", ()), service, self.settings).touched(self.paths)


class _Built:
    """What one service is built from."""

    def __init__(self, plan: Plan, service: Service, settings: Settings) -> None:
        self.file = os.path.realpath(os.path.join(plan.folder, service.dockerfile))
        where = service.context or os.path.dirname(service.dockerfile)
        self.context = os.path.realpath(os.path.join(plan.folder, where))
        problem, data = content(Item(self.file))
        self.dockerfile = parse(SourceText.decode(self.file, data)) if not problem else None
        self.images: frozenset[str] = frozenset()
        self.sources: tuple[str, ...] = ()
        if self.dockerfile is not None:
            arguments = {**settings.build_args, **service.args}
            graph = build_graph(self.dockerfile, settings._replace(build_args=arguments, target=service.target))
            self.images = frozenset(_images(graph))
            self.sources = tuple(_sources(self.dockerfile))

    def touched(self, changed: frozenset[str]) -> bool:
        """Whether a change is of the Dockerfile, of what is not sent with the context, or of what is copied from it."""
        if self.file in changed or f"{self.file}.dockerignore" in changed:
            return True
        inside = [path.removeprefix(f"{self.context}/") for path in changed if path.startswith(f"{self.context}/")]
        if not inside or not os.path.isdir(self.context):
            return bool(inside)
        disk = DiskContext(self.context, self.file)
        return any(path == ".dockerignore" or (disk.sent(path) and self._copied(path)) for path in inside)

    def _copied(self, path: str) -> bool:
        return any(not source or path == source or path.startswith(f"{source}/") for source in self.sources)


def _images(graph: Graph) -> Iterator[str]:
    """Yield the images that a file builds on or copies from."""
    for stage in graph.stages:
        if stage.ref is not None and stage.parent is None:
            yield known_as(stage.ref)
    for instruction in graph.dockerfile.instructions:
        if isinstance(instruction, Transfer) and instruction.from_ is not None:
            yield known_as(instruction.from_.raw)


def _sources(dockerfile: Dockerfile) -> Iterator[str]:
    """Yield the paths in the build context that are copied or mounted, as far as they are plain; "" for all of it."""
    for instruction in dockerfile.instructions:
        if isinstance(instruction, Transfer) and instruction.from_ is None:
            yield from (_plain(word.raw) for word in instruction.sources if not word.raw.startswith("<<"))
        elif isinstance(instruction, Command):
            for flag in instruction.flags:
                if flag.name == "mount" and flag.value is not None:
                    mount = parse_mount(flag.value.raw)
                    if mount.type == "bind" and not mount.from_:
                        yield _plain(mount.source)


def _plain(source: str) -> str:
    """Return the folder or file that a source surely lies in; a wildcard or a variable may be anything from there on."""
    text = source.strip("\"'")
    at = min((text.find(char) for char in _OPEN if char in text), default=len(text))
    whole = text if at == len(text) else text[:at].rpartition("/")[0]
    path = os.path.normpath("/" + whole).strip("/")
    return "" if path == "." else path
