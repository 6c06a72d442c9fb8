"""What a run judges: files that are named, found in folders or piped in; and reading them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from lucid_audit import discover
from lucid_audit.surroundings import Surroundings
from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

SIZE_LIMIT = 10 << 20  # bytes of one Dockerfile
STDIN = "-"


class Item(NamedTuple):
    """One thing to judge: a file by its name, or data that was read already, or a problem."""

    name: str
    data: bytes | None = None
    problem: str = ""
    piped: bool = False  # from standard input: ``name`` is no place on disk


def wanted(paths: Sequence[str], stdin: IO[bytes] | None, stdin_name: str, places: Surroundings) -> Iterator[Item]:
    """Yield what to judge, in the order it was named; a file that is named twice comes once.

    ``stdin`` is read where a path is ``-``. ``places`` learns which folders were searched.
    """
    seen: set[str] = set()
    for path in paths:
        if path == STDIN:
            data = stdin.read(SIZE_LIMIT + 1) if stdin is not None else b""
            yield Item(stdin_name, data, piped=True)
            continue
        for item in _search(path, places):
            real = os.path.realpath(item.name)
            if real not in seen:
                seen.add(real)
                yield item


def _search(path: str, places: Surroundings) -> Iterator[Item]:
    empty = True
    beside: list[str] = []
    for found in discover.search(path, beside):
        empty = False
        yield Item(found.path, problem=found.reason if isinstance(found, discover.Unreadable) else "")
    if os.path.isdir(path) and not empty:
        places.walked(path, beside)
    if empty:
        yield Item(path, problem="no Dockerfile in this folder")


def deploys(item: Item) -> bool:
    """Whether an item is a compose file, by its name; what comes through a pipe is a Dockerfile."""
    name = os.path.basename(item.name)
    return not item.piped and name.endswith((".yaml", ".yml")) and discover.declares_builds(name)


def content(item: Item) -> tuple[str, bytes]:
    """Return why an item cannot be read, or "" and its content."""
    problem, data = item.problem, item.data or b""
    if item.data is None and not problem:
        problem, data = _read(item.name)
    if not problem and len(data) > SIZE_LIMIT:
        problem = f"larger than {SIZE_LIMIT >> 20} MiB"
    return problem, data


def loaded(item: Item) -> Item:
    """Return an item with its content, or with why it cannot be read."""
    problem, data = content(item)
    return item._replace(data=data, problem=problem)


def _read(name: str) -> tuple[str, bytes]:
    """Return why a file cannot be read, or "" and its content: one byte more than the limit at most."""
    try:
        with open(name, "rb") as stream:
            return "", stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        return error.strerror or str(error), b""
