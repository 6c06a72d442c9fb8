"""Checks: the judgements behind the rules. One module per topic; listing the folder finds them all.

A check is a generator ``check(subject, params) -> Hit | Skip``. The annotation of its first parameter says what it
judges: ``Build`` (one Dockerfile), ``Container`` (predicted or measured). ``params`` is a record beside the
check, left out when there is none. A check yields a Skip for what cannot be known, and never raises.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from lucid_audit.finding import Hit, Skip
from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Answers = Iterator[Hit | Skip]
SUBJECTS = {"Build": "dockerfile", "Container": "container"}


class Check(NamedTuple):
    """A named judgement. ``params`` is the record of its parameters, or None."""

    name: str
    run: Callable[..., Answers]
    subject: str  # dockerfile | container
    params: type[Any] | None


_registry: dict[str, Check] = {}


def check(name: str) -> Callable[[Callable[..., Answers]], Callable[..., Answers]]:
    """Register a check under ``name``. A second check of that name is a programming error."""

    def register(function: Callable[..., Answers]) -> Callable[..., Answers]:
        if name in _registry:
            raise ValueError(f"two checks are called {name}")
        annotations = list(function.__annotations__.items())
        subject = SUBJECTS[annotations[0][1]]
        params = None
        if annotations[1][0] == "params":
            params = vars(sys.modules[function.__module__])[annotations[1][1]]
        _registry[name] = Check(name, function, subject, params)
        return function

    return register


@cache
def load() -> Mapping[str, Check]:
    """Import every module of this folder and return the checks by name."""
    # Neither pkgutil nor importlib: they import half of the start-up with them.
    for file in sorted(os.listdir(__path__[0])):
        if file.endswith(".py") and file != "__init__.py":
            __import__(f"{__name__}.{file.removesuffix('.py')}")
    return _registry


def plugins() -> Mapping[str, Check]:
    """Return the built-in checks and those of installed packages (entry points of group ``lucid_audit.checks``)."""
    from importlib.metadata import entry_points  # noqa: PLC0415  (slow to import; only for people who have plugins)

    load()
    for entry in entry_points(group="lucid_audit.checks"):
        entry.load()
    return _registry
