"""What is known about a base image, from its reference alone: dated data and a lookup, no registry and no clock.

The catalogue is data (``rules/bases/*.yaml``, described in ``docs/bases.md`` and ``rules/bases.schema.json``); this
module reads it as plain mappings. A family names its repositories, a tag grammar, values derived from a tag or a date,
and layers of facts that apply when those values match. A fact the catalogue does not state is unknown and stays None.
"""

from __future__ import annotations

from lucid_audit import bases_rules as rules
from lucid_audit.dates import date
from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, KeysView, Mapping
    from typing import Any

    from lucid_audit.reference import ImageRef

    Plain = dict[str, Any]

_MISSING: Any = object()


class Libc(NamedTuple):
    """The C library: ``kind`` is ``glibc`` or ``musl``; ``version`` counts numerically, ``(2, 41)``, None if unknown."""

    kind: str
    version: tuple[int, ...] | None


class Interpreter(NamedTuple):
    """The language runtime: its real path, its version as far as the tag tells, and links that lead to it.

    ``release`` has all numbers, where they are the same whenever the image was built.
    """

    kind: str  # python, node, java, ...
    path: str
    version: str | None
    aliases: tuple[str, ...]
    release: str | None = None


class Entry(NamedTuple):
    """One known path: ``kind`` is ``d``, ``f`` or ``l``; mode and owner are None where they are not known."""

    kind: str
    mode: int | None
    uid: int | None
    gid: int | None
    target: str | None  # of a link, as stored


class Base(NamedTuple):
    """Facts about one base image reference on one day. None always means unknown; ``""`` means known to be none."""

    ref: ImageRef
    family: str
    release: str | None  # of its operating system: debian12, alpine3.20, ubuntu24.04
    distroless: bool
    tag_known: bool  # the tag, with its architecture, is one the publisher documents
    published_tags: tuple[
        str, ...
    ]  # documented tags without architecture suffixes; empty where only a grammar is known
    debug: bool | None
    shell: str | None
    package_manager: str | None
    user: str | None
    entrypoint: tuple[str, ...] | None
    cmd: tuple[str, ...] | None
    workdir: str | None
    env: Mapping[str, str]
    env_complete: bool  # ``env`` is all of it, so a name that is absent is not set
    libc: Libc | None
    interpreter: Interpreter | None
    python_paths: tuple[str, ...]  # sys.path of the interpreter, existing or not; without PYTHONPATH and user site
    platforms: tuple[str, ...] | None
    eol: date | None  # regular support ends on that day
    lts: date | None  # long-term support, where it is free and public, ends on that day
    eol_source: str | None
    removed: date | None  # no longer built or published; an old tag may still pull
    successor: str | None
    entries: Mapping[str, Entry]
    programs: frozenset[str]  # absolute paths of programs on PATH that are known
    closed: bool  # ``programs`` is all there is on PATH: a name that is not in it cannot be run
    values: Mapping[str, str]  # what the tag and the day gave: the tag, language version, suite, variant, arch
    dated: frozenset[str]  # names in ``values`` that follow the calendar: the same tag means another value another day
    source: tuple[str, ...]

    @property
    def has_shell(self) -> bool | None:
        """True, False, or None when it is not known."""
        return None if self.shell is None else self.shell != ""

    @property
    def present(self) -> KeysView[str]:
        """Paths known to exist."""
        return self.entries.keys()

    def ended(self, day: date) -> bool | None:
        """Whether regular support is over on a day; None when no end is known."""
        ends = [end for end in (self.eol, self.removed) if end is not None]
        return day >= min(ends) if ends else None


