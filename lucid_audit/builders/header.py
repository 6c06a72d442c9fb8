"""What comments at the head of a Dockerfile say of its build: ``Build context: …``, ``docker build -f FILE CONTEXT``.

The weakest evidence: a comment is not run and outlives what it says. It counts only where it can mean this very file.
"""

from __future__ import annotations

import os
import re

from lucid_audit.builders.builder import DOCKERFILE, Builder, within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CONTEXT = re.compile(
    r"(?i)(?:docker\s+)?build\s+context\s*(?:is|:|=)\s*(?:the\s+)?(?P<path>`[^`]+`|\"[^\"]+\"|'[^']+'|[^\s,;(]+(?:\s+root)?)"
)
_COMMAND = re.compile(r"\b(?:docker|podman|nerdctl)\s+(?:buildx\s+|image\s+)?build\s+(?P<words>.+)")
_ROOTS = (
    "repository",
    "repo",
    "project",
    "monorepo",
    "root",
    "repository root",
    "repo root",
    "project root",
    "monorepo root",
)
_SWITCHES = frozenset(
    ("--no-cache", "--pull", "--push", "--load", "--quiet", "-q", "--squash", "--rm", "--force-rm", "--compress")
)
_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|\S+")
WORDS = 100  # of one command


def hints(comments: Sequence[tuple[int, str]], file: str, folders: Sequence[str]) -> Builder | None:
    """Return the build that the head's comments describe, the first that can be meant.

    ``comments`` are (line, text) pairs; ``folders`` the absolute folders from the file's own up to the repository's root.
    """
    for line, text in _joined(comments):
        if (command := _COMMAND.search(text)) is not None:
            found = _command(command["words"], line, file, folders)
        elif (context := _CONTEXT.search(text)) is not None:
            found = _named(context["path"], line, file, folders)
        else:
            continue
        if found is not None:
            return found
    return None


def _joined(comments: Sequence[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield the comments, those that end in a backslash with what follows."""
    start, text = 0, ""
    for line, part in comments:
        start = start if text else line
        text += part
        if text.endswith("\\"):
            text = text[:-1] + " "
            continue
        yield start, text
        text = ""


def _named(raw: str, line: int, file: str, folders: Sequence[str]) -> Builder | None:
    """Return the build with a context that a comment names: ``.`` alone may be this folder or the root."""
    path = re.sub(r"(?<=\w)[.:]+$", "", raw.strip("`\"'"))  # the end of a sentence is no part of it
    if path.casefold() in _ROOTS:
        return _built(folders[-1], line, file, folders)
    if os.path.normpath(path) == ".":
        return _built(folders[0], line, file, folders) if len(folders) == 1 else None
    if path.startswith(".."):
        return _built(os.path.join(folders[0], path), line, file, folders)
    bases = (folders[-1], folders[0])
    found = (_built(os.path.join(base, path), line, file, folders) for base in bases if not os.path.isabs(path))
    return next((one for one in found if one is not None), None)


def _command(words: str, line: int, file: str, folders: Sequence[str]) -> Builder | None:
    """Return the build of a command line, run in the folder in which it would build this file."""
    given: dict[str, list[str]] = {}
    context = ""
    rest = [word.strip("\"'`") for word in _WORD.findall(words)[:WORDS]]
    while rest:
        word = rest.pop(0)
        if word in ("&&", "||", "|", ";", "#"):
            break
        if not word.startswith("-") or word == "-":
            context = context or word
        elif word not in _SWITCHES:
            name, equals, value = word.partition("=")
            given.setdefault(name, []).append(value if equals else rest.pop(0) if rest else "")
    if not context or any(mark in context for mark in "$<>{}") or "://" in context:
        return None
    dockerfile = (given.get("-f") or given.get("--file") or [""])[-1]
    for folder in reversed(folders):  # from the root: that is where most commands are run
        meant = os.path.join(folder, dockerfile) if dockerfile else os.path.join(folder, context, DOCKERFILE)
        if os.path.realpath(meant) == os.path.realpath(file):
            found = _built(os.path.join(folder, context), line, file, folders)
            return _with_options(found, given) if found is not None else None
    return None


def _with_options(builder: Builder, given: dict[str, list[str]]) -> Builder:
    args: dict[str, str | None] = {}
    for pair in given.get("--build-arg", ()):
        name, equals, value = pair.partition("=")
        args[name] = value if equals and not any(mark in value for mark in "$<>") else None
    target = (given.get("--target") or [""])[-1]
    platforms = [
        one for value in given.get("--platform", ()) for one in value.split(",") if re.fullmatch(r"\w+/[\w/]+", one)
    ]
    return builder._replace(
        args=tuple(sorted(args.items(), key=lambda pair: pair[0])),
        target=None if any(mark in target for mark in "$<>") else target,
        platforms=tuple(platforms),
    )


def _built(context: str, line: int, file: str, folders: Sequence[str]) -> Builder | None:
    """Return a builder when the context is a folder of the repository that holds the file."""
    folder = os.path.normpath(context)
    if not os.path.isdir(folder) or not within(folder, folders[-1]) or not within(file, folder):
        return None
    return Builder(file, line, "comment", "", folder, file)
