"""How what a reference names is put together: platforms, tags and the entries of an index."""

from __future__ import annotations

from collections.abc import Iterator

from lucid_audit.checks import Answers, check
from lucid_audit.container.config import Field
from lucid_audit.finding import Hit, Skip
from lucid_audit.image.descriptor import Descriptor, Platform
from lucid_audit.image.image import Image, Publication
from lucid_audit.image.manifest import ATTESTATION, REFERENCE_TYPE
from lucid_audit.record import record

# Words of tags that name a platform and nothing else ("arm" is also the start of names).
_IN_TAGS = {
    "amd64": Platform("linux", "amd64"),
    "x86_64": Platform("linux", "amd64"),
    "arm64": Platform("linux", "arm64"),
    "arm64v8": Platform("linux", "arm64"),
    "aarch64": Platform("linux", "arm64"),
    "armv6": Platform("linux", "arm", "v6"),
    "arm32v6": Platform("linux", "arm", "v6"),
    "armv7": Platform("linux", "arm"),
    "arm32v7": Platform("linux", "arm"),
    "armhf": Platform("linux", "arm"),
    "i386": Platform("linux", "386"),
    "riscv64": Platform("linux", "riscv64"),
    "ppc64le": Platform("linux", "ppc64le"),
    "s390x": Platform("linux", "s390x"),
}
# podman lists a platform again with other compression (containers/image, "io.github.containers.compression.zstd").
_COMPRESSION = "io.github.containers.compression.zstd"


def _platforms(publication: Publication) -> Iterator[Descriptor]:
    """Yield the entries of the index that stand for a platform."""
    if publication.index is not None:
        apart = {entry.digest for entry in (*publication.attestations, *publication.others)}
        for entry in publication.index.manifests:
            if entry.platform is not None and entry.digest not in apart:
                yield entry


def _shown(platforms: Iterator[Platform]) -> str:
    return ", ".join(sorted({str(platform.normalised) for platform in platforms}))


@check("platforms-published")
def platforms_published(publication: Publication) -> Answers:
    """Judge whether every demanded platform is there; what is not demanded is nobody's business."""
    offered = [image.platform for image in publication.images]
    offered += [
        entry.platform
        for entry in (*publication.unread, *(entry for entry, _ in publication.failed))
        if entry.platform is not None
    ]
    shown = _shown(iter(offered)) or "none"
    for wanted in publication.wanted:
        if not any(platform.matches(wanted) for platform in offered):
            yield Hit(Field("platforms"), wanted=wanted, offered=shown)


@check("index-wanted")
def index_wanted(publication: Publication) -> Answers:
    """Judge a tag that names one manifest where several platforms are demanded; a digest names one thing on purpose."""
    pinned = publication.ref is not None and publication.ref.digest is not None
    if publication.index is None and not pinned and len(publication.wanted) > 1 and publication.images:
        wanted = ", ".join(map(str, publication.wanted))
        yield Hit(Field("manifest"), platform=publication.images[0].platform.normalised, wanted=wanted)


@record
class Agreement:
    """``part``: "platform" (system and architecture) or "variant" (where both name one)."""

    part: str


@check("platform-agrees")
def platform_agrees(image: Image, params: Agreement) -> Answers:
    """Judge the platform of an image's own configuration against the index's; arm64/v8 and arm64 are the same."""
    said = image.entry.platform if image.entry is not None else None
    if said is None:
        return
    index, config = said.normalised, image.platform.normalised
    if not config.architecture:
        yield Skip(Field("architecture"), "the configuration names no architecture")
    elif index.architecture != config.architecture or (config.os and index.os != config.os):
        if params.part == "platform":
            yield Hit(Field("architecture"), index=index, config=config)
    elif params.part == "variant" and said.variant and image.platform.variant and index != config:
        yield Hit(Field("variant"), index=index, config=config)


