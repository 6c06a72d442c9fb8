"""What a call of bake finds: its files and the targets that they have.

Source: docker/buildx ``bake/bake.go`` (``defaultFilenames``, ``ReadTargets``) and docker CLI reference of ``docker buildx bake``.
"""

from __future__ import annotations

import os
from difflib import get_close_matches

from lucid_audit.builders.bake import FILES, LIMIT
from lucid_audit.builders.bakesyntax import BakeSyntaxError, parse_hcl, parse_json
from lucid_audit.builders.builder import Trouble, read
from lucid_audit.builders.command import BuildCommand
from lucid_audit.builders.compose import MAIN
from lucid_audit.builders.yamltree import YamlError, load
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

DEFAULTS = (*MAIN, *FILES)
_ELSEWHERE = ("://", "#", "git@", "\0")


class Lacks(NamedTuple):
    """What a call names and is not there: "bake file" or "bake target", absolute paths for files; ``near`` may be meant."""

    what: str
    name: str
    near: tuple[str, ...] = ()


class Names(NamedTuple):
    """The targets, groups and services of some files; ``whole`` is False where there may be more."""

    names: frozenset[str]
    whole: bool = True
    services: bool = False


def lacks(command: BuildCommand, root: str) -> tuple[Lacks, ...] | Unknown:
    """Return what a call of bake names and is not there, unknown where that cannot be said."""
    baked = command.bake
    if baked is None or command.open:
        return Unknown(command.open or "it is no call of bake")
    words = [*baked.files, *baked.targets]
    for word in words:
        if isinstance(word, Unknown):
            return word
        if any(sign in word for sign in _ELSEWHERE) and not word.startswith("cwd://"):
            return Unknown("the files come from elsewhere")
    if "-" in words:
        return Unknown("the file comes from another program")
    if not command.folders:
        return Unknown("it is not known in which folder the command is run")
    files = [str(file).removeprefix("cwd://") for file in baked.files]
    targets = [str(target) for target in baked.targets]
    found = [_in(folder, files, targets, root) for folder in command.folders]
    whole = next((one for one in found if one == ()), None)
    if whole is not None:
        return whole
    if command.made:
        return Unknown("its script makes or fetches files first")
    return next((one for one in found if isinstance(one, Unknown) or one[0].what == "bake target"), found[0])


def _in(folder: str, files: list[str], targets: list[str], root: str) -> tuple[Lacks, ...] | Unknown:
    """Look from one folder."""
    paths = [os.path.normpath(os.path.join(folder, file)) for file in files]
    lost = [path for path in paths if not os.path.isfile(path)]
    if lost:
        return tuple(Lacks("bake file", path, _near(path)) for path in lost)
    if not files:
        paths = [path for path in (os.path.join(folder, name) for name in DEFAULTS) if os.path.isfile(path)]
        if not paths:
            return (
                Lacks(
                    "bake file", os.path.join(folder, "docker-bake.hcl"), _near(os.path.join(folder, "docker-bake.hcl"))
                ),
            )
    names = _names(paths, root)
    if isinstance(names, Unknown):
        return names
    wanted = [one for one in targets or (() if names.services else ("default",)) if "=" not in one]
    gone = [one for one in wanted if one not in names.names]
    if gone and (not names.whole or any(set("*?[") & set(one) for one in gone)):
        return Unknown(f"{gone[0]} may come of a matrix or a pattern")
    return tuple(Lacks("bake target", one, tuple(get_close_matches(one, sorted(names.names), 1, 0.6))) for one in gone)


def _names(paths: list[str], root: str) -> Names | Unknown:
    names: set[str] = set()
    whole, services = True, False
    for path in paths:
        text = read(path, root, LIMIT)
        if isinstance(text, Trouble):
            return Unknown(text.reason)
        try:
            if path.endswith((".yaml", ".yml")):
                data = load(path, text).data
                raw = data.get("services") if isinstance(data, dict) else None
                names.update(raw if isinstance(raw, dict) else ())
                services, whole = True, whole and not (isinstance(data, dict) and "include" in data)
                continue
            parsed = parse_json(text) if path.endswith(".json") else parse_hcl(text)
        except (YamlError, BakeSyntaxError) as error:
            return Unknown(str(error))
        named = [one for one in parsed.blocks if one.kind in ("target", "group")]
        names.update(one.name for one in named)
        whole = whole and not any({"matrix", "name"} & set(one.attributes) for one in named)
    return Names(frozenset(names), whole, services)


def _near(path: str) -> tuple[str, ...]:
    """Return bake files beside one that is not there."""
    folder, name = os.path.split(path)
    try:
        beside = [one for one in os.listdir(folder) if one.endswith((".hcl", ".json")) and "bake" in one]
    except OSError:
        return ()
    return tuple(os.path.join(folder, one) for one in get_close_matches(name, sorted(beside), 1, 0.6))
