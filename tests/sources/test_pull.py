"""From a reference to its images: what is read once, what fails alone, and when it ends."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from lucid_audit.catalogue import fingerprints
from lucid_audit.engine.image import judge
from lucid_audit.errors import InputError
from lucid_audit.finding import Report, Severity
from lucid_audit.image.descriptor import Descriptor, Platform, matches, sha256
from lucid_audit.image.fingerprints import read_fingerprints
from lucid_audit.image.identity import Known
from lucid_audit.image.image import Publication
from lucid_audit.image.limits import Limits
from lucid_audit.image.manifest import ATTESTATION, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, Fetched
from lucid_audit.image.source import DamagedError, NotFoundError, SourceError
from lucid_audit.image.wanted import ALWAYS, wanted
from lucid_audit.outcome import Outcome
from lucid_audit.record import replace
from lucid_audit.sources.cache import Cache
from lucid_audit.sources.pull import Reading, pull
from tests.sketch import AS_OF, bases
from tests.sources.builder import Image, descriptor, image_of, index, manifest, noise, tar

AMD, ARM = Platform("linux", "amd64"), Platform("linux", "arm64")
UNKNOWN = {"os": "unknown", "architecture": "unknown"}


class Memory:
    """A source that has what it was given, and notes what is asked."""

    kind = "layout"
    name = "memory"

    def __init__(self, root: bytes, *images: Image) -> None:
        self.root = root
        self.parts = {sha256(root): root}
        for one in images:
            for data in (manifest(one), one.config, *one.layers):
                self.parts[sha256(data)] = data
        self.asked: list[str] = []
        self.closed = 0
        self.ended = 0

    def add(self, data: bytes) -> bytes:
        self.parts[sha256(data)] = data
        return data

    def manifest(self, digest: str = "") -> Fetched:
        digest = digest or sha256(self.root)
        return Fetched(self._part(digest), "", digest)

    def blob(self, descriptor: Descriptor) -> Iterator[bytes]:
        data = self._part(descriptor.digest)
        try:
            for start in range(0, len(data), 5000):
                yield data[start : start + 5000]
        finally:
            self.ended += 1

    def _part(self, digest: str) -> bytes:
        self.asked.append(digest)
        if digest not in self.parts:
            raise NotFoundError(f"{digest} is not here")
        return self.parts[digest]

    def close(self) -> None:
        self.closed += 1


def reading(cache: Cache | None = None, **more: Any) -> Reading:
    known = Known(bases(), read_fingerprints(fingerprints()), AS_OF)
    return Reading(wanted(ALWAYS), Limits(), known, cache or Cache(None), lambda _part, _count: None, **more)


def read(source: Memory, how: Reading | None = None, platforms: Sequence[Platform] = ()) -> Publication:
    return pull(source, "sample:1", None, platforms, (), how or reading())


def for_platform(platform: Platform, *names: str) -> Image:
    layers = [tar({name: noise(name, 20_000)}) for name in names]
    return image_of(layers, compressed=True, architecture=platform.architecture)


def entry(source: Image, platform: Platform | None = None, **more: Any) -> dict[str, Any]:
    if platform is not None:
        more["platform"] = {"os": platform.os, "architecture": platform.architecture}
    return descriptor(manifest(source), OCI_MANIFEST, **more)


FIRST, SECOND = for_platform(AMD, "shared", "amd"), for_platform(ARM, "shared", "arm")


def two(*more: dict[str, Any]) -> Memory:
    return Memory(index([entry(FIRST, AMD), entry(SECOND, ARM), *more]), FIRST, SECOND)


def test_one_manifest() -> None:
    source = Memory(manifest(FIRST), FIRST)
    found = read(source)
    assert found.index is None
    assert found.digest == sha256(manifest(FIRST)) == found.images[0].digest
    assert found.images[0].entry is None
    assert [entry.path for entry in found.images[0].layers[1].entries] == ["/amd"]


def test_an_index_and_each_digest_once() -> None:
    source = two()
    found = read(source)
    assert [image.platform for image in found.images] == [AMD, ARM]
    assert len(source.asked) == len(set(source.asked)) == 8  # an index, 2 manifests, 2 configurations, 3 layers
    assert source.ended == 5
    assert found.images[0].layers[0] is found.images[1].layers[0]


def test_one_image_listed_twice() -> None:
    source = Memory(index([entry(FIRST, AMD), entry(FIRST, AMD, annotations={"a": "b"})]), FIRST)
    assert len(read(source).images) == 2
    assert source.asked.count(FIRST.diff_ids[0]) <= 1


def test_platforms_that_nobody_asked_for() -> None:
    source = two()
    found = read(source, platforms=[Platform("linux", "arm64", "v8")])
    assert [image.platform for image in found.images] == [ARM]
    assert [part.platform for part in found.unread] == [AMD]
    assert sha256(FIRST.config) not in source.asked
    with pytest.raises(InputError, match="no image for linux/riscv64; it has linux/amd64, linux/arm64"):
        read(two(), platforms=[Platform("linux", "riscv64")])


def exit_code(found: Publication) -> int:
    return Outcome(Report(judge(found, ()), 1), Severity["error"]).exit_code


@pytest.mark.parametrize("lost", ["manifest", "config", "layer"])
@pytest.mark.parametrize("how", ["gone", "changed"])
def test_an_entry_that_fails_leaves_the_others(lost: str, how: str) -> None:
    source = two()
    part = {"manifest": manifest(SECOND), "config": SECOND.config, "layer": SECOND.layers[1]}[lost]
    if how == "gone":
        del source.parts[sha256(part)]
    else:
        source.parts[sha256(part)] = part[:-9] + b"!" + part[-8:]
    found = read(source)
    assert [image.platform for image in found.images] == [AMD]
    ((failed, why),) = found.failed
    assert failed.platform == ARM
    assert ("is not here" if how == "gone" else "content than its digest") in why or lost == "layer"
    assert exit_code(found) == 3
    assert exit_code(read(two())) == 0


def test_a_shared_layer_fails_every_image() -> None:
    source = two()
    del source.parts[sha256(FIRST.layers[0])]
    found = read(source)
    assert (len(found.images), len(found.failed)) == (0, 2)
    assert exit_code(found) == 3


def test_a_single_manifest_that_fails_is_an_error() -> None:
    source = Memory(manifest(FIRST), FIRST)
    del source.parts[sha256(FIRST.layers[0])]
    with pytest.raises(NotFoundError):
        read(source)


def test_indexes_within_indexes() -> None:
    inner = index([entry(SECOND, ARM)])
    source = Memory(index([entry(FIRST, AMD), descriptor(inner, OCI_INDEX)]), FIRST, SECOND)
    source.add(inner)
    assert [image.platform for image in read(source).images] == [AMD, ARM]


def test_indexes_nested_too_deep() -> None:
    documents = [index([entry(SECOND, ARM)])]
    for _ in range(4):
        documents.append(index([descriptor(documents[-1], OCI_INDEX)]))
    source = Memory(index([entry(FIRST, AMD), descriptor(documents[-1], OCI_INDEX)]), FIRST, SECOND)
    for document in documents:
        source.add(document)
    found = read(source)
    assert len(found.images) == 1
    assert "nested more than" in "".join(why for _, why in found.failed)


def test_an_index_without_anything() -> None:
    with pytest.raises(InputError, match="it has none at all"):
        read(Memory(index([])))


def artifact(kind: str = "application/vnd.cncf.helm.config.v1+json") -> bytes:
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(b"{}", kind), "layers": []}
    return json.dumps(document).encode()


def test_attestations_in_both_forms_are_not_read() -> None:
    annotations = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": sha256(b"x")}
    older = descriptor(b"older", OCI_MANIFEST, platform=UNKNOWN, annotations=annotations)
    newer = descriptor(b"newer", OCI_MANIFEST, artifactType="application/vnd.docker.attestation.manifest.v1+json")
    bare = descriptor(b"bare", OCI_MANIFEST, platform=UNKNOWN)
    found = read(two(older, newer, bare), platforms=[AMD])
    assert [part.digest for part in found.attestations] == [sha256(b"older"), sha256(b"newer"), sha256(b"bare")]
    assert len(found.images) == 1
    assert found.failed == ()
    assert annotations["vnd.docker.reference.type"] == ATTESTATION


def test_artifacts_are_no_images() -> None:
    source = two(descriptor(artifact(), OCI_MANIFEST), descriptor(b"odd", "application/vnd.odd+json"))
    source.add(artifact())
    found = read(source)
    assert [part.digest for part in found.others] == [sha256(artifact()), sha256(b"odd")]
    assert found.failed == ()
    with pytest.raises(InputError, match=r"no image: .*helm"):
        read(Memory(artifact()))


def test_a_configuration_that_is_also_a_layer() -> None:
    document = json.loads(manifest(FIRST))
    document["layers"][0] = {**document["config"], "mediaType": document["layers"][0]["mediaType"]}
    root = json.dumps(document).encode()
    with pytest.raises(DamagedError, match="as a configuration and as a layer"):
        read(Memory(root, FIRST))
    document = json.loads(manifest(FIRST))
    document["layers"][0]["mediaType"] = OCI_CONFIG
    with pytest.raises(SourceError):
        read(Memory(json.dumps(document).encode(), FIRST))


def test_layers_that_are_none_are_not_transferred() -> None:
    document = json.loads(manifest(FIRST))
    document["layers"][0]["mediaType"] += "+encrypted"
    source = Memory(json.dumps(document).encode(), FIRST)
    with pytest.raises(DamagedError):
        read(source)
    assert sha256(FIRST.layers[0]) not in source.asked


def test_a_damaged_layer_ends_its_transfer() -> None:
    """The thread that fetches ahead may be in the middle of the source then; nothing may come of that but the error."""
    data = b"no archive" * 200_000
    broken = image_of([tar({"a": b"b"})])._replace(layers=(data,))
    for _ in range(20):
        source = Memory(manifest(broken), broken)
        with pytest.raises(DamagedError):
            read(source)
        assert source.ended == 2
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def test_progress_is_told() -> None:
    told: list[tuple[str, int]] = []
    how = replace(reading(), told=lambda part, count: told.append((part.digest, count)))
    read(Memory(manifest(FIRST), FIRST), how)
    for layer in FIRST.layers:
        assert sum(count for digest, count in told if digest == sha256(layer)) == len(layer)


class Stalling(Memory):
    """A source whose layers stop in the middle until it is closed."""

    def __init__(self, root: bytes, *images: Image) -> None:
        super().__init__(root, *images)
        self.gate = threading.Event()
        self.moment: float | None = None

    def until(self, moment: float | None) -> None:
        self.moment = moment

    def blob(self, descriptor: Descriptor) -> Iterator[bytes]:
        for number, piece in enumerate(super().blob(descriptor)):
            if number == 2:
                self.gate.wait(10)
            yield piece


def test_the_time_is_over() -> None:
    source = Stalling(manifest(FIRST), FIRST)
    deadline = time.monotonic() + 0.1
    try:
        with pytest.raises(SourceError, match="--timeout"):
            read(source, reading(deadline=deadline))
        assert time.monotonic() - deadline < 2
        assert source.moment == deadline
    finally:
        source.gate.set()


def test_time_that_was_over_before() -> None:
    with pytest.raises(SourceError, match="--timeout"):
        read(Memory(manifest(FIRST), FIRST), reading(deadline=time.monotonic() - 1))


def test_an_error_of_a_program_is_not_an_error_of_the_image() -> None:
    class Odd(Memory):
        def blob(self, descriptor: Descriptor) -> Iterator[bytes]:
            raise ZeroDivisionError(descriptor.digest)

    with pytest.raises(ZeroDivisionError):
        read(Odd(manifest(FIRST), FIRST))


def test_what_was_read_is_not_read_again(tmp_path: Path) -> None:
    first, second = two(), two()
    cache = Cache(tmp_path, "key")
    one = read(first, reading(cache))
    cache.close()
    cache = Cache(tmp_path, "key")
    two_ = read(second, reading(cache))
    assert second.asked == [sha256(second.root)]  # a source that cannot tell its digest is asked for the root
    assert [image.layers[1].entries for image in one.images] == [image.layers[1].entries for image in two_.images]
    cache.close()


def test_nothing_is_asked_where_the_digest_is_known(tmp_path: Path) -> None:
    class Telling(Memory):
        def head(self) -> str:
            return sha256(self.root)

    cache = Cache(tmp_path)
    for expected in (8, 0):
        root = two()
        source = Telling(root.root, FIRST, SECOND)
        read(source, reading(cache))
        assert len(source.asked) == expected
    cache.close()


def test_the_cache_hides_no_wrong_size(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    read(Memory(manifest(FIRST), FIRST), reading(cache))
    for part in ("config", "layers"):
        document = json.loads(manifest(FIRST))
        (document[part] if part == "config" else document[part][0])["size"] += 1
        with pytest.raises(DamagedError):
            read(Memory(json.dumps(document).encode(), FIRST), reading(cache))
    cache.close()


def test_nothing_that_failed_is_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for _ in range(2):
        source = Memory(manifest(FIRST), FIRST)
        layer = FIRST.layers[1]
        source.parts[sha256(layer)] = layer[:-9] + b"!" + layer[-8:]
        with pytest.raises(DamagedError):
            read(source, reading(cache))
    assert cache.layer(sha256(FIRST.layers[1])) is None
    assert cache.layer(sha256(FIRST.layers[0])) is not None
    cache.close()


def test_the_sources_of_these_tests_are_right() -> None:
    assert all(matches(digest, data) for digest, data in two().parts.items())
