"""Credentials as Docker and Podman keep them: their configuration files, and the helper programs these name.

Sources: docker/cli's configuration file reference (``auths``, ``credsStore``, ``credHelpers``), containers-auth.json(5)
(keys may be whole repositories, the longest wins), docker-credential-helpers' protocol (``get``, a server name on standard
input, JSON on standard output).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lucid_audit.image.source import AccessError
from lucid_audit.reference import DEFAULT_REGISTRY
from lucid_audit.sources.helper import ask
from lucid_audit.tuples import NamedTuple

HUB_KEY = "https://index.docker.io/v1/"  # the name under which Docker has always kept the Hub's
SIZE_LIMIT = 1 << 20  # bytes of a file
_TOKEN_USER = "<token>"
_TOKEN = re.compile(r"[!-~]+")  # what fits in a header


class Secret:
    """A value that no representation shows."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


class Credentials(NamedTuple):
    """What a registry is told. ``identity`` is an OAuth2 refresh token, ``bearer`` a token that is used as it is.

    ``origin`` says to people where they were found, without any value.
    """

    origin: str
    username: str = ""
    password: Secret | None = None
    identity: Secret | None = None
    bearer: Secret | None = None


def told(found: Credentials | None) -> str:
    """Say to people what a registry was told, without any value."""
    return f"with the credentials of {found.origin}" if found is not None else "and no credentials are stored for it"


def files_from_env(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the configuration files in the order they are asked."""
    home = Path(environ.get("HOME") or "/nonexistent")
    yield Path(environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
    if environ.get("REGISTRY_AUTH_FILE"):
        yield Path(environ["REGISTRY_AUTH_FILE"])
    if environ.get("XDG_RUNTIME_DIR"):
        yield Path(environ["XDG_RUNTIME_DIR"], "containers/auth.json")
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "containers/auth.json"


def find(registry: str, repository: str, environ: Mapping[str, str]) -> Credentials | None:
    """Return the credentials for a repository; None when nothing is stored for it.

    Raises:
        AccessError: a file or a helper is broken; the message names it and no value.

    """
    for file in files_from_env(environ):
        config = _read(file)
        found = _in_file(config, str(file), registry, repository, environ) if config else None
        if found is not None:
            return found
    return None


def keys(registry: str, repository: str) -> Iterator[str]:
    """Yield the names under which credentials may be stored, the most exact first."""
    path = f"{registry}/{repository}"
    while "/" in path:
        yield path
        path = path.rpartition("/")[0]
    yield registry
    if registry == DEFAULT_REGISTRY:
        yield from ("index.docker.io", "registry-1.docker.io")


def normalised(key: str) -> str:
    """Return a stored key without scheme and version path: ``https://host/v1/`` is ``host``."""
    bare = re.sub(r"^https?://", "", key).rstrip("/")
    return re.sub(r"/v[12]$", "", bare)


def _read(file: Path) -> dict[str, Any] | None:
    try:
        with file.open("rb") as stream:
            data = stream.read(SIZE_LIMIT + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise AccessError(f"{file} cannot be read: {error.strerror}") from None
    if len(data) > SIZE_LIMIT:
        raise AccessError(f"{file} has more than {SIZE_LIMIT} bytes")
    try:
        config = json.loads(data) if data.strip() else {}
    except (ValueError, RecursionError):
        raise AccessError(f"{file} is not valid JSON") from None
    if not isinstance(config, dict):
        raise AccessError(f"{file} is not a JSON object")
    return config


def _in_file(
    config: Mapping[str, Any], file: str, registry: str, repository: str, environ: Mapping[str, str]
) -> Credentials | None:
    """Ask the helper of this host, then the store for all hosts, then what the file itself holds."""
    server = HUB_KEY if registry == DEFAULT_REGISTRY else registry
    names = list(keys(registry, repository))
    helpers = _by_name(config, "credHelpers")
    named = next((helpers[key] for key in names if key in helpers), None)
    for helper in (named, config.get("credsStore")):
        found = _helped(helper, server, file, environ) if helper else None
        if found is not None:
            return found
    auths = _by_name(config, "auths")
    for key in names:
        entry = auths.get(key)
        found = _entry(entry, f"{file} ({key})") if isinstance(entry, dict) else None
        if found is not None:
            return found
    return None


def _by_name(config: Mapping[str, Any], section: str) -> dict[str, Any]:
    """Return a section by normalised names. Of two spellings of one name the exact one counts, unless it is empty."""
    stored = config.get(section)
    if not isinstance(stored, dict):
        return {}
    filled = [(key, value) for key, value in stored.items() if value]
    return {normalised(key): value for key, value in filled} | {k: v for k, v in filled if normalised(k) == k}


def _entry(entry: Mapping[str, Any], origin: str) -> Credentials | None:
    """Read one entry of ``auths``."""
    username, password = _word(entry, "username", origin), _word(entry, "password", origin)
    if auth := _word(entry, "auth", origin):
        try:
            text = base64.b64decode(auth + "=" * (-len(auth) % 4)).decode()
        except ValueError:
            raise AccessError(f"{origin}: its auth is not base64 of text") from None
        username, colon, password = text.rstrip("\0").partition(":")
        if not colon:
            raise AccessError(f"{origin}: its auth has no password")
    if token := _word(entry, "registrytoken", origin):
        if not _TOKEN.fullmatch(token):
            raise AccessError(f"{origin}: its registrytoken has characters that no token has")
        return Credentials(origin, bearer=Secret(token))
    if token := _word(entry, "identitytoken", origin):
        return Credentials(origin, username, identity=Secret(token))
    return Credentials(origin, username, Secret(password)) if username or password else None


def _word(entry: Mapping[str, Any], key: str, origin: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str):
        return ""
    try:
        value.encode()
    except UnicodeEncodeError:  # JSON may hold half a character
        raise AccessError(f"{origin}: its {key} is not text") from None
    return value


def _helped(name: object, server: str, file: str, environ: Mapping[str, str]) -> Credentials | None:
    """Ask a helper program; None when it has nothing for this server."""
    data = ask(name, server, file, environ)
    if not data:
        return None
    program = f"docker-credential-{name}"
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise AccessError(f"{program} answered something that is not a JSON object")
    username, secret = _word(answer, "Username", program), _word(answer, "Secret", program)
    if not secret:
        return None
    origin = f"{program} (named by {file})"
    if username == _TOKEN_USER:
        return Credentials(origin, identity=Secret(secret))
    return Credentials(origin, username, Secret(secret))
