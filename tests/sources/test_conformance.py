"""The suite of all sources, over every form in which this machine may have an image."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lucid_audit.image.source import Source
from lucid_audit.sources.archive import Archive
from lucid_audit.sources.engine import Engine
from lucid_audit.sources.layout import Layout
from tests.sources.builder import (
    TAG,
    FakeClient,
    Image,
    Spoil,
    Tree,
    image_of,
    layout,
    saved_compressed,
    saved_layout,
    saved_legacy,
    saved_podman,
    tar,
    write,
)
from tests.sources.conformance import Place, Spoilable, plain

Save = Callable[[dict[str, Image], "Spoil | None"], Tree]


def squeezed(source: Image) -> Image:
    return source._replace(layers=tuple(gzip.compress(plain(layer), mtime=0) for layer in source.layers))


def folder(path: Path, source: Image, spoil: Spoil | None) -> Source:
    return Layout(write(path / "layout", layout({"1": source}, spoil)), "1")


def layout_tar(path: Path, source: Image, spoil: Spoil | None) -> Source:
    (path / "layout.tar").write_bytes(tar(layout({"": squeezed(source)}, spoil)))
    return Layout(path / "layout.tar")


def layout_tar_gz(path: Path, source: Image, spoil: Spoil | None) -> Source:
    (path / "layout.tar").write_bytes(gzip.compress(tar(layout({"": source}, spoil))))
    return Layout(path / "layout.tar")


def archive(
    save: Save, *, compressed: bool = False, layers: Callable[[Image], Image] = lambda source: source
) -> Callable[[Path, Image, Spoil | None], Source]:
    def make(path: Path, source: Image, spoil: Spoil | None) -> Source:
        data = tar(save({TAG: layers(source)}, spoil))
        (path / "image.tar").write_bytes(gzip.compress(data) if compressed else data)
        return Archive(path / "image.tar", TAG)

    return make


def engine(save: Save, *, containerd: bool = False) -> Callable[[Path, Image, Spoil | None], Source]:
    def make(path: Path, source: Image, spoil: Spoil | None) -> Source:
        client = FakeClient(source, tar(save({TAG: squeezed(source) if containerd else source}, spoil)))
        if containerd:
            client.inspected["Id"] = "sha256:" + "1" * 64
            client.driver = [["driver-type", "io.containerd.snapshotter.v1"]]
        return Engine(TAG, {"DOCKER_HOST": "unix:///s"}, connect=client.connect)

    return make


PLACES = {
    "layout-folder": folder,
    "layout-tar": layout_tar,
    "layout-tar-gz": layout_tar_gz,
    "archive-legacy": archive(saved_legacy),
    "archive-legacy-gz": archive(saved_legacy, compressed=True),
    "archive-podman": archive(saved_podman),
    "archive-layout": archive(saved_layout),
    "archive-layout-compressed": archive(saved_layout, layers=squeezed),
    "archive-compressed": archive(saved_compressed, layers=squeezed),
    "engine-legacy": engine(saved_legacy),
    "engine-podman": engine(saved_podman),
    "engine-layout": engine(saved_layout),
    "engine-containerd": engine(saved_layout, containerd=True),
}


class TestLocal(Spoilable):
    @pytest.fixture(params=PLACES)
    def place(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
        made: list[Source] = []

        def make(source: Image, spoil: Spoil | None) -> Source:
            made.append(PLACES[request.param](tmp_path, source, spoil))
            return made[-1]

        yield make
        for source in made:
            source.close()


def test_the_builder_makes_what_it_says() -> None:
    made = image_of([tar({"a": b"x"})])
    assert made.layers[0][257:262] == b"ustar"
