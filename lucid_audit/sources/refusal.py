"""What a registry's refusal means, in one clause that people can act on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from lucid_audit.image.source import AccessError, NotFoundError, SourceError, UnavailableError
from lucid_audit.sources.answer import Answer, PassingError
from lucid_audit.sources.credentials import Credentials, told
from lucid_audit.sources.urls import shown

_WORDS = {
    "NAME_UNKNOWN": "the registry has no such repository",
    "MANIFEST_UNKNOWN": "the registry has no such tag or digest",
    "BLOB_UNKNOWN": "the registry has no such blob",
    "NAME_INVALID": "the registry does not accept the name",
    "DENIED": "the registry denies access",
    "UNAUTHORIZED": "the registry wants credentials",
    "TOOMANYREQUESTS": "the registry has had too many requests",
    "UNSUPPORTED": "the registry does not support this",
}


class RangeError(PassingError):
    """A registry cannot give the rest of a blob alone; the whole of it may still be had."""


def refusal(
    answer: Answer, what: str, credentials: Callable[[], Credentials | None], ranged: bool = False
) -> SourceError:
    """Return the error for an answer that is not what was asked for.

    Args:
        answer: what came instead; at most 64 KiB of it are read.
        what: what was asked for, with the name of the registry.
        credentials: what the registry was told.
        ranged: whether only a part was asked for.

    """
    try:
        said = explained(answer.read())
    except PassingError:
        said = ""
    if ranged and answer.status in (400, 416):
        return RangeError(f"{answer.url.place} does not give a part of {what}{said}")
    if answer.status in (401, 403):
        return AccessError(f"{what} does not exist or is private, {told(credentials())}{said}")
    if answer.status == 404:
        return NotFoundError(f"{what} was not found{said}")
    if answer.status == 429:
        return UnavailableError(f"{what} cannot be had now; try later or with credentials (HTTP 429){said}")
    return UnavailableError(f"{what} cannot be had: {answer.url.place} answers HTTP {answer.status}{said}")


def explained(body: bytes) -> str:
    """Return what a registry says, in words where its code is known. The text is somebody else's: it is cut and cleaned."""
    try:
        errors: Any = json.loads(body).get("errors")
    except (ValueError, AttributeError, RecursionError):
        return ""
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    code, message = first.get("code"), first.get("message")
    text = _WORDS.get(code) if isinstance(code, str) else None
    if text is None and isinstance(message, str):
        text = shown(message)
    return f": {text}" if text else ""
