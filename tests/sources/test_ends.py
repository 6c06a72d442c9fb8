"""How registries are left: mirrors that spoil, time that is over, and closing while others wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import pytest

from lucid_audit.image.descriptor import Descriptor, sha256
from lucid_audit.image.source import DamagedError, NotFoundError, SourceError, UnavailableError, fetch, fetch_manifest
from lucid_audit.reference import parse
from lucid_audit.sources.pull import pull
from lucid_audit.sources.registry import Registry
from lucid_audit.sources.transport import Request, Settings, Transport
from lucid_audit.sources.urls import read_url
from tests.sources.builder import image
from tests.sources.conformance import LIMIT
from tests.sources.faults import REPOSITORY, First, Handle, Reply, Seen, Server, Store, always, reach, serving, settings
from tests.sources.test_pull import reading

IMAGE = image()
LAYER = Descriptor("", sha256(IMAGE.layers[1]), len(IMAGE.layers[1]))
Serve = Callable[[Handle], Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda handle: stack.enter_context(serving(handle))


def altered(handle: Handle, part: str, change: Callable[[Reply], Reply]) -> Handle:
    return lambda seen: change(handle(seen)) if part in seen.path else handle(seen)


def patient(place: str, folder: Path, **more: float) -> Registry:
    """A source that waits as it does for people."""
    ref = parse(f"{place}/{REPOSITORY}:1")
    assert ref is not None
    return Registry(ref, Settings({"HOME": str(folder)}, "test", **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        lambda reply: reply._replace(cut=1000),
        lambda reply: reply._replace(body=reply.body + b"x"),
        lambda reply: reply._replace(body=reply.body[:-1]),
        lambda reply: reply._replace(body=reply.body[:-10], length=None),
        lambda reply: reply._replace(body=reply.body + b"x", length=None),
    ],
    ids=["broken", "longer", "shorter", "short without a length", "long without a length"],
)
def test_a_mirror_that_spoils_a_blob_is_left(serve: Serve, tmp_path: Path, change: Callable[[Reply], Reply]) -> None:
    store, waits = Store(IMAGE), list[float]()
    upstream, mirror = serve(store), serve(altered(store, LAYER.digest, change))
    registry = reach(upstream.place, tmp_path, waits, mirrors=((upstream.place, mirror.place),))
    assert fetch(registry, LAYER, LIMIT) == IMAGE.layers[1]
    assert len(upstream.asked(LAYER.digest)) <= 1  # none where the last piece ended where the blob does
    assert waits == []
    assert len(mirror.asked(LAYER.digest)) == 1


def test_a_mirror_with_something_else_under_a_digest_is_left(serve: Serve, tmp_path: Path) -> None:
    store = Store(IMAGE)
    upstream, mirror = serve(store), serve(always(store, "/manifests/", Reply(200, b"{}")))
    registry = reach(upstream.place, tmp_path, mirrors=((upstream.place, mirror.place),))
    assert registry.manifest(store.digest).data == store.document
    assert len(mirror.asked("/manifests/")) == len(upstream.asked("/manifests/")) == 1


def test_schema_1_by_digest(serve: Serve, tmp_path: Path) -> None:
    kind = {"Content-Type": "application/vnd.docker.distribution.manifest.v1+prettyjws"}
    server = serve(always(Store(IMAGE), "/manifests/", Reply(200, b'{"schemaVersion": 1}', kind)))
    with pytest.raises(DamagedError, match="schema 1"):
        fetch_manifest(reach(server.place, tmp_path), sha256(b"the payload that was signed"))


@pytest.mark.parametrize("reply", [Reply(503), Reply(429), Reply(405), Reply(200, cut=0)])
def test_a_head_is_asked_once(serve: Serve, tmp_path: Path, reply: Reply) -> None:
    store, waits = Store(IMAGE), list[float]()
    server = serve(lambda seen: reply if seen.method == "HEAD" else store(seen))
    registry = reach(server.place, tmp_path, waits)
    assert not registry.head()
    assert waits == []
    assert fetch_manifest(registry).digest == store.digest


def test_a_refusal_that_breaks_off_is_a_refusal(serve: Serve, tmp_path: Path) -> None:
    server = serve(always(Store(IMAGE), "/manifests/", Reply(404, b'{"errors": [{', cut=8)))
    with pytest.raises(NotFoundError):
        fetch_manifest(reach(server.place, tmp_path))


def test_settings_show_no_environment(tmp_path: Path) -> None:
    assert "sesame" not in repr(settings(tmp_path, environ={"HTTP_PROXY": "http://me:sesame@h"}))


# The end of time


def test_no_wait_beyond_the_end(serve: Serve, tmp_path: Path) -> None:
    server, waits = serve(lambda _: Reply(429, headers={"Retry-After": "50"})), list[float]()
    transport = Transport(settings(tmp_path, waits))
    transport.until = monotonic() + 10
    request = Request(read_url(f"http://{server.place}/", "it"), {})
    assert transport.send(request).status == 429
    transport.until = monotonic() - 1
    with pytest.raises(SourceError, match="--timeout"):
        transport.send(request)
    assert (waits, len(server.seen)) == ([], 1)


def test_no_try_beyond_the_end(serve: Serve, tmp_path: Path) -> None:
    store, waits = Store(IMAGE), list[float]()
    server = serve(First(store, LAYER.digest, *[altered(store, "", lambda reply: reply._replace(cut=1000))] * 3))
    registry = reach(server.place, tmp_path, waits)
    registry.until(monotonic() + 0.9)
    with pytest.raises(UnavailableError):
        fetch(registry, LAYER, LIMIT)
    assert waits == []


def test_silence_ends_with_the_time(serve: Serve, tmp_path: Path) -> None:
    gate = threading.Event()

    def silent(_: Seen) -> Reply:
        gate.wait(10)
        return Reply()

    registry = reach(serve(silent).place, tmp_path)
    start = monotonic()
    registry.until(start + 0.3)
    with pytest.raises(SourceError):
        fetch_manifest(registry)
    gate.set()
    assert monotonic() - start < 3


def test_closing_ends_a_wait(serve: Serve, tmp_path: Path) -> None:
    registry = patient(serve(lambda _: Reply(503)).place, tmp_path)
    threading.Timer(0.1, registry.close).start()
    start = monotonic()
    with pytest.raises(SourceError):
        fetch_manifest(registry)
    assert monotonic() - start < 0.9


def busy() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith(("layer", "prefetch"))]


def test_a_registry_that_stalls_ends_in_time_and_leaves_no_thread(serve: Serve, tmp_path: Path) -> None:
    store = Store(IMAGE)
    stalled = altered(store, "/blobs/", lambda reply: reply._replace(body=b"x", length=len(reply.body), stall=6.0))
    server = serve(stalled)
    registry = patient(server.place, tmp_path, read_timeout=30.0)
    start = monotonic()
    with pytest.raises(SourceError, match="--timeout"):
        pull(registry, "app:1", None, (), (), reading(deadline=start + 0.3))
    registry.close()
    for thread in busy():
        thread.join(3)
    assert not busy()
    assert monotonic() - start < 4
    assert "HEAD" not in [seen.method for seen in server.seen]  # nothing is gained by it without a cache


def test_interrupted_threads_end(serve: Serve, tmp_path: Path) -> None:
    store = Store(IMAGE)
    server = serve(
        altered(store, "/blobs/", lambda reply: reply._replace(body=b"x", length=len(reply.body), stall=6.0))
    )
    registry = patient(server.place, tmp_path, read_timeout=30.0)
    failed: list[SourceError] = []

    def read() -> None:
        try:
            fetch(registry, LAYER, LIMIT)
        except SourceError as error:
            failed.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    while not server.asked("/blobs/"):
        threading.Event().wait(0.01)
    threading.Event().wait(0.1)  # until its body is waited for
    registry.close()
    thread.join(3)
    assert not thread.is_alive()
    assert len(failed) == 1
