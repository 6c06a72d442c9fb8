"""HTTP as registries need it: no header of one host reaches another, nothing is decoded, failures are tried again.

Sources: OCI distribution-spec v1.1 (redirects, ranges), RFC 9110 (Retry-After, Content-Range). urllib3 is told to do
nothing on its own: its redirects and retries do not know whose credentials a header holds.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from time import sleep, time
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from lucid_audit.image.source import SourceError, UnavailableError
from lucid_audit.record import record

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

REDIRECTS = 10
AGAIN = frozenset((408, 429, 499, 500, 502, 503, 504, 522))
BODY_LIMIT = 64 << 10  # bytes of an answer that is no blob and no manifest
CHUNK = 1 << 18


@record(eq=False)
class Settings:
    """How registries are reached. ``insecure`` are hosts (``name`` or ``name:port``) that may speak plain HTTP.

    ``mirrors`` are (registry, host) pairs. Times in seconds. ``wait`` is ``time.sleep``, handed in so that tests need not.
    """

    environ: Mapping[str, str]
    agent: str
    insecure: tuple[str, ...] = ()
    mirrors: tuple[tuple[str, str], ...] = ()
    ca_file: str = ""
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    tries: int = 5
    longest_wait: float = 60.0
    wait: Callable[[float], object] = sleep


class NobodyError(UnavailableError):
    """Nobody listens there, or the name leads nowhere: asking again in a moment does not help."""


class Answer:
    """A response whose body is still to be read. ``url`` is where it came from, after redirects."""

    def __init__(self, response: BaseHTTPResponse, url: str) -> None:
        self._response = response
        self.url = url
        self.status = response.status
        self.headers = response.headers

    def all(self, name: str) -> list[str]:
        """Return every value of a header."""
        values: list[str] = self._response.headers.getlist(name)
        return values

    def read(self, limit: int = BODY_LIMIT) -> bytes:
        """Return at most ``limit`` bytes of the body and end the transfer."""
        pieces, size = [], 0
        for piece in self.pieces():
            pieces.append(piece)
            size += len(piece)
            if size >= limit:
                break
        self.close()
        return b"".join(pieces)[:limit]

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it was sent, no encoding undone.

        Raises:
            UnavailableError: the connection broke.

        """
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        try:
            while piece := self._response.read(CHUNK, decode_content=False):
                yield piece
        except (HTTPError, OSError) as error:
            raise UnavailableError(f"{host_of(self.url)} broke off: {_reason(error)}") from None

    def close(self) -> None:
        """End the transfer; the connection is not used again."""
        self._response.close()


