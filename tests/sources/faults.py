"""A registry in this process that behaves, and everything that can be wrong with one.

A ``Server`` answers as its handler says: a function from a request to a reply. It also takes requests for other hosts, as
a proxy does, so that tests can have registries, storage and token services with public names.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import struct
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from lucid_audit.image.descriptor import sha256
from lucid_audit.image.manifest import OCI_MANIFEST
from lucid_audit.reference import parse
from lucid_audit.sources.registry import Registry
from lucid_audit.sources.transport import Settings
from tests.sources.builder import Image, Spoil, manifest

REPOSITORY = "team/app"


class Seen(NamedTuple):
    """A request. ``path`` is without its query."""

    method: str
    host: str
    path: str
    query: dict[str, str]
    headers: Message
    body: bytes

    @property
    def authorization(self) -> str:
        return str(self.headers.get("Authorization", ""))


class Reply(NamedTuple):
    """A response, good or bad.

    ``length`` stands for the true one, None leaves it out and ends the body with the connection. ``cut``: reset the
    connection after so many bytes. ``endless``: repeat the body until nobody reads it any more. ``stall``: seconds of silence after the body.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}
    more: tuple[tuple[str, str], ...] = ()
    length: int | None = -1
    cut: int = -1
    endless: bool = False
    stall: float = 0.0


Handle = Callable[[Seen], Reply]


def says(status: int, code: str, message: str = "", **headers: str) -> Reply:
    """An error as registries write it."""
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        host = parts.netloc or self.headers["Host"]
        seen = Seen(self.command, host, parts.path, query, self.headers, body)
        self.server.seen.append(seen)
        self._send(self.server.handle(seen))

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in (*reply.headers.items(), *reply.more):
            self.send_header(name, value)
        if reply.length is None or reply.endless:
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(reply.body) if reply.length == -1 else reply.length))
        self.end_headers()
        if self.command == "HEAD":
            return
        sent = reply.body if reply.cut < 0 else reply.body[: reply.cut]
        while reply.endless:
            self.wfile.write(sent)
            self.server.endless += len(sent)
        self.wfile.write(sent)
        self.wfile.flush()
        sleep(reply.stall)
        if reply.cut >= 0:
            self._reset()
        elif reply.length not in (-1, None):
            self.close_connection = True

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    do_GET = do_HEAD = do_POST = _answer  # noqa: N815  (the names are http.server's)


