"""Where images come from: the interface of all sources, and what can go wrong with them.

The core is two methods, ``manifest`` and ``blob``. Whoever calls them verifies what they give (``fetch``): a source is
not believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Protocol

from lucid_audit.errors import InputError
from lucid_audit.image.descriptor import Descriptor, matches, sha256
from lucid_audit.image.manifest import MANIFEST_LIMIT, Fetched

CHUNK = 1 << 18  # bytes that a source yields at a time, about
TIME_OVER = "the time that --timeout allows is over"


class SourceError(InputError):
    """A source could not give what was asked for; the message is one clause that says why, without credentials."""


class NotFoundError(SourceError):
    """The source works, and it does not have this image or blob."""


class AccessError(SourceError):
    """The source demands credentials that were not found, or refuses the ones it got."""


class UnavailableError(SourceError):
    """The source does not answer: no such file, socket or host, or it kept failing."""


class DamagedError(SourceError):
    """What the source gave is not what it has to be: a digest, a size or a structure is wrong."""


class Source(Protocol):
    """One image repository, opened for one reference.

    ``kind`` is registry, engine, layout or archive; ``name`` says to people what is read.
    """

    kind: str
    name: str

    def manifest(self, digest: str = "") -> Fetched:
        """Return the manifest or index of that digest, or the one that the reference names.

        Raises:
            SourceError: it cannot be had.

        """

    def blob(self, descriptor: Descriptor) -> Iterator[bytes]:
        """Yield the content of a blob in pieces. Closing the iterator ends the transfer.

        Raises:
            SourceError: it cannot be had, at once or at any piece.

        """

    def close(self) -> None:
        """Release connections and files; a second call does nothing."""


class Streamed(Source, Protocol):
    """A source whose blobs come in an order of its own, once: an engine that exports an image."""

    def stream(self, wanted: Iterable[Descriptor]) -> Iterator[tuple[Descriptor, Iterator[bytes]]]:
        """Yield each wanted blob once, in the source's order. A blob's pieces have to be taken before the next one.

        Raises:
            SourceError: one of them cannot be had.

        """


def fetch_manifest(source: Source, digest: str = "") -> Fetched:
    """Return a manifest whose digest was verified.

    Raises:
        SourceError: it cannot be had or is not what its digest says.

    """
    fetched = source.manifest(digest)
    wanted = digest or fetched.digest
    if len(fetched.data) > MANIFEST_LIMIT:
        raise DamagedError(f"the manifest has more than {MANIFEST_LIMIT} bytes")
    if not wanted:
        return fetched._replace(digest=sha256(fetched.data))
    if not matches(wanted, fetched.data):
        raise DamagedError(f"the manifest {wanted} has other content than its digest says")
    return fetched._replace(digest=wanted)


def fetch(source: Source, descriptor: Descriptor, limit: int) -> bytes:
    """Return a small blob whole, its size and digest verified.

    Raises:
        SourceError: it cannot be had, is larger than ``limit`` bytes, or is not what its descriptor says.

    """
    return whole(partial(source.blob, descriptor), descriptor, limit)


def whole(blob: Callable[[], Iterator[bytes]], descriptor: Descriptor, limit: int) -> bytes:
    """Return a small blob whose pieces ``blob`` gives, verified as ``fetch`` does; one that is too large is not asked for.

    Raises:
        SourceError: as ``fetch``.

    """
    if descriptor.size > limit:
        raise DamagedError(f"{descriptor.digest} has {descriptor.size} bytes, more than {limit}")
    pieces, size = [], 0
    allowed = descriptor.size if descriptor.size >= 0 else limit
    for piece in blob():
        size += len(piece)
        if size > allowed:
            raise DamagedError(f"{descriptor.digest} is longer than the {allowed} bytes it may have")
        pieces.append(piece)
    data = b"".join(pieces)
    if descriptor.size not in (-1, size):
        raise DamagedError(f"{descriptor.digest} ends after {size} of {descriptor.size} bytes")
    if not matches(descriptor.digest, data):
        raise DamagedError(f"{descriptor.digest} has other content than its digest says")
    return data
