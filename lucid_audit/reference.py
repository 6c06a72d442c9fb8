"""Image references: the grammar and the normalisation of Docker, without any look at a registry.

``python:3.11`` means ``docker.io/library/python:3.11``; everything that compares, looks up or pulls an image works on
that full form. Grammar and normalisation follow https://github.com/distribution/reference (``regexp.go``,
``normalize.go``), digests https://github.com/opencontainers/go-digest.
"""

from __future__ import annotations

from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple

DEFAULT_REGISTRY = "docker.io"
_LEGACY_REGISTRY = "index.docker.io"
_OFFICIAL = "library/"
_PATH_LIMIT = 255  # characters of the repository without its registry

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = regex(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = regex(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = regex(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}")
_DIGEST = regex(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")
_IDENTIFIER = regex(r"[0-9a-f]{64}")  # an image id, which is no name


class ImageRef(NamedTuple):
    """One normalised image reference. Both ``tag`` and ``digest`` may be given; the digest then decides what is pulled."""

    registry: str
    repository: str
    tag: str | None
    digest: str | None
    original: str

    @property
    def name(self) -> str:
        """Full name with neither tag nor digest: ``docker.io/library/python``."""
        return f"{self.registry}/{self.repository}"

    @property
    def familiar(self) -> str:
        """The short form people write: ``python:3.11``; parses back to the same reference."""
        name = self.name
        if self.registry == DEFAULT_REGISTRY:
            # A shorter form that reads as something else stays long: ``library/a/b``, ``docker.io/a.b/c``.
            for short in (self.repository.removeprefix(_OFFICIAL), self.repository):
                if _split_registry(short) == (self.registry, self.repository):
                    return f"{short}{self.suffix}"
        return f"{name}{self.suffix}"

    @property
    def suffix(self) -> str:
        """What follows the name: ``:tag``, ``@digest``, both or nothing."""
        tag = f":{self.tag}" if self.tag is not None else ""
        return f"{tag}@{self.digest}" if self.digest is not None else tag

    def __str__(self) -> str:
        """The full form."""
        return f"{self.name}{self.suffix}"


def parse(text: str) -> ImageRef | None:
    """Parse and normalise a reference; None for what Docker refuses. ``scratch`` and stage names are the caller's matter."""
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        return None
    name, tag = _split_tag(rest)
    if tag is not None and not _TAG.fullmatch(tag):
        return None
    if len(text) == 64 and _IDENTIFIER.fullmatch(text):
        return None
    registry, path = _split_registry(name)
    if registry != DEFAULT_REGISTRY and not _HOST.fullmatch(registry):
        return None
    if not _PATH.fullmatch(path) or len(path) > _PATH_LIMIT:
        return None
    return ImageRef(registry, path, tag, digest or None, text)


def _split_tag(rest: str) -> tuple[str, str | None]:
    """Split at a colon of the last component only: an earlier one is a port."""
    colon = rest.rfind(":")
    if colon <= rest.rfind("/"):
        return rest, None
    return rest[:colon], rest[colon + 1 :]


def _split_registry(name: str) -> tuple[str, str]:
    first, slash, remainder = name.partition("/")
    if not slash:
        return DEFAULT_REGISTRY, _OFFICIAL + name
    if first == _LEGACY_REGISTRY:
        first = DEFAULT_REGISTRY
    elif not (first == "localhost" or "." in first or ":" in first or first != first.lower()):
        return DEFAULT_REGISTRY, name
    if first == DEFAULT_REGISTRY and "/" not in remainder:
        remainder = _OFFICIAL + remainder
    return first, remainder
