"""From what a repository says to the services of a plan, and where two places contradict each other. Pure but for paths."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from lucid_audit import reference
from lucid_audit.fleet.evidence import RANKS, Evidence, Repository

SHOWN = 4  # places of one contradiction
_NAME = re.compile(r"[^A-Za-z0-9_.-]+")
_GENERIC = frozenset(("docker", "build", "dockerfile", "container", "containers", "images", "src", "app", "."))


class Entry:
    """One service to be, with all that is said of it; the first counts."""

    def __init__(self, first: Evidence) -> None:
        self.said = [first]
        self.notes: list[str] = []

    def pick(self, field: str) -> tuple[object, Evidence | None]:
        """Return the value of a field from the strongest that gives it, and who that is."""
        for one in self.said:
            value = getattr(one, field)
            if value:
                return value, one
        return None, None

    @property
    def dockerfile(self) -> str:
        """The Dockerfile, "" when nobody names one."""
        return str(self.pick("dockerfile")[0] or "")

    @property
    def tags(self) -> tuple[str, ...]:
        """All names with tags, the strongest first."""
        return tuple(dict.fromkeys(tag for one in self.said for tag in one.tags))

    @property
    def image(self) -> str:
        """The name and tag that count: the strongest that a registry would know, else the strongest."""
        tags = self.tags
        return next((tag for tag in tags if "/" in tag), tags[0] if tags else "")

    @property
    def build(self) -> Evidence:
        """The strongest that says how it is built."""
        return next((one for one in self.said if one.dockerfile), self.said[0])

    @property
    def names(self) -> set[str]:
        """All image names without tags."""
        return {repository(one) for one in (*self.tags, *(name for said in self.said for name in said.names))}


class Proposal:
    """The entries of a plan, what contradicts what, and what belongs to no entry."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.contradictions: list[str] = []
        self.unbuilt: list[str] = []
        self.unknown: list[str] = []
        self.unused: list[str] = []


def propose(found: Repository) -> Proposal:
    """Return the plan that a repository's own words make."""
    made = Proposal()
    images: list[Evidence] = []
    for one in found.evidence:
        if not one.dockerfile and one.kind == "service":
            images.append(one)  # it only names an image
        elif not one.dockerfile or (one.missing and one.rank == RANKS["document"]):
            why = (
                "; ".join(one.unknown)
                if not one.dockerfile
                else f"there is no {one.missing}: {_shown(one, found.root)}"
            )
            made.unknown.append(f"{one.said}: {why}")
        else:
            entry = _entry(made.entries, one)
            if entry is None:
                made.entries.append(Entry(one))
            elif one not in entry.said:
                entry.said.append(one)
    for one in images:
        entry = next((e for e in made.entries if _same_image(e, one)), None)
        if entry is None:
            made.unbuilt.append(f"{one.name} ({', '.join(one.tags)}), {one.place}")
        else:
            entry.said.append(one)
    for entry in made.entries:
        entry.said.sort(key=lambda one: one.rank)
        entry.notes = list(_contradictions(entry, found.root))
    used = {os.path.realpath(one.dockerfile) for entry in made.entries for one in entry.said if one.dockerfile}
    made.unused = [
        os.path.relpath(file, found.root) for file in found.dockerfiles if os.path.realpath(file) not in used
    ]
    for name, entry in named(made.entries):
        made.contradictions += [f"{name}: {note}" for note in entry.notes]
    return made


def _shown(one: Evidence, root: str) -> str:
    return os.path.relpath(one.context if one.missing == "context" else one.dockerfile, root)


def repository(tag: str) -> str:
    """Return an image's name without tag and digest, in full."""
    ref = reference.parse(tag)
    return ref.name if ref is not None else tag


def full(tag: str) -> str:
    """Return an image's name with its tag, in full."""
    ref = reference.parse(tag)
    return f"{ref.name}:{ref.tag or 'latest'}" if ref is not None else tag


def _same_image(entry: Entry, one: Evidence) -> bool:
    wanted = {full(tag) for tag in one.tags}
    return bool(wanted & {full(tag) for tag in entry.tags}) or bool({repository(tag) for tag in one.tags} & entry.names)


