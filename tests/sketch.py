"""Subjects from the sketches in rule examples: a Dockerfile, perhaps with the files of its repository."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any, TypeVar

from lucid_audit.bases import Bases
from lucid_audit.catalogue import compiled
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.context import ContextSet, MemoryContext, candidates
from lucid_audit.dockerfile.parser import parse
from lucid_audit.dockerfile.stages import Settings
from lucid_audit.shellcheck import ShellCheck, program
from lucid_audit.text import SourceText
from tests.elf import sketched

T = TypeVar("T")
AS_OF = date(2026, 11, 23)


@cache
def bases() -> Bases:
    return Bases(compiled()["bases"])


def sketch(text: str, example: Mapping[str, Any] | None = None) -> Build:
    """Build the subject of an example; keys as in ``rules/rule.schema.json``."""
    example = example or {}
    path = example.get("file", "Dockerfile")
    settings = Settings(
        bases(),
        date.fromisoformat(example["as_of"]) if "as_of" in example else AS_OF,
        example.get("build_args", {}),
        example.get("platform", ""),
        example.get("target", ""),
        tuple(example.get("platforms", ())),
    )
    build = Build(parse(SourceText(path, text)), settings, _contexts(path, text, example))
    build.examiner = ShellCheck(program(), 1)
    return build


def made(data: Any) -> str | bytes:
    """Return a file of a sketch: a text, or a program when it is a mapping such as ``{elf: arm64, needed: [libx.so.1]}``."""
    if not isinstance(data, Mapping):
        return str(data)
    return sketched(data)


def _is_link(data: str | bytes) -> bool:
    return isinstance(data, str) and data.startswith("-> ")


def _contexts(path: str, text: str, example: Mapping[str, Any]) -> ContextSet | None:
    if "context" not in example:
        return None
    given = {name: made(data) for name, data in example["context"].items()}
    files = {**{name: data for name, data in given.items() if not _is_link(data)}, path: text}
    links = {name: str(data).removeprefix("-> ") for name, data in given.items() if _is_link(data)}
    modes = {name: int(mode, 8) for name, mode in example.get("modes", {}).items()}
    folder = path.rpartition("/")[0]

    def below(root: str) -> MemoryContext:
        above = f"{root}/" if root else ""

        def inner(given: Mapping[str, T]) -> dict[str, T]:
            return {name.removeprefix(above): value for name, value in given.items() if name.startswith(above)}

        return MemoryContext(
            inner(files),
            name=root or ".",
            dockerfile=path.removeprefix(above),
            links=inner(links),
            modes=inner(modes),
        )

    declared = example.get("use_context")
    explicit = below("" if declared == "." else declared) if declared is not None else None
    return candidates(explicit=explicit, own=below(folder), repository=below("") if folder else None)
