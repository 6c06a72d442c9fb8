"""How to be let in: Basic, or a token from the service that a registry names. Nothing here is ever shown.

Sources: the distribution project's token authentication specification and its OAuth2 variant; OCI distribution-spec v1.1.
The address of the token service comes from the registry, so it is not believed either: https, and no private address
unless the registry has it itself.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from threading import Lock
from time import monotonic
from typing import Any
from urllib.parse import urlencode

from lucid_audit.image.source import AccessError, SourceError, UnavailableError
from lucid_audit.sources.answer import BODY_LIMIT, Answer
from lucid_audit.sources.challenge import Challenge, parse
from lucid_audit.sources.credentials import Credentials, told
from lucid_audit.sources.transport import Request, Transport
from lucid_audit.sources.urls import Url, is_private, read_url

LIFETIME = 60.0  # seconds that a token is good for when its service does not say, and at least
LONGEST = 24 * 3600.0  # seconds after which a token is asked for again in any case
EARLY = 5.0  # seconds before its end at which a token is not used any more
CLIENT = "lucid-audit"
_TOKEN = re.compile(r"[!-~]+")
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_FOREVER = float("inf")


class Authorization:
    """The authorization for one repository of one host. ``stored`` finds credentials when they are first needed."""

    def __init__(
        self,
        transport: Transport,
        place: str,
        scope: str,
        stored: Callable[[], Credentials | None],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._transport, self._place, self._scope = transport, place, scope
        self._stored, self._clock = stored, clock
        self._found: Credentials | None = None
        self._asked = False
        self._header = ""
        self._expires = _FOREVER
        self._lock = Lock()

    def header(self) -> dict[str, str]:
        """Return the header to send, as far as one is known; none that has expired."""
        with self._lock:
            return {"Authorization": self._header} if self._good else {}

    @property
    def _good(self) -> bool:
        return bool(self._header) and self._clock() < self._expires

    @property
    def credentials(self) -> Credentials | None:
        """The stored credentials, looked up once."""
        if not self._asked:
            self._found, self._asked = self._stored(), True
        return self._found

    def answer(self, refused: Answer, sent: Mapping[str, str]) -> bool:
        """Answer the challenge of a 401 to a request with the header ``sent``; False when there is nothing new to say.

        Raises:
            SourceError: the token service cannot be asked, or refuses.

        """
        own = self._transport.base(self._place)
        if refused.url.origin != own.origin:
            return False  # some storage behind a redirect refuses; its challenge is not ours to answer
        before = sent.get("Authorization", "")
        with self._lock:
            if self._good and self._header != before:
                return True  # another thread has been let in meanwhile
            for challenge in parse(refused.all("WWW-Authenticate")) or self._general(own):
                header, expires = self._said(challenge, own)
                if header:
                    self._header, self._expires = header, expires
                    return header != before
        return False

    def _general(self, own: Url) -> list[Challenge]:
        """Return the challenge of the registry as a whole: some give none where it is needed."""
        answer = self._transport.send(Request(read_url(f"{own.text}/v2/", own.place), {}))
        answer.discard()
        same = answer.status == 401 and answer.url.origin == own.origin
        return parse(answer.all("WWW-Authenticate")) if same else []

    def _said(self, challenge: Challenge, own: Url) -> tuple[str, float]:
        """Return what answers a challenge, and until when; nothing when it cannot be answered."""
        if challenge.scheme == "basic":
            return self._basic(), _FOREVER
        if challenge.scheme != "bearer":
            return "", 0.0
        found = self.credentials
        if found is not None and found.bearer is not None:
            return f"Bearer {found.bearer.value}", _FOREVER
        if not challenge.parameters.get("realm"):
            return "", 0.0
        token, expires = self._token(challenge, own)
        return f"Bearer {token}", expires

    def _basic(self) -> str:
        found = self.credentials
        if found is None or found.password is None:
            return ""
        return "Basic " + b64encode(f"{found.username}:{found.password.value}".encode()).decode()

    def _token(self, challenge: Challenge, own: Url) -> tuple[str, float]:
        realm = read_url(challenge.parameters["realm"], own.place)
        query = {
            "service": challenge.parameters.get("service", ""),
            "scope": challenge.parameters.get("scope") or self._scope,
        }
        query = {name: value for name, value in query.items() if value}

        def allowed(url: Url) -> None:
            _check_realm(url, own)

        found = self.credentials
        if found is not None and found.identity is not None:
            form = {"grant_type": "refresh_token", "refresh_token": found.identity.value, "client_id": CLIENT, **query}
            body = urlencode(form).encode()
            answer = self._transport.send(Request(realm, _FORM, "POST", body, BODY_LIMIT + 1, allowed=allowed))
            if answer.status != 404:
                return self._read(answer, realm)
        asked = read_url(f"{realm.text}{'&' if '?' in realm.text else '?'}{urlencode(query)}", own.place)
        basic = self._basic()
        headers = {"Authorization": basic} if basic else {}
        return self._read(
            self._transport.send(Request(asked, headers, limit=BODY_LIMIT + 1, allowed=allowed)),
            realm,
        )

    def _read(self, answer: Answer, realm: Url) -> tuple[str, float]:
        """Read the answer of a token service: a token, and when it ends."""
        if answer.status in (400, 401, 403, 404):
            scope = self._scope.removeprefix("repository:").rpartition(":")[0]
            raise AccessError(
                f"{scope} does not exist or is private: {realm.place} gives no token for it (HTTP {answer.status}), "
                f"{told(self.credentials)}"
            )
        if answer.status != 200:
            raise UnavailableError(f"{realm.place} gives no token (HTTP {answer.status})")
        body = answer.read()
        if len(body) > BODY_LIMIT:
            raise UnavailableError(f"{realm.place} answered more than {BODY_LIMIT} bytes instead of a token")
        try:
            raw: Any = json.loads(body)
        except (ValueError, RecursionError):
            raw = None
        token = (raw.get("token") or raw.get("access_token")) if isinstance(raw, dict) else None
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise UnavailableError(f"{realm.place} answered without a token")
        said = raw.get("expires_in")
        lifetime = min(said, LONGEST) if isinstance(said, int | float) and said > 0 else LIFETIME
        return token, self._clock() + max(lifetime, LIFETIME) - EARLY


def _check_realm(url: Url, own: Url) -> None:
    """Refuse a token service to which the registry must not send anybody.

    Raises:
        SourceError: it would get credentials in the clear, or has a private address that is not the registry's.

    """
    if url.scheme == "http" and own.scheme == "https":
        raise SourceError(f"{own.place} wants credentials sent to {url.place} in the clear")
    if is_private(url.host) and url.host != own.host:
        raise SourceError(f"{own.place} names the private address {url.place} for its tokens")
