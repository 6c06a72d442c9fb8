"""Credential helpers: programs named ``docker-credential-X`` that are told a server and answer with an account.

Source: the protocol of docker-credential-helpers (``get``: a server name on standard input, JSON on standard output).
What a helper says is never shown: on a bad day it says a password.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from threading import Thread
from time import monotonic
from typing import IO

from lucid_audit.image.source import AccessError
from lucid_audit.tuples import NamedTuple

HELPER_TIME = 20.0  # seconds; some ask a person
ANSWER_LIMIT = 1 << 20  # bytes
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NOT_FOUND = ("credentials not found", "no credentials server url", "no usernames for")


class Answer(NamedTuple):
    """What a helper wrote, and how it ended."""

    code: int
    out: bytes
    err: bytes


def ask(name: object, server: str, origin: str, environ: Mapping[str, str], time: float = HELPER_TIME) -> bytes:
    """Return the helper's answer; nothing when it has no account for this server. ``origin`` is what names the helper.

    Raises:
        AccessError: there is no such helper, or it fails.

    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise AccessError(f"{origin} names a credential helper by what is no name of a program")
    program = f"docker-credential-{name}"
    try:
        answer = _run([program, "get"], server.encode(), environ, time)
    except FileNotFoundError:
        raise AccessError(f"{origin} names {program}, which is not installed") from None
    except OSError as error:
        raise AccessError(f"{program} cannot be run: {error.strerror}") from None
    if answer is None:
        raise AccessError(f"{program} did not answer within {time:g} seconds")
    if len(answer.out) > ANSWER_LIMIT:
        raise AccessError(f"{program} answered more than {ANSWER_LIMIT} bytes")
    if answer.code:
        said = (answer.out + answer.err).decode("utf-8", "replace").lower()
        if any(text in said for text in _NOT_FOUND):
            return b""
        raise AccessError(f"{program} failed with exit code {answer.code}")
    return answer.out.strip()


def _run(command: list[str], given: bytes, environ: Mapping[str, str], time: float) -> Answer | None:
    """Run a program; None when it takes too long.

    Nobody waits for its children: they may keep the pipes open for as long as they like.
    """
    pipe = subprocess.PIPE
    process = subprocess.Popen(  # noqa: S603  (a validated name, no shell)
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=dict(environ)
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = bytearray(), bytearray()
    threads = [
        Thread(target=_give, args=(process.stdin, given), daemon=True),
        Thread(target=_take, args=(process.stdout, out), daemon=True),
        Thread(target=_take, args=(process.stderr, err), daemon=True),
    ]
    for thread in threads:
        thread.start()
    end = monotonic() + time
    for thread in threads[1:]:
        thread.join(max(0.0, end - monotonic()))
    try:
        code = process.wait(max(0.0, end - monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        # More than the limit: it was left alone with a full pipe, which is no matter of time.
        return Answer(1, bytes(out), bytes(err)) if len(out) > ANSWER_LIMIT else None
    return Answer(code, bytes(out), bytes(err))


def _give(stream: IO[bytes], data: bytes) -> None:
    try:
        with stream:
            stream.write(data)
    except OSError:
        pass  # it did not read to the end, which is its matter


def _take(stream: IO[bytes], into: bytearray) -> None:
    """Read up to one byte more than may be, and then close: whoever still writes is told so by the system."""
    with stream:
        while len(into) <= ANSWER_LIMIT and (piece := stream.read1(1 << 16)):  # type: ignore[attr-defined]
            into += piece
