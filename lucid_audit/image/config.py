"""The configuration of an image as it is stored: read strictly where something depends on it.

Sources: OCI image-spec v1.1, ``config.md``; Docker's ``Healthcheck``, ``Shell`` and ``OnBuild`` beside it (Docker image
specification v1.2). Durations are nanoseconds there and seconds here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from lucid_audit.errors import InputError
from lucid_audit.image.descriptor import Platform, texts, valid_digest
from lucid_audit.image.manifest import read_json
from lucid_audit.record import record


class Step(NamedTuple):
    """One line of the history. ``empty``: it made no layer. ``created`` is RFC 3339, "" when the line has none."""

    created: str
    created_by: str
    empty: bool


class HealthConfig(NamedTuple):
    """A health check. ``test`` is as stored: ``NONE``, ``CMD`` or ``CMD-SHELL`` first. Durations in seconds, None if unset."""

    test: tuple[str, ...]
    interval: float | None
    timeout: float | None
    start_period: float | None
    retries: int | None


@record(eq=False)
class ImageConfig:
    """What the image says of itself. Words are None where a field is absent or null."""

    platform: Platform
    created: str
    author: str
    user: str
    entrypoint: tuple[str, ...] | None
    cmd: tuple[str, ...] | None
    shell: tuple[str, ...] | None
    workdir: str
    env: Mapping[str, str]
    labels: Mapping[str, str]
    ports: tuple[str, ...]
    volumes: tuple[str, ...]
    stop_signal: str
    health: HealthConfig | None
    on_build: tuple[str, ...]
    diff_ids: tuple[str, ...]
    history: tuple[Step, ...]


def read_config(data: bytes) -> ImageConfig:
    """Read a configuration blob.

    Raises:
        InputError: it is no JSON object, names no layers, or has a field of the wrong type.

    """
    raw = read_json(data, "the image configuration")
    inner = raw.get("config")
    config: Mapping[str, Any] = {} if inner is None else _mapping(inner, "config")
    rootfs = _mapping(raw.get("rootfs"), "rootfs")
    diff_ids = _words(rootfs.get("diff_ids"), "rootfs.diff_ids") or ()
    for diff_id in diff_ids:
        if not valid_digest(diff_id):
            raise InputError(f"the image configuration has the diff_id {diff_id!r}")
    return ImageConfig(
        Platform(_text(raw, "os"), _text(raw, "architecture"), _text(raw, "variant")),
        _text(raw, "created"),
        _text(raw, "author"),
        _text(config, "User"),
        _words(config.get("Entrypoint"), "config.Entrypoint"),
        _words(config.get("Cmd"), "config.Cmd"),
        _words(config.get("Shell"), "config.Shell"),
        _text(config, "WorkingDir"),
        _env(_words(config.get("Env"), "config.Env") or ()),
        texts(config.get("Labels")),
        _keys(config.get("ExposedPorts"), "config.ExposedPorts"),
        _keys(config.get("Volumes"), "config.Volumes"),
        _text(config, "StopSignal"),
        _health(config.get("Healthcheck")),
        _words(config.get("OnBuild"), "config.OnBuild") or (),
        diff_ids,
        _history(raw.get("history")),
    )


def _mapping(raw: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise InputError(f"the image configuration's {what} is not an object")
    return raw


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(f"the image configuration's {key} is not a string")
    return value


def _words(raw: Any, what: str) -> tuple[str, ...] | None:
    if raw is None:
        return None
    if not isinstance(raw, list) or not all(isinstance(word, str) for word in raw):
        raise InputError(f"the image configuration's {what} is not a list of strings")
    return tuple(raw)


def _keys(raw: Any, what: str) -> tuple[str, ...]:
    return tuple(_mapping(raw, what)) if raw is not None else ()


def _env(words: tuple[str, ...]) -> dict[str, str]:
    """A later setting of a name replaces an earlier one, as engines do; a word without ``=`` sets nothing."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if equals:
            found[name] = value
    return found


def _health(raw: Any) -> HealthConfig | None:
    if raw is None:
        return None
    health = _mapping(raw, "config.Healthcheck")
    test = _words(health.get("Test"), "config.Healthcheck.Test")
    if not test:
        return None  # an empty test inherits, and there is nothing to inherit from

    def seconds(key: str) -> float | None:
        value = health.get(key)
        return value / 1e9 if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None

    retries = health.get("Retries")
    return HealthConfig(
        test,
        seconds("Interval"),
        seconds("Timeout"),
        seconds("StartPeriod"),
        retries if isinstance(retries, int) and retries > 0 else None,
    )


def _history(raw: Any) -> tuple[Step, ...]:
    if not isinstance(raw, list):
        return ()
    return tuple(
        Step(_text(step, "created"), _text(step, "created_by"), step.get("empty_layer") is True)
        for step in raw
        if isinstance(step, dict)
    )
