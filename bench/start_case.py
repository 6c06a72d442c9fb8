"""What an image of the start bench is: what is laid over a base, how it is started, and what breaks it.

``broken`` is what a person would say is wrong, "" for a healthy image; ``rules`` are those that would say it. Both were written
down before the tool was asked. Whether an image starts is what the engine says, never what stands here. ``undecidable`` is why
files alone cannot tell whether it starts, "" where they can: then the right answer is to name that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Put(NamedTuple):
    """A file: a text or bytes, or the name of a program of ``start_programs``; a link when it has a target."""

    content: str | bytes = ""
    mode: int = 0o755
    program: str = ""
    link: str = ""
    folder: bool = False
    architecture: str = ""  # of the program, when it is not the image's
    archive: Mapping[str, Any] = {}  # a zip archive of such files and texts


class Case(NamedTuple):
    """An image on a base family for an architecture; ``lines`` of the Dockerfile follow ``COPY``."""

    name: str
    architecture: str
    base: str
    files: Mapping[str, Put | str]
    lines: tuple[str, ...]
    broken: str = ""
    rules: tuple[str, ...] = ()
    undecidable: str = ""
    options: tuple[str, ...] = ()  # of the engine's run


def program(kind: str, mode: int = 0o755, architecture: str = "") -> Put:
    """Place a program of ``start_programs``."""
    return Put(program=kind, mode=mode, architecture=architecture)


def link(target: str) -> Put:
    """Place a symbolic link."""
    return Put(link=target)
