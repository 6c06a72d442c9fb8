"""HTTP as registries need it: no header of one host reaches another, nothing is decoded, failures are tried again.

Sources: OCI distribution-spec v1.1 (redirects, ranges), RFC 9110 (Retry-After, Content-Range). urllib3 is told to do
nothing on its own: its redirects and retries do not know whose credentials a header holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from ssl import SSLCertVerificationError
from threading import Event, Lock
from time import monotonic, sleep, time
from weakref import WeakSet

from lucid_audit.image.source import TIME_OVER, SourceError, UnavailableError
from lucid_audit.record import record
from lucid_audit.sources.answer import Answer, PassingError, reason
from lucid_audit.sources.connections import Connections
from lucid_audit.sources.urls import Url, bare, is_loopback, is_private, join, read_url
from lucid_audit.tuples import NamedTuple

REDIRECTS = 10
AGAIN = frozenset((408, 429, 499, 500, 502, 503, 504, 522))
_ANYWHERE = ("Accept", "Range")  # headers that may follow a redirect to another host


@record(eq=False)
class Settings:
    """How registries are reached. ``insecure`` are hosts (``name`` or ``name:port``) that may speak plain HTTP.

    ``mirrors`` are (registry, host) pairs. Times in seconds; ``total_wait`` is for one request with all its tries.
    ``wait`` is ``time.sleep``, handed in so that nobody has to wait for a test.
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
    total_wait: float = 180.0
    wait: Callable[[float], object] = sleep

    def __repr__(self) -> str:
        return f"Settings({self.agent!r})"  # an environment has passwords of proxies, and more


class UntrustedError(UnavailableError):
    """The other side speaks TLS, and its certificate is not trusted."""


class Request(NamedTuple):
    """What is asked. ``limit``: read the body at once, as part of the try, and at most so many bytes of a good one.

    ``allowed`` raises for addresses that must not be asked; it sees every one, also those that redirects lead to.
    """

    url: Url
    headers: Mapping[str, str]
    method: str = "GET"
    body: bytes | None = None
    limit: int = 0
    tries: int = 0
    allowed: Callable[[Url], None] | None = None


