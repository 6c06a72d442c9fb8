"""Runs a plan: for each service its Dockerfile is linted, its image audited, and the two compared.

A run that was killed goes on where it was: each finished service is one line of a state file, found again by all that its answer depends on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from hashlib import sha256
from typing import Any

from lucid_audit import __version__, audit, lint, ruleset
from lucid_audit.audit import Audit, Audited
from lucid_audit.checks import AUDIT
from lucid_audit.container.config import Place
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Pairs
from lucid_audit.dockerfile.parser import parse
from lucid_audit.engine.dockerfile import judge
from lucid_audit.finding import Location, Problem, SubjectReport
from lucid_audit.fleet import requirements
from lucid_audit.fleet.drift import Difference, drift
from lucid_audit.fleet.plan import Plan, Service
from lucid_audit.fleet.state import State
from lucid_audit.image.image import Image
from lucid_audit.items import Item, content
from lucid_audit.record import replace
from lucid_audit.report.json import subject_document
from lucid_audit.sources.choose import read_subject
from lucid_audit.text import SourceText, Span
from lucid_audit.tuples import NamedTuple
from lucid_audit.waived import waived

Told = Callable[[int, int, str], None]  # how many services are done, of how many, and which is next


class Request(NamedTuple):
    """What one run was asked for. ``images``: read images too. ``only`` are the services to judge, None for all.

    ``audit`` says how images are read; what rules there are it says for Dockerfiles as well.
    """

    plan: Plan
    audit: audit.Request
    images: bool = True
    only: frozenset[str] | None = None
    state: str = ""  # a file; "" to keep nothing


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
    runner = _Runner(request)
    state = State(request.state)
    try:
        for number, service in enumerate(services):
            told(number, len(services), service.name)
            key = runner.key(service)
            answer = state.find(key)
            if answer is None:
                answer = runner.service(service)
                if not _unread(answer):  # what could not be read is tried again
                    state.keep(key, answer)
            yield answer
        told(len(services), len(services), "")
    finally:
        runner.close()
    state.finished()


class _Runner:
    def __init__(self, request: Request) -> None:
        self.request = request
        self.rules = ruleset.load(request.audit.policy, request.plan.folder)
        ask = request.audit
        self.active = self.rules.active(ask.profile, ask.select, ask.ignore, AUDIT)
        self.audit = Audit(ask, self.rules, self.active) if request.images else None

    def close(self) -> None:
        if self.audit is not None:
            self.audit.close()

    def key(self, service: Service) -> str:
        """Return a name for all that the answer depends on, but for what lies in registries and contexts during one run."""
        ask, folder = self.request.audit, self.request.plan.folder
        told = [
            __version__,
            str(ask.as_of),
            ask.profile,
            ask.policy,
            *ask.select,
            "-",
            *ask.ignore,
            "-",
            *ask.platform,
            ask.source,
        ]
        told += [
            str(self.request.images),
            repr(service),
            _text(os.path.join(folder, service.dockerfile)) if service.dockerfile else "",
        ]
        told.append(_text(self.rules.policy.path) if self.rules.policy.path else "")
        return sha256("\0".join(told).encode("utf-8", "surrogatepass")).hexdigest()

    def service(self, service: Service) -> dict[str, Any]:
        linted, build, asked = self._lint(service) if service.dockerfile else (None, None, frozenset())
        audited = self.audit.image(service.image) if self.audit is not None and service.image else None
        day, policy = self.request.audit.as_of, self.rules.policy
        if linted is not None:
            (linted, *_) = waived([linted], policy, self.active, day)
        images = list(waived(audited.reports, policy, self.active, day)) if audited is not None else []
        images = [one for one in images if one.kind == "image"]
        predicted = requirements.judge([linted], asked) if linted is not None else {}
        measured = requirements.judge(images, {one.rule.id for one in self.active}) if images else {}
        verdicts = requirements.both(predicted, measured) if measured else predicted
        return {
            **_described(service),
            "requirements": {name: {"verdict": one.verdict, "why": list(one.why)} for name, one in verdicts.items()},
            "judged": "image"
            if measured and any(not one.problems for one in images)
            else "dockerfile"
            if linted
            else "nothing",
            "dockerfile": subject_document(linted) if linted is not None else None,
            "images": [subject_document(one) for one in images],
            "layers": _layers(audited),
            "drift": [
                dict(zip(Difference._fields, one, strict=True))
                for one in (*_planned(service, build), *_compared(build, audited))
            ],
        }

    def _lint(self, service: Service) -> tuple[SubjectReport, Build | None, frozenset[str]]:
        ask, folder = self.request.audit, self.request.plan.folder
        name = os.path.normpath(os.path.join(folder, service.dockerfile))
        context = os.path.normpath(os.path.join(folder, service.context)) if service.context else ""
        wanted = lint.Request(
            (name,), ask.as_of, context=context, target=service.target, build_args=service.args, profile=ask.profile,
            policy=ask.policy or self.rules.policy.path, select=ask.select, ignore=ask.ignore,
            platform=service.platforms[0] if len(service.platforms) == 1 else "",
        )  # fmt: skip
        problem, data = content(Item(name))
        if not problem and context and not os.path.isdir(context):
            problem = f"its build context {context} is not here"
        if problem:
            return SubjectReport("dockerfile", name, problems=(Problem(problem, Location(name)),)), None, frozenset()
        prepared = lint.prepare(wanted)
        settings = prepared.settings
        if service.platforms:
            settings = settings._replace(platforms=service.platforms)
        contexts, note = prepared.places.contexts(name)
        build = Build(parse(SourceText.decode(name, data)), settings, contexts)
        build.examiner = prepared.examiner
        report = replace(judge(build, prepared.rules), note=note, path=prepared.places.in_repository(name))
        return report, build if not report.problems else None, frozenset(one.rule.id for one in prepared.rules)


def _described(service: Service) -> dict[str, Any]:
    return {
        "name": service.name,
        "image": service.image,
        "file": service.dockerfile,
        "context": service.context,
        "platforms": list(service.platforms),
        "port": service.port,
        "health": service.health,
        "tags": list(service.tags),
        "phase": service.phase,
        "line": service.line,
    }


def _layers(audited: Audited | None) -> list[dict[str, Any]]:
    """Return the layers of every image, so that what they share can be drawn; sizes in packed bytes."""
    if audited is None or audited.publication is None:
        return []
    return [
        {"platform": str(image.platform.normalised), "digest": layer.digest, "size": layer.size,
         "created_by": " ".join(image.place("/", number).created_by.split())[:200]}
        for image in audited.publication.images
        for number, layer in enumerate(image.layers)
    ]  # fmt: skip


def _planned(service: Service, build: Build | None) -> Iterator[Difference]:
    """Compare what the plan says with the Dockerfile: the port that the service listens on."""
    ports = build.container.ports if build is not None and build.container is not None else ()
    known = [port.known() for port in ports]
    if service.port and known and None not in known:
        exposed = {word.partition("/")[0] for port in known for word in str(port).split()}
        if str(service.port) not in exposed and not any("-" in word for word in exposed):
            yield Difference(f"port {service.port} of the plan", f"EXPOSE {' '.join(sorted(exposed))}", "")


def _compared(build: Build | None, audited: Audited | None) -> list[Difference]:
    images: Sequence[Image] = (
        audited.publication.images if audited is not None and audited.publication is not None else ()
    )
    if build is None or build.container is None:
        return []

    found: list[Difference] = []
    for image in images:
        several = f" ({image.platform.normalised})" if len(images) > 1 else ""
        found += [
            one._replace(what=one.what + several)
            for one in drift(build.container, image.container, partial(written, build))
        ]
    return found


def written(build: Build, place: Place) -> str:
    """Return what a value was written as: the pair of ENV or LABEL, else the whole instruction."""
    for one in build.dockerfile.instructions if isinstance(place, Span) else ():
        if isinstance(place, Span) and one.span.start <= place.start < one.span.end:
            for pair in one.pairs if isinstance(one, Pairs) else ():
                if pair.value is not None and pair.key.span.start <= place.start < pair.value.span.end:
                    return pair.value.raw
            return build.dockerfile.source.slice(one.span)
    return ""


def _text(path: str) -> str:
    problem, data = content(Item(path))
    return problem or data.decode("utf-8", "surrogateescape")


def totals(services: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Count as the release owner does: images built, compliant ones, several platforms, health checks, each phase."""

    def passed(service: Mapping[str, Any], name: str) -> bool:
        return bool(service["requirements"].get(name, {}).get("verdict") == requirements.PASS)

    names = [one.name for one in requirements.REQUIREMENTS]
    read = [one for one in services if one["judged"] == "image"]
    phases: dict[str, list[int]] = {}
    for one in services:
        done = phases.setdefault(one["phase"], [0, 0])
        done[0] += all(passed(one, name) for name in names)
        done[1] += 1
    return {
        "services": len(services),
        "images": len(read),
        "ready": sum(all(passed(one, name) for name in names) for one in services),
        "requirements": {name: sum(passed(one, name) for one in services) for name in names},
        "several_platforms": sum(len({layer["platform"] for layer in one["layers"]}) > 1 for one in read),
        "drifted": sum(bool(one["drift"]) for one in services),
        "unread": sum(_unread(one) for one in services),
        "phases": {name: {"ready": ready, "services": count} for name, (ready, count) in sorted(phases.items())},
    }


def _unread(service: Mapping[str, Any]) -> bool:
    subjects = [*service["images"], *([service["dockerfile"]] if service["dockerfile"] else [])]
    return any(subject["problems"] for subject in subjects) or not subjects


def document(plan: Plan, services: Sequence[Mapping[str, Any]], day: date) -> dict[str, Any]:
    """Return the whole answer as plain data."""
    return {
        "version": 1,
        "tool": {"name": "lucid-audit", "version": __version__},
        "plan": os.path.basename(plan.path),
        "as_of": day.isoformat(),
        "totals": totals(services),
        "services": list(services),
    }


def dumps(found: Mapping[str, Any]) -> str:
    """Return the answer as JSON in ASCII."""
    return json.dumps(found, indent=1) + "\n"
