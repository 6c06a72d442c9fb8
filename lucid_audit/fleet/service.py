"""One service of a plan: its Dockerfile linted, its image audited, the two compared, all of it as plain data."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from lucid_audit import __version__, audit, lint, remember, ruleset
from lucid_audit.audit import Audit, Audited
from lucid_audit.checks import AUDIT
from lucid_audit.container.config import Place
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.disk import Disk
from lucid_audit.dockerfile.model import Pairs
from lucid_audit.dockerfile.parser import parse
from lucid_audit.engine.dockerfile import judge
from lucid_audit.finding import Location, Problem, SubjectReport
from lucid_audit.fleet import requirements
from lucid_audit.fleet.drift import Difference, drift
from lucid_audit.fleet.plan import Plan, Service
from lucid_audit.image.image import Image
from lucid_audit.items import Item, content
from lucid_audit.record import record, replace
from lucid_audit.report.json import subject_document
from lucid_audit.text import SourceText, Span
from lucid_audit.waived import waived

PROOF = "starts"  # the first line of an image's facts that is a step of a proof


@record(eq=False)
class Linted:
    """What is said of a Dockerfile. ``build`` is None where it cannot be judged; ``notes`` are what its contexts were asked."""

    report: SubjectReport
    build: Build | None = None
    asked: frozenset[str] = frozenset()
    notes: Mapping[Any, Any] = {}
    told: str = ""


class Runner:
    """Judges the services of one plan, one after the other."""

    def __init__(self, plan: Plan, ask: audit.Request, *, images: bool) -> None:
        self.plan, self.images = plan, images
        self.rules = ruleset.load(ask.policy, plan.folder)
        self.active = self.rules.active(ask.profile, ask.select, ask.ignore, AUDIT)
        self.request = ask._replace(why=True)
        self.audit = Audit(self.request, self.rules, self.active) if images else None

    def close(self) -> None:
        """Release the cache."""
        if self.audit is not None:
            self.audit.close()

    def key(self, service: Service) -> str:
        """Return a name for all that the answer depends on but for what a build context and a registry hold."""
        ask, folder = self.request, self.plan.folder
        told = [__version__, str(ask.as_of), ask.profile, ask.policy, ask.source, str(self.images), repr(service)]
        told += [repr(list(words)) for words in (ask.select, ask.ignore, ask.platform)]
        told.append(_text(os.path.join(folder, service.dockerfile)) if service.dockerfile else "")
        told.append(_text(self.rules.policy.path) if self.rules.policy.path else "")
        return remember.digest(*told)

    def holds(self, service: Service, kept: Mapping[str, Any]) -> bool:
        """Whether an earlier answer is still right: the build context answers as it did, and the name means the same image."""
        by_root: dict[str, dict[Any, Any]] = {}
        for root, what, path, limit, was in kept["notes"]:
            by_root.setdefault(root, {})[what, path, limit] = was
        if not all(Disk(root).same(notes) for root, notes in by_root.items()):
            return False
        if service.dockerfile and kept["told"] != self._told(service):
            return False
        return self.audit is None or not service.image or self.audit.identity(service.image) == kept["image"] != ""

    def service(self, service: Service) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the answer for a service, and what ``holds`` wants to know of it later.

        Raises:
            UsageError: the policy or the name of the image is not valid.
            InternalError: a check crashed; the message names the rule and the subject.

        """
        linted = self._lint(service) if service.dockerfile else None
        audited = self.audit.image(service.image) if self.audit is not None and service.image else None
        answer = self._answer(service, linted, audited)
        notes = linted.notes if linted is not None else {}
        publication = audited.publication if audited is not None else None
        kept = {
            "notes": [[root, *question, was] for (root, question), was in notes.items()],
            "told": linted.told if linted is not None else "",
            "image": publication.digest if publication is not None else "",
        }
        return answer, kept

    def lost(self, service: Service) -> dict[str, Any]:
        """Return the answer for a service whose judge died: nothing of it is known."""
        problem = Problem("the process that judged it has died", Location(service.dockerfile))
        subject = SubjectReport("dockerfile" if service.dockerfile else "image", service.dockerfile or service.image)
        return self._answer(service, Linted(replace(subject, problems=(problem,))), None)

    def _answer(self, service: Service, linted: Linted | None, audited: Audited | None) -> dict[str, Any]:
        day, policy = self.request.as_of, self.rules.policy
        build = linted.build if linted is not None else None
        reports = list(waived([linted.report], policy, self.active, day))[:1] if linted is not None else []
        images = list(waived(audited.reports, policy, self.active, day)) if audited is not None else []
        images = [one for one in images if one.kind == "image"]
        predicted = requirements.judge(reports, linted.asked) if linted is not None else {}
        measured = requirements.judge(images, {one.rule.id for one in self.active}) if images else {}
        verdicts = requirements.both(predicted, measured) if measured else predicted
        differences = (*_planned(service, build), *_compared(build, audited))
        return {
            **_described(service),
            "base": _base(build),
            "requirements": {name: {"verdict": one.verdict, "why": list(one.why)} for name, one in verdicts.items()},
            "judged": _by(reports, images),
            "dockerfile": subject_document(replace(reports[0], facts=())) if reports else None,
            "images": [subject_document(replace(one, facts=_split(one)[0])) for one in images],
            "proof": [{"of": one.platform or one.kind, "lines": [list(line) for line in _split(one)[1]]}
                      for one in (*images, *reports) if _split(one)[1]],
            "layers": _layers(audited),
            "drift": [dict(zip(Difference._fields, one, strict=True)) for one in differences],
        }  # fmt: skip

    def _paths(self, service: Service) -> tuple[str, str]:
        folder = self.plan.folder
        name = os.path.normpath(os.path.join(folder, service.dockerfile))
        return name, os.path.normpath(os.path.join(folder, service.context)) if service.context else ""

    def _prepared(self, service: Service) -> lint.Prepared:
        ask = self.request
        name, context = self._paths(service)
        return lint.prepare(lint.Request(
            (name,), ask.as_of, context=context, target=service.target, build_args=service.args, profile=ask.profile,
            policy=ask.policy or self.rules.policy.path, select=ask.select, ignore=ask.ignore,
            platform=service.platforms[0] if len(service.platforms) == 1 else "",
        ))  # fmt: skip

    def _told(self, service: Service) -> str:
        """Return what is known of how the Dockerfile is built but for its own text and what its contexts hold."""
        name, context = self._paths(service)
        return (
            "" if context and not os.path.isdir(context) else remember.digest(self._prepared(service).places.told(name))
        )

    def _lint(self, service: Service) -> Linted:
        name, context = self._paths(service)
        problem, data = content(Item(name))
        if not problem and context and not os.path.isdir(context):
            problem = f"its build context {context} is not here"
        if problem:
            return Linted(SubjectReport("dockerfile", name, problems=(Problem(problem, Location(name)),)))
        prepared = self._prepared(service)
        prepared.places.notes = {}
        settings = prepared.settings
        if service.platforms:
            settings = settings._replace(platforms=service.platforms)
        contexts, note = prepared.places.contexts(name)
        build = Build(parse(SourceText.decode(name, data)), settings, contexts)
        build.examiner = prepared.examiner
        report = judge(build, prepared.rules, why=True)
        report = replace(report, note=note, path=prepared.places.in_repository(name))
        asked = frozenset(one.rule.id for one in prepared.rules)
        told = remember.digest(prepared.places.told(name))
        return Linted(report, build if not report.problems else None, asked, prepared.places.notes, told)


