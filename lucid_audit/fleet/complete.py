"""A plan with what the repository itself says of its builds: what the plan leaves out is taken from there."""

from __future__ import annotations

import os

from lucid_audit.fleet.evidence import Evidence, Repository
from lucid_audit.fleet.plan import Plan, Service
from lucid_audit.fleet.propose import full, repository
from lucid_audit.record import replace
from lucid_audit.tuples import NamedTuple


class Completed(NamedTuple):
    """The plan with its gaps filled. ``unbuilt`` are services whose image nobody builds, ``unused`` Dockerfiles of no service."""

    plan: Plan
    unbuilt: tuple[str, ...]
    unused: tuple[str, ...]


def complete(plan: Plan, found: Repository) -> Completed:
    """Fill the gaps of a plan. What the plan says stands; the rest is what the strongest says of the same build."""
    builds = [one for one in found.evidence if one.dockerfile and not one.missing]
    services = tuple(_completed(one, plan.folder, builds) for one in plan.services)
    unbuilt = tuple(one.name for one in services if not one.dockerfile)
    used = {os.path.realpath(os.path.join(plan.folder, one.dockerfile)) for one in services if one.dockerfile}
    unused = tuple(
        os.path.relpath(file, found.root) for file in found.dockerfiles if os.path.realpath(file) not in used
    )
    return Completed(replace(plan, services=services), unbuilt, unused)


def _completed(service: Service, folder: str, builds: list[Evidence]) -> Service:
    told = _told(service, folder, builds)
    if told is None:
        return service
    file = service.dockerfile or _relative(told.dockerfile, folder)
    same = not service.context or os.path.realpath(os.path.join(folder, service.context)) == os.path.realpath(
        told.context
    )
    return replace(
        service,
        dockerfile=file,
        context=service.context or _relative(told.context, folder),
        target=service.target or (told.target if same else ""),
        args={**told.args, **service.args} if same else service.args,
        platforms=service.platforms or told.platforms,
    )


def _told(service: Service, folder: str, builds: list[Evidence]) -> Evidence | None:
    """Return the strongest that builds a service: by its Dockerfile, among those the one of its image; else by its image."""
    names = {full(tag) for tag in (service.image, *service.tags) if tag}
    bare = {repository(service.image)} if service.image else set()
    file = os.path.realpath(os.path.join(folder, service.dockerfile)) if service.dockerfile else ""
    of_file = [one for one in builds if os.path.realpath(one.dockerfile) == file] if file else builds
    for wanted, key in ((names, full), (bare, repository)):
        for one in of_file:
            tags = {key(tag) for tag in one.tags} | (
                {repository(name) for name in one.names} if key is repository else set()
            )
            if wanted & tags:
                return one
    alike = [one for one in of_file if not service.target or not one.target or one.target == service.target]
    return alike[0] if file and alike else None


def _relative(path: str, folder: str) -> str:
    return os.path.relpath(path, os.path.abspath(folder))
