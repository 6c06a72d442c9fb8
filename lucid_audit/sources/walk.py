"""Walk from a reference to its images: indexes within indexes, attestations and artifacts told apart, platforms chosen."""

from __future__ import annotations

from collections.abc import Sequence

from lucid_audit.errors import InputError
from lucid_audit.image.descriptor import Descriptor, Platform
from lucid_audit.image.manifest import INDEX_TYPES, MANIFEST_TYPES, Fetched, Index, Manifest, is_attestation, read
from lucid_audit.image.source import Source, fetch_manifest
from lucid_audit.sources.cache import Cache
from lucid_audit.tuples import NamedTuple

DEPTH = 3  # indexes within indexes


class Found(NamedTuple):
    """A manifest of one image, and the entry of the index that led to it."""

    entry: Descriptor | None
    digest: str
    manifest: Manifest


class Walk:
    """What a reference names: the entries of its index and of those within it, sorted by what they are.

    ``found`` are the images to read; ``unread`` those of platforms that nobody asked for; ``failed`` what cannot be read.
    """

    def __init__(self, digest: str, index: Index | None, wanted: Sequence[Platform]) -> None:
        self.digest, self.index = digest, index
        self.wanted = wanted
        self.found: list[Found] = []
        self.attestations: list[Descriptor] = []
        self.others: list[Descriptor] = []
        self.unread: list[Descriptor] = []
        self.failed: list[tuple[Descriptor, str]] = []


def walk(source: Source, platforms: Sequence[Platform], cache: Cache) -> Walk:
    """Read the manifests of a reference. ``platforms`` are the ones to read, all when empty.

    Raises:
        InputError: the reference cannot be had, or names no image.

    """
    root = manifest(source, "", cache)
    top = read(root)
    if isinstance(top, Manifest):
        if not top.is_image:
            raise InputError(f"it is no image: its configuration is of type {top.config.media_type!r}")
        one = Walk(root.digest, None, platforms)
        one.found.append(Found(None, root.digest, top))
        return one
    whole = Walk(root.digest, top, platforms)
    _walk(source, top, whole, cache, 1)
    if not whole.found and not whole.failed:
        raise InputError(_nothing(top, platforms))
    return whole


def _nothing(index: Index, platforms: Sequence[Platform]) -> str:
    offered = sorted({str(entry.platform) for entry in index.manifests if entry.platform and not is_attestation(entry)})
    asked = ", ".join(map(str, platforms))
    return f"the index has no image for {asked or 'any platform'}; it has {', '.join(offered) or 'none at all'}"


def manifest(source: Source, digest: str, cache: Cache) -> Fetched:
    """Return a verified manifest; one that the cache has costs no transfer once its digest is known."""
    head = getattr(source, "head", None) if cache.works else None
    known = digest or (head() if head is not None else None) or ""
    data = cache.blob(known) if known else None
    if data is not None:
        return Fetched(data, "", known)
    fetched = fetch_manifest(source, digest)
    cache.put_blob(fetched.digest, fetched.data)
    return fetched


def _walk(source: Source, index: Index, into: Walk, cache: Cache, depth: int) -> None:
    for entry in index.manifests:
        if is_attestation(entry):
            into.attestations.append(entry)
        elif entry.media_type and entry.media_type not in (*INDEX_TYPES, *MANIFEST_TYPES):
            into.others.append(entry)
        elif into.wanted and entry.platform is not None and not any(map(entry.platform.matches, into.wanted)):
            into.unread.append(entry)
        elif entry.media_type in INDEX_TYPES and depth >= DEPTH:
            into.failed.append((entry, f"indexes are nested more than {DEPTH} deep"))
        else:
            _enter(source, entry, into, cache, depth)


def _enter(source: Source, entry: Descriptor, into: Walk, cache: Cache, depth: int) -> None:
    """Read what one entry names."""
    try:
        inner = read(manifest(source, entry.digest, cache))
    except InputError as error:
        into.failed.append((entry, str(error)))
        return
    if isinstance(inner, Index):
        _walk(source, inner, into, cache, depth + 1)
    elif inner.is_image:
        into.found.append(Found(entry, entry.digest, inner))
    else:
        into.others.append(entry)
