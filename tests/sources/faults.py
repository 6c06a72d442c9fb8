"""A registry in this process that can be told to fail: HTTP on loopback, requests recorded, each fault used once."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from lucid_audit.image.descriptor import sha256
from lucid_audit.image.manifest import OCI_MANIFEST
from tests.sources import builder


class Request(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Fault = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers from the registry's store, unless a fault is due."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the name it has in http.server)
        """Say nothing."""

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        store = self.server.store
        lower = {name.lower(): value for name, value in self.headers.items()}
        store.requests.append(Request(self.command, self.path, lower, body))
        for part, faults in store.faults.items():
            if part in self.path and faults:
                faults.pop(0)(self)
                return
        self.plain()

    do_GET = do_HEAD = do_POST = _handle  # noqa: N815  (names that http.server looks for)

    def plain(self) -> None:
        """Answer as a registry does."""
        store = self.server.store
        name = self.path.rpartition("/")[2].partition("?")[0]
        if "/manifests/" in self.path and name in store.manifests:
            data, media_type = store.manifests[name]
            self.send(200, data, {"Content-Type": media_type, "Docker-Content-Digest": sha256(data)})
        elif "/blobs/" in self.path and name in store.blobs:
            data = store.blobs[name]
            start = self.headers.get("Range", "")
            if start.startswith("bytes=") and store.ranges:
                at = int(start[6:].rstrip("-"))
                self.send(206, data[at:], {"Content-Range": f"bytes {at}-{len(data) - 1}/{len(data)}"})
            else:
                self.send(200, data)
        else:
            self.error(404, "MANIFEST_UNKNOWN", "manifest unknown")

    def send(self, status: int, data: bytes, headers: dict[str, str] | None = None, length: int | None = None) -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def error(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        self.send(status, json.dumps({"errors": [{"code": code, "message": message}]}).encode(), headers)

    def reset(self) -> None:
        """Break the connection without a goodbye."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True
    store: Store

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the tests."""


class Store:
    """What the registry has, what goes wrong, and what it was asked. ``ranges``: it understands Range."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, tuple[bytes, str]] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.requests: list[Request] = []
        self.ranges = True

    def add(self, image: builder.Image, tag: str = "1") -> None:
        """Store an image under a tag and by its digest."""
        for data in (image.config, *image.layers):
            self.blobs[sha256(data)] = data
        self.put(builder.manifest(image), OCI_MANIFEST, tag)

    def put(self, data: bytes, media_type: str, *names: str) -> None:
        """Store a manifest or an index."""
        for name in (*names, sha256(data)):
            self.manifests[name] = (data, media_type)

    def on(self, part: str, *faults: Fault) -> None:
        """Let requests whose path contains ``part`` meet these faults, one after the other."""
        self.faults.setdefault(part, []).extend(faults)

    def asked(self, part: str = "") -> list[Request]:
        """Return the requests whose path contains ``part``."""
        return [request for request in self.requests if part in request.path]


@contextmanager
def registry(certificate: Path | None = None) -> Iterator[Store]:
    """Serve on a free port of loopback, over TLS when there is a certificate with its key."""
    server = Server(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.store = Store(f"127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def status(code: int, headers: dict[str, str] | None = None, error: str = "UNKNOWN", message: str = "no") -> Fault:
    """Answer with an error."""
    return lambda handler: handler.error(code, error, message, headers)


def cut(at: int) -> Fault:
    """Promise the whole blob and break off after ``at`` bytes of what is asked for."""

    def fault(handler: Handler) -> None:
        data = handler.server.store.blobs[handler.path.rpartition("/")[2]]
        start = int((handler.headers.get("Range") or "bytes=0-")[6:].rstrip("-"))
        part = start if handler.server.store.ranges else 0
        code = 206 if part else 200
        headers = {"Content-Range": f"bytes {part}-{len(data) - 1}/{len(data)}"} if part else {}
        handler.send(code, data[part : part + at], headers, len(data) - part)
        handler.close_connection = True

    return fault


def redirect(target: str, code: int = 307) -> Fault:
    """Send the client elsewhere."""
    return lambda handler: handler.send(code, b"", {"Location": target})


def answer(data: bytes, headers: dict[str, str] | None = None, length: int | None = None, code: int = 200) -> Fault:
    """Answer with these bytes."""
    return lambda handler: handler.send(code, data, headers, length)


def challenge(*values: str) -> Fault:
    """Demand authorization: one header for each value."""

    def fault(handler: Handler) -> None:
        handler.send_response(401)
        for value in values:
            handler.send_header("WWW-Authenticate", value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return fault