def _entry(entries: Sequence[Entry], one: Evidence) -> Entry | None:
    """Return the entry that tells of the same service: the same image, else the same build under no other name."""
    full_names = {full(tag) for tag in one.tags}
    names = {repository(tag) for tag in (*one.tags, *one.names)}
    lasts = {name.rpartition("/")[2] for name in names}
    for entry in entries:
        if full_names & {full(tag) for tag in entry.tags}:
            return entry
    same = [e for e in entries if _same_build(e, one)]
    for entry in same:
        if (
            not names
            or not entry.names
            or names & entry.names
            or lasts & {name.rpartition("/")[2] for name in entry.names}
        ):
            return entry
    if same and one.rank == RANKS["document"]:
        return same[0]
    services = [
        e for e in entries if one.kind == "service" and e.said[0].kind == "service" and e.said[0].name == one.name
    ]
    beside = [e for e in services if os.path.dirname(e.said[0].place) == os.path.dirname(one.place)]
    return beside[0] if beside else None


def _same_build(entry: Entry, one: Evidence) -> bool:
    first = entry.said[0]
    if not one.dockerfile or os.path.realpath(entry.dockerfile) != os.path.realpath(one.dockerfile):
        return False
    if max(one.rank, first.rank) <= RANKS["bake target"] and one.args != first.args:
        return False  # declared twice with other arguments: two images
    return not one.target or not first.target or one.target == first.target


def _contradictions(entry: Entry, root: str) -> Iterator[str]:
    """Yield what is said otherwise than the entry has it, each value once with all its places."""
    builds = [one for one in entry.said if one.dockerfile]
    for field, what in (
        ("dockerfile", "Dockerfile"),
        ("context", "build context"),
        ("target", "target"),
        ("platforms", "platforms"),
    ):
        told = builds if field == "target" else [one for one in builds if getattr(one, field)]
        if not told:
            continue
        chosen = getattr(told[0], field)
        others: dict[object, list[Evidence]] = {}
        for one in told[1:]:
            if _key(getattr(one, field)) != _key(chosen):
                others.setdefault(_key(getattr(one, field)), []).append(one)
        for found in others.values():
            value = _words(getattr(found[0], field), root)
            yield f"{what} is {value} in {_places(found)}, {_words(chosen, root)} in {told[0].said}"
    yield from _names(entry)
    for one in entry.said:
        if one.missing:
            yield f"there is no {one.missing} {_shown(one, root)}, which {one.said} names"


def _names(entry: Entry) -> Iterator[str]:
    """Yield the images that are called otherwise than by the first who names one."""
    first = next((one for one in entry.said if entry.image in one.tags), None)
    if first is None:
        return
    have = {full(tag) for tag in first.tags}
    others: dict[str, list[Evidence]] = {}
    for one in entry.said:
        for tag in one.tags:
            if full(tag) not in have:
                others.setdefault(full(tag), []).append(one)
    for found in others.values():
        tag = next(tag for tag in found[0].tags if full(tag) not in have and found[0] in others[full(tag)])
        have.add(full(tag))
        yield f"the image is {tag} in {_places(found)}, {entry.image} in {first.said}"


def _places(found: Sequence[Evidence]) -> str:
    places = list(dict.fromkeys(one.said for one in found))
    more = f" and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    return ", ".join(places[:SHOWN]) + more


def _key(value: object) -> object:
    return (
        tuple(sorted(value))
        if isinstance(value, tuple)
        else os.path.realpath(str(value))
        if str(value).startswith("/")
        else value
    )


def _words(value: object, root: str) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    text = str(value) or "the last stage"
    return os.path.relpath(text, root) if text.startswith("/") else text


def named(entries: Sequence[Entry]) -> list[tuple[str, Entry]]:
    """Return the entries with a name each: the service's, else the image's, else the Dockerfile's; no two are the same."""
    found: list[tuple[str, Entry]] = []
    taken: set[str] = set()
    for entry in entries:
        base = _NAME.sub("-", _called(entry)).strip("-._") or "service"
        base = base if base[0].isalnum() else f"s{base}"
        name, number = base, 2
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(name)
        found.append((name, entry))
    return found


def _called(entry: Entry) -> str:
    own = next((one.name for one in entry.said if one.name and one.dockerfile), "")
    if own:
        return own
    for name in (*(repository(tag) for tag in entry.tags), *sorted(entry.names)):
        return name.rpartition("/")[2]
    folder, file = os.path.split(entry.dockerfile)
    suffix = re.sub(r"(?i)^(?:docker|container)file[._ -]?|[._ -]?(?:docker|container)file$", "", file)
    base = os.path.basename(folder)
    return suffix or (base if base.lower() not in _GENERIC else os.path.basename(os.path.dirname(folder)) or base)
