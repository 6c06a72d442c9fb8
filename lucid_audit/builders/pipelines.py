"""Builds in GitLab pipelines: the shell text of their jobs.

Source: GitLab CI/CD YAML reference (script, before_script, default, variables, extends, ``!reference``, include:local). What a job
extends is merged as there: variables name by name, lists as a whole. Files of other projects, remote ones and templates are not read.
"""

from __future__ import annotations

import os

from lucid_audit.builders.builder import Trouble, read
from lucid_audit.builders.command import BuildCommand
from lucid_audit.builders.expand import Values
from lucid_audit.builders.scripts import Shell
from lucid_audit.builders.yamlpieces import Pipeline, Reader
from lucid_audit.builders.yamltree import YamlError
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from lucid_audit.yamlsource import Path

_WORDS = frozenset(
    (
        "default",
        "variables",
        "include",
        "stages",
        "workflow",
        "image",
        "services",
        "cache",
        "before_script",
        "after_script",
        "spec",
    )
)


DEPTH = 11  # of extends, as GitLab has it; of references 10
FILES = 100  # that are included
STEPS = 20_000  # jobs and lists that one pipeline's extends and references lead to


class _Part(NamedTuple):
    """A value of a pipeline, and where it stands."""

    reader: Reader
    at: Path
    value: Any


def gitlab(path: str, text: str, root: str) -> Pipeline:
    """Return the builds of a pipeline, also of local files that it includes and that are no pipelines by their name."""
    try:
        reader = Reader(path, text)
    except YamlError as error:
        return Pipeline((), str(error))
    if not isinstance(reader.document.data, dict):
        return Pipeline()
    files = [reader]
    _include(reader, root, files)
    sources = _Sources(files)
    found: list[BuildCommand] = []
    for one in files:
        if one is not reader and _read_for_itself(one.source.path, root):
            continue
        for name, job in one.document.data.items():
            if isinstance(job, dict) and name not in _WORDS:
                found += _job(sources, name, root)
    return Pipeline(tuple(found))


def _read_for_itself(path: str, root: str) -> bool:
    from lucid_audit.builders.written import kind_of  # noqa: PLC0415  (which calls this)

    return kind_of(os.path.relpath(path, root)) == "pipeline"


def _include(reader: Reader, root: str, files: list[Reader]) -> None:
    """Read the local files that a file includes, and those that they include. What cannot be read is left out."""
    raw = reader.document.data.get("include")
    for entry in raw if isinstance(raw, list) else [raw]:
        name = entry.get("local") if isinstance(entry, dict) else entry
        if not isinstance(name, str) or "://" in name or "$" in name or "*" in name or len(files) > FILES:
            continue
        path = os.path.normpath(os.path.join(root, name.lstrip("/")))
        text = read(path, root)
        if isinstance(text, Trouble) or any(one.source.path == path for one in files):
            continue
        try:
            other = Reader(path, text)
        except YamlError:
            continue
        if isinstance(other.document.data, dict):
            files.append(other)
            _include(other, root, files)


class _Sources:
    """The files of one pipeline, the main one first: its word counts over what it includes."""

    def __init__(self, files: list[Reader]) -> None:
        self.files = files
        self._left = STEPS

    def top(self, name: str) -> _Part | None:
        """Return what stands under a name at the top."""
        return next(
            (_Part(one, (name,), one.document.data[name]) for one in self.files if name in one.document.data), None
        )

    def keys(self, name: str, seen: tuple[str, ...] = ()) -> dict[str, list[_Part]]:
        """Return the keys of a job, each with all that is said of it, what counts most first."""
        job = self.top(name)
        self._left -= 1
        if self._left < 0 or job is None or not isinstance(job.value, dict) or name in seen or len(seen) >= DEPTH:
            return {}
        found = {key: [_Part(job.reader, (name, key), value)] for key, value in job.value.items()}
        parents = job.value.get("extends")
        for parent in reversed(parents if isinstance(parents, list) else [parents]):
            if isinstance(parent, str):
                for key, parts in self.keys(parent, (*seen, name)).items():
                    found.setdefault(key, []).extend(parts)
        return found

    def lines(self, part: _Part, depth: int = 0) -> Iterator[_Part]:
        """Yield the texts of a script, in order: lists in it are flattened, references replaced by what they name."""
        if isinstance(part.value, str):
            yield part
            return
        self._left -= 1
        if not isinstance(part.value, list) or depth >= DEPTH or self._left < 0:
            return
        named = self._referred(part.value) if depth else None
        if named is not None:
            yield from self.lines(named, depth + 1)
            return
        for number, item in enumerate(part.value):
            yield from self.lines(_Part(part.reader, (*part.at, number), item), depth + 1)

    def _referred(self, words: list[Any]) -> _Part | None:
        """Return what ``!reference [job, key]`` names, None for a list that is none."""
        if len(words) < 2 or not all(isinstance(word, str) for word in words):
            return None
        keys = self.keys(words[0]) if words[0] not in _WORDS else {}
        parts = keys.get(words[1], [])
        if not parts:
            top = self.top(words[0])
            if top is None or not isinstance(top.value, dict) or words[1] not in top.value:
                return None
            parts = [_Part(top.reader, (words[0], words[1]), top.value[words[1]])]
        found: _Part | None = parts[0]
        for word in words[2:]:
            found = (
                _Part(found.reader, (*found.at, word), found.value[word])
                if found and isinstance(found.value, dict) and word in found.value
                else None
            )
        return found


def _job(sources: _Sources, name: str, root: str) -> Iterator[BuildCommand]:
    keys = sources.keys(name)
    if "script" not in keys:
        return
    default = sources.top("default")
    before = keys.get("before_script", [])[:1]
    if not before and default is not None and isinstance(default.value, dict) and "before_script" in default.value:
        before = [_Part(default.reader, ("default", "before_script"), default.value["before_script"])]
    elif not before:
        top = sources.top("before_script")
        before = [top] if top is not None else []
    general = [one.document.data.get("variables") for one in reversed(sources.files)]
    own = [part.value for part in reversed(keys.get("variables", []))]
    known = _gitlab_variables(root, *general, *own)
    shell = Shell("", root, (root,), known, kind="pipeline")
    for part in (*before, *keys["script"][:1]):
        for line in sources.lines(part):
            shell.file = line.reader.source.path  # one session, whichever file its text stands in
            yield from shell.run(line.reader.piece(line.at, line.value))


def _gitlab_variables(root: str, *raws: object) -> dict[str, Value]:
    """Return the variables that a pipeline sets; one that is made of others is known when they are."""
    values = Values({"CI_PROJECT_DIR": root}, "", root)
    for raw in raws:
        for name, value in raw.items() if isinstance(raw, dict) else ():
            text = value.get("value") if isinstance(value, dict) else value
            if isinstance(text, str):
                values.known[name] = values.text(f'"{text}"', root) if '"' not in text and "`" not in text else text
    return values.known
