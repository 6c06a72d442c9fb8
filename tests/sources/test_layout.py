"""Traps of OCI layouts."""

from __future__ import annotations

import json
import os
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from lucid_audit.image.descriptor import Descriptor, Platform, sha256
from lucid_audit.image.manifest import OCI_INDEX, OCI_MANIFEST, Index, read
from lucid_audit.image.source import (
    AccessError,
    DamagedError,
    NotFoundError,
    SourceError,
    UnavailableError,
    fetch,
    fetch_manifest,
)
from lucid_audit.sources.layout import Layout
from tests.sources.builder import REF_NAME, Tree, blob_path, descriptor, image, index, layout, manifest, tar, write

LIMIT = 1 << 30
ONE, TWO = image(seed="one"), image(seed="two")


def entry(data: bytes, name: str = "", **more: Any) -> dict[str, Any]:
    return descriptor(data, OCI_MANIFEST, **more, **({"annotations": {REF_NAME: name}} if name else {}))


def of(path: Path, *entries: dict[str, Any], tree: Tree | None = None) -> Path:
    base = layout({"1": ONE, "2": TWO}) | {"index.json": index(entries)} | (tree or {})
    return write(path / "layout", base)


@pytest.mark.parametrize("name", ["1", sha256(manifest(ONE))])
def test_chosen_by_name_or_digest(tmp_path: Path, name: str) -> None:
    store = Layout(write(tmp_path / "layout", layout({"1": ONE, "2": TWO})), name)
    assert fetch_manifest(store).digest == sha256(manifest(ONE))
    assert fetch_manifest(store, sha256(manifest(TWO))).media_type == OCI_MANIFEST


def test_several_are_listed(tmp_path: Path) -> None:
    path = write(tmp_path / "layout", layout({"1": ONE, "2": TWO}))
    with pytest.raises(NotFoundError, match=r"several images, choose one of 1, 2$"):
        Layout(path).manifest()
    with pytest.raises(NotFoundError, match=r"no image '3'; it has 1, 2$"):
        Layout(path, "3").manifest()
    with pytest.raises(NotFoundError):
        Layout(path, sha256(b"")).manifest()


def test_long_listings_are_cut(tmp_path: Path) -> None:
    path = of(tmp_path, *(entry(manifest(ONE), f"n{number}") for number in range(40)))
    with pytest.raises(NotFoundError, match=r"n11 and 28 more$"):
        Layout(path).manifest()


def test_listings_show_no_control_characters(tmp_path: Path) -> None:
    path = of(tmp_path, entry(manifest(ONE), "\x1b[2J"), entry(manifest(TWO), "two"))
    with pytest.raises(NotFoundError) as caught:
        Layout(path).manifest()
    assert str(caught.value).isprintable()


def test_no_images(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="has no images"):
        Layout(of(tmp_path)).manifest()
    with pytest.raises(NotFoundError, match="it has none"):
        Layout(of(tmp_path), "1").manifest()


@pytest.mark.parametrize("name", ["docker.io/library/sample:1", "sample:1", "index.docker.io/library/sample:1", "1"])
def test_names_as_docker_writes_them(tmp_path: Path, name: str) -> None:
    annotations = {"io.containerd.image.name": "docker.io/library/sample:1", REF_NAME: "1"}
    path = of(tmp_path, descriptor(manifest(ONE), OCI_MANIFEST, annotations=annotations), entry(manifest(TWO), "2"))
    assert Layout(path, name).manifest().digest == sha256(manifest(ONE))


def test_a_nested_index_is_returned(tmp_path: Path) -> None:
    inner = index([entry(manifest(ONE), platform={"os": "linux", "architecture": "arm64"})])
    tree: Tree = {blob_path(sha256(inner)): inner}
    store = Layout(of(tmp_path, descriptor(inner, OCI_INDEX), tree=tree))
    found = read(fetch_manifest(store))
    assert isinstance(found, Index)
    assert found.manifests[0].platform == Platform("linux", "arm64")
    assert fetch_manifest(store, found.manifests[0].digest).data == manifest(ONE)


@pytest.mark.parametrize("name", ["", "multi"])
def test_platforms_at_the_top_are_one_image(tmp_path: Path, name: str) -> None:
    platforms = [{"os": "linux", "architecture": architecture} for architecture in ("amd64", "arm64")]
    path = of(
        tmp_path,
        *(entry(manifest(i), name, platform=p, artifactType="a/b") for i, p in zip((ONE, TWO), platforms, strict=True)),
    )
    store = Layout(path, name)
    fetched = fetch_manifest(store)
    found = read(fetched)
    assert isinstance(found, Index)
    assert [str(part.platform) for part in found.manifests] == ["linux/amd64", "linux/arm64"]
    assert found.manifests[0].annotations.get(REF_NAME, "") == name
    assert found.manifests[0].artifact_type == "a/b"


