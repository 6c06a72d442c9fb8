"""What every source has to do. A test class inherits the tests and has a fixture ``place`` that gives one to each."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator

import pytest

from lucid_audit.image.descriptor import Descriptor, sha256
from lucid_audit.image.manifest import Manifest, read
from lucid_audit.image.source import DamagedError, NotFoundError, Source, SourceError, fetch, fetch_manifest
from tests.sources.builder import Image, Spoil, image

LIMIT = 1 << 30
Place = Callable[[Image, "Spoil | None"], Source]
ABSENT = sha256(b"nobody has this")


def opened(place: Place, source: Image | None = None, spoil: Spoil | None = None) -> tuple[Source, Manifest]:
    store = place(source or image(), spoil)
    document = read(fetch_manifest(store))
    assert isinstance(document, Manifest)
    return store, document


def plain(data: bytes) -> bytes:
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def taken(stream: Iterator[tuple[Descriptor, Iterator[bytes]]]) -> list[str]:
    """Take all blobs of a stream, verified, and return their digests in its order."""
    digests = []
    for descriptor, pieces in stream:
        assert sha256(b"".join(pieces)) == descriptor.digest
        digests.append(descriptor.digest)
    return digests


class Conformance:
    """The suite."""

    def test_manifest_by_reference(self, place: Place) -> None:
        source = image()
        store, document = opened(place, source)
        assert document.is_image
        assert document.config.digest == sha256(source.config)
        assert len(document.layers) == len(source.layers)
        assert store.name
        assert store.kind in ("registry", "engine", "layout", "archive")

    def test_manifest_by_digest(self, place: Place) -> None:
        store, _ = opened(place)
        fetched = fetch_manifest(store)
        assert fetch_manifest(store, fetched.digest).data == fetched.data
        with pytest.raises(NotFoundError):
            fetch_manifest(store, ABSENT)

    def test_blobs(self, place: Place) -> None:
        source = image()
        store, document = opened(place, source)
        assert fetch(store, document.config, LIMIT) == source.config
        contents = [plain(fetch(store, layer, LIMIT)) for layer in document.layers]
        assert tuple(sha256(content) for content in contents) == source.diff_ids

    def test_image_without_layers(self, place: Place) -> None:
        store, document = opened(place, image(layers=0))
        assert document.layers == ()
        assert fetch(store, document.config, LIMIT)

    def test_equal_layers(self, place: Place) -> None:
        source = image(layers=2)
        doubled = source._replace(layers=source.layers * 2, diff_ids=source.diff_ids * 2)
        config = source.config.replace(
            b'"diff_ids": [', b'"diff_ids": ["%s", "%s", ' % tuple(i.encode() for i in source.diff_ids)
        )
        store, document = opened(place, doubled._replace(config=config))
        assert len(document.layers) == 4
        for layer in document.layers:
            fetch(store, layer, LIMIT)

    def test_missing_blob(self, place: Place) -> None:
        store, _ = opened(place)
        for size in (-1, 5):
            with pytest.raises(NotFoundError):
                fetch(store, Descriptor("", ABSENT, size), LIMIT)

    def test_closing_early(self, place: Place) -> None:
        store, document = opened(place)
        blob = store.blob(document.layers[1])
        assert next(iter(blob))
        blob.close()  # type: ignore[attr-defined]
        fetch(store, document.layers[1], LIMIT)
        store.close()
        store.close()

    def test_interleaved_blobs(self, place: Place) -> None:
        store, document = opened(place, image(layers=4))
        blobs = [store.blob(layer) for layer in document.layers[:2]]
        first = [next(blob) for blob in blobs]
        for layer, start, blob in zip(document.layers, first, blobs, strict=False):
            assert sha256(start + b"".join(blob)) == layer.digest

    @pytest.mark.parametrize(
        "digest",
        ["", "sha256:", "sha256:../../index.json", "../index.json", "sha256:" + "A" * 64, "md5:" + "0" * 32, "sha256:" + "0" * 63 + "/", "sha256:" + "0" * 64 + "\n"],
    )  # fmt: skip
    def test_hostile_digest(self, place: Place, digest: str) -> None:
        store, _ = opened(place)
        with pytest.raises(SourceError):
            fetch(store, Descriptor("", digest, -1), LIMIT)

    def test_hostile_size(self, place: Place) -> None:
        store, document = opened(place)
        size = len(fetch(store, document.config, LIMIT))
        for wrong in (0, size - 1, size + 1, 1 << 62):
            with pytest.raises(DamagedError):
                fetch(store, document.config._replace(size=wrong), LIMIT)
        with pytest.raises(DamagedError):
            fetch(store, document.config._replace(size=-1), 10)


class Spoilable(Conformance):
    """The part of the suite for sources that hold what they are given, even where it is wrong."""

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda data: data[:5000] + bytes([data[5000] ^ 1]) + data[5001:],
            lambda data: data[:-512],
            lambda data: data + b"x" * 512,
            lambda data: data[:0],
        ],
        ids=["changed", "shorter", "longer", "empty"],
    )
    def test_spoilt_blob(self, place: Place, spoil: Spoil) -> None:
        source = image()
        store, document = opened(place, source, spoil)
        fetch(store, document.layers[0], LIMIT)
        try:
            data = fetch(store, document.layers[1], LIMIT)
        except (DamagedError, NotFoundError):
            return
        # An archive with compressed layers has no digest of them; the configuration has one of their content.
        assert store.kind == "archive"
        assert sha256(data) == document.layers[1].digest
        with pytest.raises((OSError, EOFError, zlib.error)):
            plain(data)
