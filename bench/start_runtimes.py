"""Bases of the start bench: the distroless families, and runtimes of Debian's packages laid over them.

``node`` and ``java`` are the base for C++ with Debian's own runtime and the libraries it needs; ``servers`` is the base for Python with
Debian's uvicorn and gunicorn. All are flat and without documents, as the start corpus has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from tests.e2e import distroless, start_bases
from tests.e2e.debs import closure, fetch, members
from tests.e2e.layout import Image
from tests.e2e.services import flatten
from tests.e2e.tars import Member, of

JAVA = {"12": "17", "13": "21"}  # the release that Debian's default-jre-headless means
UNDER: dict[str, distroless.Family] = {"node": "cc", "java": "cc", "servers": "python3"}


def java() -> str:
    """Return the release of Java in the base."""
    return JAVA[distroless.release().number]


def java_home(architecture: str) -> str:
    """Return where Debian has it."""
    return f"/usr/lib/jvm/java-{java()}-openjdk-{architecture}"


def base(family: str, architecture: str) -> Image:
    """Return the image of one architecture."""
    under = UNDER.get(family, cast("distroless.Family", family))
    image = distroless.base(under, architecture)
    layers = [flatten(image.layers)]
    if family in UNDER:
        has = {name for part in distroless.packages(under) for name in part}
        layers.append(of(_files([one for one in _packages(family, architecture) if one not in has], architecture)))
    return image._replace(layers=(start_bases.unread_left_out(flatten(layers)),))


def _packages(family: str, architecture: str) -> Sequence[str]:
    if family == "java":  # its class library for windows, printers and sound is not asked for
        return "zlib1g", f"openjdk-{java()}-jre-headless"
    if family == "node":
        return [one for one in closure(("nodejs",), architecture) if one.startswith(("lib", "zlib1g", "node"))]
    wanted = ("uvicorn", "gunicorn")
    return [
        one
        for one in closure(wanted, architecture)
        if (one.startswith("python3-") and one != "python3-minimal") or one in wanted
    ]


def _files(packages: Sequence[str], architecture: str) -> list[Member]:
    return [member for deb in fetch(packages, architecture) for member in members(deb)]
