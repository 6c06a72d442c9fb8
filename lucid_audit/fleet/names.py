"""When two names mean the same image: the same repository and tag; what a digest pins is no other name."""

from __future__ import annotations

from lucid_audit.reference import ImageRef, parse


def known_as(name: str | ImageRef) -> str:
    """Return the full name of an image with its tag; "" for what is none, such as a path."""
    ref = parse(name) if isinstance(name, str) else name
    return f"{ref.name}:{ref.tag or 'latest'}" if ref is not None else ""
