"""Images in a registry, read over HTTPS without an engine.

Sources: OCI distribution-spec v1.1 ("Pulling"), Docker's registry API for the Hub's own names. Mirrors are asked first and
the registry itself last, so that its answer is the one that people read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from lucid_audit.errors import UsageError
from lucid_audit.image.descriptor import Descriptor, matches, sha256, valid_digest
from lucid_audit.image.manifest import ACCEPTED, MANIFEST_LIMIT, SCHEMA_1, Fetched
from lucid_audit.image.source import CHUNK, TIME_OVER, DamagedError, SourceError, UnavailableError
from lucid_audit.reference import DEFAULT_REGISTRY, ImageRef
from lucid_audit.sources.answer import Answer, PassingError
from lucid_audit.sources.auth import Authorization
from lucid_audit.sources.credentials import Credentials, find
from lucid_audit.sources.refusal import RangeError, refusal
from lucid_audit.sources.transport import Request, Settings, Transport
from lucid_audit.sources.urls import is_place, read_url

HUB_HOST = "registry-1.docker.io"
DEFAULT_TAG = "latest"
MIRROR_TRIES = 2
ENOUGH = CHUNK  # bytes that a broken transfer has to have brought for its tries to be counted anew
_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)")
_ACCEPT = {"Accept": ", ".join(ACCEPTED)}

Find = Callable[[str, str, Mapping[str, str]], Credentials | None]


class _Host:
    """One host that may have the repository: a mirror or the registry itself. A mirror that fails is asked no more."""

    def __init__(self, transport: Transport, place: str, auth: Authorization, tries: int) -> None:
        self.transport, self.place, self.auth, self.tries = transport, place, auth, tries
        self.down = False

    def ask(self, path: str, headers: Mapping[str, str], method: str, limit: int) -> Answer:
        """Send a request with what authorization there is, and once more after a 401."""
        base = self.transport.base(self.place)
        url = read_url(f"{base.text}{path}", "the reference")
        sent = self.auth.header()
        tries = 1 if method == "HEAD" else self.tries  # what is asked after it is asked patiently
        answer = self.transport.send(Request(url, {**headers, **sent}, method, limit=limit, tries=tries))
        if answer.status == 401 and self.auth.answer(answer, sent):
            answer.discard()
            sent = self.auth.header()
            answer = self.transport.send(Request(url, {**headers, **sent}, method, limit=limit, tries=tries))
        return answer


class _Transfer:
    """How far a blob has come. ``ranged``: whether the registry is still asked for the rest only.

    ``hosts`` are asked for it in this order; a mirror that spoils it is not asked for it again.
    """

    def __init__(self, descriptor: Descriptor, hosts: list[_Host]) -> None:
        self.descriptor = descriptor
        self.done = 0
        self.ranged = True
        self.hosts = hosts
        self.host = hosts[-1]

    def left(self) -> bool:
        """Ask the host of the last answer no more if it is a mirror, and say whether it is."""
        mirror = self.host in self.hosts[:-1]
        if mirror:
            self.hosts.remove(self.host)
        return mirror


class Registry:
    """The source of one reference. ``stored`` finds credentials for a host and a repository in an environment.

    Raises:
        UsageError: a mirror is not written as a host.

    """

    kind = "registry"

    def __init__(self, ref: ImageRef, settings: Settings, stored: Find = find) -> None:
        self.ref = ref
        self.name = ref.registry
        self._transport = Transport(settings)
        mirrors = [place for registry, place in settings.mirrors if registry == ref.registry]
        for place in mirrors:
            if not is_place(place):
                raise UsageError(f"the mirror {place!r} of {ref.registry} is not a host or host:port")
        own = HUB_HOST if ref.registry == DEFAULT_REGISTRY else ref.registry
        # What is stored for the registry goes to the registry; a mirror has its own entry or none.
        self._hosts = [self._host(place, place, stored, MIRROR_TRIES) for place in mirrors]
        self._hosts.append(self._host(own, ref.registry, stored, 0))
        self._path = f"/v2/{ref.repository}"

    def _host(self, place: str, name: str, stored: Find, tries: int) -> _Host:
        transport, repository = self._transport, self.ref.repository
        environ = transport.settings.environ
        scope = f"repository:{repository}:pull"
        auth = Authorization(transport, place, scope, lambda: stored(name, repository, environ))
        return _Host(transport, place, auth, tries)

    @property
    def _wanted(self) -> str:
        return self.ref.digest or self.ref.tag or DEFAULT_TAG

    def until(self, moment: float | None) -> None:
        """Ask and wait for nothing after a moment of ``time.monotonic``."""
        self._transport.until = moment

    def head(self) -> str | None:
        """Return the digest that the reference names now, None when the registry does not say. It costs no pull."""
        if self.ref.digest:
            return self.ref.digest
        try:
            path = f"/manifests/{self._wanted}"
            answer, _ = self._first(self._hosts, path, str(self.ref), _ACCEPT, method="HEAD")
        except SourceError:
            return None  # the request that follows says why
        answer.close()
        digest: str = answer.headers.get("Docker-Content-Digest", "")
        return digest if valid_digest(digest) else None

    def manifest(self, digest: str = "") -> Fetched:
        """Return the manifest of that digest, or the one that the reference names.

        Raises:
            SourceError: it cannot be had.

        """
        if digest and not valid_digest(digest):
            raise DamagedError(f"{digest!r} is no digest that can be verified")
        wanted = digest or self._wanted
        what = f"manifest {digest} of {self.ref.name}" if digest else str(self.ref)
        hosts = list(self._hosts)
        answer, host = self._first(hosts, f"/manifests/{wanted}", what, _ACCEPT, limit=MANIFEST_LIMIT + 1)
        while host is not hosts[-1] and valid_digest(wanted) and not matches(wanted, answer.read()):
            hosts.remove(host)  # a mirror that has something else under a digest
            answer, host = self._first(hosts, f"/manifests/{wanted}", what, _ACCEPT, limit=MANIFEST_LIMIT + 1)
        data = answer.read()
        if answer.headers.get("Content-Type", "").startswith(SCHEMA_1):  # its digest is of a part of it
            raise DamagedError(f"{what} is of schema 1, which has no image configuration; push the image again")
        if len(data) > MANIFEST_LIMIT:
            raise DamagedError(f"{what} has more than {MANIFEST_LIMIT} bytes")
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise DamagedError(f"{what} was sent in an encoding that was not asked for")
        # What the registry says of the digest is not believed: the caller verifies it, or it fits, or it is computed.
        said: str = wanted if valid_digest(wanted) else answer.headers.get("Docker-Content-Digest", "")
        known = said if said == wanted or matches(said, data) else sha256(data)
        return Fetched(data, answer.headers.get("Content-Type", ""), known)

    def blob(self, descriptor: Descriptor) -> Iterator[bytes]:
        """Yield a blob. After a break it goes on where it ended, so the caller's one hash goes over all of it.

        Raises:
            SourceError: it cannot be had, or is not as long as its descriptor says.

        """
        if not valid_digest(descriptor.digest):
            raise DamagedError(f"{descriptor.digest!r} is no digest that can be verified")
        if descriptor.urls:
            raise SourceError(f"{descriptor.digest} is kept elsewhere by its publisher; it was not audited")
        transfer, failures, mark = _Transfer(descriptor, list(self._hosts)), 0, 0
        settings = self._transport.settings
        while True:
            try:
                yield from self._rest(transfer)
                return
            except (PassingError, DamagedError) as error:
                if self._transport.over:
                    raise UnavailableError(TIME_OVER) from None
                if transfer.left():
                    continue
                if isinstance(error, DamagedError):
                    raise
                if transfer.done - mark >= ENOUGH:
                    failures, mark = 0, transfer.done
                failures += 1
                pause = min(0.5 * 2**failures, settings.longest_wait)
                if failures >= settings.tries or not self._transport.has(pause):
                    raise UnavailableError(f"{descriptor.digest} of {self.ref.name}: {error}") from None
                transfer.ranged = transfer.ranged and not isinstance(error, RangeError)
                self._transport.rest(pause)

    def _rest(self, transfer: _Transfer) -> Iterator[bytes]:
        """Yield what is missing of a blob, from one request."""
        digest, size = transfer.descriptor.digest, transfer.descriptor.size
        headers = {"Range": f"bytes={transfer.done}-"} if transfer.done and transfer.ranged else {}
        what = f"blob {digest} of {self.ref.name}"
        answer, transfer.host = self._first(transfer.hosts, f"/blobs/{digest}", what, headers)
        try:
            skip = self._start(answer, transfer)
            for piece in answer.pieces():
                fresh = piece[skip:]
                skip -= len(piece) - len(fresh)
                if 0 <= size < transfer.done + len(fresh):
                    raise DamagedError(f"{digest} is longer at {self.name} than the {size} bytes of its descriptor")
                transfer.done += len(fresh)
                if fresh:
                    yield fresh
                if transfer.done == size:
                    return
        finally:
            answer.close()
        if skip or transfer.done < size:
            raise PassingError(f"{answer.url.place} ended it after {transfer.done} of {size} bytes")

    def _start(self, answer: Answer, transfer: _Transfer) -> int:
        """Check the answer's lengths before any of its body, and return how many bytes of it are known already."""
        digest, size = transfer.descriptor.digest, transfer.descriptor.size
        if answer.status == 206:
            match = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            fits = match is not None and int(match[1]) == transfer.done
            if fits and match is not None and size >= 0:
                fits = int(match[2]) == size - 1 and match[3] in ("*", str(size))
            if not fits:
                raise RangeError(f"{answer.url.place} answered another range than it was asked for")
            return 0
        length = answer.headers.get("Content-Length", "")
        if size >= 0 and length.isdecimal() and length != str(size):
            raise DamagedError(f"{digest} has {length} bytes at {self.name}, its descriptor says {size}")
        return transfer.done

    def _first(
        self,
        hosts: Sequence[_Host],
        path: str,
        what: str,
        headers: Mapping[str, str],
        *,
        method: str = "GET",
        limit: int = 0,
    ) -> tuple[Answer, _Host]:
        """Return the first good answer of a mirror or the registry."""
        good = (200, 206) if "Range" in headers else (200,)
        for host in hosts[:-1]:
            if host.down:
                continue
            try:
                answer = host.ask(self._path + path, headers, method, limit)
            except SourceError as error:
                host.down = isinstance(error, UnavailableError)
                continue
            if answer.status in good:
                return answer, host
            answer.discard()
        host = hosts[-1]
        answer = host.ask(self._path + path, headers, method, limit)
        if answer.status in good:
            return answer, host
        raise refusal(answer, what, lambda: host.auth.credentials, "Range" in headers)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()
