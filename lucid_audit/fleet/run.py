"""Runs a plan: a few services at once, each layer read once, finished services on disk, so that a run that was killed goes on.

Each finished service is one line of a state file. A later run takes it when the options, the policy, the Dockerfile and the plan
say the same, when the build context answers every question as it did, and when the image's name means the same image.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from tempfile import TemporaryDirectory
from typing import Any

from lucid_audit import audit, parallel
from lucid_audit.cachefolder import VARIABLE, cache_folder
from lucid_audit.fleet import pool
from lucid_audit.fleet.plan import Plan, Service
from lucid_audit.fleet.service import Runner
from lucid_audit.fleet.state import State
from lucid_audit.sources.cache import Cache, default_folder
from lucid_audit.sources.choose import read_subject
from lucid_audit.tuples import NamedTuple

MOST = 4  # services at once that are of use: more share the same network and hold more in memory
Told = Callable[
    [int, int, Mapping[str, int]], None
]  # services done, of how many; those in work with the bytes that arrived


class Request(NamedTuple):
    """What one run was asked for. ``images``: read images too. ``only`` are the services to judge, None for all.

    ``audit`` says how images are read; what rules there are it says for Dockerfiles as well. ``jobs`` is how many services
    are in work at once, 0 to choose.
    """

    plan: Plan
    audit: audit.Request
    images: bool = True
    only: frozenset[str] | None = None
    state: str = ""  # a file; "" to keep nothing
    jobs: int = 0


def run(request: Request, told: Told) -> Iterator[dict[str, Any]]:
    """Yield the answer for each service, in the plan's order, as plain data (``docs/fleet.schema.json``).

    Raises:
        UsageError: an option, a rule, the policy or the name of an image is not valid.
        InternalError: a check crashed; the message names the rule and the subject.

    """
    services = [one for one in request.plan.services if request.only is None or one.name in request.only]
    for service in services:
        if service.image and request.images:
            read_subject(service.image, request.audit.source)  # a mistyped name is said before any download
    if not gc.isenabled():  # the program starts without: see __main__
        gc.freeze()
        gc.enable()
    state = State(request.state)
    with ExitStack() as ends:
        ask = _shared(request.audit, ends) if request.images else request.audit
        work = _Work(request._replace(audit=ask), services, state)
        yield from _in_order(work, services, state, request.jobs or _jobs(), told)
    state.finished()


def _jobs() -> int:
    return max(2, min(MOST, parallel.available()))


class _Work:
    """What a worker does for one service: take the answer of an earlier run, or judge it. Made once for each process."""

    def __init__(self, request: Request, services: Sequence[Service], state: State) -> None:
        self.request, self._services, self._state = request, services, state
        self._runner: Runner | None = None
        self._told: pool.Told = lambda _count: None

    def runner(self) -> Runner:
        if self._runner is None:
            ask = self.request.audit._replace(told=lambda _name, _part, count: self._told(count))
            self._runner = Runner(self.request.plan, ask, images=self.request.images)
        return self._runner

    def start(self) -> pool.Work:
        self.runner()
        return self.service

    def service(self, at: int, told: pool.Told) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Return the answer, and what is to be kept of it, None when nothing is."""
        self._told = told
        runner, service = self.runner(), self._services[at]
        key = runner.key(service)
        kept = self._state.find(key)
        if kept is not None and runner.holds(service, kept):
            return kept["answer"], None
        answer, more = runner.service(service)
        return answer, None if unread(answer) else {"key": key, "answer": answer, **more}  # unread is tried again

    def close(self) -> None:
        if self._runner is not None:
            self._runner.close()


def _in_order(
    work: _Work, services: Sequence[Service], state: State, jobs: int, told: Told
) -> Iterator[dict[str, Any]]:
    ready: dict[int, dict[str, Any]] = {}
    moving: dict[int, int] = {}
    done = following = 0

    def heard(at: int, count: int) -> None:
        moving[at] = moving.get(at, 0) + count
        told(done, len(services), {services[one].name: size for one, size in moving.items()})

    try:
        for at, found in pool.each(work.start, len(services), jobs, heard):
            answer, kept = (work.runner().lost(services[at]), None) if found is pool.LOST else found
            if kept is not None:
                state.keep(kept.pop("key"), kept)
            moving.pop(at, None)
            ready[at], done = answer, done + 1
            told(done, len(services), {services[one].name: size for one, size in moving.items()})
            while following in ready:
                yield ready.pop(following)
                following += 1
    finally:
        work.close()


def _shared(ask: audit.Request, ends: ExitStack) -> audit.Request:
    """Give all workers one cache, so that none reads a layer that another has: the user's, else one for this run."""
    probe = Cache(default_folder(ask.environ) if ask.cache else None)
    works = probe.works
    probe.close()
    if not works:
        made = ends.enter_context(TemporaryDirectory(prefix="lucid-audit-"))
        ask = ask._replace(environ={**ask.environ, VARIABLE: made}, cache=True)
    claims = os.path.join(cache_folder(ask.environ), "claims")
    os.makedirs(claims, mode=0o700, exist_ok=True)
    return ask._replace(claims=claims)


def unread(service: Mapping[str, Any]) -> bool:
    """Whether anything of a service could not be read."""
    subjects = [*service["images"], *([service["dockerfile"]] if service["dockerfile"] else [])]
    return any(subject["problems"] for subject in subjects) or not subjects
