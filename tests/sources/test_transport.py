"""Redirects, retries, bounds."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from time import monotonic

import pytest

from lucid_audit.image.source import SourceError, UnavailableError
from lucid_audit.sources.answer import BODY_LIMIT, Answer, PassingError
from lucid_audit.sources.transport import AGAIN, Request, Transport, seconds
from lucid_audit.sources.urls import read_url
from tests.sources.faults import First, Reply, Seen, Server, serving, settings

HIDDEN = {"Authorization": "Basic c2VjcmV0", "Cookie": "secret", "Accept": "a/b", "Range": "bytes=1-"}
HOSTS = ("a.test", "b.test", "c.test", "a.test:81")


def fine(seen: Seen) -> Reply:
    return Reply(200, seen.path.encode())


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(fine) as server:
        yield server


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def transport(server: Server, tmp_path: Path, waits: list[float]) -> Iterator[Transport]:
    """Everything goes through the server, whatever its name; ``HOSTS`` may be asked without TLS."""
    environ = {"HTTP_PROXY": server.place, "HTTPS_PROXY": server.place}
    made = Transport(settings(tmp_path, waits, environ=environ, insecure=HOSTS))
    yield made
    made.close()


def get(transport: Transport, url: str, **more: object) -> Answer:
    return transport.send(Request(read_url(url, "the test"), HIDDEN, limit=1000, **more))  # type: ignore[arg-type]


def to(target: str, status: int = 307) -> Reply:
    return Reply(status, headers={"Location": target})


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("target", ["http://b.test/x", "//b.test/x", "http://a.test:81/x"])
    def test_nothing_secret_to_another_host_or_port(
        self, server: Server, transport: Transport, status: int, target: str
    ) -> None:
        server.handle = First(fine, "/start", to(target, status))
        assert get(transport, "http://a.test/start").read() == b"/x"
        first, second = server.seen
        assert first.authorization == HIDDEN["Authorization"]
        assert "secret" not in str(second.headers)
        assert not second.authorization
        assert (second.headers["Accept"], second.headers["Range"]) == ("a/b", "bytes=1-")

    def test_the_same_host_gets_everything_again(self, server: Server, transport: Transport) -> None:
        server.handle = First(fine, "/start", to("http://A.test:80/x"))
        get(transport, "http://a.test/start")
        assert server.seen[1].authorization == HIDDEN["Authorization"]

    def test_what_was_held_back_stays_held_back(self, server: Server, transport: Transport) -> None:
        server.handle = First(First(fine, "/b", to("http://a.test/end")), "/start", to("http://b.test/b"))
        assert get(transport, "http://a.test/start").read() == b"/end"
        assert [bool(seen.authorization) for seen in server.seen] == [True, False, False]

    def test_loop(self, server: Server, transport: Transport, waits: list[float]) -> None:
        server.handle = lambda _: to("/again")
        with pytest.raises(SourceError, match="redirects more than 10 times"):
            get(transport, "http://a.test/")
        assert len(server.seen) == 11
        assert waits == []

    @pytest.mark.parametrize(
        "target",
        ["http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://[::1]/", "http://169.254.169.254/latest/meta-data",
         "http://10.0.0.1/", "http://localhost/"],
    )  # fmt: skip
    def test_never_from_a_public_name_to_a_private_address(
        self, server: Server, transport: Transport, target: str
    ) -> None:
        server.handle = lambda _: to(target)
        with pytest.raises(SourceError, match="private address"):
            get(transport, "http://a.test/")
        assert len(server.seen) == 1

    @pytest.mark.parametrize(
        "target",
        ["ftp://b.test/", "file:///etc/passwd", "http://[", "http://me:hunter2@b.test/", "http://b.test\\@a.test/"],
    )
    def test_no_address(self, server: Server, transport: Transport, target: str) -> None:
        server.handle = lambda _: to(target)
        with pytest.raises(SourceError, match="no plain http or https URL") as caught:
            get(transport, "http://a.test/")
        assert "hunter2" not in str(caught.value)

    def test_plain_http_elsewhere_needs_leave(self, server: Server, transport: Transport) -> None:
        server.handle = lambda _: to("http://d.test/")
        with pytest.raises(SourceError, match=r"d\.test speaks plain HTTP"):
            get(transport, "http://a.test/")

    def test_no_target_is_an_answer(self, server: Server, transport: Transport) -> None:
        server.handle = lambda _: Reply(307)
        assert get(transport, "http://a.test/").status == 307

    def test_a_body_does_not_go_elsewhere(self, server: Server, transport: Transport) -> None:
        server.handle = First(fine, "/start", to("http://b.test/"))
        with pytest.raises(SourceError, match=r"b\.test"):
            get(transport, "http://a.test/start", method="POST", body=b"refresh")
        assert len(server.seen) == 1

    def test_a_body_goes_on_where_it_belongs(self, server: Server, transport: Transport) -> None:
        server.handle = First(fine, "/start", to("/same"), to("/get", 303))
        get(transport, "http://a.test/start", method="POST", body=b"refresh")
        get(transport, "http://a.test/start", method="POST", body=b"refresh")
        assert [(seen.method, seen.body) for seen in server.seen] == [
            ("POST", b"refresh"), ("POST", b"refresh"), ("POST", b"refresh"), ("GET", b"")
        ]  # fmt: skip

    def test_every_address_is_judged(self, server: Server, transport: Transport) -> None:
        server.handle = First(fine, "/start", to("http://b.test/x"))
        judged: list[str] = []
        get(transport, "http://a.test/start", allowed=lambda url: judged.append(url.host))
        assert judged == ["a.test", "b.test"]


class TestTries:
    @pytest.mark.parametrize("status", sorted(AGAIN))
    def test_again(self, server: Server, transport: Transport, waits: list[float], status: int) -> None:
        server.handle = First(fine, "/", Reply(status), Reply(status))
        assert get(transport, "http://a.test/").status == 200
        assert waits == [1, 2]

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 416, 501])
    def test_never_again(self, server: Server, transport: Transport, waits: list[float], status: int) -> None:
        server.handle = lambda _: Reply(status)
        assert get(transport, "http://a.test/").status == status
        assert (len(server.seen), waits) == (1, [])

    def test_five_times(self, server: Server, transport: Transport, waits: list[float]) -> None:
        server.handle = lambda _: Reply(503)
        assert get(transport, "http://a.test/").status == 503
        assert (len(server.seen), waits) == (5, [1, 2, 4, 8])

    @pytest.mark.parametrize(
        "reply", [Reply(200, b"abc", cut=0), Reply(200, b"abc", cut=1), Reply(200, b"abc", length=9)]
    )
    def test_reset_and_early_end(self, server: Server, transport: Transport, waits: list[float], reply: Reply) -> None:
        server.handle = First(fine, "/", reply)
        assert get(transport, "http://a.test/").read() == b"/"
        assert waits == [1]
        server.handle = lambda _: reply
        with pytest.raises(PassingError, match="broke off"):
            get(transport, "http://a.test/")

    def test_the_first_address_again_and_not_the_last(self, server: Server, transport: Transport) -> None:
        server.handle = First(First(fine, "/x", Reply(500)), "/start", to("http://b.test/x"), to("http://c.test/x"))
        get(transport, "http://a.test/start")
        assert [seen.host for seen in server.seen] == ["a.test", "b.test", "a.test", "c.test"]

    @pytest.mark.parametrize(
        ("text", "wanted"),
        [("7", 7), ("0", 0), ("3600", 60), ("9" * 400, 60), ("nonsense", 1), ("-5", 1), ("²", 1), ("1.5", 1),
         ("Thu, 01 Jan 1970 00:00:00 GMT", 1), ("Fri, 31 Dec 9999 23:59:59 GMT", 60), ("Mon, 01 Jan 0001 00:00:00 +2359", 1)],
    )  # fmt: skip
    def test_retry_after(
        self, server: Server, transport: Transport, waits: list[float], text: str, wanted: float
    ) -> None:
        reply = Reply(429, headers={"Retry-After": text.encode().decode("latin-1")})
        server.handle = First(fine, "/", reply)
        get(transport, "http://a.test/")
        assert waits == [wanted]

    def test_retry_after_a_date(self) -> None:
        assert seconds(formatdate(1_000_030, usegmt=True), 1_000_000) == 30
        assert seconds(formatdate(999_999, usegmt=True), 1_000_000) is None

    def test_all_waits_together(self, server: Server, tmp_path: Path, waits: list[float]) -> None:
        server.handle = lambda _: Reply(429, headers={"Retry-After": "50"})
        transport = Transport(settings(tmp_path, waits, tries=100))
        transport.send(Request(read_url(f"http://{server.place}/", "it"), {}))
        assert sum(waits) == 180
        assert len(server.seen) == 5

    def test_silence(self, server: Server, tmp_path: Path) -> None:
        import threading

        end = threading.Event()
        server.handle = lambda _: (end.wait(20) and Reply()) or Reply()
        transport = Transport(settings(tmp_path, tries=2, read_timeout=0.2))
        start = monotonic()
        with pytest.raises(UnavailableError, match="does not answer"):
            transport.send(Request(read_url(f"http://{server.place}/", "it"), {}))
        end.set()
        assert monotonic() - start < 5
        assert len(server.seen) == 2

    def test_no_name(self, tmp_path: Path, waits: list[float]) -> None:
        with pytest.raises(UnavailableError, match=r"nobody\.invalid does not answer"):
            Transport(settings(tmp_path, waits)).send(Request(read_url("https://nobody.invalid/", "it"), {}))
        assert waits == []


class TestAnswers:
    def test_body_is_cut(self, server: Server, transport: Transport) -> None:
        server.handle = lambda _: Reply(404, b"x" * 65536, endless=True)
        answer = get(transport, "http://a.test/", tries=1)
        assert len(answer.read()) == BODY_LIMIT
        assert answer.read() == answer.read()

    def test_hostile_status_line_is_harmless(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        import socket
        from threading import Thread

        listener = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            for _ in range(2):
                peer, _address = listener.accept()
                peer.recv(65536)
                peer.sendall(b"\x1b[31mHTTP\x07 evil\r\n\r\n")
                peer.close()

        Thread(target=serve, daemon=True).start()
        url = read_url(f"http://127.0.0.1:{listener.getsockname()[1]}/", "it")
        with caplog.at_level(logging.WARNING), pytest.raises(UnavailableError) as caught:
            Transport(settings(tmp_path, tries=2)).send(Request(url, {}))
        assert str(caught.value).isprintable()
        assert caplog.records == []
        listener.close()

    def test_connections_are_kept(self, server: Server, tmp_path: Path) -> None:
        peers: set[object] = set()
        transport = Transport(settings(tmp_path))
        process = server.process_request
        server.process_request = lambda request, client: peers.add(client) or process(request, client)  # type: ignore[method-assign, func-returns-value, assignment]
        server.handle = First(fine, "/", Reply(503, b"x"), to("/y"))
        for _ in range(3):
            transport.send(Request(read_url(f"http://{server.place}/", "it"), {}, limit=10))
        assert len(server.seen) == 5
        assert len(peers) == 1


class TestSchemes:
    @pytest.mark.parametrize(
        ("place", "insecure", "plain"),
        [
            ("a.test", (), False),
            ("a.test", ("a.test",), True),
            ("a.test:5000", ("a.test",), True),
            ("a.test:5000", ("a.test:5000",), True),
            ("a.test:5001", ("a.test:5000",), False),
            ("xa.test", ("a.test",), False),
            ("127.0.0.1:5000", (), True),
            ("[::1]:5000", (), True),
            ("localhost", (), True),
            ("x.localhost:1", (), True),
            ("10.0.0.1", (), False),
        ],
    )
    def test_who_may_speak_plain_http(self, tmp_path: Path, place: str, insecure: tuple[str, ...], plain: bool) -> None:
        transport = Transport(settings(tmp_path, insecure=insecure))
        assert transport.plain(place) is plain
        if not plain:
            assert transport.base(place).text == f"https://{place}"
            with pytest.raises(SourceError, match="--insecure-registry"):
                transport.send(Request(read_url(f"http://{place}/", "it"), {}))

    def test_plain_only_where_nobody_speaks_tls(self, server: Server, tmp_path: Path) -> None:
        assert Transport(settings(tmp_path)).base(server.place).text == f"http://{server.place}"
