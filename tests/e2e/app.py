"""The service inside the test images: two Python files that need the standard library only, and their labels."""

from __future__ import annotations

PORT = 8080

SERVER = f'''\
"""Answers /health, and greets on every other path."""

import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Greeter(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"well\\n" if self.path == "/health" else b"good day\\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("listening", flush=True)
    ThreadingHTTPServer(("0.0.0.0", {PORT}), Greeter).serve_forever()
'''

PROBE = f'''\
"""Exits with 0 when the service beside it says that it is well."""

import sys
from urllib.request import urlopen

with urlopen("http://127.0.0.1:{PORT}/health", timeout=2) as answer:
    sys.exit(0 if answer.read() == b"well\\n" else 1)
'''

FILES = {"/app/server.py": SERVER, "/app/probe.py": PROBE}
OWNER = 65532
LABELS = {
    "org.opencontainers.image.title": "greeter",
    "org.opencontainers.image.version": "1.4.0",
    "org.opencontainers.image.licenses": "Apache-2.0",
    "org.opencontainers.image.source": "https://example.com/greeter",
}
SECOND = 1_000_000_000  # of the configuration's times
