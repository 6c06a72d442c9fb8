"""Builds that compose and bake files declare and whose context or Dockerfile is not there."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches

from lucid_audit import discover
from lucid_audit.around.call import Absent, BuildCall
from lucid_audit.builders.builder import DOCKERFILE, Builder, Trouble
from lucid_audit.gitcall import git
from lucid_audit.text import SourceText, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DEFAULT = (DOCKERFILE, "dockerfile", "Containerfile")  # what builders look for where nobody names a file
_SUBMODULE = re.compile(r"^\s*path\s*=\s*(.+?)\s*$", re.MULTILINE)


def absent(one: Builder | Trouble, root: str) -> Absent | None:
    """Return what one declaration names and is not there, None when it is all there or nothing is known of it."""
    if isinstance(one, Trouble):
        return _absent("build context", one.lost.context, root) if one.lost is not None else None
    if not one.named or os.path.lexists(one.dockerfile):
        return None
    folder, name = os.path.split(one.dockerfile)
    if name == DOCKERFILE and any(os.path.isfile(os.path.join(folder, other)) for other in _DEFAULT):
        return None
    return _absent("Dockerfile", one.dockerfile, root)


def services(builders: Iterable[Builder], troubles: Iterable[Trouble], root: str) -> dict[tuple[str, str], Absent]:
    """Return what the builds of compose services lack, by file and service."""
    found = {(one.file, one.name): absent(one, root) for one in builders if one.kind == "service"}
    found |= {
        (one.file, one.lost.name): absent(one, root) for one in troubles if one.lost and one.lost.kind == "service"
    }
    return {place: one for place, one in found.items() if one is not None}


def targets(builders: Iterable[Builder], troubles: Iterable[Trouble], root: str) -> Iterator[BuildCall]:
    """Yield the bake targets that lack something, each as the build that it is; its source is named from the current folder."""
    entries: list[tuple[Builder | Trouble, str]] = [(one, one.kind) for one in builders]
    entries += [(one, one.lost.kind) for one in troubles if one.lost is not None]
    for one, kind in entries:
        lost = absent(one, root) if kind == "bake target" else None
        if lost is None:
            continue
        source = _source(one.file)
        start = source.offset(one.line)
        span = Span(start, start + len(source.line(one.line).rstrip()))
        context = lost.what == "build context"
        yield BuildCall(
            source, span, kind, lost.reason,
            lost.path if context else "", "" if context else lost.path, "context" if context else "Dockerfile", lost.near,
        )  # fmt: skip


def _source(path: str) -> SourceText:
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as stream:
            return SourceText(os.path.relpath(path), stream.read(1 << 20))
    except OSError:
        return SourceText(os.path.relpath(path), "")


def _absent(what: str, path: str, root: str) -> Absent:
    below = os.path.relpath(path, root)
    if below == ".." or below.startswith("../"):
        return Absent(what, below, (), "it lies outside of the repository")
    if any(below == one or below.startswith(f"{one}/") for one in _submodules(root)):
        return Absent(what, below, (), f"{below} is in a submodule, which may not be checked out")
    if any(git(root, "check-ignore", "--no-index", "--", spelt) for spelt in (below, f"{below}/")):
        return Absent(what, below, (), f"{below} may be made before the build: git is told to ignore it")
    return Absent(what, below, _near(what, path, root))


def _submodules(root: str) -> list[str]:
    try:
        with open(os.path.join(root, ".gitmodules"), encoding="utf-8", errors="replace") as stream:
            return [os.path.normpath(path) for path in _SUBMODULE.findall(stream.read(1 << 20))]
    except OSError:
        return []


def _near(what: str, path: str, root: str) -> tuple[str, ...]:
    """Return what may be meant: a like name beside the one that is not there."""
    folder, name = os.path.split(path)
    try:
        beside = sorted(os.listdir(folder))
    except OSError:
        return ()
    if what == "Dockerfile":
        names = [one for one in beside if discover.is_dockerfile(one)]
        chosen = get_close_matches(name, names, 2, 0.6) or (names if len(names) == 1 else [])
    else:
        chosen = get_close_matches(name, [one for one in beside if os.path.isdir(os.path.join(folder, one))], 1, 0.6)
    return tuple(os.path.relpath(os.path.join(folder, one), root) for one in chosen)
