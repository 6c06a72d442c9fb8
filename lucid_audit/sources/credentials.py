"""Credentials as Docker and Podman keep them: their configuration files, and the helper programs these name.

Sources: docker/cli's configuration file reference (``auths``, ``credsStore``, ``credHelpers``), containers-auth.json(5)
(keys may be whole repositories, the longest wins), docker-credential-helpers' protocol (``get``, a server name on standard
input, JSON on standard output).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lucid_audit.image.source import AccessError
from lucid_audit.reference import DEFAULT_REGISTRY
from lucid_audit.tuples import NamedTuple

HUB_KEY = "https://index.docker.io/v1/"  # the name under which Docker has always kept the Hub's
HELPER_TIME = 20.0  # seconds; some ask a person
SIZE_LIMIT = 1 << 20  # bytes of a file or of a helper's answer
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TOKEN_USER = "<token>"
_NOT_FOUND = ("credentials not found", "no credentials server url", "no usernames for")


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


def files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the configuration files in the order they are asked."""
    home = Path(environ.get("HOME", "/nonexistent"))
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
    for file in files(environ):
        config = _read(file)
        if config is None:
            continue
        found = _in_file(config, file, registry, repository, environ)
        if found is not None:
            return found
    return None


def _read(file: Path) -> dict[str, Any] | None:
    try:
        with file.open("rb") as stream:
            data = stream.read(SIZE_LIMIT + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise AccessError(f"{file} cannot be read: {error.strerror}") from None
    try:
        config = json.loads(data[:SIZE_LIMIT]) if data.strip() else {}
    except (ValueError, RecursionError):
        raise AccessError(f"{file} is not valid JSON") from None
    if not isinstance(config, dict):
        raise AccessError(f"{file} is not a JSON object")
    return config


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


def _in_file(
    config: Mapping[str, Any], file: Path, registry: str, repository: str, environ: Mapping[str, str]
) -> Credentials | None:
    """Ask the helper of this host, then the store for all hosts, then what the file itself holds."""
    server = HUB_KEY if registry == DEFAULT_REGISTRY else registry
    helpers = config.get("credHelpers")
    named = helpers if isinstance(helpers, dict) else {}
    by_host = {normalised(key): value for key, value in named.items()}
    for key in keys(registry, repository):
        if key in by_host:
            return _ask(by_host[key], server, file, environ)
    store = config.get("credsStore")
    if store:
        found = _ask(store, server, file, environ)
        if found is not None:
            return found
    auths = config.get("auths")
    stored = {normalised(key): value for key, value in auths.items()} if isinstance(auths, dict) else {}
    for key in keys(registry, repository):
        if isinstance(stored.get(key), dict) and stored[key]:
            return _entry(stored[key], file, key)
    return None


def _entry(entry: Mapping[str, Any], file: Path, key: str) -> Credentials | None:
    """Read one entry of ``auths``."""
    origin = f"{file} ({key})"
    username, password = _word(entry, "username"), _word(entry, "password")
    if auth := _word(entry, "auth"):
        try:
            text = base64.b64decode(auth + "=" * (-len(auth) % 4), validate=False).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise AccessError(f"{origin}: its auth is not base64 of text") from None
        username, colon, password = text.rstrip("\0").partition(":")
        if not colon:
            raise AccessError(f"{origin}: its auth has no password")
    if token := _word(entry, "registrytoken"):
        return Credentials(origin, bearer=Secret(token))
    if token := _word(entry, "identitytoken"):
        return Credentials(origin, username, identity=Secret(token))
    return Credentials(origin, username, Secret(password)) if username or password else None


def _word(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def _ask(name: object, server: str, file: Path, environ: Mapping[str, str]) -> Credentials | None:
    """Ask a helper program; None when it has nothing for this server."""
    if not isinstance(name, str) or not _HELPER.fullmatch(name):
        raise AccessError(f"{file} names the credential helper {name!r}, which is no name of a program")
    program = f"docker-credential-{name}"
    try:
        done = subprocess.run(  # noqa: S603  (a validated name, no shell)
            [program, "get"],
            input=server.encode(),
            capture_output=True,
            timeout=HELPER_TIME,
            check=False,
            env=dict(environ),
        )
    except FileNotFoundError:
        raise AccessError(f"{file} names {program}, which is not installed") from None
    except subprocess.TimeoutExpired:
        raise AccessError(f"{program} did not answer within {HELPER_TIME:.0f} seconds") from None
    except OSError as error:
        raise AccessError(f"{program} cannot be run: {error.strerror}") from None
    if done.returncode:
        said = (done.stdout + done.stderr)[:SIZE_LIMIT].decode("utf-8", "replace").lower()
        if any(text in said for text in _NOT_FOUND):
            return None
        raise AccessError(f"{program} failed with exit code {done.returncode}")
    try:
        answer = json.loads(done.stdout[:SIZE_LIMIT])
    except (ValueError, RecursionError):
        raise AccessError(f"{program} answered something that is not JSON") from None
    username, secret = _word(answer, "Username"), _word(answer, "Secret")
    if not isinstance(answer, dict) or not secret:
        return None
    if username == _TOKEN_USER:
        return Credentials(program, identity=Secret(secret))
    return Credentials(program, username, Secret(secret))
