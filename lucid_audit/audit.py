"""The use case "image": find each image, read and verify it, judge it, collect one report.

This is where input happens; rules, model and renderers see only what they are handed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from time import monotonic

from lucid_audit import __version__, reference, ruleset
from lucid_audit.bases import Bases
from lucid_audit.catalogue import compiled, fingerprints
from lucid_audit.checks import AUDIT, reads
from lucid_audit.engine.image import judge
from lucid_audit.errors import InputError, UsageError
from lucid_audit.finding import Location, Problem, SubjectReport
from lucid_audit.image.descriptor import Descriptor, Platform, parse_platform
from lucid_audit.image.fingerprints import read_fingerprints
from lucid_audit.image.identity import Known
from lucid_audit.image.image import Publication
from lucid_audit.image.limits import DEFAULT, Limits
from lucid_audit.image.source import Source, fetch_manifest
from lucid_audit.image.wanted import ALWAYS, wanted
from lucid_audit.outcome import Outcome, finished
from lucid_audit.policy import platforms
from lucid_audit.record import replace
from lucid_audit.reference import ImageRef
from lucid_audit.rules import ActiveRule
from lucid_audit.ruleset import RuleSet
from lucid_audit.sources.cache import Cache, default_folder
from lucid_audit.sources.choose import Chooser, NowhereError, read_subject
from lucid_audit.sources.claim import Claims
from lucid_audit.sources.pull import Reading, pull
from lucid_audit.tuples import NamedTuple
from lucid_audit.waived import waived

Told = Callable[[str, Descriptor, int], None]  # a reference, a part of it, and how many bytes more of it arrived


def _silent(_name: str, _part: Descriptor, _count: int) -> None:
    """Hear of progress and say nothing."""


class Request(NamedTuple):
    """What one run was asked for; empty strings and tuples mean "not given".

    ``timeout`` is seconds for each image, 0 for no end. ``environ`` names credentials, proxies, sockets and the cache's
    folder, as for other programs. ``workers`` is how many layers are read at once, 0 to choose.
    """

    images: Sequence[str]
    as_of: date
    environ: Mapping[str, str] = {}
    platform: Sequence[str] = ()
    source: str = "auto"
    profile: str = ""
    policy: str = ""
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    fail_on: str = ""
    mirrors: Sequence[str] = ()
    insecure: Sequence[str] = ()
    ca_file: str = ""
    timeout: float = 0
    limits: Limits = DEFAULT
    cache: bool = True
    workers: int = 0
    why: bool = False  # also prove how each image starts
    told: Told = _silent
    claims: str = ""  # a folder that several runs share, so that none reads what another is reading; "" for none


def run(request: Request) -> Outcome:
    """Audit everything that was asked for. Images that cannot be read are part of the report; the others are judged.

    Raises:
        UsageError: an option, a rule, the policy or the name of an image is not valid.
        InternalError: a check crashed; the message names the rule and the image.

    """
    rules = ruleset.load(request.policy, os.getcwd())
    active = rules.active(request.profile, request.select, request.ignore, AUDIT)
    for name in request.images:
        read_subject(name, request.source)  # a mistyped name is said before any download
    audit = Audit(request, rules, active)
    try:
        subjects = [subject for name in request.images for subject in audit.image(name).reports]
    finally:
        audit.close()
    return finished(
        waived(subjects, rules.policy, active, request.as_of), active, request.fail_on or rules.policy.fail_on
    )


class Audited(NamedTuple):
    """What is said of one image, and the image itself; None when it could not be read."""

    reports: tuple[SubjectReport, ...]
    publication: Publication | None = None


class Audit:
    """What all images of one run share."""

    def __init__(self, request: Request, rules: RuleSet, active: Sequence[ActiveRule]) -> None:
        self.request, self.rules, self.active = request, rules, active
        self.asked = _platforms(request.platform, "--platform")
        self.demanded = _platforms(platforms(rules.policy, rules.profiles, request.profile), "platforms")
        # What any check reads, asked or not, so that one cache serves every selection of rules.
        self.wanted = wanted({*ALWAYS, *reads()})
        bases = Bases(compiled()["bases"], rules.policy.bases)
        self.limits = replace(request.limits, **rules.policy.limits)
        self.known = Known(bases, read_fingerprints(fingerprints()), request.as_of)
        self.cache = Cache(default_folder(request.environ) if request.cache else None, self.wanted.key)
        self.chooser = Chooser(self._registry, request.environ)

    def image(self, name: str) -> Audited:
        """Read and judge one image.

        Raises:
            UsageError: the name is none.
            InternalError: a check crashed; the message names the rule and the image.

        """
        tried: list[str] = []
        try:
            publication = self._pull(name, tried)
        except InputError as error:
            said = [str(error), *(f"tried {attempt}" for attempt in tried)]
            problems = tuple(Problem(line, Location()) for line in said)
            where = self._dockerfile(name, _reference(name))
            return Audited((SubjectReport("image", name, problems=problems, dockerfile=where),))
        where = self._dockerfile(name, publication.ref)
        reports = judge(publication, self.active, why=self.request.why)
        for layer in {layer.diff_id: layer for image in publication.images for layer in image.layers}.values():
            self.cache.put_learned(layer)
        return Audited(tuple(replace(report, dockerfile=where) for report in reports), publication)

    def _dockerfile(self, name: str, ref: ImageRef | None) -> str:
        """Return the Dockerfile that the policy says an image is built from, by its name as given or without its tag."""
        names = [name, *((ref.familiar.removesuffix(ref.suffix), ref.name) if ref is not None else ())]
        for pattern, path in self.rules.policy.dockerfiles.items():
            if any(fnmatchcase(one, pattern) for one in names):
                return path
        return ""

    def _pull(self, name: str, tried: list[str]) -> Publication:
        """Read an image; the places that did not have it, and why, are added to ``tried``."""
        request = self.request
        try:
            chosen = self.chooser.choose(name, request.source)
        except NowhereError as error:
            tried.extend(map(str, error.tried))
            raise InputError("no source has it") from None
        tried.extend(map(str, chosen.tried))
        source = chosen.source
        ref = _reference(name)
        reading = Reading(
            self.wanted,
            self.limits,
            self.known,
            self.cache,
            lambda part, count: request.told(name, part, count),
            request.workers or 4,
            monotonic() + request.timeout if request.timeout else None,
            Claims(request.claims),
        )
        try:
            return pull(source, name, ref, self.asked, self.demanded, reading)
        except InputError as error:
            raise InputError(f"{source.name}: {error}") from None
        finally:
            source.close()

    def _registry(self, ref: ImageRef) -> Source:
        from lucid_audit.sources.registry import Registry  # noqa: PLC0415  (other sources need no HTTP)
        from lucid_audit.sources.transport import Settings  # noqa: PLC0415

        request = self.request
        mirrors = [*self.rules.policy.mirrors.items(), *_pairs(request.mirrors)]
        agent = f"lucid-audit/{__version__}"
        settings = Settings(request.environ, agent, tuple(request.insecure), tuple(mirrors), request.ca_file)
        return Registry(ref, settings)

    def identity(self, name: str) -> str:
        """Return what tells whether an image is still the same: the digest that its reference names now; "" when nobody can tell.

        Nothing of the image but its manifest is asked for.
        """
        try:
            source = self.chooser.choose(name, self.request.source).source
        except InputError:
            return ""
        try:
            head = getattr(source, "head", None)
            return (head() if head is not None else None) or fetch_manifest(source).digest
        except InputError:
            return ""
        finally:
            source.close()

    def close(self) -> None:
        """Release the cache."""
        self.cache.close()


def _pairs(mirrors: Sequence[str]) -> list[tuple[str, str]]:
    """Read ``REGISTRY=HOST``."""
    found = []
    for text in mirrors:
        registry, equals, host = text.partition("=")
        if not registry or not equals or not host:
            raise UsageError(f"--mirror {text!r} is not REGISTRY=HOST")
        found.append((registry, host))
    return found


def _platforms(names: Sequence[str], where: str) -> tuple[Platform, ...]:
    found = []
    for name in names:
        platform = parse_platform(name)
        if platform is None:
            raise UsageError(f"{where}: {name!r} is not a platform such as linux/arm64")
        found.append(platform)
    return tuple(found)


def _reference(name: str) -> ImageRef | None:
    """Return the reference that a name is; None for paths."""
    subject = read_subject(name)
    return reference.parse(subject.rest) if subject.kind in ("auto", "registry", "engine") else None
