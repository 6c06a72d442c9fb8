"""Traps of engines, with a client that is not one. The truth is in ``test_real``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import docker
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid_audit.image.descriptor import sha256
from lucid_audit.image.manifest import Manifest, read
from lucid_audit.image.source import (
    AccessError,
    DamagedError,
    NotFoundError,
    SourceError,
    Streamed,
    UnavailableError,
    fetch,
    fetch_manifest,
)
from lucid_audit.sources import export
from lucid_audit.sources.engine import Engine
from lucid_audit.sources.headers import walk
from lucid_audit.sources.members import Members, spool
from lucid_audit.sources.sockets import endpoints
from tests.sources.builder import (
    TAG,
    FakeClient,
    Image,
    Tree,
    image,
    image_of,
    saved_layout,
    saved_legacy,
    saved_podman,
    tar,
)
from tests.sources.conformance import LIMIT, taken

ONE = image(layers=5, seed="one")
ENVIRON = {"DOCKER_HOST": "unix:///s"}


def opened_engine(client: FakeClient) -> tuple[Engine, Manifest]:
    store = Engine(TAG, ENVIRON, connect=client.connect)
    document = read(fetch_manifest(store))
    assert isinstance(document, Manifest)
    return store, document


def fake(tree: Tree, source: Image = ONE, **inspected: Any) -> FakeClient:
    return FakeClient(source, tar(tree), inspected)


@pytest.mark.usefixtures("_no_copies")
@pytest.mark.parametrize("save", [saved_legacy, saved_podman, saved_layout])
def test_one_export_gives_all_without_a_copy(save: Callable[[dict[str, Image]], Tree]) -> None:
    client = fake(save({"": ONE}))
    store, document = opened_engine(client)
    wanted = [document.config, *document.layers]
    assert sorted(taken(store.stream(wanted))) == sorted(part.digest for part in wanted)
    assert fetch(store, document.config, LIMIT) == ONE.config
    assert (client.exports, client.ended) == (1, 1)


@pytest.mark.usefixtures("_no_copies")
def test_equal_layers_come_once() -> None:
    layer = tar({"a": b"x" * 9000})
    source = image_of([layer, tar({}), layer, tar({"b": b""})])
    store, document = opened_engine(fake(saved_legacy({"": source}), source))
    assert len(document.layers) == 4
    assert len(taken(store.stream(document.layers))) == 3


def test_the_export_ends_with_what_was_wanted() -> None:
    client = fake(saved_podman({"": ONE}))
    store, document = opened_engine(client)
    assert taken(store.stream(document.layers[:1])) == [document.layers[0].digest]
    assert client.sent < len(client.export) / 2
    stream = store.stream(document.layers)
    _, pieces = next(stream)
    next(pieces)
    stream.close()
    assert client.ended == client.exports == 2


def test_pieces_that_are_not_taken_are_dropped() -> None:
    store, document = opened_engine(fake(saved_podman({"": ONE})))
    stream = store.stream(document.layers)
    _, first = next(stream)
    next(stream)
    with pytest.raises(DamagedError, match="gone on"):
        list(first)
    assert len(taken(stream)) == len(document.layers) - 2


def test_a_layer_that_nothing_tells_is_copied_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    copied = []

    def counted(pieces: Iterator[bytes], limit: int, label: str) -> BinaryIO:
        copied.append(label)
        return spool(pieces, limit, label)

    monkeypatch.setattr(export, "spool", counted)
    tree = saved_legacy({"": ONE})
    names = [name for name in tree if name.endswith("/json")]
    changed: Tree = {names[0]: b"{}", names[1]: b"{", names[2]: b"[" * 100_000}
    store, document = opened_engine(fake(tree | changed))
    assert sorted(taken(store.stream(document.layers))) == sorted(ONE.diff_ids)
    assert len(copied) == 3


def test_a_legacy_layer_without_its_json() -> None:
    tree = {name: content for name, content in saved_legacy({"": ONE}).items() if not name.endswith("/json")}
    store, document = opened_engine(fake(tree))
    assert sorted(taken(store.stream(document.layers))) == sorted(ONE.diff_ids)


@pytest.mark.parametrize("inspected", [{"Descriptor": {"mediaType": "x"}}, {}])
def test_a_store_of_registry_images_is_read_as_an_archive(inspected: dict[str, Any]) -> None:
    compressed = image(compressed=True)
    client = fake(saved_layout({TAG: compressed}), compressed, Id="sha256:" + "2" * 64, **inspected)
    if not inspected:
        client.driver = [["driver-type", "io.containerd.snapshotter.v1"]]
    store, document = opened_engine(client)
    assert document.config.digest == sha256(compressed.config)
    assert len(taken(store.stream([document.config, *document.layers]))) == 4
    assert client.exports == 1
    store.close()
    assert client.closed


@pytest.mark.parametrize("cut", [0, 100, 700, 5000, 100_000])
def test_an_export_that_is_cut_off(cut: int) -> None:
    for save in (saved_legacy, saved_podman, saved_layout):
        client = fake(save({"": ONE}))
        client.export = client.export[:cut]
        store, document = opened_engine(client)
        with pytest.raises((DamagedError, NotFoundError)):
            taken(store.stream([document.config, *document.layers]))


def test_a_layer_of_another_size() -> None:
    store, document = opened_engine(fake(saved_podman({"": ONE})))
    with pytest.raises(DamagedError, match="bytes, not 5"):
        taken(store.stream([document.layers[0]._replace(size=5)]))


def test_an_export_without_a_layer() -> None:
    tree = saved_podman({"": ONE})
    del tree[f"{ONE.diff_ids[2].removeprefix('sha256:')}.tar"]
    store, document = opened_engine(fake(tree))
    with pytest.raises(NotFoundError, match="has no sha256:"):
        taken(store.stream(document.layers))


@pytest.mark.parametrize(
    "inspected",
    [
        {"Id": None},
        {"Id": "abc"},
        {"Id": "sha256:../.."},
        {"RootFS": {"Layers": ["sha256:.."]}},
        {"RootFS": {"Layers": [1]}},
        {"RootFS": {"Layers": ["sha256:" + "0" * 64] * 1001}},
        {"RootFS": {"Layers": {"a": 1}}},
        {"RootFS": "layers"},
        {"RootFS": None},
    ],
)
def test_hostile_inspection(inspected: dict[str, Any]) -> None:
    with pytest.raises(DamagedError):
        Engine(TAG, ENVIRON, connect=fake({}, **inspected).connect).manifest()


@pytest.mark.parametrize("name", ["", "../containers/json", "a?b", "A", "a b", "a\n"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(NotFoundError, match="is not the name of an image"):
        Engine(name, ENVIRON, connect=fake({}).connect)


def answer(status: int) -> Any:
    response = requests.Response()
    response.status_code = status
    response._content = b"no such thing"
    return docker.errors.APIError("message", response, "an explanation\nof two lines")


@pytest.mark.parametrize(
    ("error", "expected", "words"),
    [
        (answer(404), NotFoundError, "has no image"),
        (answer(403), AccessError, "refuses access: an explanation of two lines"),
        (answer(500), UnavailableError, "failed: an explanation of two lines"),
        (docker.errors.DockerException("x", PermissionError(13, "x")), AccessError, "permission denied"),
        (requests.ConnectionError("x", ConnectionRefusedError(111, "x")), UnavailableError, "nothing listens there"),
        (requests.exceptions.ChunkedEncodingError("broken"), UnavailableError, "broke the connection off"),
        (TimeoutError("timed out"), UnavailableError, "does not answer: timed out"),
    ],
)
def test_errors_are_translated(error: Exception, expected: type[SourceError], words: str) -> None:
    class Failing(FakeClient):
        def inspect_image(self, *_: object) -> dict[str, Any]:
            raise error

    class Breaking(FakeClient):
        def get_image(self, *_: object) -> Iterator[bytes]:
            yield bytes(100)
            raise error

    def refuse(endpoint: str, environ: Mapping[str, str]) -> Any:
        raise error

    with pytest.raises(expected, match=words):
        Engine(TAG, ENVIRON, connect=Failing(ONE, b"").connect).manifest()
    store, document = opened_engine(Breaking(ONE, b""))
    with pytest.raises(expected, match=words):
        fetch(store, document.config, LIMIT)
    with pytest.raises(expected, match=words) as caught:
        Engine(TAG, ENVIRON, connect=refuse)
    assert "\n" not in str(caught.value)


def test_errors_of_ours_are_not_translated() -> None:
    class Crashing(FakeClient):
        def inspect_image(self, *_: object) -> dict[str, Any]:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Engine(TAG, ENVIRON, connect=Crashing(ONE, b"").connect).manifest()


def test_endpoints(tmp_path: Path) -> None:
    assert endpoints({"DOCKER_HOST": "tcp://h:1", "XDG_RUNTIME_DIR": str(tmp_path)}) == ["tcp://h:1"]
    (tmp_path / "docker.sock").touch()
    assert f"unix://{tmp_path}/docker.sock" not in endpoints({"XDG_RUNTIME_DIR": str(tmp_path)})
    with pytest.raises(UnavailableError, match="ssh"):
        Engine(TAG, {"DOCKER_HOST": "ssh://host"})


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text("ab/.é", min_size=1).filter(lambda name: ".." not in name and name.strip("/.")),
        st.binary(max_size=1300),
        max_size=5,
    ),
    st.integers(1, 2000),
)
def test_a_stream_has_the_members_of_its_file(tree: dict[str, bytes], size: int) -> None:
    data = tar(tree)
    piped = export.Piped(data[start : start + size] for start in range(0, len(data), size))
    streamed = [(member, b"".join(piped.span(member))) for member in walk(piped)]
    store = Members(spool([data], LIMIT, "x"), "x")
    assert [content for _, content in streamed] == list(tree.values())
    for member, content in streamed:
        if store.find(member.name) == member:
            assert b"".join(store.pieces(member.name)) == content
    store.close()


@settings(deadline=None)
@given(st.binary(max_size=2000), st.integers(0, 3000))
def test_a_damaged_export_gives_our_error(noise: bytes, start: int) -> None:
    data = bytearray(tar(saved_legacy({"": image_of([tar({})])})))
    data[start : start + len(noise)] = noise
    with suppress(SourceError):
        for part in export.parts(iter([bytes(data)]), ONE.diff_ids):
            b"".join(part.pieces)


def test_the_sdk_is_imported_only_to_connect() -> None:
    program = "import sys, lucid_audit.sources.choose; sys.exit('docker' in sys.modules or 'requests' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_engine_is_a_streamed_source() -> None:
    store: Streamed = Engine(TAG, ENVIRON, connect=fake({}).connect)
    assert store.kind == "engine"