def _tagged(publication: Publication) -> tuple[str, Platform] | None:
    """Return the platform that a tag names, with its word; None when it names none, or several."""
    tag = publication.ref.tag if publication.ref is not None else None
    words = (tag or "").replace("x86_64", "amd64").replace("_", "-").replace(".", "-").split("-")
    named = {word: _IN_TAGS[word] for word in words if word in _IN_TAGS}
    return next(iter(named.items())) if len(set(named.values())) == 1 else None


@check("tag-platform")
def tag_platform(publication: Publication) -> Answers:
    """Judge a tag that names an architecture against the images behind it."""
    named = _tagged(publication)
    if named is None:
        return
    offered = [image.platform for image in publication.images if image.platform.architecture]
    offered += [
        entry.platform
        for entry in (*publication.unread, *(entry for entry, _ in publication.failed))
        if entry.platform is not None
    ]
    if offered and not any(platform.normalised[:2] == named[1][:2] for platform in offered):
        tag = publication.ref.tag if publication.ref is not None else ""
        yield Hit(Field("architecture"), tag=tag, word=named[0], offered=_shown(iter(offered)))


@check("tag-of-many")
def tag_of_many(publication: Publication) -> Answers:
    """Judge a tag that names one architecture and stands for an index of several."""
    named = _tagged(publication)
    platforms = {entry.platform.normalised for entry in _platforms(publication) if entry.platform is not None}
    if named is not None and len(platforms) > 1:
        tag = publication.ref.tag if publication.ref is not None else ""
        yield Hit(Field("manifests"), tag=tag, word=named[0], offered=_shown(iter(platforms)))


@check("platform-once")
def platform_once(publication: Publication) -> Answers:
    """Judge platforms that an index lists more than once.

    Windows entries differ by the version of the system, and podman's by their compression.
    """
    found: dict[Platform, list[str]] = {}
    for entry in _platforms(publication):
        assert entry.platform is not None
        if entry.platform.os != "windows" and _COMPRESSION not in entry.annotations:
            found.setdefault(entry.platform.normalised, []).append(entry.digest)
    for platform, digests in found.items():
        if len(digests) > 1:
            same = len(set(digests)) == 1
            what = f"{len(digests)} times with the same digest" if same else f"as {' and '.join(map(_short, digests))}"
            yield Hit(Field("manifests"), platform=platform, what=what)


@check("digest-once")
def digest_once(publication: Publication) -> Answers:
    """Judge one manifest listed for several architectures: its programs can be for one of them at most."""
    found: dict[str, dict[tuple[str, str], Platform]] = {}
    for entry in _platforms(publication):
        assert entry.platform is not None
        platform = entry.platform.normalised
        found.setdefault(entry.digest, {})[platform[:2]] = platform
    for digest, platforms in found.items():
        if len(platforms) > 1:
            yield Hit(Field("manifests"), digest=_short(digest), platforms=" and ".join(map(str, platforms.values())))


def _short(digest: str) -> str:
    algorithm, _, text = digest.partition(":")
    return f"{algorithm}:{text[:12]}"


@check("attestations-listed")
def attestations_listed(publication: Publication) -> Answers:
    """Tell attestations among the entries, in both forms that BuildKit writes; they are not platforms."""
    if publication.attestations:
        old = sum(one.annotations.get(REFERENCE_TYPE) == ATTESTATION for one in publication.attestations)
        count = len(publication.attestations)
        form = "as image manifests" if old == count else "as artifacts" if not old else "in both forms"
        yield Hit(Field("manifests"), count=f"{count} attestation{'s' * (count > 1)}", form=form)


@check("entries-are-images")
def entries_are_images(publication: Publication) -> Answers:
    """Tell entries of an index that are no images: artifacts, other indexes, unknown types."""
    for entry in publication.others:
        what = entry.artifact_type or entry.media_type or "no type at all"
        yield Hit(Field("manifests"), digest=_short(entry.digest), what=what)
