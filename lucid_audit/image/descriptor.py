"""Content descriptors, digests and platforms: how images point at their parts.

Sources: OCI image-spec v1.1, ``descriptor.md`` and ``image-index.md``; the variants of ARM are those of
containerd's ``platforms`` package, which Docker and BuildKit use.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from hashlib import _Hash

_DIGEST = re.compile(r"(sha256):([0-9a-f]{64})|(sha384):([0-9a-f]{96})|(sha512):([0-9a-f]{128})")
# What an architecture means when it names no variant.
_DEFAULT_VARIANT = {"arm64": "v8", "arm": "v7", "amd64": "v1"}
_SPELLINGS = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "armhf": "arm", "armel": "arm"}


class Platform(NamedTuple):
    """An operating system, an architecture as Go names it, and its variant ("" when none is named)."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        """As on command lines: ``linux/arm64/v8``."""
        return "/".join(part for part in self if part)

    @property
    def normalised(self) -> Platform:
        """Other spellings replaced, and the variant that is meant without one left out: ``arm64/v8`` is ``arm64``."""
        architecture = _SPELLINGS.get(self.architecture, self.architecture)
        variant = self.variant if self.variant.startswith("v") or not self.variant else f"v{self.variant}"
        return Platform(self.os, architecture, "" if variant == _DEFAULT_VARIANT.get(architecture) else variant)

    def matches(self, wanted: Platform) -> bool:
        """Whether an image of this platform is what ``wanted`` asks for."""
        return self.normalised == wanted.normalised


def parse_platform(text: str) -> Platform | None:
    """Parse ``os/architecture[/variant]``; None for anything else."""
    parts = text.split("/")
    if len(parts) not in (2, 3) or not all(re.fullmatch(r"[a-zA-Z0-9_.-]+", part) for part in parts):
        return None
    return Platform(*parts)


class Descriptor(NamedTuple):
    """A pointer to content. ``size`` is in bytes, -1 where the source cannot say (an engine's layers)."""

    media_type: str
    digest: str
    size: int
    platform: Platform | None = None
    annotations: Mapping[str, str] = {}
    urls: tuple[str, ...] = ()
    artifact_type: str = ""


def valid_digest(digest: str) -> bool:
    """Whether a digest is well formed and of an algorithm that can be verified here."""
    return _DIGEST.fullmatch(digest) is not None


def hasher(digest: str) -> _Hash:
    """Return a new hash of the digest's algorithm; the digest has to be valid."""
    return hashlib.new(digest.partition(":")[0])


def sha256(data: bytes) -> str:
    """Return the digest of ``data``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def matches(digest: str, data: bytes) -> bool:
    """Whether ``data`` is what ``digest`` names; False for a digest that cannot be verified."""
    if not valid_digest(digest):
        return False
    running = hasher(digest)
    running.update(data)
    return running.hexdigest() == digest.partition(":")[2]


def read_descriptor(raw: Any, sized: bool = True) -> Descriptor | str:
    """Read a descriptor from decoded JSON, or say what is wrong with it. Unless ``sized``, the size may be -1."""
    if not isinstance(raw, dict):
        return "a descriptor is not an object"
    media_type, digest, size = raw.get("mediaType", ""), raw.get("digest"), raw.get("size")
    if not isinstance(digest, str) or not valid_digest(digest):
        return f"a descriptor has the digest {digest!r}, which cannot be verified"
    if not isinstance(size, int) or isinstance(size, bool) or size < (0 if sized else -1):
        return f"the descriptor of {digest} has the size {size!r}"
    if not isinstance(media_type, str):
        return f"the descriptor of {digest} has the media type {media_type!r}"
    urls = raw.get("urls")
    return Descriptor(
        media_type,
        digest,
        size,
        _platform(raw.get("platform")),
        texts(raw.get("annotations")),
        tuple(url for url in urls if isinstance(url, str)) if isinstance(urls, list) else (),
        raw["artifactType"] if isinstance(raw.get("artifactType"), str) else "",
    )


def _platform(raw: Any) -> Platform | None:
    if not isinstance(raw, dict):
        return None
    os, architecture, variant = (raw.get(key) or "" for key in ("os", "architecture", "variant"))
    if not all(isinstance(part, str) for part in (os, architecture, variant)) or not (os or architecture):
        return None
    return Platform(os, architecture, variant)


def texts(raw: Any) -> dict[str, str]:
    """Return the pairs of a JSON object whose values are strings; empty for anything else."""
    if not isinstance(raw, dict):
        return {}
    return {key: value for key, value in raw.items() if isinstance(value, str)}
