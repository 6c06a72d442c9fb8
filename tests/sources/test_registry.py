"""Registries over HTTP, in this process: the suite of all sources, and every fault on the way of a manifest or blob."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import pytest

from lucid_audit.errors import InputError, UsageError
from lucid_audit.image.descriptor import Descriptor, sha256
from lucid_audit.image.manifest import ACCEPTED, MANIFEST_LIMIT, Manifest, read
from lucid_audit.image.source import (
    AccessError,
    DamagedError,
    NotFoundError,
    Source,
    SourceError,
    UnavailableError,
    fetch,
    fetch_manifest,
)
from lucid_audit.reference import parse
from lucid_audit.sources.registry import ENOUGH, Registry
from tests.sources.builder import Image, Spoil, image
from tests.sources.conformance import LIMIT, Place, Spoilable
from tests.sources.faults import (
    REPOSITORY,
    Bearer,
    First,
    Handle,
    Reply,
    Seen,
    Server,
    Store,
    always,
    basic,
    basic_header,
    reach,
    says,
    serving,
    settings,
    stored,
)

SIZE = 4 * ENOUGH
Serve = Callable[[Handle], Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda handle: stack.enter_context(serving(handle))


@pytest.fixture(scope="module")
def source() -> Image:
    return image(size=SIZE)


def layer_of(store: Source) -> Descriptor:
    document = read(fetch_manifest(store))
    assert isinstance(document, Manifest)
    return document.layers[1]


def why(store: Source, part: Descriptor | None = None) -> str:
    """The message of the error that a manifest or blob ends with."""
    with pytest.raises(SourceError) as caught:
        fetch_manifest(store) if part is None else fetch(store, part, LIMIT)
    return str(caught.value)


class TestConformance(Spoilable):
    @pytest.fixture(params=["ranges", "whole", "bearer"])
    def place(self, request: pytest.FixtureRequest, tmp_path: Path, serve: Serve) -> Iterator[Place]:
        made: list[Source] = []

        def make(source: Image, spoil: Spoil | None) -> Source:
            handle: Handle = Store(source, spoil=spoil, ranges=request.param == "ranges")
            made.append(reach(serve(Bearer(handle) if request.param == "bearer" else handle).place, tmp_path))
            return made[-1]

        yield make
        for source in made:
            source.close()


class TestManifest:
    def test_asks_for_all_four_types_and_no_encoding(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        server = serve(Store(source))
        fetch_manifest(reach(server.place, tmp_path))
        (seen,) = server.asked("/manifests/")
        assert seen.headers["Accept"].split(", ") == list(ACCEPTED)
        assert len(ACCEPTED) == 4
        assert seen.headers["Accept-Encoding"] == "identity"
        assert seen.headers["User-Agent"] == "test"

    def test_the_tag_latest_and_a_digest_before_a_tag(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        store = Store(source)
        server = serve(store)
        for suffix, asked in (("", "latest"), (f":2@{store.digest}", store.digest)):
            ref = parse(f"{server.place}/{REPOSITORY}{suffix}")
            assert ref is not None
            registry = Registry(ref, settings(tmp_path))
            try:
                assert fetch_manifest(registry).digest == store.digest
            except NotFoundError:
                assert asked == "latest"
            assert server.seen[-1].path.endswith(f"/manifests/{asked}")

    def test_wrong_digest_header_is_not_believed(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        store = Store(source)
        lies = ("sha256:" + "0" * 64, "nonsense", "")
        for lie in lies:
            server = serve(always(store, "/manifests/", Reply(200, store.document, {"Docker-Content-Digest": lie})))
            assert fetch_manifest(reach(server.place, tmp_path)).digest == store.digest

    def test_another_algorithm_is_believed_when_it_fits(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        import hashlib

        store = Store(source)
        digest = f"sha512:{hashlib.sha512(store.document).hexdigest()}"
        server = serve(always(store, "/manifests/", Reply(200, store.document, {"Docker-Content-Digest": digest})))
        assert fetch_manifest(reach(server.place, tmp_path)).digest == digest

    def test_wrong_content_under_a_digest(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        store = Store(source)
        server = serve(always(store, "/manifests/", Reply(200, store.document + b" ")))
        with pytest.raises(DamagedError):
            fetch_manifest(reach(server.place, tmp_path), store.digest)

    def test_head(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        store = Store(source)
        server = serve(store)
        registry = reach(server.place, tmp_path)
        assert registry.head() == store.digest
        assert [seen.method for seen in server.seen] == ["HEAD"]

    @pytest.mark.parametrize(
        "reply", [Reply(200), Reply(405), Reply(404), Reply(200, headers={"Docker-Content-Digest": "md5:0"})]
    )
    def test_head_that_does_not_say(self, source: Image, serve: Serve, tmp_path: Path, reply: Reply) -> None:
        store = Store(source)
        server = serve(lambda seen: reply if seen.method == "HEAD" else store(seen))
        registry = reach(server.place, tmp_path)
        assert registry.head() is None
        assert fetch_manifest(registry).digest == store.digest

    def test_head_of_a_digest_asks_nobody(self, tmp_path: Path) -> None:
        digest = sha256(b"x")
        ref = parse(f"127.0.0.1:1/{REPOSITORY}@{digest}")
        assert ref is not None
        assert Registry(ref, settings(tmp_path)).head() == digest

    def test_too_large(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        server = serve(always(Store(source), "/manifests/", Reply(200, b" " * 65536, endless=True)))
        assert f"more than {MANIFEST_LIMIT} bytes" in why(reach(server.place, tmp_path))
        assert server.endless < 8 * MANIFEST_LIMIT

    def test_schema_1(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        body = json.dumps({"schemaVersion": 1, "fsLayers": []}).encode()
        kind = "application/vnd.docker.distribution.manifest.v1+prettyjws"
        server = serve(always(Store(source), "/manifests/", Reply(200, body, {"Content-Type": kind})))
        with pytest.raises(InputError, match="schema 1"):
            read(fetch_manifest(reach(server.place, tmp_path)))

    def test_encoding_that_nobody_asked_for(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        store = Store(source)
        reply = Reply(200, gzip.compress(store.document), {"Content-Encoding": "gzip"})
        assert "encoding" in why(reach(serve(always(store, "/manifests/", reply)).place, tmp_path))

    def test_reset_in_the_middle(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        store = Store(source)
        server = serve(First(store, "/manifests/", Reply(200, store.document, cut=20)))
        assert fetch_manifest(reach(server.place, tmp_path)).digest == store.digest


class TestBlob:
    @pytest.mark.parametrize("ranges", [True, False])
    def test_reset_in_the_middle(self, source: Image, serve: Serve, tmp_path: Path, ranges: bool) -> None:
        store = Store(source, ranges=ranges)
        data = source.layers[1]
        server = serve(First(store, sha256(data), Reply(200, data, cut=SIZE // 2)))
        waits: list[float] = []
        registry = reach(server.place, tmp_path, waits)
        assert fetch(registry, layer_of(registry), LIMIT) == data
        first, second = server.asked("/blobs/")
        assert first.headers["Range"] is None
        start = int(second.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        assert 0 <= start <= SIZE // 2
        assert len(waits) == 1

    def test_resumed_through_the_registry_and_not_where_it_led(
        self, source: Image, serve: Serve, tmp_path: Path
    ) -> None:
        store, data = Store(source), source.layers[1]
        storage = serve(First(lambda seen: store(seen._replace(path=seen.path.replace("/data", f"/v2/{REPOSITORY}/blobs"))),
                              "/data", Reply(200, data, cut=SIZE // 2)))  # fmt: skip
        signatures = iter("abc")

        def lead(seen: Seen) -> Reply:
            return Reply(
                307, headers={"Location": f"http://{storage.place}/data/{sha256(data)}?sig={next(signatures)}"}
            )

        server = serve(always(store, sha256(data), lead))
        registry = reach(server.place, tmp_path)
        assert fetch(registry, layer_of(registry), LIMIT) == data
        assert [seen.query["sig"] for seen in storage.seen if seen.query] == ["a", "b"]

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(400),
            Reply(416),
            Reply(206, b"x", {"Content-Range": "bytes 0-0/1"}),
            Reply(206, b"x"),
            Reply(206, b"x", {"Content-Range": "bytes " + "9" * 5000 + "-1/1"}),
            Reply(206, b"x", {"Content-Range": "multipart/byteranges"}),
        ],
    )
    def test_bad_answer_to_a_range_starts_again(
        self, source: Image, serve: Serve, tmp_path: Path, reply: Reply
    ) -> None:
        data = source.layers[1]
        store = Store(source, ranges=False)
        server = serve(First(store, sha256(data), Reply(200, data, cut=SIZE // 2), reply))
        registry = reach(server.place, tmp_path)
        assert fetch(registry, layer_of(registry), LIMIT) == data
        assert server.asked("/blobs/")[-1].headers["Range"] is None

    @pytest.mark.parametrize(
        "shape",
        ["bytes {later}-{last}/{size}", "bytes {start}-{early}/{size}", "bytes {start}-{last}/{more}"],
    )
    def test_range_that_differs_in_one_number(self, source: Image, serve: Serve, tmp_path: Path, shape: str) -> None:
        data = source.layers[1]
        size = len(data)

        def other(seen: Seen) -> Reply:
            start = int(seen.headers["Range"].removeprefix("bytes=").rstrip("-"))
            said = shape.format(start=start, later=start + 1, last=size - 1, early=size - 2, size=size, more=size + 1)
            first, _, last = said.removeprefix("bytes ").partition("/")[0].partition("-")
            return Reply(206, data[int(first) : int(last) + 1], {"Content-Range": said})

        server = serve(First(Store(source), sha256(data), Reply(200, data, cut=SIZE // 2), other))
        registry = reach(server.place, tmp_path)
        assert fetch(registry, layer_of(registry), LIMIT) == data
        assert [bool(seen.headers["Range"]) for seen in server.asked("/blobs/")] == [False, True, False]

    def test_tries_are_counted_anew_after_progress(self, serve: Serve, tmp_path: Path) -> None:
        large = image(size=16 * ENOUGH)
        data, store = large.layers[1], Store(large)

        def a_bit(seen: Seen) -> Reply:
            return store(seen)._replace(length=None, cut=-1, body=store(seen).body[: 2 * ENOUGH])

        server = serve(always(store, sha256(data), a_bit))
        registry = reach(server.place, tmp_path, tries=2)
        assert fetch(registry, layer_of(registry), LIMIT) == data
        assert len(server.asked("/blobs/")) == 9

    def test_nothing_is_waited_for_after_the_last_byte(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        data = source.layers[1]
        registry = reach(
            serve(always(Store(source), "/blobs/", Reply(200, data, length=None, stall=4))).place, tmp_path
        )
        part = layer_of(registry)
        start = monotonic()
        assert fetch(registry, part, LIMIT) == data
        assert monotonic() - start < 3

    def test_part_that_nobody_asked_for(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        data = source.layers[1]
        reply = Reply(206, data, {"Content-Range": f"bytes 0-{len(data) - 1}/{len(data)}"})
        registry = reach(serve(always(Store(source), "/blobs/", reply)).place, tmp_path)
        with pytest.raises(UnavailableError, match="206"):
            fetch(registry, layer_of(registry), LIMIT)

    def test_always_reset(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        data = source.layers[1]
        server = serve(always(Store(source), "/blobs/", Reply(200, data, cut=10)))
        waits: list[float] = []
        registry = reach(server.place, tmp_path, waits, tries=3)
        with pytest.raises(UnavailableError):
            fetch(registry, layer_of(registry), LIMIT)
        assert len(server.asked("/blobs/")) == 3
        assert len(waits) == 2

    @pytest.mark.parametrize("wrong", [-1, 1])
    def test_wrong_length_is_seen_before_any_byte(
        self, source: Image, serve: Serve, tmp_path: Path, wrong: int
    ) -> None:
        data = source.layers[1]
        body = data[:wrong] if wrong < 0 else data + b"x"
        registry = reach(serve(always(Store(source), "/blobs/", Reply(200, body))).place, tmp_path)
        part = layer_of(registry)
        with pytest.raises(DamagedError, match=f"{len(body)} bytes"):
            next(iter(registry.blob(part)))

    def test_longer_without_a_length(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        data = source.layers[1]
        server = serve(always(Store(source), "/blobs/", Reply(200, data + b"x" * 100_000, length=None)))
        registry = reach(server.place, tmp_path)
        with pytest.raises(DamagedError):
            fetch(registry, layer_of(registry)._replace(size=len(data) - 5), LIMIT)

    def test_shorter_without_a_length(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        data = source.layers[1]
        server = serve(always(Store(source), "/blobs/", Reply(200, data[:-1], length=None)))
        registry = reach(server.place, tmp_path, tries=2)
        assert f"after {len(data) - 1} of {len(data)} bytes" in why(registry, layer_of(registry))

    def test_endless(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        server = serve(always(Store(source), "/blobs/", Reply(200, b"x" * 65536, endless=True)))
        registry = reach(server.place, tmp_path)
        with pytest.raises(DamagedError):
            fetch(registry, layer_of(registry), LIMIT)
        assert server.endless < 16 * SIZE

    def test_wrong_digest(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        data = source.layers[1]
        registry = reach(serve(always(Store(source), "/blobs/", Reply(200, bytes(len(data))))).place, tmp_path)
        with pytest.raises(DamagedError, match="other content"):
            fetch(registry, layer_of(registry), LIMIT)

    def test_encoded_blob_is_not_decoded(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        data = gzip.compress(b"layer" * 100, mtime=0)
        reply = Reply(200, data, {"Content-Encoding": "gzip"})
        registry = reach(serve(always(Store(source), "/blobs/", reply)).place, tmp_path)
        assert fetch(registry, Descriptor("", sha256(data), len(data)), LIMIT) == data

    def test_token_that_ends_between_two_tries(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        store, data = Store(source), source.layers[1]
        guard = Bearer(store)

        def cut(_: Seen) -> Reply:
            guard.expired()
            return Reply(200, data, cut=SIZE // 2)

        guard.after = First(store, sha256(data), cut)
        registry = reach(serve(guard).place, tmp_path)
        assert fetch(registry, layer_of(registry), LIMIT) == data
        assert len(guard.given) == 2

    def test_foreign_layer(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        server = serve(Store(source))
        registry = reach(server.place, tmp_path)
        part = Descriptor("", sha256(b"x"), 1, urls=(f"http://{server.place}/x",))
        assert "not audited" in why(registry, part)
        assert server.seen == []

    def test_hostile_digest_asks_nobody(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        server = serve(Store(source))
        registry = reach(server.place, tmp_path)
        for digest in ("../../token", "sha256:..", "sha256:" + "0" * 64 + "?a=b"):
            with pytest.raises(DamagedError):
                fetch(registry, Descriptor("", digest, -1), LIMIT)
            with pytest.raises(DamagedError):
                registry.manifest(digest)
        assert server.seen == []


class TestRefusals:
    @pytest.mark.parametrize(
        ("reply", "kind", "texts"),
        [
            (says(404, "NAME_UNKNOWN"), NotFoundError, ["no such repository"]),
            (says(404, "MANIFEST_UNKNOWN"), NotFoundError, ["no such tag or digest"]),
            (says(403, "DENIED"), AccessError, ["denies access", "does not exist or is private"]),
            (says(401, "UNAUTHORIZED"), AccessError, ["does not exist or is private", "no credentials are stored"]),
            (says(429, "TOOMANYREQUESTS"), UnavailableError, ["too many requests"]),
            (says(500, "UNKNOWN", "it burns"), UnavailableError, ["HTTP 500", "it burns"]),
            (says(418, "X", "\x1b[31mred\x1b[0m\r\n\u202egone\x9b"), UnavailableError, ["HTTP 418", "red", "gone"]),
            (Reply(404, b"<html>\x1b"), NotFoundError, ["was not found"]),
            (Reply(404, b"[" * 60_000), NotFoundError, ["was not found"]),
            (Reply(404, b'{"errors": [{"code": [], "message": {}}]}'), NotFoundError, ["was not found"]),
            (Reply(404, b'{"errors": {"a": 1}}'), NotFoundError, ["was not found"]),
            (Reply(206, b"{}"), UnavailableError, ["HTTP 206"]),
        ],
    )
    def test_said_in_words(
        self, serve: Serve, tmp_path: Path, reply: Reply, kind: type[SourceError], texts: list[str]
    ) -> None:
        server = serve(lambda _: reply)
        with pytest.raises(SourceError) as caught:
            fetch_manifest(reach(server.place, tmp_path))
        message = str(caught.value)
        assert type(caught.value) is kind
        assert message.isprintable()
        assert all(text in message for text in [*texts, f"{server.place}/{REPOSITORY}:1"])

    @pytest.mark.parametrize("status", [404, 401, 500])
    def test_giant_body(self, serve: Serve, tmp_path: Path, status: int) -> None:
        server = serve(lambda _: Reply(status, b"x" * 65536, endless=True))
        assert len(why(reach(server.place, tmp_path, tries=1))) < 500
        assert server.endless < 64 << 20

    def test_blob_by_its_digest(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        digest = sha256(b"no")
        assert digest in why(reach(serve(Store(source)).place, tmp_path), Descriptor("", digest, 2))

    def test_credentials_by_their_file_and_never_their_value(self, serve: Serve, source: Image, tmp_path: Path) -> None:
        server = serve(basic(Store(source), "me", "right"))
        stored(tmp_path, {"auths": {server.place: {"username": "me", "password": "hunter2"}}})
        message = why(reach(server.place, tmp_path))
        assert str(tmp_path / ".docker/config.json") in message
        assert "hunter2" not in message
        assert basic_header("me", "hunter2").removeprefix("Basic ") not in message

    def test_nobody_there(self, tmp_path: Path) -> None:
        waits: list[float] = []
        with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:1 does not answer"):
            fetch_manifest(reach("127.0.0.1:1", tmp_path, waits))
        assert waits == []  # nobody listens there a second later either

    def test_the_hub_by_its_own_host_and_key(self, serve: Serve, tmp_path: Path) -> None:
        server = serve(basic(lambda _: says(404, "NAME_UNKNOWN"), "me", "pass"))
        stored(tmp_path, {"auths": {"https://index.docker.io/v1/": {"username": "me", "password": "pass"}}})
        ref = parse("app")
        assert ref is not None
        environ = {"HOME": str(tmp_path), "HTTP_PROXY": server.place, "HTTPS_PROXY": "127.0.0.1:1"}
        registry = Registry(ref, settings(tmp_path, environ=environ, insecure=("registry-1.docker.io",)))
        with pytest.raises(NotFoundError, match=r"docker\.io/library/app"):
            fetch_manifest(registry)
        assert {seen.host for seen in server.seen} == {"registry-1.docker.io"}
        assert server.seen[-1].path == "/v2/library/app/manifests/latest"


class TestMirrors:
    def test_mirror_first_and_only_its_own_credentials(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        upstream, mirror = serve(Store(source)), serve(basic(Store(source), "m", "mirror"))
        auths = {
            upstream.place: {"username": "u", "password": "upstream"},
            mirror.place: {"username": "m", "password": "mirror"},
        }
        stored(tmp_path, {"auths": auths})
        mirrors = ((upstream.place, mirror.place), ("other.test", "127.0.0.1:1"))
        registry = reach(upstream.place, tmp_path, mirrors=mirrors)
        fetch(registry, layer_of(registry), LIMIT)
        assert upstream.seen == []
        assert {seen.authorization for seen in mirror.seen} == {"", basic_header("m", "mirror")}

    def test_mirror_without_credentials_gets_none(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        mirror = serve(basic(Store(source), "u", "upstream"))
        upstream = serve(basic(Store(source), "u", "upstream"))
        stored(tmp_path, {"auths": {upstream.place: {"username": "u", "password": "upstream"}}})
        registry = reach(upstream.place, tmp_path, mirrors=((upstream.place, mirror.place),))
        fetch(registry, layer_of(registry), LIMIT)
        assert {seen.authorization for seen in mirror.seen} == {""}
        assert upstream.seen[-1].authorization

    def test_in_order_and_upstream_speaks_last(self, serve: Serve, tmp_path: Path) -> None:
        asked: list[str] = []

        def named(name: str, reply: Reply) -> Handle:
            return lambda _: asked.append(name) or reply  # type: ignore[func-returns-value]

        first, second = serve(named("first", Reply(404))), serve(named("second", Reply(403)))
        upstream = serve(named("upstream", says(404, "MANIFEST_UNKNOWN")))
        mirrors = tuple((upstream.place, server.place) for server in (first, second))
        assert "no such tag" in why(reach(upstream.place, tmp_path, mirrors=mirrors))
        assert [name for name, before in zip(asked, ["", *asked], strict=False) if name != before] == [
            "first",
            "second",
            "upstream",
        ]

    def test_mirror_that_fails_is_asked_no_more(self, source: Image, serve: Serve, tmp_path: Path) -> None:
        upstream = serve(Store(source))
        mirror = serve(lambda _: Reply(200, b"x" * 100, cut=5))
        registry = reach(upstream.place, tmp_path, mirrors=((upstream.place, mirror.place),))
        part = layer_of(registry)
        asked = len(mirror.seen)
        fetch(registry, part, LIMIT)
        assert len(mirror.seen) == asked

    @pytest.mark.parametrize("place", ["https://mirror.test", "mirror.test/path", "", "a b", "..", "h:99999"])
    def test_mirror_that_is_no_host(self, tmp_path: Path, place: str) -> None:
        with pytest.raises(UsageError, match="mirror"):
            reach("registry.test", tmp_path, mirrors=(("registry.test", place),))


def test_closing_twice_and_an_early_end(source: Image, serve: Serve, tmp_path: Path) -> None:
    registry = reach(serve(Store(source)).place, tmp_path)
    assert (registry.kind, registry.name) == ("registry", registry.ref.registry)
    registry.close()
    registry.close()
