"""A plan: which services there are, and how each is built and published. Pure; ``plan_file`` reads it."""

from __future__ import annotations

from collections.abc import Mapping

from lucid_audit.record import record


@record(eq=False)
class Service:
    """One service. ``image`` or ``dockerfile`` may be "", not both; paths count from the plan's folder.

    ``context`` is "" where the plan does not say, ``port`` is 0 then. ``line`` is where it stands in the plan.
    """

    name: str
    image: str = ""
    dockerfile: str = ""
    context: str = ""
    target: str = ""
    args: Mapping[str, str] = {}
    platforms: tuple[str, ...] = ()
    port: int = 0
    health: str = ""
    tags: tuple[str, ...] = ()
    phase: str = ""
    line: int = 1


@record(eq=False)
class Plan:
    """All services, in the plan's order. ``path`` is its file, ``folder`` where that stands."""

    path: str
    folder: str
    services: tuple[Service, ...]