def test_the_same_image_twice_is_one(tmp_path: Path) -> None:
    assert Layout(of(tmp_path, entry(manifest(ONE)), entry(manifest(ONE)))).manifest().data == manifest(ONE)
    store = Layout(of(tmp_path, entry(manifest(ONE), "1"), entry(manifest(ONE), "other")), "other")
    assert store.manifest().data == manifest(ONE)


@pytest.mark.parametrize(
    "tree",
    [
        {"oci-layout": b'{"imageLayoutVersion":"2.0.0"}'},
        {"oci-layout": b'{"imageLayoutVersion":1}'},
        {"oci-layout": b"{}"},
        {"oci-layout": b"[]"},
        {"oci-layout": b"x" * 5000},
        {"oci-layout": "elsewhere"},
        {"index.json": b"{"},
        {"index.json": b"[" * 100_000},
        {"index.json": manifest(ONE)},
        {"index.json": b'{"schemaVersion":2,"manifests":[{"digest":"sha256:../..","size":1}]}'},
        {"index.json": b'{"schemaVersion":2,"manifests":[{"digest":"sha256:' + b"0" * 64 + b'","size":-1}]}'},
        {"index.json": b'{"schemaVersion":2,"manifests":' + json.dumps([entry(b"")] * 1001).encode() + b"}"},
        {"index.json": b" " * (5 << 20)},
    ],
    ids=count(),
)
@pytest.mark.parametrize("packed", [False, True])
def test_not_a_layout(tmp_path: Path, tree: Tree, packed: bool) -> None:
    base = layout({"1": ONE}) | tree
    if packed:
        (tmp_path / "layout").write_bytes(tar(base))
    else:
        write(tmp_path / "layout", base)
    with pytest.raises((DamagedError, NotFoundError)):
        Layout(tmp_path / "layout")


@pytest.mark.parametrize("missing", ["oci-layout", "index.json"])
def test_parts_that_are_missing(tmp_path: Path, missing: str) -> None:
    tree = layout({"1": ONE})
    del tree[missing]
    with pytest.raises(DamagedError, match=f"is not an OCI layout: it has no {missing}"):
        Layout(write(tmp_path / "layout", tree))


def test_blobs_behind_links_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "layout", layout({"1": ONE}))
    layer = Descriptor("", sha256(ONE.layers[1]), -1)
    blob = path / blob_path(layer.digest)
    outside = tmp_path / "outside"
    blob.rename(outside)
    blob.symlink_to(outside)
    store = Layout(path)
    with pytest.raises(DamagedError, match="symbolic link"):
        fetch(store, layer, LIMIT)
    blob.unlink()
    blob.mkdir()
    with pytest.raises(DamagedError, match="regular file"):
        fetch(store, layer, LIMIT)
    blob.rmdir()
    os.mkfifo(blob)
    with pytest.raises(DamagedError, match="regular file"):
        fetch(store, layer, LIMIT)
    (path / "blobs").rename(tmp_path / "blobs")
    (path / "blobs").symlink_to(tmp_path / "blobs")
    with pytest.raises(DamagedError, match="not a folder"):
        fetch(store, Descriptor("", sha256(ONE.config), -1), LIMIT)


def test_links_in_a_tar_file_stay_inside(tmp_path: Path) -> None:
    layer = Descriptor("", sha256(ONE.layers[1]), -1)
    for target, error in (("/etc/passwd", NotFoundError), ("../../../etc/passwd", DamagedError)):
        (tmp_path / "x.tar").write_bytes(tar(layout({"1": ONE}) | {blob_path(layer.digest): target}))
        with pytest.raises(error):
            fetch(Layout(tmp_path / "x.tar"), layer, LIMIT)


def test_no_files_stay_open(tmp_path: Path) -> None:
    path = write(tmp_path / "layout", layout({"1": ONE}))
    before = len(list(Path("/proc/self/fd").iterdir()))
    store = Layout(path)
    fetch(store, Descriptor("", sha256(ONE.layers[1]), -1), LIMIT)
    with pytest.raises(NotFoundError):
        fetch(store, Descriptor("", sha256(b""), -1), LIMIT)
    store.close()
    with pytest.raises(UnavailableError, match="closed"):
        fetch(store, Descriptor("", sha256(ONE.config), -1), LIMIT)
    (path / "oci-layout").write_bytes(b"")
    with pytest.raises(SourceError):
        Layout(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_large_manifest_is_not_read(tmp_path: Path) -> None:
    data = b" " * (5 << 20)
    store = Layout(of(tmp_path, entry(data), tree={blob_path(sha256(data)): data}))
    with pytest.raises(DamagedError, match="more than"):
        store.manifest()


def test_paths(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="does not exist"):
        Layout(tmp_path / "absent")
    write(tmp_path / "layout", layout({"1": ONE}))
    (tmp_path / "link").symlink_to("layout")
    assert Layout(tmp_path / "link").manifest().data == manifest(ONE)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_permission_denied(tmp_path: Path) -> None:
    (tmp_path / "layout").mkdir(0o000)
    with pytest.raises(AccessError):
        Layout(tmp_path / "layout")
