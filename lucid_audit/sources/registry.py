"""Images in a registry, read over HTTPS without an engine.

Sources: OCI distribution-spec v1.1 ("Pulling"), Docker's registry API for the Hub's own names. Mirrors are asked first and
the registry itself last, so that its answer is the one that people read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from lucid_audit.image.descriptor import Descriptor, sha256, valid_digest
from lucid_audit.image.manifest import ACCEPTED, MANIFEST_LIMIT, Fetched
from lucid_audit.image.source import AccessError, DamagedError, NotFoundError, SourceError, UnavailableError
from lucid_audit.reference import DEFAULT_REGISTRY, ImageRef
from lucid_audit.sources.auth import Authorization
from lucid_audit.sources.credentials import find
from lucid_audit.sources.transport import Answer, Settings, Transport

HUB_HOST = "registry-1.docker.io"
DEFAULT_TAG = "latest"
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_WORDS = {
    "NAME_UNKNOWN": "it has no such repository",
    "MANIFEST_UNKNOWN": "it has no such tag or digest",
    "BLOB_UNKNOWN": "it has no such blob",
    "NAME_INVALID": "it does not accept the name",
    "DENIED": "it denies access",
    "UNAUTHORIZED": "it wants credentials",
    "TOOMANYREQUESTS": "it has had too many requests",
    "UNSUPPORTED": "it does not support this",
}


class _Host:
    """One host that may have the repository: a mirror or the registry itself."""

    def __init__(self, transport: Transport, host: str, ref: ImageRef, registry: str) -> None:
        self.transport = transport
        self.name = host
        self.base = f"{transport.scheme(host)}://{host}"
        environ = transport.settings.environ
        self.auth = Authorization(
            transport,
            self.base,
            f"repository:{ref.repository}:pull",
            lambda: find(registry, ref.repository, environ),
        )

    def ask(self, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
        """Send a request with what authorization there is, and once more after a 401."""
        url = f"{self.base}{path}"
        answer = self.transport.get(url, {**(headers or {}), **self.auth.header()}, method=method)
        if answer.status == 401 and self.auth.answer(answer):
            answer.close()
            answer = self.transport.get(url, {**(headers or {}), **self.auth.header()}, method=method)
        return answer


class Registry:
    """The source of one reference."""

    kind = "registry"

    def __init__(self, ref: ImageRef, settings: Settings) -> None:
        self.ref = ref
        self.name = ref.registry
        self._transport = Transport(settings)
        own = HUB_HOST if ref.registry == DEFAULT_REGISTRY else ref.registry
        mirrors = [host for registry, host in settings.mirrors if registry == ref.registry]
        # What is stored for the registry goes to the registry; a mirror has its own entry or none.
        self._hosts = [_Host(self._transport, host, ref, host) for host in mirrors]
        self._hosts.append(_Host(self._transport, own, ref, ref.registry))
        self._path = f"/v2/{ref.repository}"

    @property
    def _wanted(self) -> str:
        return self.ref.digest or self.ref.tag or DEFAULT_TAG

    def head(self) -> str:
        """Return the digest that the reference names now, "" when the registry does not say. It costs no pull."""
        if self.ref.digest:
            return self.ref.digest
        try:
            answer = self._first(f"{self._path}/manifests/{self._wanted}", {"Accept": ", ".join(ACCEPTED)}, "HEAD")
        except SourceError:
            return ""  # the request that follows says why
        answer.close()
        digest: str = answer.headers.get("Docker-Content-Digest", "")
        return digest if valid_digest(digest) else ""

    def manifest(self, digest: str = "") -> Fetched:
        """Return the manifest of that digest, or the one that the reference names.

        Raises:
            SourceError: it cannot be had.

        """
        wanted = digest or self._wanted
        answer = self._first(f"{self._path}/manifests/{wanted}", {"Accept": ", ".join(ACCEPTED)})
        data = answer.read(MANIFEST_LIMIT + 1)
        if len(data) > MANIFEST_LIMIT:
            raise DamagedError(f"the manifest has more than {MANIFEST_LIMIT} bytes")
        # What the registry says of the digest is not believed: it is computed, or compared with what was asked for.
        known = wanted if valid_digest(wanted) else sha256(data)
        return Fetched(data, answer.headers.get("Content-Type", ""), known)

    def blob(self, descriptor: Descriptor) -> Iterator[bytes]:
        """Yield a blob. After a break it goes on where it ended, so the caller's one hash goes over all of it.

        Raises:
            SourceError: it cannot be had, or is not as long as its descriptor says.

        """
        path = f"{self._path}/blobs/{descriptor.digest}"
        done, failures = 0, 0
        while True:
            answer = self._first(path, {"Range": f"bytes={done}-"} if done else {})
            try:
                skip = self._start(answer, descriptor, done)
                for piece in answer.pieces():
                    if skip:
                        piece, skip = piece[skip:], max(0, skip - len(piece))  # noqa: PLW2901  (what is left of it)
                    done += len(piece)
                    if 0 <= descriptor.size < done:
                        raise DamagedError(f"{descriptor.digest} is longer than its {descriptor.size} bytes")
                    if piece:
                        failures = 0
                        yield piece
                if descriptor.size < 0 or done >= descriptor.size:
                    return
                raise UnavailableError(f"{self.name} ended {descriptor.digest} after {done} of {descriptor.size} bytes")
            except UnavailableError:
                failures += 1
                if failures >= self._transport.settings.tries:
                    raise
                self._transport.settings.wait(0.5 * 2**failures)
            finally:
                answer.close()

    def _start(self, answer: Answer, descriptor: Descriptor, done: int) -> int:
        """Check the answer's lengths before any of its body, and return how many bytes of it are known already."""
        total = descriptor.size
        length = answer.headers.get("Content-Length", "")
        if answer.status == 206:
            match = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            fits = match is not None and int(match[1]) == done and match[3] in ("*", str(total))
            if not fits or (total >= 0 and match is not None and int(match[2]) != total - 1):
                raise DamagedError(f"{self.name} answered another range than it was asked for")
            return 0
        if total >= 0 and length.isdigit() and int(length) != total:
            raise DamagedError(f"{descriptor.digest} has {length} bytes at {self.name}, its descriptor says {total}")
        return done

    def _first(self, path: str, headers: dict[str, str], method: str = "GET") -> Answer:
        """Return the first good answer of a mirror or the registry."""
        for host in self._hosts[:-1]:
            try:
                answer = host.ask(path, headers, method)
            except SourceError:
                continue
            if answer.status in (200, 206):
                return answer
            answer.close()
        host = self._hosts[-1]
        answer = host.ask(path, headers, method)
        if answer.status in (200, 206):
            return answer
        raise self._refusal(answer, host)

    def _refusal(self, answer: Answer, host: _Host) -> SourceError:
        """Say in one clause why a request failed."""
        said = _error(answer.read())
        what = f"{self.ref.repository}{self.ref.suffix}"
        if answer.status in (401, 403):
            found = host.auth.credentials
            how = (
                f"with the credentials of {found.origin}"
                if found is not None
                else "and no credentials are stored for it"
            )
            return AccessError(f"{what} does not exist or is private, {how}{said}")
        if answer.status == 404:
            return NotFoundError(f"{what} was not found{said}")
        if answer.status == 429:
            return UnavailableError(
                f"it answers that it has had too many requests; try later or with credentials{said}"
            )
        return UnavailableError(f"it answers HTTP {answer.status} for {what}{said}")

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()


def _error(body: bytes) -> str:
    """Return what the registry says, in words where its code is known. The text is the registry's: it is cut and cleaned."""
    try:
        errors: Any = json.loads(body).get("errors")
    except (ValueError, AttributeError, RecursionError):
        return ""
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    code, message = first.get("code"), first.get("message")
    text = _WORDS.get(code) if isinstance(code, str) else None
    if text is None and isinstance(message, str):
        text = "".join(char if char.isprintable() else " " for char in message)[:200]
    return f": {text}" if text else ""
