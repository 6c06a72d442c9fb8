"""How the catalogue of base images is read: tag grammar, derived values, layers of facts. Pure, over plain mappings.

Values are short strings found in a tag (``version: 3.11``, ``variant: slim``), fixed by the repository, or derived from
others or from the day. A layer's facts apply when its ``when`` holds; ``{value}`` in a fact is replaced, and a fact that
needs a value nobody knows is left out, which makes it unknown rather than wrong.
"""

from __future__ import annotations

from lucid_audit.regex import regex, rx
from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    Plain = dict[str, Any]

_HOLE = regex(r"\{(\w+)\}")


class Resolved(NamedTuple):
    """Plain facts, the values that chose them, which of these follow the calendar, and whether the tag is documented."""

    facts: Plain
    values: dict[str, str]
    dated: frozenset[str]
    tag_known: bool


class _Unknown(Exception):  # noqa: N818 - control flow inside this module
    """A fact needs a value that is not known."""


def resolve(
    families: Mapping[str, Plain],
    family: Plain,
    fixed: Mapping[str, str],
    tag: str | None,
    pinned: bool,
    day: str,
) -> Resolved:
    """Resolve one tag of a family on a day (ISO 8601). ``pinned``: a digest decides, so dates say nothing about content."""
    values, matched = _read_tag(families, family, tag, pinned)
    values = {**values, **fixed}
    line = list(_line(families, family))
    dated = set()
    for member in line:
        for rule in member.get("derive", ()):
            if _derive(rule, values, pinned, day) and len(rule.get("dates", ())) > 1:
                dated.add(rule["value"])
    facts: Plain = {}
    for member in line:
        for layer in member.get("layers", ()):
            if _holds(layer.get("when"), values):
                _apply(families, facts, layer, values)
    return Resolved(facts, values, frozenset(dated), matched and _published(families, family, facts, values))


def inherited(families: Mapping[str, Plain], family: Plain, key: str) -> Any:
    """A property of a family or of the nearest one it extends."""
    found = None
    for member in _line(families, family):
        found = member.get(key, found)
    return found


def add(facts: Plain, more: Mapping[str, Any], values: Mapping[str, str]) -> None:
    """Lay facts over facts. ``name+`` extends a list or a mapping (also the lists in it), ``name`` replaces."""
    for name, raw in more.items():
        try:
            value = _fill(raw, values)
        except _Unknown:
            if not name.endswith("+"):
                facts.pop(name, None)
            continue
        if not name.endswith("+"):
            facts[name] = value
            continue
        name = name[:-1]  # noqa: PLW2901 - the name without its mark
        facts[name] = _extend(facts.get(name), value)


def _line(families: Mapping[str, Plain], family: Plain) -> Iterator[Plain]:
    """A family after everything it extends, oldest first."""
    parent = families.get(family.get("extends", ""))
    if parent is not None and parent is not family:
        yield from _line(families, parent)
    yield family


def _read_tag(
    families: Mapping[str, Plain], family: Plain, tag: str | None, pinned: bool
) -> tuple[dict[str, str], bool]:
    if tag is None:
        if pinned:  # name@digest: which tag it was is not known
            return {}, True
        tag = inherited(families, family, "default_tag") or "latest"
    pattern = inherited(families, family, "tag")
    match = rx(pattern).fullmatch(tag) if pattern else None
    if match is None:
        return {}, False
    return {"tag": tag, **{name: value for name, value in match.groupdict().items() if value}}, True


def _derive(rule: Plain, values: dict[str, str], pinned: bool, day: str) -> bool:
    """Set one value unless the tag or an earlier rule did; say whether it was set."""
    name = rule["value"]
    if name in values or not _holds(rule.get("when"), values):
        return False
    found: str | None
    if "dates" in rule:
        found = None if pinned and len(rule["dates"]) > 1 else _dated(rule["dates"], day)
    elif "from" in rule:
        source = values.get(rule["from"])
        found = None if source is None else _translated(rule, source)
    else:
        found = rule["is"]
    if found:
        values[name] = found
    return bool(found)


def _dated(dates: list[Plain], day: str) -> str | None:
    for entry in dates:
        if "until" not in entry or day < entry["until"]:
            found: str | None = entry["is"]
            return found
    return None


def _translated(rule: Plain, source: str) -> str | None:
    if "match" in rule:
        match = rx(rule["match"]).search(source)
        return match[match.lastindex or 0] if match else None
    found: str | None = rule["map"].get(source)
    return found


def _holds(when: Mapping[str, Any] | None, values: Mapping[str, str]) -> bool:
    """Every name has a wanted value: literal, ``~pattern`` (of the whole value), ``*`` any, null not known; or a list of these."""
    if when is None:
        return True
    for name, wanted in when.items():
        value = values.get(name)
        for accepted in wanted if isinstance(wanted, list) else (wanted,):
            if value == accepted or (value is not None and _like(accepted, value)):
                break
        else:
            return False
    return True


def _like(accepted: str | None, value: str) -> bool:
    if accepted is None or accepted[:1] not in ("*", "~"):
        return False
    return accepted == "*" or rx(accepted[1:]).fullmatch(value) is not None


def _apply(families: Mapping[str, Plain], facts: Plain, layer: Plain, values: Mapping[str, str]) -> None:
    system = layer.get("system")
    if system is not None:
        try:
            name, release = _fill(system, values).split("/")
        except _Unknown:
            return
        releases = families[name].get("releases", {})
        add(facts, releases.get("*", {}), values)
        add(facts, releases.get(release, {}), values)
    add(facts, layer.get("facts", {}), values)


def _published(families: Mapping[str, Plain], family: Plain, facts: Plain, values: dict[str, str]) -> bool:
    """Whether the architecture of a tag is published; a tag of one architecture narrows the platforms to it."""
    arch = values.get("arch")
    if arch is None:
        return True
    platform = (inherited(families, family, "architectures") or {}).get(arch, f"linux/{arch}")
    known = facts.get("platforms")
    if known is None:
        return True
    if platform not in known:
        return False
    facts["platforms"] = [platform]
    return True


def _extend(old: Any, more: Any) -> Any:
    if old is None:
        return more
    if isinstance(more, dict):
        return {**old, **{key: _extend(old.get(key), value) for key, value in more.items()}}
    return [*old, *more] if isinstance(more, list) else more


def _fill(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _HOLE.sub(lambda hole: _known(hole[1], values), value) if "{" in value else value
    if isinstance(value, list):
        return [_fill(item, values) for item in value]
    if isinstance(value, dict):
        return {_fill(key, values): _fill(item, values) for key, item in value.items()}
    return value


def _known(name: str, values: Mapping[str, str]) -> str:
    try:
        return values[name]
    except KeyError:
        raise _Unknown from None
