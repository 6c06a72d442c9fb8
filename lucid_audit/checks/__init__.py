"""Checks: the judgements behind the rules. One module per topic; listing the folder finds them all.

A check is a generator ``check(subject, params) -> Hit | Skip``. The annotation of its first parameter says what it
judges: ``Build`` (one Dockerfile), ``Container`` (predicted or measured), ``Image`` (one platform of what was pulled) or
``Publication`` (all that a reference names), ``Waivers`` (a policy's), ``Deployment`` (a compose service) or ``BuildCall`` (a
build command). Those of images and of what surrounds them live in folders of their own, which linting a Dockerfile never imports.
``params`` is a record beside the check, left out when there is none. A check yields a Skip for what cannot be known, and never raises.
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
SUBJECTS = {
    "Build": "dockerfile",
    "Container": "container",
    "Image": "image",
    "Publication": "publication",
    "Waivers": "policy",
    "Deployment": "compose",
    "BuildCall": "build-command",
}
FOLDERS = ("images", "around")  # of checks that linting a Dockerfile never imports
LINT = ("dockerfile", "container", "policy")  # what a Dockerfile is judged by
AUDIT = ("container", "image", "publication", "policy")  # what an image is judged by
AROUND = ("compose", "build-command")  # what surrounds images


class Check(NamedTuple):
    """A named judgement. ``params`` is the record of its parameters, or None."""

    name: str
    run: Callable[..., Answers]
    subject: str  # one of the values of SUBJECTS
    params: type[Any] | None
    reads: tuple[str, ...] = ()  # files whose content an image check looks at


_registry: dict[str, Check] = {}


def check(name: str, *, reads: tuple[str, ...] = ()) -> Callable[[Callable[..., Answers]], Callable[..., Answers]]:
    """Register a check under ``name``. A second check of that name is a programming error.

    ``reads``: paths and patterns (``*`` within a folder, ``**`` across) of the files whose content an image check wants.
    """

    def register(function: Callable[..., Answers]) -> Callable[..., Answers]:
        if name in _registry:
            raise ValueError(f"two checks are called {name}")
        annotations = list(function.__annotations__.items())
        subject = SUBJECTS[annotations[0][1]]
        params = None
        if annotations[1][0] == "params":
            params = vars(sys.modules[function.__module__])[annotations[1][1]]
        _registry[name] = Check(name, function, subject, params, reads)
        return function

    return register


@cache
def load() -> Mapping[str, Check]:
    """Import the checks of Dockerfiles and containers and return them by name."""
    _import(__path__[0], __name__)
    return _registry


@cache
def load_all() -> Mapping[str, Check]:
    """Import those of images and of what surrounds them too."""
    load()
    for folder in FOLDERS:
        _import(os.path.join(__path__[0], folder), f"{__name__}.{folder}")
    return _registry


def reads() -> set[str]:
    """Return the paths and patterns that any check reads, a plugin's too once it is loaded."""
    return {path for one in load_all().values() for path in one.reads}


def _import(folder: str, package: str) -> None:
    # Neither pkgutil nor importlib: they import half of the start-up with them.
    for file in sorted(os.listdir(folder)):
        if file.endswith(".py") and file != "__init__.py":
            __import__(f"{package}.{file.removesuffix('.py')}")


def find(name: str) -> Check | None:
    """Return a check by name, None when there is none. Those of images are imported when the others lack the name."""
    return load().get(name) or load_all().get(name)


def plugins() -> Mapping[str, Check]:
    """Return the built-in checks and those of installed packages (entry points of group ``lucid_audit.checks``)."""
    from importlib.metadata import entry_points  # noqa: PLC0415  (slow to import; only for people who have plugins)

    load_all()
    for entry in entry_points(group="lucid_audit.checks"):
        entry.load()
    return _registry
