"""Builds in GitLab pipelines: the shell text of their jobs.

Source: GitLab CI/CD YAML reference (script, before_script, default, variables). What a job extends or includes is not followed.
"""

from __future__ import annotations

from lucid_audit.builders.command import BuildCommand
from lucid_audit.builders.expand import Values
from lucid_audit.builders.scripts import Shell
from lucid_audit.builders.yamlpieces import Pipeline, Reader
from lucid_audit.builders.yamltree import YamlError
from lucid_audit.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
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


def gitlab(path: str, text: str, root: str) -> Pipeline:
    """Return the builds of a pipeline."""
    try:
        reader = Reader(path, text)
    except YamlError as error:
        return Pipeline((), str(error))
    data = reader.document.data
    if not isinstance(data, dict):
        return Pipeline()
    found: list[BuildCommand] = []
    raw_default = data.get("default")
    default: dict[str, Any] = raw_default if isinstance(raw_default, dict) else {}
    for name, job in data.items():
        if not isinstance(job, dict) or name in _WORDS or "script" not in job:
            continue
        known = _gitlab_variables(root, data.get("variables"), job.get("variables"))
        shell = Shell(path, root, (root,), known, kind="pipeline")
        holder, first = next(
            ((h, p) for h, p in ((job, (name,)), (default, ("default",)), (data, ())) if "before_script" in h), ({}, ())
        )
        for raw, place in ((holder.get("before_script"), (*first, "before_script")), (job["script"], (name, "script"))):
            items = raw if isinstance(raw, list) else [raw]
            for number, item in enumerate(items):
                if isinstance(item, str):
                    at: Path = (*place, number) if isinstance(raw, list) else place
                    found += shell.run(reader.piece(at, item))
    return Pipeline(tuple(found))


def _gitlab_variables(root: str, *raws: object) -> dict[str, Value]:
    """Return the variables that a pipeline sets; one that is made of others is known when they are."""
    values = Values({"CI_PROJECT_DIR": root}, "", root)
    for raw in raws:
        for name, value in raw.items() if isinstance(raw, dict) else ():
            text = value.get("value") if isinstance(value, dict) else value
            if isinstance(text, str):
                values.known[name] = values.text(f'"{text}"', root) if '"' not in text and "`" not in text else text
    return values.known