class Bases:
    """The catalogue. Lookups are memoised: the same reference and day give the same object."""

    def __init__(self, data: Mapping[str, Any], overrides: Mapping[str, Any] | None = None) -> None:
        """Index ``merge``'s mapping; ``overrides`` is a policy's ``bases`` section (``mirrors``, ``images``, ``families``)."""
        extra: Mapping[str, Any] = overrides or {}
        self.version: str = data.get("version", "")
        self.as_of: str = data.get("as_of", "")
        self._families: dict[str, Plain] = {**data["families"], **extra.get("families", {})}
        self._mirrors: list[tuple[str, str]] = sorted(extra.get("mirrors", {}).items(), key=lambda pair: -len(pair[0]))
        self._images: Mapping[str, Plain] = extra.get("images", {})
        self._exact: dict[str, tuple[Plain, Mapping[str, str]]] = {}
        self._prefixes: list[tuple[str, Plain, Mapping[str, str]]] = []
        for family in self._families.values():
            for name, values in family.get("repositories", {}).items():
                if name.endswith("/"):
                    self._prefixes.append((name, family, values or {}))
                else:
                    self._exact[name] = (family, values or {})
        self._memo: dict[tuple[str, str | None, str | None, date], Base | None] = {}

    def lookup(self, ref: ImageRef, as_of: date) -> Base | None:
        """Facts about a reference on a day; None when the catalogue does not have the repository."""
        key = (ref.name, ref.tag, ref.digest, as_of)
        found: Base | None = self._memo.get(key, _MISSING)
        if found is _MISSING:
            found = self._memo[key] = self._find(ref, as_of, frozenset())
        return found

    def families(self) -> tuple[str, ...]:
        """Names of all families, sorted."""
        return tuple(sorted(self._families))

    def repositories(self) -> tuple[str, ...]:
        """Names of all repositories known exactly, sorted: to suggest one for a misspelt name."""
        return tuple(sorted(self._exact))

    def _find(self, ref: ImageRef, as_of: date, seen: frozenset[str]) -> Base | None:
        declared = self._declared(ref)
        if declared is not None:
            return self._like(ref, declared, as_of, seen)
        hit = self._family(self._original(ref.name))
        if hit is None:
            return None
        family, fixed = hit
        found = rules.resolve(self._families, family, fixed, ref.tag, ref.digest is not None, as_of.isoformat())
        return build(ref, family, found, self._families)

    def _original(self, name: str) -> str:
        for prefix, target in self._mirrors:
            if name.startswith(prefix):
                return target + name[len(prefix) :]
        return name

    def _family(self, name: str) -> tuple[Plain, Mapping[str, str]] | None:
        hit = self._exact.get(name)
        if hit is not None:
            return hit
        for prefix, family, values in self._prefixes:
            if name.startswith(prefix):
                return family, {**values, "image": name[len(prefix) :]}
        return None

    def _declared(self, ref: ImageRef) -> Plain | None:
        if not self._images:
            return None
        tagged = f"{ref.name}:{ref.tag or 'latest'}"
        return self._images.get(tagged, self._images.get(ref.name))

    def _like(self, ref: ImageRef, declared: Plain, as_of: date, seen: frozenset[str]) -> Base | None:
        """A policy's own image: another one's facts with some replaced."""
        from lucid_audit.reference import parse  # noqa: PLC0415 - only policies with own images need it

        facts: Plain = {}
        base = None
        parent = parse(declared["like"]) if "like" in declared else None
        if parent is not None and parent.name not in seen:
            base = self._find(parent, as_of, seen | {ref.name})
        rules.add(facts, declared.get("facts", {}), {})
        own = build(
            ref, {"family": base.family if base else "policy"}, rules.Resolved(facts, {}, frozenset(), True), {}
        )
        if base is None:
            return own
        given = {name: getattr(own, name) for name in FIELDS if name in facts}
        if "env" in facts:
            given["env"] = {**base.env, **own.env}
        if "entries" in facts:
            given["entries"] = {**base.entries, **own.entries}
        return base._replace(ref=ref, tag_known=True, **given)


def merge(documents: Iterable[Mapping[str, Any]]) -> Plain:
    """Join family documents into the mapping ``Bases`` reads; its version and date are the newest of theirs."""
    families = {document["family"]: dict(document) for document in documents}
    return {
        "version": max((family["version"] for family in families.values()), key=_numbers, default=""),
        "as_of": max((family["as_of"] for family in families.values()), default=""),
        "families": families,
    }


def build(ref: ImageRef, family: Plain, found: rules.Resolved, families: Mapping[str, Plain]) -> Base:
    """Give plain facts their types. ``families`` is asked for the tags a parent documents."""
    facts = found.facts
    values = {
        name: default if facts.get(name) is None else convert(facts[name])
        for name, (convert, default) in FIELDS.items()
    }
    return Base(
        ref=ref,
        family=family["family"],
        tag_known=found.tag_known,
        published_tags=tuple(rules.inherited(families, family, "tags") or ()),
        values=found.values,
        dated=found.dated,
        source=tuple(family.get("source", ())),
        **values,
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _libc(value: str) -> Libc:
    kind, _, version = value.partition(" ")
    return Libc(kind, _numbers(version) or None)


def _interpreter(value: Plain) -> Interpreter:
    return Interpreter(
        value["kind"], value["path"], value.get("version"), tuple(value.get("aliases", ())), value.get("release")
    )


def _entry(text: str) -> Entry:
    """Read ``d 0755 0:0``, ``f 0644``, ``l target`` or a bare kind."""
    kind, _, rest = text.partition(" ")
    if kind == "l":
        return Entry("l", 0o777, 0, 0, rest or None)
    mode, _, owner = rest.partition(" ")
    uid, _, gid = owner.partition(":")
    if not mode:
        return Entry(kind, None, None, None, None)
    return Entry(kind, int(mode, 8), int(uid or 0), int(gid or uid or 0), None)


def _entries(value: Mapping[str, str]) -> dict[str, Entry]:
    return {path: _entry(text) for path, text in value.items()}


def _programs(value: Mapping[str, list[str]]) -> frozenset[str]:
    return frozenset(f"{folder}/{name}" for folder, names in value.items() for name in names)


def _same(value: Any) -> Any:
    return value


# fact in the data -> (its type, what it is when the data does not say)
FIELDS: dict[str, tuple[Any, Any]] = {
    "release": (_same, None),
    "distroless": (_same, False),
    "debug": (_same, None),
    "shell": (_same, None),
    "package_manager": (_same, None),
    "user": (_same, None),
    "entrypoint": (tuple, None),
    "cmd": (tuple, None),
    "workdir": (_same, None),
    "env": (_same, {}),
    "env_complete": (_same, False),
    "libc": (_libc, None),
    "interpreter": (_interpreter, None),
    "python_paths": (tuple, ()),
    "platforms": (tuple, None),
    "eol": (date.fromisoformat, None),
    "lts": (date.fromisoformat, None),
    "eol_source": (_same, None),
    "removed": (date.fromisoformat, None),
    "successor": (_same, None),
    "entries": (_entries, {}),
    "programs": (_programs, frozenset()),
    "closed": (_same, False),
}
