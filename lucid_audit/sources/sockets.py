"""Where engines listen, how to connect to one, and what its refusals mean."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from lucid_audit.image.source import AccessError, NotFoundError, SourceError, UnavailableError

DEFAULT_SOCKETS = (
    "/var/run/docker.sock",
    "$XDG_RUNTIME_DIR/docker.sock",
    "$XDG_RUNTIME_DIR/podman/podman.sock",
    "/run/podman/podman.sock",
)
_LONGEST = 200  # characters of an engine's own words in an error
_REASONS = {
    errno.ENOENT: "there is no such socket",
    errno.ECONNREFUSED: "nothing listens there",
    errno.ECONNRESET: "it ended the connection",
}


def candidates(environ: Mapping[str, str]) -> list[str]:
    """Return the paths at which an engine may listen by default."""
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    paths = [path.replace("$XDG_RUNTIME_DIR", runtime) for path in DEFAULT_SOCKETS if runtime or "$" not in path]
    return list(dict.fromkeys(paths))


def endpoints(environ: Mapping[str, str]) -> list[str]:
    """Return the engines to ask: the one of ``DOCKER_HOST``, or every default socket that exists."""
    if environ.get("DOCKER_HOST"):
        return [environ["DOCKER_HOST"]]
    return [f"unix://{path}" for path in candidates(environ) if _is_socket(path)]


def _is_socket(path: str) -> bool:
    with suppress(OSError):
        return stat.S_ISSOCK(os.stat(path).st_mode)  # a folder that is closed to us raises in Path
    return False


def no_engine(environ: Mapping[str, str]) -> SourceError:
    """Return the error for a machine without an engine."""
    return UnavailableError(
        f"there is no engine: DOCKER_HOST is not set, and no socket is at {_or(candidates(environ))}"
    )


def _or(words: list[str]) -> str:
    return " or ".join(words)


def connect(endpoint: str, environ: Mapping[str, str]) -> Any:
    """Return a client of the SDK. It is imported here: that takes longer than linting a file."""
    import docker  # noqa: PLC0415
    from docker.utils import kwargs_from_env  # noqa: PLC0415

    if endpoint.startswith("ssh://"):
        raise UnavailableError(f"{endpoint} is reached by ssh, which is not supported; forward the engine's socket")
    tls = kwargs_from_env(dict(environ)).get("tls") if endpoint == environ.get("DOCKER_HOST") else None
    return docker.APIClient(base_url=endpoint, version="auto", tls=tls or False)


@contextmanager
def translated(endpoint: str, image: str) -> Iterator[None]:
    """Turn the errors of the SDK, of HTTP and of sockets into ours."""
    try:
        yield
    except SourceError:
        raise
    except Exception as error:
        meant = _meaning(error, endpoint, image)
        if meant is None:
            raise
        raise meant from None


def _meaning(error: Exception, endpoint: str, image: str) -> SourceError | None:
    """Return the error of ours; None for one that is not the engine's."""
    from docker.errors import APIError, DockerException  # noqa: PLC0415
    from requests.exceptions import ChunkedEncodingError  # noqa: PLC0415

    if isinstance(error, APIError):
        words = " ".join(str(error.explanation or error).split())[:_LONGEST]
        if error.status_code == 404:
            return NotFoundError(f"the engine at {endpoint} has no image {image!r}")
        if error.status_code in (401, 403):
            return AccessError(f"the engine at {endpoint} refuses access: {words}")
        return UnavailableError(f"the engine at {endpoint} failed: {words}")
    if not isinstance(error, DockerException | OSError):
        return None
    if isinstance(error, ChunkedEncodingError):
        return UnavailableError(f"the engine at {endpoint} broke the connection off")
    number = _errno(error)
    if number in (errno.EACCES, errno.EPERM):
        return AccessError(f"the engine at {endpoint} may not be used by this user (permission denied)")
    reason = _REASONS.get(number) or " ".join(str(error).split())[:_LONGEST]
    return UnavailableError(f"the engine at {endpoint} does not answer: {reason}")


def _errno(error: BaseException) -> int:
    """Return the system's error number below layers of libraries, 0 if there is none."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(seen) < 100:
        one = waiting.pop()
        if not isinstance(one, BaseException) or one in seen:
            continue
        if isinstance(one, OSError) and isinstance(one.errno, int):
            return one.errno
        seen.append(one)
        waiting += [one.__cause__, one.__context__, *one.args, getattr(one, "reason", None)]
    return 0
