"""Traps of saved images."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from lucid_audit.image.descriptor import Descriptor, sha256
from lucid_audit.image.manifest import DOCKER_CONFIG, DOCKER_LAYER, DOCKER_MANIFEST, Manifest, read
from lucid_audit.image.source import DamagedError, NotFoundError, SourceError, fetch, fetch_manifest
from lucid_audit.sources.archive import Archive
from tests.sources.builder import (
    Image,
    Tree,
    blob_path,
    image,
    image_of,
    saved_compressed,
    saved_layout,
    saved_legacy,
    saved_podman,
    tar,
)

LIMIT = 1 << 30
ONE, TWO = image(seed="one"), image(seed="two")
BOTH = {"docker.io/library/one:latest": ONE, "quay.io/a/two:2": TWO}


def saved(path: Path, tree: Tree) -> Path:
    (path / "image.tar").write_bytes(tar(tree))
    return path / "image.tar"


def parts(store: Archive) -> Manifest:
    document = read(fetch_manifest(store))
    assert isinstance(document, Manifest)
    return document


@pytest.mark.parametrize("save", [saved_legacy, saved_podman, saved_layout, saved_compressed])
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("one", ONE),
        ("docker.io/library/one:latest", ONE),
        ("quay.io/a/two:2", TWO),
        (sha256(TWO.config), TWO),
        (hashlib.sha256(TWO.config).hexdigest(), TWO),
        (hashlib.sha256(TWO.config).hexdigest()[:12], TWO),
    ],
    ids=count(),
)
def test_one_of_several(tmp_path: Path, save: Any, name: str, meant: Image) -> None:
    assert parts(Archive(saved(tmp_path, save(BOTH)), name)).config.digest == sha256(meant.config)


@pytest.mark.parametrize("save", [saved_legacy, saved_podman, saved_layout, saved_compressed])
def test_several_are_listed(tmp_path: Path, save: Any) -> None:
    path = saved(tmp_path, save(BOTH))
    with pytest.raises(
        NotFoundError, match=r"several images, choose one of docker.io/library/one:latest, quay.io/a/two:2$"
    ):
        Archive(path).manifest()
    for name in ("two", "quay.io/a/two", "0" * 12, "x\ny", hashlib.sha256(TWO.config).hexdigest()[:11]):
        with pytest.raises(NotFoundError, match="no image"):
            Archive(path, name).manifest()


def test_images_without_tags_are_listed_by_id(tmp_path: Path) -> None:
    tree = saved_legacy(BOTH)
    listing = json.loads(tree["manifest.json"])
    for entry in listing:
        entry["RepoTags"] = None
    path = saved(tmp_path, tree | {"manifest.json": json.dumps(listing).encode()})
    with pytest.raises(NotFoundError, match=f"choose one of {sha256(ONE.config)}, {sha256(TWO.config)}"):
        Archive(path).manifest()


def test_the_manifest_that_is_made_up(tmp_path: Path) -> None:
    store = Archive(saved(tmp_path, saved_legacy({"": ONE})))
    fetched = fetch_manifest(store)
    document = parts(store)
    assert (fetched.media_type, document.media_type) == (DOCKER_MANIFEST, DOCKER_MANIFEST)
    assert document.config == Descriptor(DOCKER_CONFIG, sha256(ONE.config), len(ONE.config))
    expected = tuple(Descriptor(DOCKER_LAYER, sha256(layer), len(layer)) for layer in ONE.layers)
    assert document.layers == expected


def test_compressed_layers_are_hashed(tmp_path: Path) -> None:
    source = image(compressed=True)
    tree = saved_compressed({"": source})
    listing = json.loads(tree["manifest.json"])
    names = listing[0]["Layers"]
    listing[0]["Layers"] = ["first", *names[1:]]
    tree = {"first": tree.pop(names[0])} | tree | {"manifest.json": json.dumps(listing).encode()}
    document = parts(Archive(saved(tmp_path, tree)))
    expected = tuple(Descriptor(f"{DOCKER_LAYER}.gzip", sha256(layer), len(layer)) for layer in source.layers)
    assert document.layers == expected


def test_zstd_is_recognised(tmp_path: Path) -> None:
    source = image_of([tar({})])._replace(layers=(b"\x28\xb5\x2f\xfdrest",))
    document = parts(Archive(saved(tmp_path, saved_compressed({"": source}))))
    assert document.layers[0].media_type == f"{DOCKER_LAYER}.zstd"


def test_links_between_layers(tmp_path: Path) -> None:
    layer = tar({"a": b"x" * 5000})
    source = image_of([layer, tar({}), layer])
    tree = saved_legacy({"": source})
    assert [content for content in tree.values() if isinstance(content, str)]
    store = Archive(saved(tmp_path, tree))
    assert [fetch(store, part, LIMIT) for part in parts(store).layers] == list(source.layers)


def test_a_manifest_among_the_blobs(tmp_path: Path) -> None:
    tree = saved_layout({"": ONE})
    index = json.loads(tree["index.json"])
    store = Archive(saved(tmp_path, tree))
    assert fetch_manifest(store, index["manifests"][0]["digest"]).data


LISTING = json.loads(saved_podman({"": ONE})["manifest.json"])[0]


@pytest.mark.parametrize(
    "listing",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"{}",
        b"[1]",
        json.dumps([LISTING] * 1001).encode(),
        json.dumps([{}]).encode(),
        json.dumps([LISTING | {"Layers": "abc"}]).encode(),
        json.dumps([LISTING | {"Layers": [1]}]).encode(),
        json.dumps([LISTING | {"Layers": LISTING["Layers"][:1]}]).encode(),
        json.dumps([LISTING | {"Layers": LISTING["Layers"] * 400}]).encode(),
        json.dumps([LISTING | {"Layers": ["../../etc/passwd", *LISTING["Layers"][1:]]}]).encode(),
        json.dumps([LISTING | {"Layers": ["/etc/passwd", *LISTING["Layers"][1:]]}]).encode(),
        json.dumps([LISTING | {"Config": "../../etc/passwd"}]).encode(),
        json.dumps([LISTING | {"Config": LISTING["Layers"][1]}]).encode(),
        json.dumps([LISTING | {"Config": None}]).encode(),
        json.dumps([LISTING | {"RepoTags": "tag"}]).encode(),
        b" " * (5 << 20),
    ],
    ids=count(),
)
def test_hostile_listings(tmp_path: Path, listing: bytes) -> None:
    with pytest.raises(SourceError):
        Archive(saved(tmp_path, saved_podman({"": ONE}) | {"manifest.json": listing})).manifest()


@pytest.mark.parametrize(
    "config",
    [
        b"",
        b"[]",
        b"[" * 100_000,
        b'{"rootfs":{"diff_ids":["sha256:..","a","b"]}}',
        b'{"rootfs":{"diff_ids":{"0":1}}}',
        b'{"rootfs":[]}',
        b'{"rootfs":{"diff_ids":[]}}',
        b" " * (5 << 20),
    ],
    ids=count(),
)
def test_hostile_configurations(tmp_path: Path, config: bytes) -> None:
    tree = saved_podman({"": ONE})
    listing = json.dumps([LISTING | {"Config": "config"}]).encode()
    with pytest.raises(DamagedError):
        Archive(saved(tmp_path, tree | {"config": config, "manifest.json": listing})).manifest()


def test_a_configuration_that_is_not_what_its_name_says(tmp_path: Path) -> None:
    tree = saved_podman({"": ONE})
    with pytest.raises(DamagedError, match="other content than its name says"):
        Archive(saved(tmp_path, tree | {LISTING["Config"]: TWO.config})).manifest()


def test_two_listings_are_refused(tmp_path: Path) -> None:
    tree = saved_podman({"": ONE}) | {"./manifest.json": b"[]"}
    with pytest.raises(DamagedError, match="twice"):
        Archive(saved(tmp_path, tree))


def test_an_archive_without_images(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="has no images"):
        Archive(saved(tmp_path, {"manifest.json": b"[]"})).manifest()


def test_a_large_blob_is_no_manifest(tmp_path: Path) -> None:
    data = b" " * (5 << 20)
    store = Archive(saved(tmp_path, saved_layout({"": ONE}) | {blob_path(sha256(data)): data}))
    with pytest.raises(DamagedError, match="more than"):
        store.manifest(sha256(data))


def test_not_an_archive(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(DamagedError, match=r"no manifest\.json"):
        Archive(saved(tmp_path, {"a": b""}))
    with pytest.raises(DamagedError):
        Archive(tmp_path)
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(DamagedError):
        Archive(tmp_path / "empty")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_member_without_its_file(tmp_path: Path) -> None:
    tree = saved_podman({"": ONE})
    del tree[LISTING["Layers"][1]]
    with pytest.raises(NotFoundError):
        Archive(saved(tmp_path, tree)).manifest()


def test_the_archive_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a compressed archive needs a temporary file, which has no name."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    path = saved(tmp_path, saved_legacy({"": ONE}))
    store = Archive(path)
    for part in parts(store).layers:
        fetch(store, part, LIMIT)
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(SourceError):
        Archive(path)
    assert sorted(os.listdir(tmp_path)) == ["image.tar"]  # noqa: PTH208