class Transport:
    """Connections to registries. One per source: they are kept open between requests."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._pools: dict[str, PoolManager] = {}

    def get(self, url: str, headers: Mapping[str, str], *, method: str = "GET", body: bytes | None = None) -> Answer:
        """Send a request, again after failures that pass, and follow redirects.

        Headers of the caller go to the host of ``url`` only; after a redirect elsewhere just the harmless ones stay.

        Raises:
            UnavailableError: nobody answers, or every try failed.
            SourceError: a redirect leads where it must not.

        """
        answer: Answer | None = None
        for attempt in range(1, self.settings.tries + 1):
            try:
                answer = self._follow(url, headers, method, body)
            except UnavailableError as error:
                if attempt == self.settings.tries or isinstance(error, NobodyError):
                    raise
                self.settings.wait(self._pause(attempt, None))
                continue
            if answer.status not in AGAIN or attempt == self.settings.tries:
                return answer
            pause = self._pause(attempt, answer.headers.get("Retry-After"))
            answer.close()
            self.settings.wait(pause)
        raise UnavailableError(f"{host_of(url)} was not asked")  # only with no try at all

    def _follow(self, url: str, headers: Mapping[str, str], method: str, body: bytes | None) -> Answer:
        sent = dict(headers)
        for _ in range(REDIRECTS + 1):
            self.check(url)
            answer = self._send(url, sent, method, body)
            target = answer.headers.get("Location")
            if answer.status not in (301, 302, 303, 307, 308) or not target:
                return answer
            answer.close()
            following = urljoin(url, target)
            _check_redirect(url, following)
            if origin_of(following) != origin_of(url):
                sent = {name: value for name, value in sent.items() if name in ("Accept", "Range", "User-Agent")}
                body = None
            url = following
        raise SourceError(f"{host_of(url)} redirects more than {REDIRECTS} times")

    def _send(self, url: str, headers: Mapping[str, str], method: str, body: bytes | None) -> Answer:
        from urllib3 import Timeout  # noqa: PLC0415
        from urllib3.exceptions import HTTPError, NewConnectionError  # noqa: PLC0415

        settings = self.settings
        try:
            response = self._pool(url).request(
                method,
                url,
                headers={"User-Agent": settings.agent, "Accept-Encoding": "identity", **headers},
                body=body,
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
                timeout=Timeout(settings.connect_timeout, settings.read_timeout),
            )
        except (HTTPError, OSError) as error:
            kind = NobodyError if isinstance(error, NewConnectionError) else UnavailableError
            raise kind(f"{host_of(url)} does not answer: {_reason(error)}") from None
        return Answer(response, url)

    def _pool(self, url: str) -> PoolManager:
        """Return the connections for a URL, through a proxy where the environment names one."""
        proxy = _proxy(url, self.settings.environ)
        pool = self._pools.get(proxy)
        if pool is None:
            from urllib3 import PoolManager, ProxyManager  # noqa: PLC0415

            context = self._trust()
            pool = ProxyManager(proxy, ssl_context=context) if proxy else PoolManager(ssl_context=context)
            self._pools[proxy] = pool
        return pool

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.settings.ca_file:
            try:
                context.load_verify_locations(self.settings.ca_file)
            except (OSError, ssl.SSLError) as error:
                raise UnavailableError(f"the certificates of {self.settings.ca_file} cannot be read: {error}") from None
        return context

    def _pause(self, attempt: int, retry_after: str | None) -> float:
        """Return how long to wait before the next try: what the server says, else twice as long each time."""
        said = _seconds(retry_after) if retry_after else None
        return min(said if said is not None else 0.5 * 2**attempt, self.settings.longest_wait)

    def scheme(self, host: str) -> str:
        """Return http for loopback and for hosts that were allowed it, else https."""
        return "http" if self.plain(host) else "https"

    def plain(self, host: str) -> bool:
        """Whether a host may be spoken to without TLS."""
        return host in self.settings.insecure or bare(host) in self.settings.insecure or is_loopback(host)

    def check(self, url: str) -> None:
        """Refuse a URL that would send something in the clear, or is none.

        Raises:
            SourceError: the URL must not be used.

        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise SourceError(f"{url!r} is no URL that may be used")
        if parts.scheme == "http" and not self.plain(parts.netloc):
            raise SourceError(f"{parts.netloc} speaks plain HTTP, which --insecure-registry would allow")

    def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            pool.clear()


def _check_redirect(url: str, target: str) -> None:
    before, after = urlsplit(url), urlsplit(target)
    if before.scheme == "https" and after.scheme != "https":
        raise SourceError(f"{before.netloc} redirects from https to {after.scheme or 'nothing'}")
    if is_private(after.hostname or "") and not is_private(before.hostname or ""):
        raise SourceError(f"{before.netloc} redirects to the private address {after.hostname}")


def origin_of(url: str) -> tuple[str, str]:
    """Return scheme and host with port: what credentials belong to."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def host_of(url: str) -> str:
    """Return the host and port of a URL, for people."""
    return urlsplit(url).netloc.rpartition("@")[2]


def bare(host: str) -> str:
    """Return a host without its port."""
    return urlsplit(f"//{host}").hostname or ""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: ``localhost``, names below it (RFC 6761, section 6.3), or a loopback address."""
    name = bare(host)
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def is_private(name: str) -> bool:
    """Whether a host is written as an address that is not public: loopback, link-local, private."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return not ip_address(name).is_global
    except ValueError:
        return False


def _proxy(url: str, environ: Mapping[str, str]) -> str:
    """Return the proxy for a URL as HTTP_PROXY, HTTPS_PROXY and NO_PROXY say; loopback is never proxied."""
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # noqa: PLC0415

    parts = urlsplit(url)
    lower = {name.lower(): value for name, value in sorted(environ.items()) if name.lower().endswith("_proxy")}
    lower |= {name: value for name, value in environ.items() if name.endswith("_proxy")}  # lower case wins, as in curl
    proxy = lower.get(f"{parts.scheme}_proxy") or lower.get("all_proxy") or ""
    if not proxy or is_loopback(parts.netloc):
        return ""
    if proxy_bypass_environment(parts.netloc, {"no": lower.get("no_proxy", "")}):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _seconds(text: str) -> float | None:
    """Read Retry-After: seconds or a date, which may have passed."""
    if text.strip().isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except (TypeError, ValueError):
        return None


def _reason(error: Any) -> str:
    """Say what went wrong in one clause; urllib3 wraps the reason several times."""
    inner = getattr(error, "reason", None) or error
    text = str(inner) or type(inner).__name__
    return " ".join(text.rpartition(">: ")[2].split())[:200]
