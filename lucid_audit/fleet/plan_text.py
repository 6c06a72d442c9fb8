"""A plan as text: the entries that were found, each with a comment that says where, and what contradicts what."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator

from lucid_audit.fleet.propose import Entry, Proposal, named
from lucid_audit.report.escape import visible

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./:@+-]*")
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?")
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"))
HEAD = """\
# Written by `lucid-audit fleet init`: the services of this repository and how each is built, by its own files.
# Change it as you like. `lucid-audit fleet --no-images` judges the Dockerfiles, `lucid-audit fleet` the images as well.
version: 1
"""


def render(found: Proposal, folder: str) -> str:
    """Return the plan. ``folder`` is where it will stand: its paths count from there."""
    return HEAD + "".join(f"{line}\n" for line in _lines(found, folder))


def _lines(found: Proposal, folder: str) -> Iterator[str]:
    yield "services:"
    for name, entry in named(found.entries):
        yield from _entry(name, entry, folder)
    for title, lines in (
        ("Images that services use and nothing here builds; add the ones that are yours:", found.unbuilt),
        ("Builds that could not be told from the text:", found.unknown),
        ("Dockerfiles that nothing here builds:", found.unused),
    ):
        if lines:
            yield "\n# " + title
            yield from (f"#   {visible(line)}" for line in lines)


def _entry(name: str, entry: Entry, folder: str) -> Iterator[str]:
    yield ""
    yield f"  # found: {visible(', '.join(dict.fromkeys(one.said for one in entry.said)))}"
    yield from (f"  # contradiction: {visible(note)}" for note in entry.notes)
    unknown = dict.fromkeys(reason for one in entry.said for reason in one.unknown)
    yield from (f"  # not known: {visible(reason)}" for reason in unknown)
    yield f"  - name: {_scalar(name)}"
    tags = entry.tags
    if tags:
        yield f"    image: {_scalar(entry.image)}"
    elif entry.names:
        yield f"    image: {_scalar(min(entry.names))} # with which tag is not known"
    yield f"    dockerfile: {_scalar(os.path.relpath(entry.dockerfile, folder))}"
    context, _ = entry.pick("context")
    if context:
        yield f"    context: {_scalar(os.path.relpath(str(context), folder))}"
    if entry.build.target:
        yield f"    target: {_scalar(entry.build.target)}"
    if entry.build.args:
        yield "    args:"
        yield from (f"      {_scalar(key)}: {_scalar(value)}" for key, value in entry.build.args.items())
    platforms, _ = entry.pick("platforms")
    fit = [one for one in platforms if _PLATFORM.fullmatch(one)] if isinstance(platforms, tuple) else []
    if fit:
        yield f"    platforms: [{', '.join(dict.fromkeys(fit))}]"
    port, _ = entry.pick("port")
    if port:
        yield f"    port: {port}"
    health, _ = entry.pick("health")
    if health:
        yield f"    health: {_scalar(str(health))}"
    more = [tag for tag in tags if tag != entry.image]
    if more:
        yield f"    tags: [{', '.join(map(_scalar, more))}]"


def _scalar(value: str) -> str:
    """Return a YAML scalar that reads as this very text."""
    number = re.fullmatch(r"[-+.0-9][-+.0-9a-fA-FxXoOeE_:]*", value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS and not value.endswith(":") and not number:
        return value
    return json.dumps(value)
