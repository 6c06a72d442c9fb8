"""The effective configuration of a container, every value with its origin.

Field meanings are those of the OCI image configuration ("config" of image-spec v1.1, ``config.md``); the health check
is Docker's extension of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from lucid_audit.bases import Base
from lucid_audit.container.files import Files
from lucid_audit.record import record
from lucid_audit.reference import ImageRef
from lucid_audit.text import Span
from lucid_audit.tuples import Generic, NamedTuple, T
from lucid_audit.values import Unknown, Value


class Field(NamedTuple):
    """A place in an image configuration, e.g. ``config.User``, and the history line that set it."""

    field: str
    created_by: str = ""


class LayerPath(NamedTuple):
    """A path in a layer of an image. ``layer`` counts from 0, the lowest first; ``created_by`` is its history line."""

    path: str
    layer: int
    layer_digest: str = ""
    created_by: str = ""


Place = Span | Field | LayerPath


class Traced(NamedTuple, Generic[T]):
    """A value (or Unknown) and where it was set. ``inherited``: by the base image, so ``place`` is what chose that base."""

    value: T | Unknown
    place: Place
    inherited: bool = False

    def known(self) -> T | None:
        """Return the value, or None when it is unknown."""
        return None if isinstance(self.value, Unknown) else self.value


class Argv(NamedTuple):
    """ENTRYPOINT, CMD or a health check's command. ``shell``: it was written in shell form, so a shell must run it."""

    args: tuple[Value, ...]
    shell: bool = False

    def known(self) -> tuple[str, ...] | None:
        """Return the arguments when all are known."""
        return None if any(isinstance(arg, Unknown) for arg in self.args) else tuple(str(arg) for arg in self.args)


class Health(NamedTuple):
    """A health check. ``argv`` is None for ``NONE``. Durations in seconds; None where not set (the engine's default)."""

    argv: Argv | None
    interval: float | None = None
    timeout: float | None = None
    start_period: float | None = None
    retries: int | None = None


class Ground(NamedTuple):
    """The base of a measured container, as far as it can be told from the image. ``name`` is "" when it cannot.

    ``how`` says by what, in words. ``distroless`` is None when nobody can tell. ``debug``: it is the variant with a shell.
    ``tools`` are paths of shells and package managers that the image has where distributions have them.
    """

    name: str
    how: str
    distroless: bool | None
    debug: bool
    tools: tuple[str, ...] = ()


@record(eq=False)
class Container:
    """What will run.

    ``user`` is "" when nothing sets it (root). ``entrypoint``, ``cmd`` and ``health`` are None when nothing sets them.
    ``env_open`` is a reason when variables beyond ``env`` may be set (an unknown base image), else "".
    ``stage_place`` is where the container as a whole is chosen: the FROM of the target stage, or the image.
    ``ground`` is what was found of the base where no Dockerfile names it, None where one does.
    """

    stage_place: Place
    image: Traced[ImageRef | None]
    base: Base | None
    user: Traced[str]
    previous_user: Traced[str] | None  # what a USER before the effective one set
    entrypoint: Traced[Argv | None]
    cmd: Traced[Argv | None]
    health: Traced[Health | None]
    workdir: Traced[str]
    shell: Traced[tuple[str, ...] | None]
    stop_signal: Traced[str | None]
    env: Mapping[str, Traced[str]]
    env_open: str
    labels: Mapping[str, Traced[str]]
    ports: tuple[Traced[str], ...]
    volumes: tuple[Traced[str], ...]
    platform: Traced[str] | None
    files: Files
    ground: Ground | None = None
