"""Which builder a command calls, and from which word on it tells it what to build."""

from __future__ import annotations

import os
import re

from lucid_audit.builders.command import Words
from lucid_audit.values import Unknown

_BEFORE = frozenset(("sudo", "env", "time", "exec", "command", "nohup", "run", "!"))
_PROGRAMS = frozenset(("docker", "podman", "buildah", "nerdctl", "docker-buildx"))
_BUILDAH = ("bud", "build", "build-using-dockerfile")
BOTH = 2  # words


def program(words: Words) -> tuple[str, int]:
    """Return which builder a command calls, "" for none, and the number of the first word that is the builder's own."""
    first: list[tuple[str, int]] = []
    for number, read in enumerate(words.read):
        if isinstance(read, Unknown):
            break
        first += [(word, number) for word in read]
        if len(first) > 12:
            break
    at = 0
    while at < len(first) and (first[at][0] in _BEFORE or (at and re.match(r"-|[^=]*=", first[at][0]))):
        at += 1
    names = [word for word, _ in first]
    called = os.path.basename(names[at]) if at < len(names) else ""
    if called == "executor" and ("/kaniko/" in names[at] or any(word.startswith("--destination") for word in names)):
        return "kaniko", first[at][1] + 1
    if called not in _PROGRAMS:
        return "", 0
    at += 1
    while at < len(names) and names[at].startswith("-"):  # docker's own options
        at += 1 if "=" in names[at] or names[at] in ("-D", "--debug", "--tls", "--remote", "-r") else 2
    rest = names[at : at + 2]
    if called == "docker-buildx":
        rest, at = ["buildx", *rest][:2], at - 1
    length = _length(called, rest)
    if not length:
        return "", 0
    return "bake" if rest[-1:] == ["bake"] and length == BOTH else called, first[at + length - 1][1] + 1


def _length(called: str, rest: list[str]) -> int:
    """Return how many of the next two words say "build", 0 for none."""
    if called == "buildah":
        return 1 if rest[:1] and rest[0] in _BUILDAH else 0
    if rest[:1] == ["build"]:
        return 1
    if called.startswith("docker") and rest == ["buildx", "bake"]:
        return BOTH
    return BOTH if rest in (["buildx", "build"], ["image", "build"], ["buildx", "b"], ["builder", "build"]) else 0