class Transport:
    """Connections to registries. One per source: they are kept open between requests.

    ``until`` is a moment of ``time.monotonic`` after which nothing is asked or waited for, None for no end.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._connections = Connections(settings.environ, settings.ca_file)
        self.until: float | None = None
        self._stopped = Event()
        self._open: WeakSet[Answer] = WeakSet()
        self._guard = Lock()
        self._schemes: dict[str, str] = {}
        self._lock = Lock()

    def send(self, request: Request) -> Answer:
        """Send a request, again after failures that pass, and follow redirects.

        Headers of the caller go to the host of its URL only; after a redirect elsewhere just the harmless ones stay.

        Raises:
            UnavailableError: nobody answers, or every try failed.
            SourceError: a redirect leads where it must not.

        """
        tries = request.tries or self.settings.tries
        left = self.settings.total_wait
        for attempt in range(1, tries + 1):
            try:
                answer = self._follow(request)
            except PassingError:
                if self.over:
                    raise UnavailableError(TIME_OVER) from None
                pause = min(self._pause(attempt, None), left)
                if attempt == tries or left <= 0 or not self.has(pause):
                    raise
            else:
                pause = min(self._pause(attempt, answer.headers.get("Retry-After")), left)
                if answer.status not in AGAIN or attempt == tries or left <= 0 or not self.has(pause):
                    return answer
                answer.discard()
            left -= pause
            self.rest(pause)
        raise UnavailableError(f"{request.url.place} was not asked")  # only with no try at all

    @property
    def over(self) -> bool:
        """Whether the time has come."""
        return self.until is not None and monotonic() >= self.until

    def has(self, seconds: float) -> bool:
        """Whether that much time is left."""
        return not self._stopped.is_set() and (self.until is None or monotonic() + seconds < self.until)

    def rest(self, seconds: float) -> None:
        """Wait, but not beyond the end of this transport."""
        wait = self.settings.wait
        (self._stopped.wait if wait is sleep else wait)(seconds)

    def _follow(self, request: Request) -> Answer:
        url, method, sent, body = request.url, request.method, dict(request.headers), request.body
        for _ in range(REDIRECTS + 1):
            self.check(url)
            if request.allowed is not None:
                request.allowed(url)
            answer = self._once(url, sent, method, body)
            target = answer.headers.get("Location")
            if answer.status not in (301, 302, 303, 307, 308) or not target:
                if request.limit and answer.status == 200:
                    answer.read(request.limit)
                return answer
            answer.discard()
            following = join(url, target)
            _check_redirect(url, following)
            if body is not None and answer.status in (301, 302, 303):
                method, body = "GET", None
            if following.origin != url.origin:
                if body is not None:
                    raise SourceError(f"{url.place} wants what it was told to be told to {following.place}")
                sent = {name: value for name, value in sent.items() if name in _ANYWHERE}
            url = following
        raise SourceError(f"{request.url.place} redirects more than {REDIRECTS} times")

    def _once(self, url: Url, headers: Mapping[str, str], method: str = "GET", body: bytes | None = None) -> Answer:
        """Send one request.

        Raises:
            UnavailableError: nobody answers: PassingError when that may pass, UntrustedError for a wrong certificate.

        """
        from urllib3 import Timeout  # noqa: PLC0415
        from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError, TimeoutError  # noqa: A004, PLC0415

        settings = self.settings
        if not self.has(0):
            raise SourceError(TIME_OVER)
        left = max(0.1, self.until - monotonic()) if self.until is not None else settings.read_timeout
        try:
            response = self._connections.to(url).request(
                method,
                url.text,
                headers={"User-Agent": settings.agent, "Accept-Encoding": "identity", **headers},
                body=body,
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
                timeout=Timeout(connect=min(settings.connect_timeout, left), read=min(settings.read_timeout, left)),
            )
        except (HTTPError, OSError) as error:
            text = f"{url.place} does not answer: {reason(error)}"
            if any(isinstance(cause, SSLCertVerificationError) for cause in error.args):
                raise UntrustedError(f"{url.place} has a certificate that is not trusted: {reason(error)}") from None
            # Nobody listens, or the name is not known: a second later it is the same. (It counts as a time-out there.)
            passing = isinstance(error, ProtocolError | TimeoutError) and not isinstance(error, NewConnectionError)
            raise (PassingError(text) if passing else UnavailableError(text)) from None
        answer = Answer(response, url)
        with self._guard:
            self._open.add(answer)
        return answer

    def _pause(self, attempt: int, retry_after: str | None) -> float:
        """Return how long to wait before the next try: what the server says, else twice as long each time."""
        said = seconds(retry_after, time()) if retry_after else None
        return min(said if said is not None else 0.5 * 2**attempt, self.settings.longest_wait)

    def base(self, place: str) -> Url:
        """Return the root of a host: https, and http only where that is allowed and nobody speaks TLS."""
        with self._lock:
            if place not in self._schemes:
                self._schemes[place] = "http" if self.plain(place) and not self._speaks_tls(place) else "https"
            return read_url(f"{self._schemes[place]}://{place}", "the reference")

    def _speaks_tls(self, place: str) -> bool:
        try:
            self._once(read_url(f"https://{place}/v2/", "the reference"), {}).close()
        except UntrustedError:
            return True  # and it is not given up because of a certificate
        except UnavailableError:
            return False
        return True

    def plain(self, place: str) -> bool:
        """Whether a host may be spoken to without TLS."""
        return place in self.settings.insecure or bare(place) in self.settings.insecure or is_loopback(bare(place))

    def check(self, url: Url) -> None:
        """Refuse a URL that would send something in the clear where that was not allowed.

        Raises:
            SourceError: the URL must not be used.

        """
        if url.scheme == "http" and not self.plain(url.place):
            raise SourceError(f"{url.place} speaks plain HTTP, which --insecure-registry would allow")

    def close(self) -> None:
        """Close every connection, also those that other threads wait for."""
        self._stopped.set()
        with self._guard:
            for answer in list(self._open):
                answer.abort()
        self._connections.close()


def _check_redirect(url: Url, following: Url) -> None:
    if url.scheme == "https" and following.scheme != "https":
        raise SourceError(f"{url.place} redirects from https to http")
    if is_private(following.host) and not is_private(url.host):
        raise SourceError(f"{url.place} redirects to the private address {following.place}")


def seconds(text: str, now: float) -> float | None:
    """Read Retry-After: seconds, or a date that is still to come."""
    text = text.strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        left = parsedate_to_datetime(text).timestamp() - now
    except (TypeError, ValueError, OverflowError):
        return None
    return left if left > 0 else None
