"""Bytes with a checksum before them: what lies in a cache may be damaged."""

from __future__ import annotations

from hashlib import sha256

_CHECKSUM = 32  # bytes of a SHA-256


def seal(data: bytes) -> bytes:
    """Return the bytes with their checksum."""
    return sha256(data).digest() + data


def unseal(sealed: bytes) -> bytes | None:
    """Return the bytes that were sealed, None when they are damaged."""
    data = sealed[_CHECKSUM:]
    return data if sha256(data).digest() == sealed[:_CHECKSUM] else None