class Server(ThreadingHTTPServer):
    """A server on a port of its own."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, handle: Handle, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.handle = handle
        self.seen: list[Seen] = []
        self.endless = 0
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def asked(self, part: str) -> list[Seen]:
        """The requests whose path holds ``part``."""
        return [seen for seen in self.seen if part in seen.path]

    def handle_error(self, *_: object) -> None:
        pass  # clients that hang up are what the tests are about


@contextmanager
def serving(handle: Handle, certificate: Path | None = None) -> Iterator[Server]:
    server = Server(handle, certificate)
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def certificate(folder: Path) -> Path:
    """Make a certificate of this machine that nobody trusts: one file with its key."""
    file = folder / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-addext", "keyUsage=critical,digitalSignature,keyCertSign",
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "ca.crt")],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_bytes((folder / "key.pem").read_bytes() + (folder / "ca.crt").read_bytes())
    return file


class Store:
    """A registry that behaves, with one image. ``ranges``: whether it gives parts of blobs."""

    def __init__(self, source: Image, *, spoil: Spoil | None = None, ranges: bool = True) -> None:
        self.ranges = ranges
        self.document = manifest(source)
        self.digest = sha256(self.document)
        self.blobs = {sha256(data): data for data in (source.config, *source.layers)}
        if spoil is not None:
            digest = sha256(source.layers[1])
            self.blobs[digest] = spoil(self.blobs[digest])

    def __call__(self, seen: Seen) -> Reply:
        prefix, _, name = seen.path.rpartition("/")
        if seen.path == "/v2/":
            return Reply(200, b"{}")
        if not prefix.startswith(f"/v2/{REPOSITORY}/"):
            return says(404, "NAME_UNKNOWN")
        if prefix.endswith("/manifests"):
            if name not in ("1", self.digest):
                return says(404, "MANIFEST_UNKNOWN")
            return Reply(200, self.document, {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": self.digest})
        data = self.blobs.get(name)
        if data is None:
            return says(404, "BLOB_UNKNOWN")
        asked = re.fullmatch(r"bytes=(\d+)-", seen.headers.get("Range", ""))
        if asked is None or not self.ranges:
            return Reply(200, data)
        start = int(asked[1])
        if start >= len(data):
            return says(416, "RANGE_INVALID")
        return Reply(206, data[start:], {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"})


class First:
    """Gives each of some replies once to requests whose path holds ``part``, and then what another handler says."""

    def __init__(self, handle: Handle, part: str, *replies: Reply | Handle) -> None:
        self.after, self.part, self.replies = handle, part, list(replies)

    def __call__(self, seen: Seen) -> Reply:
        if self.part not in seen.path or not self.replies:
            return self.after(seen)
        reply = self.replies.pop(0)
        return reply if isinstance(reply, Reply) else reply(seen)


def always(handle: Handle, part: str, reply: Reply | Handle) -> Handle:
    """Give one reply to all requests whose path holds ``part``."""

    def answer(seen: Seen) -> Reply:
        if part not in seen.path:
            return handle(seen)
        return reply if isinstance(reply, Reply) else reply(seen)

    return answer


def basic_header(username: str, password: str) -> str:
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


def basic(handle: Handle, username: str, password: str, *challenges: str) -> Handle:
    """Let nobody in without a password."""

    def answer(seen: Seen) -> Reply:
        if seen.authorization == basic_header(username, password):
            return handle(seen)
        more = tuple(("WWW-Authenticate", text) for text in challenges or ('Basic realm="here"',))
        return says(401, "UNAUTHORIZED")._replace(more=more)

    return answer


class Bearer:
    """Lets nobody in without a token, and gives tokens at ``/token`` to whom ``admits`` allows it.

    ``expired`` takes all tokens back that were given.
    """

    def __init__(self, handle: Handle, realm: str = "", admits: Callable[[Seen], bool] = lambda _: True) -> None:
        self.after, self.realm, self.admits = handle, realm, admits
        self.given: list[str] = []
        self.valid: set[str] = set()
        self.token: Handle = self.give
        self.field = "token"
        self.more: dict[str, Any] = {}
        self.shape = 'Bearer realm="{realm}",service="registry.test",scope="repository:team/app:pull"'

    def expired(self) -> None:
        self.valid.clear()

    def __call__(self, seen: Seen) -> Reply:
        if seen.path == "/token":
            return self.token(seen)
        if seen.authorization.removeprefix("Bearer ") in self.valid:
            return self.after(seen)
        realm = self.realm or f"http://{seen.host}/token"
        return says(401, "UNAUTHORIZED")._replace(more=(("WWW-Authenticate", self.shape.format(realm=realm)),))

    def give(self, seen: Seen) -> Reply:
        if not self.admits(seen):
            return says(401, "UNAUTHORIZED")
        self.given.append(f"token{len(self.given)}")
        self.valid.add(self.given[-1])
        return Reply(200, json.dumps({self.field: self.given[-1], **self.more}).encode())


def reach(place: str, folder: Path, waits: list[float] | None = None, **more: Any) -> Registry:
    """The source of ``REPOSITORY`` at a place, in an environment where only ``folder`` has configuration files."""
    ref = parse(f"{place}/{REPOSITORY}:1")
    assert ref is not None
    return Registry(ref, settings(folder, waits, **more))


def settings(folder: Path, waits: list[float] | None = None, **more: Any) -> Settings:
    environ = {"HOME": str(folder)} | more.pop("environ", {})
    return Settings(environ, "test", wait=(waits if waits is not None else []).append, **more)


def stored(folder: Path, config: Mapping[str, Any]) -> None:
    """Write Docker's configuration file."""
    (folder / ".docker").mkdir(exist_ok=True)
    (folder / ".docker/config.json").write_text(json.dumps(config))
