"""Being let in: passwords, tokens, and token services that nobody should trust."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from lucid_audit.image.source import AccessError, SourceError, UnavailableError, fetch_manifest
from lucid_audit.sources.auth import Authorization
from lucid_audit.sources.credentials import Credentials, Secret
from lucid_audit.sources.registry import Registry
from lucid_audit.sources.transport import Request, Transport
from lucid_audit.sources.urls import read_url
from tests.sources.builder import image
from tests.sources.faults import (
    REPOSITORY,
    Bearer,
    First,
    Handle,
    Reply,
    Seen,
    Server,
    Store,
    basic,
    basic_header,
    reach,
    serving,
    settings,
    stored,
)

STORE = Store(image(size=10))
Serve = Callable[[Handle], Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda handle: stack.enter_context(serving(handle))


def named(server: Server, folder: Path, *hosts: str) -> Registry:
    """``registry.test``, which the server plays as a proxy, as it does other hosts."""
    return reach("registry.test", folder, environ={"HTTP_PROXY": server.place}, insecure=("registry.test", *hosts))


def works(registry: Registry) -> bool:
    return fetch_manifest(registry).digest == STORE.digest


def fails(registry: Registry, kind: type[SourceError] = SourceError) -> str:
    with pytest.raises(kind) as caught:
        fetch_manifest(registry)
    assert "hunter2" not in str(caught.value)
    return str(caught.value)


class TestBasic:
    @pytest.mark.parametrize(
        "challenges", [(), ("Negotiate", 'BASIC realm="x"'), ('Digest a="b", basic realm=x',), ("Bearer", "Basic")]
    )
    def test_password(self, serve: Serve, tmp_path: Path, challenges: tuple[str, ...]) -> None:
        server = serve(basic(STORE, "me", "a:b:é", *challenges))
        stored(tmp_path, {"auths": {server.place: {"username": "me", "password": "a:b:é"}}})
        registry = reach(server.place, tmp_path)
        assert works(registry)
        assert works(registry)
        assert [bool(seen.authorization) for seen in server.asked("/manifests/")] == [False, True, True]

    def test_wrong_password_is_tried_once(self, serve: Serve, tmp_path: Path) -> None:
        server = serve(basic(STORE, "me", "right"))
        stored(tmp_path, {"auths": {server.place: {"username": "me", "password": "hunter2"}}})
        assert "config.json" in fails(reach(server.place, tmp_path), AccessError)
        assert len(server.asked("/manifests/")) == 2

    def test_nothing_stored(self, serve: Serve, tmp_path: Path) -> None:
        server = serve(basic(STORE, "me", "right"))
        assert "no credentials are stored" in fails(reach(server.place, tmp_path), AccessError)

    @pytest.mark.parametrize("challenge", ["", "Negotiate", 'Digest realm="x"', "\x7f\x80", 'Bearer realm=""'])
    def test_no_challenge_that_can_be_answered(self, serve: Serve, tmp_path: Path, challenge: str) -> None:
        server = serve(lambda _: Reply(401, more=(("WWW-Authenticate", challenge),)))
        assert "does not exist or is private" in fails(reach(server.place, tmp_path), AccessError)

    def test_challenge_of_the_registry_as_a_whole(self, serve: Serve, tmp_path: Path) -> None:
        guarded = basic(STORE, "me", "right")
        server = serve(lambda seen: guarded(seen)._replace(more=()) if "/manifests/" in seen.path else guarded(seen))
        stored(tmp_path, {"auths": {server.place: {"username": "me", "password": "right"}}})
        assert works(reach(server.place, tmp_path))


class TestBearer:
    @pytest.mark.parametrize(
        "shape",
        [
            'Bearer realm="{realm}",service="registry.test",scope="repository:team/app:pull"',
            "bearer  realm={realm}, service=registry.test, scope=repository:team/app:pull",
            'Basic realm="x", Bearer service="registry.test", realm="{realm}"',
        ],
    )
    @pytest.mark.parametrize("field", ["token", "access_token"])
    def test_anonymous(self, serve: Serve, tmp_path: Path, shape: str, field: str) -> None:
        guard = Bearer(STORE)
        guard.shape, guard.field = shape, field
        server = serve(guard)
        registry = reach(server.place, tmp_path)
        assert works(registry)
        assert works(registry)
        (asked,) = server.asked("/token")
        assert asked.query == {"service": "registry.test", "scope": f"repository:{REPOSITORY}:pull"}
        assert not asked.authorization

    def test_realm_with_a_query(self, serve: Serve, tmp_path: Path) -> None:
        guard = Bearer(STORE)
        guard.shape = 'Bearer realm="{realm}?account=1#x"'
        server = serve(guard)
        assert works(reach(server.place, tmp_path))
        assert server.asked("/token")[0].query == {"account": "1", "scope": f"repository:{REPOSITORY}:pull"}

    def test_password_goes_to_the_token_service_only(self, serve: Serve, tmp_path: Path) -> None:
        wanted = basic_header("me", "pass")
        server = serve(Bearer(STORE, "http://auth.test/token", lambda seen: seen.authorization == wanted))
        stored(tmp_path, {"auths": {"registry.test": {"username": "me", "password": "pass"}}})
        assert works(named(server, tmp_path, "auth.test"))
        assert {seen.host for seen in server.seen if seen.authorization == wanted} == {"auth.test"}

    def test_refused(self, serve: Serve, tmp_path: Path) -> None:
        server = serve(Bearer(STORE, admits=lambda _: False))
        text = fails(reach(server.place, tmp_path), AccessError)
        assert f"{REPOSITORY} does not exist or is private" in text
        assert "no credentials are stored" in text
        stored(tmp_path, {"auths": {server.place: {"username": "me", "password": "hunter2"}}})
        assert "config.json" in fails(reach(server.place, tmp_path), AccessError)

    def test_token_that_does_not_help_is_asked_for_once(self, serve: Serve, tmp_path: Path) -> None:
        guard = Bearer(STORE)
        guard.valid = frozenset()  # type: ignore[assignment]
        guard.token = lambda _: Reply(200, b'{"token": "t"}')
        server = serve(guard)
        assert "does not exist or is private" in fails(reach(server.place, tmp_path), AccessError)
        assert len(server.asked("/token")) == 1

    def test_taken_back(self, serve: Serve, tmp_path: Path) -> None:
        guard = Bearer(STORE)
        registry = reach(serve(guard).place, tmp_path)
        assert works(registry)
        guard.expired()
        assert works(registry)
        assert len(guard.given) == 2

    @pytest.mark.parametrize(
        ("body", "text"),
        [
            (b"", "without a token"),
            (b"[]", "without a token"),
            (b"{}", "without a token"),
            (b"[" * 50_000, "without a token"),
            (b'{"token": 5}', "without a token"),
            (b'{"token": "a\\r\\nX: y"}', "without a token"),
            ('{"token": "é"}'.encode(), "without a token"),
            (b'{"token": "' + b"x" * 70_000 + b'"}', "more than 65536 bytes"),
        ],
    )
    def test_no_token(self, serve: Serve, tmp_path: Path, body: bytes, text: str) -> None:
        guard = Bearer(STORE)
        guard.token = lambda _: Reply(200, body)
        assert text in fails(reach(serve(guard).place, tmp_path), UnavailableError)

    def test_endless(self, serve: Serve, tmp_path: Path) -> None:
        guard = Bearer(STORE)
        guard.token = lambda _: Reply(200, b"x" * 65536, endless=True)
        assert "more than 65536 bytes" in fails(reach(serve(guard).place, tmp_path))

    def test_broken_service(self, serve: Serve, tmp_path: Path) -> None:
        guard = Bearer(STORE)
        guard.token = lambda _: Reply(500)
        assert "gives no token (HTTP 500)" in fails(reach(serve(guard).place, tmp_path), UnavailableError)
        guard.token = First(guard.give, "", Reply(429), Reply(200, b"{}", cut=1))
        assert works(reach(serve(guard).place, tmp_path))


class TestRealms:
    @pytest.mark.parametrize(
        "realm",
        ["http://127.0.0.1/token", "http://127.1/token", "http://169.254.169.254/token", "http://10.0.0.1/token",
         "https://192.168.0.1/token", "http://[::1]/token", "https://localhost/token"],
    )  # fmt: skip
    def test_private(self, serve: Serve, tmp_path: Path, realm: str) -> None:
        server = serve(Bearer(STORE, realm))
        assert "private address" in fails(named(server, tmp_path, "10.0.0.1", "169.254.169.254"))
        assert server.asked("/token") == []

    @pytest.mark.parametrize(
        "realm", ["token", "ftp://a.test/", "http://[", "http://u:hunter2@auth.test/", "http://a\\\\b/"]
    )
    def test_no_address(self, serve: Serve, tmp_path: Path, realm: str) -> None:
        assert "no plain http or https URL" in fails(named(serve(Bearer(STORE, realm)), tmp_path))

    def test_plain_only_for_those_that_may(self, serve: Serve, tmp_path: Path) -> None:
        assert "plain HTTP" in fails(named(serve(Bearer(STORE, "http://auth.test/token")), tmp_path))

    @pytest.mark.parametrize("target", ["http://127.0.0.1/token", "http://10.0.0.1/", "http://other.test/"])
    def test_redirects_are_judged_as_well(self, serve: Serve, tmp_path: Path, target: str) -> None:
        guard = Bearer(STORE, "http://auth.test/token")
        guard.token = lambda _: Reply(307, headers={"Location": target})
        server = serve(guard)
        fails(named(server, tmp_path, "auth.test", "10.0.0.1"))
        assert len(server.asked("/token")) == 1

    def test_redirect_from_private_to_private(self, serve: Serve, tmp_path: Path) -> None:
        guard = Bearer(STORE)
        guard.token = lambda _: Reply(307, headers={"Location": "http://10.0.0.1/token"})
        server = serve(guard)
        assert "private address" in fails(reach(server.place, tmp_path, insecure=("10.0.0.1",)))

    def test_redirect_carries_no_password(self, serve: Serve, tmp_path: Path) -> None:
        guard = Bearer(STORE, "http://auth.test/token")
        guard.token = First(guard.give, "", Reply(307, headers={"Location": "http://other.test/token"}))
        server = serve(guard)
        stored(tmp_path, {"auths": {"registry.test": {"username": "me", "password": "pass"}}})
        assert works(named(server, tmp_path, "auth.test", "other.test"))
        assert [(seen.host, bool(seen.authorization)) for seen in server.asked("/token")] == [
            ("auth.test", True),
            ("other.test", False),
        ]

    def test_challenge_of_a_storage_is_not_answered(self, serve: Serve, tmp_path: Path) -> None:
        def lead(seen: Seen) -> Reply:
            if seen.host == "storage.test":
                return Reply(401, more=(("WWW-Authenticate", 'Basic realm="x"'),))
            return Reply(307, headers={"Location": "http://storage.test/x"})

        server = serve(lead)
        stored(tmp_path, {"auths": {"registry.test": {"username": "me", "password": "hunter2"}}})
        fails(named(server, tmp_path, "storage.test"), AccessError)
        assert not any(seen.authorization for seen in server.seen)


class TestIdentity:
    def config(self, place: str) -> dict[str, Any]:
        return {"auths": {place: {"auth": "bWU6", "identitytoken": "refresh"}}}

    def test_post(self, serve: Serve, tmp_path: Path) -> None:
        guard = Bearer(STORE, admits=lambda seen: seen.method == "POST")
        guard.field = "access_token"
        server = serve(guard)
        stored(tmp_path, self.config(server.place))
        assert works(reach(server.place, tmp_path))
        (asked,) = server.asked("/token")
        assert parse_qs(asked.body.decode()) == {
            "grant_type": ["refresh_token"],
            "refresh_token": ["refresh"],
            "client_id": ["lucid-audit"],
            "service": ["registry.test"],
            "scope": [f"repository:{REPOSITORY}:pull"],
        }

    def test_get_where_post_is_not_known(self, serve: Serve, tmp_path: Path) -> None:
        guard = Bearer(STORE)
        guard.token = lambda seen: Reply(404) if seen.method == "POST" else guard.give(seen)
        server = serve(guard)
        stored(tmp_path, self.config(server.place))
        assert works(reach(server.place, tmp_path))
        assert [seen.method for seen in server.asked("/token")] == ["POST", "GET"]

    def test_ready_token(self, serve: Serve, tmp_path: Path) -> None:
        guard = Bearer(STORE)
        guard.valid.add("ready")
        server = serve(guard)
        stored(tmp_path, {"auths": {server.place: {"registrytoken": "ready"}}})
        assert works(reach(server.place, tmp_path))
        assert server.asked("/token") == []
        guard.expired()
        assert "config.json" in fails(reach(server.place, tmp_path), AccessError)


class TestLifetime:
    @pytest.mark.parametrize(
        ("more", "good"),
        [
            ({}, 54),
            ({"expires_in": 10}, 54),
            ({"expires_in": 300}, 294),
            ({"expires_in": 300.5}, 294),
            ({"expires_in": "300"}, 54),
            ({"expires_in": -1}, 54),
            ({"expires_in": None}, 54),
            ({"expires_in": float("nan")}, 54),
            ({"expires_in": float("inf")}, 86394),
            ({"expires_in": 10**400}, 86394),
        ],
    )
    def test_end(self, serve: Serve, tmp_path: Path, more: dict[str, Any], good: float) -> None:
        guard = Bearer(STORE)
        guard.more = more
        server = serve(guard)
        now = [1000.0]
        transport = Transport(settings(tmp_path))
        auth = Authorization(transport, server.place, "repository:team/app:pull", lambda: None, lambda: now[0])
        refused = transport.send(Request(read_url(f"http://{server.place}/v2/", "it"), {}))
        assert auth.answer(refused, {})
        assert auth.header() == {"Authorization": "Bearer token0"}
        now[0] += good
        assert auth.header()
        now[0] += 2
        assert auth.header() == {}

    def test_the_same_token_again_is_good_news_after_its_end(self, serve: Serve, tmp_path: Path) -> None:
        guard = Bearer(STORE)
        guard.valid.add("same")
        guard.token = lambda _: Reply(200, json.dumps({"token": "same"}).encode())
        server = serve(guard)
        now = [0.0]
        transport = Transport(settings(tmp_path))
        auth = Authorization(transport, server.place, "s", lambda: None, lambda: now[0])
        refused = transport.send(Request(read_url(f"http://{server.place}/v2/", "it"), {}))
        assert auth.answer(refused, auth.header())
        now[0] += 100
        assert auth.answer(refused, auth.header())
        assert not auth.answer(refused, {"Authorization": "Bearer same"})

    def test_threads_that_are_refused_together_share_one_token(self, serve: Serve, tmp_path: Path) -> None:
        guard = Bearer(STORE)
        server = serve(guard)
        transport = Transport(settings(tmp_path))
        auth = Authorization(transport, server.place, "s", lambda: None)
        refused = transport.send(Request(read_url(f"http://{server.place}/v2/", "it"), {}))
        results: list[bool] = []
        threads = [threading.Thread(target=lambda: results.append(auth.answer(refused, {}))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [True] * 8
        assert guard.given == ["token0"]


def test_credentials_are_looked_up_once_and_only_when_needed(serve: Serve, tmp_path: Path) -> None:
    looked: list[str] = []

    def look(registry: str, repository: str, _environ: object) -> Credentials:
        looked.append(f"{registry}/{repository}")
        return Credentials("a test", "me", Secret("right"))

    server = serve(basic(STORE, "me", "right"))
    plain = reach(serve(STORE).place, tmp_path)
    guarded = reach(server.place, tmp_path)
    assert works(Registry(plain.ref, settings(tmp_path), look))
    assert looked == []
    registry = Registry(guarded.ref, settings(tmp_path), look)
    assert works(registry)
    assert works(registry)
    assert looked == [f"{server.place}/{REPOSITORY}"]
