"""From what a person typed to a source: a prefix decides, otherwise what exists on this machine.

The prefixes are those of Skopeo and Buildah (containers-transports(5)), ``docker://`` and its kin.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from lucid_audit.errors import UsageError
from lucid_audit.image.source import DamagedError, NotFoundError, Source, SourceError, UnavailableError
from lucid_audit.reference import ImageRef, parse
from lucid_audit.sources.archive import MANIFEST_FILE, Archive
from lucid_audit.sources.engine import Connect, Engine, is_id
from lucid_audit.sources.files import Files
from lucid_audit.sources.layout import VERSION_FILE, Layout, open_files
from lucid_audit.sources.members import Members
from lucid_audit.sources.sockets import connect as connect_engine
from lucid_audit.sources.sockets import endpoints, no_engine

AUTO = "auto"
KINDS = (AUTO, "registry", "engine", "layout", "archive")
PREFIXES = {
    "docker://": "registry",
    "docker-daemon:": "engine",
    "oci:": "layout",
    "oci-archive:": "layout",
    "docker-archive:": "archive",
}
_UNSUPPORTED = ("containers-storage:", "dir:", "ostree:", "sif:", "docker-tarfile:", "podman:")
_DIGEST = re.compile(r"(.+)@(sha(?:256|384|512):[0-9a-f]+)")
_LOCAL = re.compile(r"\.{0,2}/.*|.*\.(?:tar|tgz|tar\.gz)", re.DOTALL)

Registry = Callable[[ImageRef], Source]


class Attempt(NamedTuple):
    """A place that was tried, and why the image could not be had from it."""

    place: str
    why: str

    def __str__(self) -> str:
        return f"{self.place}: {self.why}"


class Chosen(NamedTuple):
    """An open source, and what was tried before it. Whether a registry has the image shows when it is asked."""

    source: Source
    tried: tuple[Attempt, ...] = ()


class NowhereError(NotFoundError):
    """No source has the image; ``tried`` has a line for each."""

    def __init__(self, subject: str, tried: tuple[Attempt, ...]) -> None:
        super().__init__(f"{subject} cannot be read; tried " + "; ".join(str(attempt) for attempt in tried))
        self.tried = tried


class Subject(NamedTuple):
    """What was typed: the kind of source that it asks for, and the name or path without the prefix."""

    kind: str
    rest: str


class Chooser(NamedTuple):
    """How sources are opened. ``registry`` makes the source of a reference; ``connect`` is the engine's client."""

    registry: Registry
    environ: Mapping[str, str]
    connect: Connect = connect_engine

    def choose(self, text: str, kind: str = AUTO) -> Chosen:
        """Open the source of a subject.

        Raises:
            UsageError: the subject is not valid, or contradicts ``kind``.
            SourceError: the image cannot be had; ``NowhereError`` where several places were tried.

        """
        subject = read_subject(text, kind)
        if subject.kind == AUTO:
            return self._first(subject.rest)
        if subject.kind == "registry":
            return Chosen(self.registry(_reference(subject.rest)))
        if subject.kind == "engine":
            return self._engines(subject.rest)
        path, name = split_path(subject.rest)
        return Chosen(Layout(path, name) if subject.kind == "layout" else Archive(path, name))

    def _first(self, text: str) -> Chosen:
        """Try a path, the engines and the registry, in that order."""
        path, name = split_path(text)
        there = _exists(path)
        if not there and _LOCAL.fullmatch(text):
            raise UnavailableError(f"{path} does not exist")
        tried: list[Attempt] = []
        if there:
            try:
                return Chosen(open_path(path, name))
            except SourceError as error:
                if parse(text) is None or _LOCAL.fullmatch(text):
                    raise
                tried.append(Attempt("path", str(error)))
        if is_id(text):
            return self._engines(text)
        found = _reference(text)
        engine = self._working_engine(text, tried)
        return Chosen(engine or self.registry(found), tuple(tried))

    def _engines(self, text: str) -> Chosen:
        places = endpoints(self.environ)
        if not places:
            raise no_engine(self.environ)
        if len(places) == 1:
            return Chosen(self._open_engine(text, places[0]))
        tried: list[Attempt] = []
        engine = self._working_engine(text, tried)
        if engine is None:
            raise NowhereError(text, tuple(tried))
        return Chosen(engine, tuple(tried))

    def _working_engine(self, text: str, tried: list[Attempt]) -> Engine | None:
        """Return the first engine that has the image."""
        for endpoint in endpoints(self.environ):
            try:
                return self._open_engine(text, endpoint)
            except SourceError as error:
                tried.append(Attempt("engine", str(error)))
        return None

    def _open_engine(self, text: str, endpoint: str) -> Engine:
        """Return an engine that has the image."""
        engine = Engine(text, self.environ, endpoint, self.connect)
        try:
            engine.manifest()
        except BaseException:
            engine.close()
            raise
        return engine


def read_subject(text: str, kind: str = AUTO) -> Subject:
    """Take the prefix off a subject.

    Raises:
        UsageError: it is empty, the prefix is not supported, or asks for another source than ``kind``.

    """
    if kind not in KINDS:
        raise UsageError(f"{kind!r} is no source; there are {', '.join(KINDS)}")
    for prefix, meant in PREFIXES.items():
        if text.startswith(prefix):
            if kind not in (AUTO, meant):
                raise UsageError(f"{text!r} asks for the source {meant!r}, but {kind!r} was chosen")
            kind, text = meant, text.removeprefix(prefix)
            break
    else:
        unsupported = next((prefix for prefix in _UNSUPPORTED if text.startswith(prefix)), None)
        if unsupported is not None and not _exists(Path(text)):
            raise UsageError(f"{unsupported!r} is not supported; there are {', '.join(PREFIXES)}")
    if not text or "\0" in text:
        raise UsageError(f"{text!r} names no image")
    return Subject(kind, text)


def split_path(text: str) -> tuple[Path, str]:
    """Split ``path``, ``path:name`` or ``path@digest``: at the first place that leaves something that exists."""
    if _exists(Path(text)):
        return Path(text), ""
    if (by_digest := _DIGEST.fullmatch(text)) is not None and ":" not in by_digest[1]:
        return Path(by_digest[1]), by_digest[2]
    for before, after in _splits(text):
        if before and _exists(Path(before)):
            return Path(before), after
    before, _, after = text.partition(":")
    return Path(before or text), after


def _splits(text: str) -> Iterator[tuple[str, str]]:
    parts = text.split(":")
    for count in range(1, len(parts)):
        yield ":".join(parts[:count]), ":".join(parts[count:])


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def open_path(path: Path, name: str = "") -> Source:
    """Open a layout or an archive, whichever is there.

    Raises:
        SourceError: it is neither, or cannot be read.

    """
    files = open_files(path)
    if _has(files, MANIFEST_FILE) and isinstance(files, Members):
        return Archive(path, name, members=files)
    if _has(files, VERSION_FILE):
        return Layout(path, name, files=files)
    files.close()
    raise DamagedError(
        f"{path} is neither a saved image nor an OCI layout: it has no {MANIFEST_FILE} or {VERSION_FILE}"
    )


def _has(files: Files, name: str) -> bool:
    try:
        files.size(name)
    except SourceError:
        return False
    return True


def _reference(text: str) -> ImageRef:
    found = parse(text)
    if found is None:
        raise UsageError(f"{text!r} is neither a path that exists nor the name of an image")
    return found
