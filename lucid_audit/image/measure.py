"""Measure the container that an image gives: its configuration with the field and the history line of every value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from lucid_audit.bases import Base
from lucid_audit.container.config import Argv, Container, Field, Ground, Health, Traced
from lucid_audit.image.config import HealthConfig, ImageConfig, Step
from lucid_audit.image.files import MeasuredFiles
from lucid_audit.image.history import above, last, steps_of_layers
from lucid_audit.image.identity import Identity
from lucid_audit.image.others import tools
from lucid_audit.image.rootfs import Rootfs

T = TypeVar("T")
_SHELL = ("/bin/sh", "-c")


def measure(config: ImageConfig, rootfs: Rootfs, identity: Identity) -> Container:
    """Return the container that will run."""
    trace = _Trace(config, identity)
    base = identity.base
    shell = config.shell or _SHELL
    return Container(
        stage_place=Field("config"),
        image=trace.value("rootfs.diff_ids", identity.ref, "FROM"),
        base=base,
        user=trace.value("config.User", config.user, "USER", base.user if base else None),
        previous_user=None,
        entrypoint=trace.value(
            "config.Entrypoint", _argv(config.entrypoint, shell), "ENTRYPOINT", _base_argv(base, "entrypoint")
        ),
        cmd=trace.value("config.Cmd", _argv(config.cmd, shell), "CMD", _base_argv(base, "cmd")),
        health=trace.value("config.Healthcheck", _health(config.health, shell), "HEALTHCHECK"),
        workdir=trace.value("config.WorkingDir", config.workdir or "/", "WORKDIR", base.workdir if base else None),
        shell=trace.value("config.Shell", config.shell, "SHELL"),
        stop_signal=trace.value("config.StopSignal", config.stop_signal or None, "STOPSIGNAL"),
        env=trace.mapping("config.Env", config.env, "ENV", base.env if base else {}),
        env_open="",
        labels=trace.mapping("config.Labels", config.labels, "LABEL", {}),
        ports=tuple(trace.value("config.ExposedPorts", port, "EXPOSE") for port in config.ports),
        volumes=tuple(trace.value("config.Volumes", volume, "VOLUME") for volume in config.volumes),
        platform=Traced(str(config.platform.normalised), Field("architecture")),
        files=MeasuredFiles(rootfs, config.volumes, tuple(step.created_by for step in steps_of_layers(config))),
        ground=_ground(identity, rootfs),
    )


def _ground(identity: Identity, rootfs: Rootfs) -> Ground:
    """Say what the base is. Only of one that is not distroless its tools are asked for: the others have rules of their own."""
    found = tuple(tools(rootfs)) if identity.distroless is False else ()
    if identity.tier == "none" or identity.claims:
        return Ground("", identity.claims, None, debug=False)
    return Ground(identity.name, identity.how, identity.distroless, bool(identity.debug), found)


class _Trace:
    """Finds the history line of a value, and tells what the base set from what was set on top of it."""

    def __init__(self, config: ImageConfig, identity: Identity) -> None:
        self._steps: Sequence[Step] = above(config, identity.layers)
        self._told = any(step.created_by for step in self._steps)
        self._base_known = identity.tier == "layers"

    def value(self, field: str, value: T, keyword: str, of_base: object = None) -> Traced[T]:
        """Trace one value. It is inherited when nothing above the base set it and it is what the base has."""
        step = last(self._steps, keyword)
        created_by = step.created_by if step is not None else ""
        inherited = self._base_known and step is None and self._told and of_base is not None and value == of_base
        return Traced(value, Field(field, created_by), inherited)

    def mapping(
        self, field: str, values: Mapping[str, str], keyword: str, of_base: Mapping[str, str]
    ) -> dict[str, Traced[str]]:
        """Trace the values of a mapping one by one."""
        found = {}
        for name, value in values.items():
            step = last(self._steps, keyword, name)
            inherited = self._base_known and step is None and self._told and of_base.get(name) == value
            found[name] = Traced(
                value, Field(f"{field}.{name}", step.created_by if step is not None else ""), inherited
            )
        return found


def _argv(words: tuple[str, ...] | None, shell: tuple[str, ...]) -> Argv | None:
    """Return a command; shell form is stored as the shell's words followed by one text."""
    if not words:
        return None
    for start in (shell, _SHELL):
        if len(words) == len(start) + 1 and words[: len(start)] == start:
            return Argv((words[-1],), shell=True)
    return Argv(words)


def _base_argv(base: Base | None, what: str) -> Argv | None:
    words = getattr(base, what) if base is not None else None
    return Argv(words) if words else None


def _health(config: HealthConfig | None, shell: tuple[str, ...]) -> Health | None:
    if config is None:
        return None
    kind, *words = config.test
    if kind == "NONE":
        argv = None
    elif kind == "CMD-SHELL":
        argv = Argv((" ".join(words),), shell=True)
    else:
        argv = _argv(tuple(words), shell)
    return Health(argv, config.interval, config.timeout, config.start_period, config.retries)
