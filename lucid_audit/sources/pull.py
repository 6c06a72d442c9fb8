"""Read what a reference publishes: every configuration and layer once, and put the images together.

Downloading, hashing, unpacking and reading overlap: several layers are in work at once, and of each the next pieces are
fetched and hashed while the last are unpacked. Native code does most of it and lets other threads run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from lucid_audit.errors import InputError
from lucid_audit.image.assemble import assemble
from lucid_audit.image.config import ImageConfig, read_config
from lucid_audit.image.descriptor import Descriptor, Platform
from lucid_audit.image.entry import unsupported
from lucid_audit.image.identity import Known
from lucid_audit.image.image import Image, Publication
from lucid_audit.image.layer import Layer, read_layer
from lucid_audit.image.limits import Limits
from lucid_audit.image.replaced import unread
from lucid_audit.image.source import TIME_OVER, DamagedError, Source, SourceError, UnavailableError, whole
from lucid_audit.image.wanted import Wanted
from lucid_audit.record import record
from lucid_audit.reference import ImageRef
from lucid_audit.sources.cache import Cache
from lucid_audit.sources.claim import Claims
from lucid_audit.sources.prefetch import prefetched
from lucid_audit.sources.walk import Found, Walk, walk

if TYPE_CHECKING:
    from concurrent.futures import Future

_GRACE = 0.5  # seconds in which a thread that sees the end itself may say so
Told = Callable[[Descriptor, int], None]


@record(eq=False)
class Reading:
    """How images are read. ``deadline`` is a moment of ``time.monotonic``, None for no end; ``told`` hears of progress.

    ``workers`` is how many layers are in work at once. ``claims`` are shared with all who read into the same cache.
    """

    wanted: Wanted
    limits: Limits
    known: Known
    cache: Cache
    told: Told
    workers: int = 4
    deadline: float | None = None
    claims: Claims = Claims()


def pull(
    source: Source,
    name: str,
    ref: ImageRef | None,
    platforms: Sequence[Platform],
    demanded: Sequence[Platform],
    how: Reading,
) -> Publication:
    """Read a publication. Entries of an index that cannot be read are in ``failed``; the others are judged.

    ``platforms`` are the ones to read, all when empty; ``demanded`` the ones that the policy wants.

    Raises:
        InputError: the reference cannot be had at all, or is no image.

    """
    until = getattr(source, "until", None)  # a source that may wait for others ends its waits then
    if until is not None:
        until(how.deadline)
    walked = walk(source, platforms, how.cache)
    images = _images(source, name, walked, how)
    return Publication(
        name,
        ref,
        walked.digest,
        walked.index,
        tuple(images),
        tuple(demanded),
        tuple(walked.attestations),
        tuple(walked.others),
        tuple(walked.unread),
        tuple(walked.failed),
        how.known.as_of,
    )


def _images(source: Source, name: str, walked: Walk, how: Reading) -> list[Image]:
    """Read the layers of all images, each digest once, and put the images together."""
    descriptors: dict[str, Descriptor] = {}
    for found in walked.found:
        for descriptor in (found.manifest.config, *found.manifest.layers):
            descriptors.setdefault(descriptor.digest, descriptor)
    parts = _Parts(source, how)
    parts.read(descriptors.values())
    images = []
    for found in walked.found:
        try:
            images.append(parts.image(name, found))
        except InputError as error:
            if found.entry is None:
                raise
            walked.failed.append((found.entry, str(error)))
    return images


class _Parts:
    """Configurations and layers by digest: what could be read, and why the rest could not."""

    def __init__(self, source: Source, how: Reading) -> None:
        self.source, self.how = source, how
        self.done: dict[str, Layer | bytes] = {}
        self.failed: dict[str, InputError] = {}

    def read(self, descriptors: Iterable[Descriptor]) -> None:
        """Read everything that the cache does not have."""
        missing = [descriptor for descriptor in descriptors if not self._cached(descriptor)]
        stream = getattr(self.source, "stream", None)
        if stream is not None:
            self._in_order(stream, missing)
            return
        if not missing:
            return
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  (what is cached needs no threads)

        pool = ThreadPoolExecutor(self.how.workers, "layer")
        try:
            waiting: dict[Future[Layer | bytes], Descriptor] = {
                pool.submit(self._read_once, descriptor): descriptor for descriptor in missing
            }
            for future, descriptor in waiting.items():
                self._note(descriptor, partial(self._result, future))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _result(self, future: Future[Layer | bytes]) -> Layer | bytes:
        """Wait for a part, as long as there is time."""
        deadline = self.how.deadline
        try:
            return future.result(None if deadline is None else max(0.0, deadline + _GRACE - monotonic()))
        except TimeoutError:
            raise UnavailableError(TIME_OVER) from None

    def _in_order(self, stream: Callable[[Iterable[Descriptor]], Iterator[tuple[Descriptor, Iterator[bytes]]]],
                  missing: Sequence[Descriptor]) -> None:  # fmt: skip
        """Read what a source hands out in an order of its own."""
        if not missing:
            return
        try:
            for descriptor, pieces in stream(missing):
                self._note(descriptor, partial(self._read, descriptor, pieces))
        except SourceError as error:
            for descriptor in missing:
                if descriptor.digest not in self.done:
                    self.failed.setdefault(descriptor.digest, error)

    def _note(self, descriptor: Descriptor, result: Callable[[], Layer | bytes]) -> None:
        try:
            self.done[descriptor.digest] = result()
        except InputError as error:
            self.failed[descriptor.digest] = error

    def _cached(self, descriptor: Descriptor) -> bool:
        cache = self.how.cache
        found: Layer | bytes | None = cache.blob(descriptor.digest) or cache.layer(descriptor.digest)
        if found is None or descriptor.size not in (-1, found.size if isinstance(found, Layer) else len(found)):
            return False  # what a descriptor says wrongly is said each time, not only the first
        self.done[descriptor.digest] = found
        return True

    def _read_once(self, descriptor: Descriptor) -> Layer | bytes:
        """Read one part, unless another reader does: then take what he has read."""
        claims = self.how.claims
        with claims.of(descriptor.digest, self.how.deadline):
            if claims.shared and self._cached(descriptor):
                return self.done[descriptor.digest]
            return self._read(descriptor, None)

    def _read(
        self, descriptor: Descriptor, pieces: Iterator[bytes] | None, wanted: Wanted | None = None
    ) -> Layer | bytes:
        """Read one part; a configuration is small, a layer is not."""
        how = self.how
        if _is_config(descriptor):
            blob = partial(self.source.blob, descriptor) if pieces is None else partial(iter, pieces)
            data = whole(blob, descriptor, how.limits.config)
            how.cache.put_blob(descriptor.digest, data)
            return data
        why = unsupported(descriptor)
        if why:
            raise DamagedError(why)
        arriving = pieces if pieces is not None else self.source.blob(descriptor)
        with ExitStack() as ends:  # from above: first the thread that takes the pieces, then what gives them
            ends.callback(_end, arriving)

            def ahead(pieces: Iterator[bytes]) -> Iterator[bytes]:
                return ends.enter_context(closing(prefetched(pieces)))

            timed = self._timed(descriptor, arriving)
            layer = read_layer(timed, descriptor, wanted or how.wanted, how.limits, ahead=ahead)
        how.cache.put_layer(layer)
        return layer

    def _timed(self, descriptor: Descriptor, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Pass the pieces on, tell of them, and stop when the time is over."""
        deadline, told = self.how.deadline, self.how.told
        for piece in pieces:
            if deadline is not None and monotonic() > deadline:
                raise UnavailableError(TIME_OVER)
            told(descriptor, len(piece))
            yield piece

    def image(self, name: str, found: Found) -> Image:
        """Put one image together.

        Raises:
            InputError: one of its parts could not be read.

        """
        manifest = found.manifest
        if len(manifest.layers) > self.how.limits.layers:
            raise DamagedError(f"the image has {len(manifest.layers)} layers, more than {self.how.limits.layers}")
        config = self._config(manifest.config)
        image = self._assembled(name, found, config)
        for number, paths in unread(image).items():
            self._again(manifest.layers[number], paths)
            image = self._assembled(name, found, config)
        return image

    def _assembled(self, name: str, found: Found, config: ImageConfig) -> Image:
        layers = [self._layer(descriptor) for descriptor in found.manifest.layers]
        return assemble(name, found.digest, found.entry, found.manifest, config, layers, self.how.known)

    def _again(self, descriptor: Descriptor, paths: Sequence[str]) -> None:
        """Read a layer once more to keep some files of it; what they are compared with lies in other layers.

        The cache then has them too. Without them the question stays open, so a failure is none of the image.
        """
        more = self.how.wanted._replace(exact=self.how.wanted.exact | set(paths))
        with suppress(SourceError):
            self.done[descriptor.digest] = self._read(descriptor, None, more)

    def _config(self, descriptor: Descriptor) -> ImageConfig:
        data = self._part(descriptor)
        if not isinstance(data, bytes):
            raise DamagedError(f"{descriptor.digest} is named as a configuration and as a layer")
        return read_config(data)

    def _layer(self, descriptor: Descriptor) -> Layer:
        layer = self._part(descriptor)
        if isinstance(layer, bytes):
            raise DamagedError(f"{descriptor.digest} is named as a configuration and as a layer")
        return layer

    def _part(self, descriptor: Descriptor) -> Layer | bytes:
        if descriptor.digest in self.failed:
            raise self.failed[descriptor.digest]
        if descriptor.digest not in self.done:
            raise DamagedError(f"the source did not give {descriptor.digest}")
        return self.done[descriptor.digest]


def _end(pieces: Iterator[bytes]) -> None:
    """Close a stream, if it is one that can be."""
    close = getattr(pieces, "close", None)
    if close is not None:
        with suppress(SourceError):
            close()


def _is_config(descriptor: Descriptor) -> bool:
    return "config" in descriptor.media_type or "container.image" in descriptor.media_type
