"""How compose files deploy services: image, health check, user, capabilities, what may be written to. Facts only.

Source: compose specification, chapter "services". Nothing of the environment is read; a service that ``extends`` another one
keeps a reason in ``open``: what it leaves out may stand there.
"""

from __future__ import annotations

import os
import re
from typing import Any

from lucid_audit.around.service import Deployed, Test
from lucid_audit.builders.builder import Trouble, read
from lucid_audit.builders.compose import MAIN, OVERRIDES
from lucid_audit.builders.interpolate import interpolate, parse_env
from lucid_audit.builders.yamltree import YamlError, load
from lucid_audit.text import SourceText, Span
from lucid_audit.values import Unknown, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from lucid_audit.yamlsource import Document

SERVICES = 2_000  # of one file
_PORT = re.compile(r"(?:^|:)(\d{1,5})(?:/(?:tcp|udp))?$")


def deployed(path: str, root: str) -> tuple[Deployed, ...] | Trouble:
    """Read the services of one compose file, an absolute path. The file beside it that overrides it is laid over."""
    text = read(path, root)
    if isinstance(text, Trouble):
        return text
    try:
        document = load(path, text)
    except YamlError as error:
        return Trouble(path, 0, str(error))
    data = document.data
    services = data.get("services") if isinstance(data, dict) else None
    if not isinstance(services, dict):
        return ()
    folder = os.path.dirname(path)
    dotenv = read(os.path.join(folder, ".env"), root)
    env = parse_env(dotenv) if isinstance(dotenv, str) else {}
    more = _overridden(path, root)
    source = SourceText(path, text)
    return tuple(
        _service(document, source, name, raw, env, more)
        for name, raw in list(services.items())[:SERVICES]
        if isinstance(raw, dict)
    )


def _overridden(path: str, root: str) -> Mapping[str, str]:
    """Return the services that an override file says more of, each with the reason."""
    if os.path.basename(path) not in MAIN:
        return {}
    found: dict[str, str] = {}
    for name in OVERRIDES:
        file = os.path.join(os.path.dirname(path), name)
        text = read(file, root) if os.path.isfile(file) else ""
        if isinstance(text, Trouble) or not text:
            continue
        try:
            data = load(file, text).data
        except YamlError:
            continue
        services = data.get("services") if isinstance(data, dict) else None
        found |= dict.fromkeys(services, f"{name} may say more of it") if isinstance(services, dict) else {}
    return found


def _service(
    document: Document,
    source: SourceText,
    name: str,
    raw: dict[str, Any],
    env: Mapping[str, str],
    more: Mapping[str, str],
) -> Deployed:
    at = ("services", name)
    spans = {"": _span(source, document.line(at))}
    spans |= {key: _span(source, document.line((*at, key)), key) for key in raw}
    health = raw.get("healthcheck")
    for part in ("healthcheck", "build"):
        keys = raw.get(part)
        if isinstance(keys, dict):
            spans |= {f"{part}.{key}": _span(source, document.line((*at, part, key)), key) for key in keys}
    reason = "it extends another service" if raw.get("extends") else more.get(name, "")
    return Deployed(
        name,
        source,
        spans,
        _text(raw.get("image"), env),
        bool(raw.get("build")),
        _test(health, env),
        _text(raw.get("user"), env),
        _text(raw.get("read_only"), env),
        _text(raw.get("privileged"), env),
        _list(raw.get("cap_drop"), env),
        _list(raw.get("cap_add"), env),
        _list(raw.get("security_opt"), env),
        _list(raw.get("tmpfs"), env),
        _mounted(raw.get("volumes"), env),
        raw.get("entrypoint") is not None,
        _ports(raw, env),
        _environment(raw.get("environment"), env),
        reason,
    )


def _span(source: SourceText, line: int, key: str = "") -> Span:
    """Return a line from where its key is, or from its first character, to its end."""
    text, start = source.line(line), source.offset(line)
    named = re.search(rf"(?<![\w.-]){re.escape(key)}[\"']?[ \t]*:", text) if key else None
    at = named.start() if named is not None else len(text) - len(text.lstrip(" "))
    return Span(start + at, start + max(len(text.rstrip()), at))


def _text(raw: object, env: Mapping[str, str]) -> Value | None:
    return interpolate(raw, env) if isinstance(raw, str) else None


def _list(raw: object, env: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return a list of words, or a single word as one; what is not known is left out."""
    items = raw if isinstance(raw, list) else [raw] if isinstance(raw, str) else None
    if items is None:
        return None
    return tuple(value for item in items if isinstance(value := _text(item, env), str))


def _test(health: object, env: Mapping[str, str]) -> Test | None:
    if not isinstance(health, dict):
        return None
    if health.get("disable") == "true":
        return Test((), disabled=True)
    raw = health.get("test")
    if isinstance(raw, str):
        return Test((interpolate(raw, env),), shell=True)
    if not isinstance(raw, list) or not raw:
        return None
    words = tuple(interpolate(item, env) if isinstance(item, str) else Unknown("it is no text") for item in raw)
    form = words[0]
    return Test(words[1:], shell=form == "CMD-SHELL", disabled=form == "NONE")


def _mounted(raw: object, env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the paths in the container that volumes are mounted at."""
    found = []
    for item in raw if isinstance(raw, list) else ():
        if isinstance(item, dict):
            found.append(_text(item.get("target"), env))
        elif isinstance(item, str):
            text = interpolate(item, env)
            parts = text.split(":") if isinstance(text, str) else []
            found.append(parts[1] if len(parts) > 1 else parts[0] if parts else None)
    return tuple(one for one in found if isinstance(one, str))


def _ports(raw: Mapping[str, Any], env: Mapping[str, str]) -> tuple[int, ...]:
    """Return the ports of the container that are published or exposed."""
    found: list[int] = []
    for key in ("ports", "expose"):
        items = raw.get(key)
        for item in items if isinstance(items, list) else ():
            value = item.get("target") if isinstance(item, dict) else item
            text = _text(value, env)
            match = _PORT.search(text) if isinstance(text, str) else None
            if match is not None and int(match[1]) not in found:
                found.append(int(match[1]))
    return tuple(found)


def _environment(raw: object, env: Mapping[str, str]) -> dict[str, Value]:
    pairs: list[tuple[str, object]] = []
    if isinstance(raw, dict):
        pairs = list(raw.items())
    elif isinstance(raw, list):
        pairs = [(name, text) for name, equals, text in (str(item).partition("=") for item in raw) if equals]
    return {name: value for name, text in pairs if (value := _text(text, env)) is not None}
