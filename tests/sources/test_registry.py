"""Registries that work, and registries that do not: every fault is played by a server of the tests' own."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from lucid_audit.errors import InputError
from lucid_audit.image.descriptor import Descriptor, sha256
from lucid_audit.image.manifest import read
from lucid_audit.image.source import (
    AccessError,
    DamagedError,
    NotFoundError,
    SourceError,
    UnavailableError,
    fetch,
    fetch_manifest,
)
from lucid_audit.reference import parse
from lucid_audit.sources.registry import Registry
from lucid_audit.sources.transport import Settings
from tests.sources import builder, faults
from tests.sources.faults import Store, answer, challenge, cut, redirect, status

SECRET = "pa:ss-wörd"
LIMIT = 1 << 20


@pytest.fixture
def store() -> Iterator[Store]:
    with faults.registry() as made:
        yield made


@pytest.fixture
def other() -> Iterator[Store]:
    with faults.registry() as made:
        yield made


def opened(store: Store, name: str = "team/service:1", **more: Any) -> Registry:
    waited: list[float] = []
    ref = parse(f"{store.host}/{name}")
    assert ref is not None
    settings = Settings(more.pop("environ", {"HOME": "/nonexistent"}), "tests", wait=waited.append, **more)
    registry = Registry(ref, settings)
    registry.waited = waited  # type: ignore[attr-defined]
    return registry


def filled(store: Store, size: int = 300_000) -> tuple[Registry, Descriptor, bytes]:
    """A registry with one image, and the descriptor and bytes of its first layer."""
    source = builder.image(layers=2, size=size)
    store.add(source)
    layer = source.layers[0]
    return opened(store), Descriptor("", sha256(layer), len(layer)), layer


def login(tmp_path: Any, host: str) -> dict[str, str]:
    auth = base64.b64encode(f"me:{SECRET}".encode()).decode().rstrip("=")
    (tmp_path / "config.json").write_text(json.dumps({"auths": {f"https://{host}/v1/": {"auth": auth}}}))
    return {"DOCKER_CONFIG": str(tmp_path), "HOME": str(tmp_path)}


def test_a_head_costs_no_pull(store: Store) -> None:
    registry, _, _ = filled(store)
    assert registry.head() == sha256(store.manifests["1"][0])
    assert [request.method for request in store.requests] == ["HEAD"]
    store.on("/manifests/", status(405))
    assert registry.head() == ""


def test_what_the_registry_says_of_the_digest_is_not_believed(store: Store) -> None:
    registry, _, _ = filled(store)
    data, media_type = store.manifests["1"]
    store.on("/manifests/", answer(data, {"Content-Type": media_type, "Docker-Content-Digest": sha256(b"lie")}))
    assert fetch_manifest(registry).digest == sha256(data)
    store.on("/manifests/", answer(b'{"other": 1}', {"Content-Type": media_type}))
    with pytest.raises(DamagedError, match="other content"):
        fetch_manifest(registry, sha256(data))


def test_all_types_are_accepted_and_schema_1_is_refused_in_words(store: Store) -> None:
    registry, _, _ = filled(store)
    store.on(
        "/manifests/",
        answer(
            b'{"schemaVersion": 1, "fsLayers": []}',
            {"Content-Type": "application/vnd.docker.distribution.manifest.v1+prettyjws"},
        ),
    )
    with pytest.raises(InputError, match="schema 1"):
        read(fetch_manifest(registry))
    accepted = store.requests[0].headers["accept"]
    assert accepted.count("application/vnd.") == 4


def test_basic(store: Store, tmp_path: Any) -> None:
    source = builder.image()
    store.add(source)
    store.on("/manifests/", challenge('Negotiate, Basic realm="here"'))
    registry = opened(store, environ=login(tmp_path, store.host))
    assert fetch_manifest(registry).data
    sent = base64.b64decode(store.requests[-1].headers["authorization"].removeprefix("Basic ")).decode()
    assert sent == f"me:{SECRET}"
    assert "authorization" not in store.requests[0].headers, "nothing is sent before it is asked for"


def test_a_token(store: Store, tmp_path: Any) -> None:
    source = builder.image()
    store.add(source)
    where = f'Bearer realm="http://{store.host}/token",service="x",scope="repository:team/service:pull"'
    store.on("/manifests/", challenge("Negotiate", where))
    store.on("/token", answer(b'{"access_token": "abc", "expires_in": 300}'))
    registry = opened(store, environ=login(tmp_path, store.host))
    fetch_manifest(registry)
    fetch(registry, Descriptor("", sha256(source.config), len(source.config)), LIMIT)
    (token,) = store.asked("/token")
    assert "service=x" in token.path
    assert "scope=repository%3Ateam%2Fservice%3Apull" in token.path
    assert token.headers["authorization"].startswith("Basic ")
    assert [request.headers.get("authorization") for request in store.requests[2:]] == ["Bearer abc", "Bearer abc"]


def test_a_token_that_is_no_longer_good_is_renewed_once(store: Store) -> None:
    store.add(builder.image())
    bearer = challenge(f'Bearer realm="http://{store.host}/token"')
    store.on(
        "/manifests/", bearer, lambda handler: handler.plain(), bearer, lambda handler: handler.plain(), bearer, bearer
    )
    store.on("/token", *(answer(b'{"token": "t%d"}' % number) for number in range(3)))
    registry = opened(store)
    fetch_manifest(registry)
    fetch_manifest(registry)
    assert store.requests[-1].headers["authorization"] == "Bearer t1"
    with pytest.raises(AccessError):
        fetch_manifest(registry)


def test_an_identity_token_is_exchanged(store: Store, tmp_path: Any) -> None:
    store.add(builder.image())
    environ = login(tmp_path, store.host)
    (tmp_path / "config.json").write_text(json.dumps({"auths": {store.host: {"identitytoken": "refresh-me"}}}))
    store.on("/manifests/", challenge(f'Bearer realm="http://{store.host}/token"'))
    store.on("/token", answer(b'{"access_token": "abc"}'))
    fetch_manifest(opened(store, environ=environ))
    (token,) = store.asked("/token")
    assert token.method == "POST"
    assert b"grant_type=refresh_token" in token.body
    assert b"refresh_token=refresh-me" in token.body


@pytest.mark.parametrize(
    "realm",
    [
        "http://169.254.169.254/token",
        "http://127.0.0.2/token",
        "https://10.0.0.1/",
        "ftp://x/",
        "http://example.org/",
        "nonsense",
    ],
)
def test_a_realm_that_leads_elsewhere_gets_nothing(store: Store, tmp_path: Any, realm: str) -> None:
    store.add(builder.image())
    store.on("/manifests/", challenge(f'Bearer realm="{realm}"'))
    with pytest.raises(SourceError) as caught:
        fetch_manifest(opened(store, environ=login(tmp_path, store.host)))
    assert SECRET not in str(caught.value)
    assert len(store.requests) == 1


def test_refused_says_whose_credentials_and_not_which(store: Store, tmp_path: Any) -> None:
    store.on("/manifests/", *[status(403, error="DENIED")] * 2)
    with pytest.raises(AccessError, match="no credentials are stored"):
        fetch_manifest(opened(store))
    with pytest.raises(AccessError, match=r"config\.json") as caught:
        fetch_manifest(opened(store, environ=login(tmp_path, store.host)))
    assert SECRET not in repr(caught.value)


def test_absent(store: Store) -> None:
    with pytest.raises(NotFoundError, match="no such tag"):
        fetch_manifest(opened(store))


@pytest.mark.parametrize("code", [408, 429, 499, 500, 502, 503, 504, 522])
def test_failures_that_pass(store: Store, code: int) -> None:
    registry, _, _ = filled(store)
    store.on("/manifests/", status(code), status(code))
    assert fetch_manifest(registry).data
    assert registry.waited == [1.0, 2.0]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("said", "waited"), [("7", 7.0), ("99999", 60.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("x", 1.0)]
)
def test_retry_after(store: Store, said: str, waited: float) -> None:
    registry, _, _ = filled(store)
    store.on("/manifests/", status(429, {"Retry-After": said}))
    fetch_manifest(registry)
    assert registry.waited == [waited]  # type: ignore[attr-defined]


def test_failures_that_do_not_pass_end_some_time(store: Store) -> None:
    store.on("/manifests/", *[status(429, error="TOOMANYREQUESTS")] * 9)
    with pytest.raises(UnavailableError, match="too many requests"):
        fetch_manifest(opened(store))
    assert len(store.requests) == 5
    store.on("/manifests/", *[lambda handler: handler.reset()] * 9)
    with pytest.raises(UnavailableError, match="does not answer"):
        fetch_manifest(opened(store))


@pytest.mark.parametrize("code", [400, 404, 405])
def test_other_refusals_are_not_tried_again(store: Store, code: int) -> None:
    store.on("/manifests/", status(code))
    with pytest.raises(SourceError):
        fetch_manifest(opened(store))
    assert len(store.requests) == 1


@pytest.mark.parametrize("ranges", [True, False])
def test_a_blob_goes_on_where_it_broke_off(store: Store, ranges: bool) -> None:
    registry, descriptor, layer = filled(store, 3_000_000)
    store.ranges = ranges
    third = len(layer) // 3
    store.on("/blobs/", cut(third), cut(third if ranges else 2 * third))
    assert fetch(registry, descriptor, 2 * len(layer)) == layer
    asked = [request.headers.get("range") for request in store.asked("/blobs/")]
    assert asked[0] is None
    assert all(value is not None for value in asked[1:])
    assert len(asked) == 3


def test_a_blob_that_never_comes_whole(store: Store) -> None:
    registry, descriptor, _ = filled(store)
    store.on("/blobs/", *[cut(0)] * 20)
    with pytest.raises(UnavailableError):
        fetch(registry, descriptor, LIMIT)
    assert len(store.asked("/blobs/")) <= 6


def test_lengths_are_checked_before_anything_is_read(store: Store) -> None:
    registry, descriptor, layer = filled(store)
    for wrong in (layer + b"more", layer[:-1]):
        store.on("/blobs/", answer(wrong))
        with pytest.raises(DamagedError, match="its descriptor says"):
            next(iter(registry.blob(descriptor)))


def test_another_range_than_asked_for(store: Store) -> None:
    registry, descriptor, layer = filled(store)
    wrong = answer(layer[5:], {"Content-Range": f"bytes 5-{len(layer) - 1}/{len(layer)}"}, code=206)
    store.on("/blobs/", cut(1000), wrong)
    with pytest.raises(DamagedError, match="another range"):
        fetch(registry, descriptor, LIMIT)


def test_wrong_content_and_endless_bodies(store: Store) -> None:
    registry, descriptor, layer = filled(store)
    store.on("/blobs/", answer(bytes(len(layer))))
    with pytest.raises(DamagedError, match="other content"):
        fetch(registry, descriptor, LIMIT)

    def endless(handler: faults.Handler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        except OSError:
            handler.close_connection = True

    store.on("/blobs/", endless)
    with pytest.raises(DamagedError, match="longer"):
        fetch(registry, descriptor, LIMIT)
    store.on("/manifests/", endless)
    with pytest.raises(DamagedError, match="more than"):
        fetch_manifest(registry)


def test_an_encoding_on_the_way_is_not_undone(store: Store) -> None:
    registry, descriptor, layer = filled(store)
    assert store.requests == []
    packed = gzip.compress(layer)
    store.on("/blobs/", lambda handler: handler.send(200, packed, {"Content-Encoding": "gzip"}))
    with pytest.raises(DamagedError):
        fetch(registry, descriptor, LIMIT)
    assert store.requests[0].headers["accept-encoding"] == "identity"


def test_a_redirect_does_not_carry_credentials_to_another_host(store: Store, other: Store, tmp_path: Any) -> None:
    source = builder.image()
    store.add(source)
    other.add(source)
    descriptor = Descriptor("", sha256(source.config), len(source.config))
    registry = opened(store, environ=login(tmp_path, store.host))
    store.on("/manifests/", challenge("Basic realm=x"))
    fetch_manifest(registry)
    store.on("/blobs/", redirect(f"http://{other.host}/x/blobs/{descriptor.digest}?signature=1"))
    other_blobs = other.blobs[descriptor.digest]
    other.on("/x/", answer(other_blobs))
    assert fetch(registry, descriptor, LIMIT) == source.config
    assert "authorization" in store.requests[-1].headers
    assert "authorization" not in other.requests[0].headers


def test_redirects_that_are_not_followed(store: Store) -> None:
    registry, descriptor, _ = filled(store)
    store.on("/blobs/", *[redirect(f"/v2/team/service/blobs/{descriptor.digest}")] * 20)
    with pytest.raises(SourceError, match="more than 10"):
        fetch(registry, descriptor, LIMIT)
    for target in ("file:///etc/passwd", "ftp://example.org/", "http://example.org/plain"):
        store.faults.clear()
        store.on("/blobs/", redirect(target))
        with pytest.raises(SourceError):
            fetch(registry, descriptor, LIMIT)


def test_a_challenge_from_behind_a_redirect_is_not_answered(store: Store, other: Store, tmp_path: Any) -> None:
    registry, descriptor, _ = filled(store)
    registry = opened(store, environ=login(tmp_path, store.host))
    store.on("/blobs/", *[redirect(f"http://{other.host}/x")] * 3)
    other.on("/x", *[challenge("Basic realm=x")] * 3)
    with pytest.raises(AccessError):
        fetch(registry, descriptor, LIMIT)
    assert not any("authorization" in request.headers for request in other.requests)


def test_hostile_words_are_cut_and_cleaned(store: Store) -> None:
    store.on("/manifests/", status(400, error="ODD", message="\x1b[31mred\n::error::x" + "y" * 10_000))
    with pytest.raises(UnavailableError) as caught:
        fetch_manifest(opened(store))
    text = str(caught.value)
    assert "\x1b" not in text
    assert "\n" not in text
    assert len(text) < 400
    store.on("/manifests/", answer(b"<html>" * 100_000, code=400))
    with pytest.raises(UnavailableError):
        fetch_manifest(opened(store))


def test_mirrors_come_first_and_get_no_credentials_of_the_registry(store: Store, other: Store, tmp_path: Any) -> None:
    source = builder.image()
    store.add(source)
    other.add(source)
    environ = login(tmp_path, store.host)
    registry = opened(store, environ=environ, mirrors=((store.host, other.host),))
    fetch_manifest(registry)
    assert len(other.requests) == 1
    assert store.requests == []
    other.on("/manifests/", challenge("Basic realm=x"))
    store.on("/manifests/", challenge("Basic realm=x"))
    fetch_manifest(registry)
    assert "authorization" in store.requests[-1].headers
    assert not any("authorization" in request.headers for request in other.requests)
    other.manifests.clear()
    store.manifests.clear()
    with pytest.raises(NotFoundError):
        fetch_manifest(registry)


def test_plain_http_is_for_loopback_and_for_who_was_named() -> None:
    ref = parse("registry.example/a:1")
    assert ref is not None
    for insecure, scheme in (((), "https"), (("registry.example",), "http")):
        registry = Registry(ref, Settings({}, "tests", insecure=insecure))
        assert registry._hosts[-1].base == f"{scheme}://registry.example"
    local = parse("localhost:5000/a:1")
    assert local is not None
    assert Registry(local, Settings({}, "tests"))._hosts[-1].base == "http://localhost:5000"
    hub = parse("alpine")
    assert hub is not None
    assert Registry(hub, Settings({}, "tests"))._hosts[-1].base == "https://registry-1.docker.io"
