"""How to be let in: Basic, or a token from the service that a registry names. Nothing here is ever shown.

Sources: the distribution project's token authentication specification and its OAuth2 variant; OCI distribution-spec v1.1.
The address of the token service comes from the registry, so it is not believed either: https, and no private address
unless the registry has it itself.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from threading import Lock
from time import monotonic
from typing import Any
from urllib.parse import urlencode, urlsplit

from lucid_audit.image.source import AccessError, SourceError, UnavailableError
from lucid_audit.sources.challenge import Challenge, choose, parse
from lucid_audit.sources.credentials import Credentials
from lucid_audit.sources.transport import Answer, Transport, host_of, is_private, origin_of

LIFETIME = 60.0  # seconds that a token is good for when its service does not say, and at least
CLIENT = "lucid-audit"


class Authorization:
    """The authorization for one repository of one host. ``stored`` finds credentials when they are first needed."""

    def __init__(self, transport: Transport, base: str, scope: str, stored: Callable[[], Credentials | None]) -> None:
        self._transport, self._base, self._scope = transport, base, scope
        self._stored = stored
        self._found: Credentials | None = None
        self._asked = False
        self._header = ""
        self._expires = float("inf")
        self._lock = Lock()

    def header(self) -> Mapping[str, str]:
        """Return the header to send, as far as one is known; none that has expired."""
        with self._lock:
            if self._header and monotonic() < self._expires:
                return {"Authorization": self._header}
        return {}

    @property
    def credentials(self) -> Credentials | None:
        """The stored credentials, looked up once."""
        if not self._asked:
            self._found, self._asked = self._stored(), True
        return self._found

    def answer(self, refused: Answer) -> bool:
        """Answer the challenge of a 401; False when there is nothing (new) to say.

        Raises:
            SourceError: the token service cannot be asked, or refuses.

        """
        challenge = choose(parse(refused.all("WWW-Authenticate")))
        if challenge is None or origin_of(refused.url) != origin_of(self._base):
            return False  # some storage behind a redirect refuses; its challenge is not ours to answer
        with self._lock:
            before = self._header
            if challenge.scheme == "basic":
                self._header, self._expires = self._basic(), float("inf")
            else:
                self._header = f"Bearer {self._token(challenge)}"
            return bool(self._header) and self._header != before

    def _basic(self) -> str:
        found = self.credentials
        if found is None or found.password is None:
            return ""
        return "Basic " + b64encode(f"{found.username}:{found.password.value}".encode()).decode()

    def _token(self, challenge: Challenge) -> str:
        found = self.credentials
        if found is not None and found.bearer is not None:
            return found.bearer.value
        realm = challenge.parameters.get("realm", "")
        self._check_realm(realm)
        query = {
            "service": challenge.parameters.get("service", ""),
            "scope": challenge.parameters.get("scope") or self._scope,
        }
        query = {name: value for name, value in query.items() if value}
        if found is not None and found.identity is not None:
            form = {"grant_type": "refresh_token", "refresh_token": found.identity.value, "client_id": CLIENT, **query}
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = self._transport.get(realm, headers, method="POST", body=urlencode(form).encode())
            if answer.status != 404:
                return self._read(answer, realm)
            answer.close()
        joined = f"{realm}{'&' if urlsplit(realm).query else '?'}{urlencode(query)}"
        basic = self._basic()
        return self._read(self._transport.get(joined, {"Authorization": basic} if basic else {}), realm)

    def _check_realm(self, realm: str) -> None:
        parts, own = urlsplit(realm), urlsplit(self._base)
        if parts.scheme == "http" and own.scheme == "https":
            raise SourceError(f"{own.netloc} wants credentials sent to {parts.netloc} in the clear")
        if is_private(parts.hostname or "") and parts.hostname != own.hostname:
            raise SourceError(f"{own.netloc} names the private address {parts.hostname} for its tokens")
        self._transport.check(realm)

    def _read(self, answer: Answer, realm: str) -> str:
        body = answer.read()
        if answer.status in (400, 401, 403, 404):
            found = self.credentials
            which = f"the credentials of {found.origin}" if found is not None else "a request without credentials"
            raise AccessError(f"{host_of(realm)} refuses {which} (HTTP {answer.status})")
        if answer.status != 200:
            raise UnavailableError(f"{host_of(realm)} gives no token (HTTP {answer.status})")
        try:
            raw: Any = json.loads(body)
        except (ValueError, RecursionError):
            raw = None
        token = (raw.get("token") or raw.get("access_token")) if isinstance(raw, dict) else None
        if not isinstance(token, str) or not token.isprintable():
            raise UnavailableError(f"{host_of(realm)} answered without a token")
        lifetime = raw.get("expires_in")
        good = float(lifetime) if isinstance(lifetime, int) and lifetime > 0 else LIFETIME
        self._expires = monotonic() + max(good, LIFETIME) - 5
        return token
