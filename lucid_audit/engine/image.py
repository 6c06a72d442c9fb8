"""Judges what a reference publishes: the publication as a whole, and each image in it with the container it gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lucid_audit.checks.secret import masked
from lucid_audit.container.config import Field, LayerPath, Place
from lucid_audit.container.tree import Made
from lucid_audit.engine import Where, collect, part
from lucid_audit.finding import Finding, Layer, Location, Problem, SubjectReport
from lucid_audit.image.facts import facts_of, facts_of_publication
from lucid_audit.image.image import Image, Publication
from lucid_audit.record import replace
from lucid_audit.rules import ActiveRule

HISTORY = 200  # characters of a history line beside a layer
LINE = 100  # columns of a history line in a proof


def judge(publication: Publication, rules: Sequence[ActiveRule], *, why: bool = False) -> tuple[SubjectReport, ...]:
    """Judge a publication: first what concerns all of it, then one report for each image.

    ``why``: each report opens with the proof of how its image starts, or why not.

    A reference that names one manifest has one report. Entries that could not be read are problems, never passes.

    Raises:
        InternalError: a check crashed; the message names the rule and the subject.

    """
    whole = _publication(publication, rules)
    images = [_image(image, rules, why=why) for image in publication.images]
    if publication.index is None and len(images) == 1:
        merged = (*whole.findings, *images[0].findings)
        return (
            replace(
                images[0],
                findings=merged,
                skipped=(*whole.skipped, *images[0].skipped),
                problems=whole.problems,
            ),
        )
    return (whole, *images)


def _publication(publication: Publication, rules: Sequence[ActiveRule]) -> SubjectReport:
    where = Where(publication.name, locate, _identity)
    findings, skipped = collect({"publication": publication}, rules, where)
    problems = tuple(
        Problem(f"{entry.platform or entry.digest}: {reason}", Location()) for entry, reason in publication.failed
    )
    return SubjectReport(
        "image",
        publication.name,
        _sorted(findings),
        skipped,
        problems,
        digest=publication.digest,
        facts=facts_of_publication(publication),
    )


def _image(image: Image, rules: Sequence[ActiveRule], *, why: bool) -> SubjectReport:
    where = Where(f"{image.name} ({image.platform})", locate, _identity)
    findings, skipped = collect({"image": image, "container": image.container}, rules, where)
    return SubjectReport(
        "image",
        image.name,
        _sorted(findings),
        skipped,
        platform=str(image.platform.normalised),
        digest=image.digest,
        facts=tuple((name, masked(value)) for name, value in (*facts_of(image), *(_proof(image) if why else ()))),
        layers=tuple(
            Layer(one.digest, one.size, masked(" ".join(image.place("/", number).created_by.split())[:HISTORY]))
            for number, one in enumerate(image.layers)
        ),
    )


def _proof(image: Image) -> Iterator[tuple[str, str]]:
    """Yield how the image starts, each step with its layer and history line."""
    from lucid_audit.container import why  # noqa: PLC0415  (only for those who ask)

    def where(place: Place | Made) -> str:
        line = place.words if isinstance(place, Made) else place.created_by if isinstance(place, Field) else ""
        return " ".join(line.split())[:LINE]

    return why.proof(image.container, where)


def _sorted(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The gravest first; then configuration before files, as a reader would look."""
    return tuple(
        sorted(findings, key=lambda f: (-f.severity, f.location.layer, f.location.field, f.location.path, f.rule))
    )


def locate(place: Place) -> Location:
    """Turn a place in an image into a location; layers count from 1 there. Reports get published: no secret is quoted."""
    if isinstance(place, LayerPath):
        line = masked(place.created_by)
        return Location(path=place.path, layer=place.layer + 1, layer_digest=place.layer_digest, created_by=line)
    if isinstance(place, Field):
        return Location(field=place.field, created_by=masked(place.created_by))
    raise TypeError("a place in a Dockerfile was given for an image")


def _identity(place: Place) -> tuple[str, str]:
    return ("", part(place)) if isinstance(place, Field | LayerPath) else ("", "")
