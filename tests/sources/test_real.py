"""Real engines and tools: what they say, export and write is read."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lucid_audit.image.descriptor import sha256
from lucid_audit.image.manifest import Manifest, read
from lucid_audit.image.source import NotFoundError, UnavailableError, fetch, fetch_manifest
from lucid_audit.sources.archive import Archive
from lucid_audit.sources.engine import Engine
from lucid_audit.sources.layout import Layout
from lucid_audit.sources.sockets import connect
from tests.sources.builder import TAG, Image, Spoil, image, layout, saved_legacy, tar, write
from tests.sources.conformance import LIMIT, Conformance, Place, opened, taken
from tests.sources.engines import dockerd, podman


class Real:
    """A running engine into which images are loaded."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.client = connect(endpoint, {})

    def engine(self, source: Image) -> Engine:
        list(self.client.load_image(tar(saved_legacy({TAG: source}))))
        return Engine(sha256(source.config), {}, self.endpoint)


@pytest.fixture(scope="module", params=["dockerd", "podman"])
def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    start = {"dockerd": dockerd, "podman": podman}[request.param]
    with start(tmp_path_factory.mktemp(request.param)) as endpoint:
        running = Real(endpoint)
        yield running
        running.client.close()


@pytest.mark.e2e
class TestReal(Conformance):
    @pytest.fixture
    def place(self, real: Real) -> Iterator[Place]:
        made = []

        def make(source: Image, spoil: Spoil | None) -> Engine:
            made.append(real.engine(source))
            return made[-1]

        yield make
        for store in made:
            store.close()

    def test_image_without_layers(self, place: Place) -> None:
        """Docker 20.10 exports none: "empty export - not implemented"."""
        store, document = opened(place, image(layers=0))
        assert document.layers == ()
        try:
            found = fetch(store, document.config, LIMIT)
        except UnavailableError as error:
            found = str(error).encode()
        assert b"diff_ids" in found or b"empty export" in found

    @pytest.mark.usefixtures("_no_copies")
    def test_one_export_without_a_copy(self, real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
        source = image(layers=20, size=5 << 20)
        store = real.engine(source)
        exports = []
        get_image = store._client.get_image

        def counted(name: str, chunk_size: int) -> Iterator[bytes]:
            exports.append(name)
            return get_image(name, chunk_size)

        monkeypatch.setattr(store._client, "get_image", counted)
        document = read(fetch_manifest(store))
        assert isinstance(document, Manifest)
        wanted = [document.config, *document.layers]
        assert sorted(taken(store.stream(wanted))) == sorted(part.digest for part in wanted)
        assert fetch(store, document.config, LIMIT) == source.config
        assert len(exports) == 1

    def test_connections_are_ended(self, real: Real) -> None:
        store = real.engine(image(size=8 << 20))
        document = read(fetch_manifest(store))
        assert isinstance(document, Manifest)
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(5):
            blob = store.blob(document.layers[1])
            next(blob)
            blob.close()  # type: ignore[attr-defined]
            del blob
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
        store.close()

    def test_by_name(self, real: Real) -> None:
        source = image(seed="named")
        real.engine(source).close()
        names = {name for entry in real.client.images() for name in entry["RepoTags"] or [] if "<" not in name}
        document = read(fetch_manifest(Engine(min(names), {}, real.endpoint)))
        assert isinstance(document, Manifest)
        assert document.config.digest == sha256(source.config)
        with pytest.raises(NotFoundError, match="has no image 'absent'"):
            Engine("absent", {}, real.endpoint).manifest()

    def test_what_it_saves_is_read(self, real: Real, tmp_path: Path) -> None:
        source = image(seed="saved")
        real.engine(source).close()
        (tmp_path / "x.tar").write_bytes(b"".join(real.client.get_image(sha256(source.config))))
        store = Archive(tmp_path / "x.tar")
        document = read(fetch_manifest(store))
        assert isinstance(document, Manifest)
        assert tuple(sha256(fetch(store, layer, LIMIT)) for layer in document.layers) == source.diff_ids


@pytest.mark.e2e
@pytest.mark.parametrize("form", ["oci:{}/out:1", "oci-archive:{}/out:1", "docker-archive:{}/out:sample:1"])
def test_what_skopeo_writes_is_read(tmp_path: Path, form: str) -> None:
    source = image()
    write(tmp_path / "in", layout({"1": source}))
    target = form.format(tmp_path)
    words = ["skopeo", "--insecure-policy", "--tmpdir", str(tmp_path), "copy", f"oci:{tmp_path}/in:1", target]
    subprocess.run(words, check=True, capture_output=True)
    store = Archive(tmp_path / "out", "sample:1") if form.startswith("docker") else Layout(tmp_path / "out", "1")
    document = read(fetch_manifest(store))
    assert isinstance(document, Manifest)
    assert fetch(store, document.config, LIMIT) == source.config
    assert len([fetch(store, layer, LIMIT) for layer in document.layers]) == 3
