"""A response over HTTP: its body in pieces, as it was sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from lucid_audit.image.source import CHUNK, UnavailableError
from lucid_audit.sources.urls import Url, shown

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

BODY_LIMIT = 64 << 10  # bytes of an answer that is no blob and no manifest


class PassingError(UnavailableError):
    """A failure that may pass: it is worth another try."""


class Answer:
    """A response. ``url`` is where it came from, after redirects."""

    def __init__(self, response: BaseHTTPResponse, url: Url) -> None:
        self._response = response
        self._body: bytes | None = None
        self.url = url
        self.status = response.status
        self.headers = response.headers

    def all(self, name: str) -> list[str]:
        """Return every value of a header."""
        return list(self._response.headers.getlist(name))

    def read(self, limit: int = BODY_LIMIT) -> bytes:
        """Return the body, cut at ``limit`` bytes, and end the transfer. A second call returns the same."""
        if self._body is None:
            data = bytearray()
            try:
                for piece in self.pieces():
                    data += piece
                    if len(data) >= limit:
                        break
            finally:
                self.close()
            self._body = bytes(data[:limit])
        return self._body

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it comes and as it was sent, no encoding undone.

        Raises:
            PassingError: the connection broke.

        """
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        try:
            while piece := self._response.read1(CHUNK, decode_content=False):
                yield piece
        except (HTTPError, OSError, ValueError) as error:  # ValueError: another thread closed it
            raise PassingError(f"{self.url.place} broke off: {reason(error)}") from None

    def discard(self) -> None:
        """Read a short body to its end, so that the connection can be used again."""
        try:
            self.read()
        except PassingError:
            self.close()

    def close(self) -> None:
        """End the transfer; unless the body was read to its end, the connection is not used again."""
        self._response.close()

    def abort(self) -> None:
        """Wake a thread that waits for more of the body."""
        shutdown = getattr(self._response, "shutdown", None)  # urllib3 >= 2.3
        if shutdown is not None:
            with suppress(OSError, ValueError, RuntimeError):
                shutdown()


def reason(error: Exception) -> str:
    """Say what went wrong in one clause; urllib3 puts the object that failed in front of it."""
    text = str(error) or type(error).__name__
    return shown(re.sub(r"^(?:<.*?>|HTTPS?Connection\(.*?\)): ", "", text))