def _by(reports: Sequence[SubjectReport], images: Sequence[SubjectReport]) -> str:
    """Say what the verdicts rest on: the image where any of it was read, else the Dockerfile."""
    if any(not one.problems for one in images):
        return "image"
    return "dockerfile" if any(not one.problems for one in reports) else "nothing"


def _split(report: SubjectReport) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Tell what an image is from the proof of how it starts; of a Dockerfile everything is the proof."""
    if report.kind == "dockerfile":
        return (), report.facts
    at = next((at for at, (name, _) in enumerate(report.facts) if name == PROOF), len(report.facts))
    return report.facts[:at], report.facts[at:]


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


def _base(build: Build | None) -> str:
    """Return the image that the Dockerfile builds on, with its tag and digest; "" where that is not known, or scratch."""
    ref = build.target.root.ref if build is not None and build.target is not None else None
    return str(ref) if ref is not None else ""


def _layers(audited: Audited | None) -> list[dict[str, Any]]:
    """Return the layers of every image, so that what they share can be drawn; sizes in packed bytes."""
    if audited is None or audited.publication is None:
        return []
    return [
        {"platform": str(image.platform.normalised), "digest": layer.digest, "diff_id": layer.diff_id, "size": layer.size,
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
    several = [
        (
            str(image.platform.normalised),
            dict.fromkeys(drift(build.container, image.container, partial(written, build))),
        )
        for image in images
    ]
    found = []
    for platform, differences in several:
        for one in differences:
            where = [name for name, others in several if one in others]
            if len(where) == len(several):
                found += [one] if where[0] == platform else []  # of all platforms: said once
            else:
                found.append(one._replace(what=f"{one.what} ({platform})"))
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
