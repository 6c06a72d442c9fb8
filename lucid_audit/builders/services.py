"""One ``build:`` section of a compose file as a draft: short and long form, arguments as map and as list.

Source: compose specification, chapters "build" and "services" (``platform``).
"""

from __future__ import annotations

from lucid_audit.builders.builder import Draft
from lucid_audit.builders.interpolate import interpolate
from lucid_audit.values import Unknown, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def draft(name: str, service: Mapping[str, Any], place: tuple[str, int], folder: str, env: Mapping[str, str]) -> Draft:
    """Return what a service says of its build. ``folder`` is the project's, ``place`` the file and line to name."""
    build = service.get("build")
    platform = _words([service["platform"]], env) if service.get("platform") else None
    image = _value(service, "image", env)
    named = (image,) if isinstance(image, str) else ()
    start = Draft(*place, "service", name, folder, platforms=platform, tags=named)
    if isinstance(build, str):
        return start._replace(context=interpolate(build, env))
    if not isinstance(build, dict):
        return start._replace(declared=False)
    return start._replace(
        context=_value(build, "context", env),
        dockerfile=_value(build, "dockerfile", env),
        inline=build.get("dockerfile_inline") is not None,
        args=_args(build.get("args"), env, env),
        target=_value(build, "target", env),
        platforms=_words(build.get("platforms"), env) or platform,
        contexts=_args(build.get("additional_contexts"), {}, env),
        tags=(*named, *(_words(build.get("tags"), env) or ())),
    )


def _value(build: Mapping[str, Any], key: str, env: Mapping[str, str]) -> Value | None:
    value = build.get(key)
    return interpolate(value, env) if isinstance(value, str) else None


def _args(raw: object, default: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str | None]:
    """Return names and values; an argument without a value is taken from the environment of whoever builds."""
    found: dict[str, str | None] = {}
    pairs: list[tuple[str, object]] = []
    if isinstance(raw, dict):
        pairs = list(raw.items())
    elif isinstance(raw, list):
        for item in raw:
            name, equals, text = item.partition("=") if isinstance(item, str) else ("", "", "")
            pairs.append((name, text if equals else None))
    for name, value in pairs:
        if name:
            read = interpolate(value, env) if isinstance(value, str) else default.get(name)
            found[name] = read if isinstance(read, str) else None
    return found


def _words(raw: object, env: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return a list of words, None when there is none or when one of them is not known."""
    if not isinstance(raw, list) or not raw:
        return None
    found = [interpolate(item, env) if isinstance(item, str) else Unknown("no text") for item in raw]
    return tuple(str(item) for item in found) if all(isinstance(item, str) for item in found) else None
