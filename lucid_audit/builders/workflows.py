"""Builds in GitHub workflows: steps of docker/build-push-action, and the shell text of other steps.

Source: GitHub Actions workflow syntax (matrix, env, defaults.run), docker/build-push-action and docker/metadata-action inputs.
"""

from __future__ import annotations

import itertools
import os
import re

from lucid_audit.builders.command import Baked, BuildCommand
from lucid_audit.builders.scripts import Shell
from lucid_audit.builders.yamlpieces import Pipeline, Reader
from lucid_audit.builders.yamltree import YamlError
from lucid_audit.record import replace
from lucid_audit.values import Unknown, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from lucid_audit.yamlsource import Path

ROWS = 100  # of one matrix
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_DOTTED = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)+")
_BUILD_ACTION = re.compile(
    r"(?:docker/build-push-action|mr-smithers-excellent/docker-build-push|redhat-actions/buildah-build)@"
)
_BAKE_ACTION = re.compile(r"docker/bake-action@")
_META_ACTION = re.compile(r"docker/metadata-action@")
_CHECKOUT = re.compile(r"actions/checkout@")


def github(path: str, text: str, root: str) -> Pipeline:
    """Return the builds of a workflow or of a composite action."""
    try:
        reader = Reader(path, text)
    except YamlError as error:
        return Pipeline((), str(error))
    data = reader.document.data
    if not isinstance(data, dict):
        return Pipeline()
    found: list[BuildCommand] = []
    jobs = data.get("jobs")
    for name, job in jobs.items() if isinstance(jobs, dict) else ():
        if isinstance(job, dict):
            found += _job(reader, ("jobs", name), job, data, root)
    runs = data.get("runs")
    if isinstance(runs, dict) and isinstance(runs.get("steps"), list):
        found += _steps(reader, ("runs",), runs, {}, {}, root)
    return Pipeline(tuple(found))


def _job(reader: Reader, at: Path, job: dict[str, Any], workflow: dict[str, Any], root: str) -> Iterator[BuildCommand]:
    strategy = job.get("strategy")
    for row in _rows(strategy.get("matrix") if isinstance(strategy, dict) else None):
        yield from _steps(reader, at, job, row, workflow, root)


def _rows(matrix: object) -> list[dict[str, Any]]:
    """Return the combinations of a matrix: ``include`` widens those it fits, or adds one of its own."""
    if not isinstance(matrix, dict):
        return [{}]
    axes = {
        name: values
        for name, values in matrix.items()
        if name not in ("include", "exclude") and isinstance(values, list)
    }
    rows: list[dict[str, Any]] = (
        [dict(zip(axes, row, strict=True)) for row in itertools.islice(itertools.product(*axes.values()), ROWS)]
        if axes
        else []
    )
    excluded, included = (_list(matrix.get(key)) for key in ("exclude", "include"))
    for out in excluded:
        rows = [row for row in rows if not (isinstance(out, dict) and all(row.get(k) == v for k, v in out.items()))]
    originals = [dict(row) for row in rows]
    for more in included:
        if not isinstance(more, dict):
            continue
        fits = [n for n, one in enumerate(originals) if all(one[k] == v for k, v in more.items() if k in one)]
        for number in fits:
            rows[number].update(more)
        if not fits:
            rows.append(dict(more))
    return rows[:ROWS] or [{}]


def _list(raw: object) -> list[Any]:
    return raw if isinstance(raw, list) else []


class _Scope:
    """What expressions of one step may name."""

    def __init__(self, row: Mapping[str, Any], env: Mapping[str, Value], root: str) -> None:
        self.row, self.env, self.root = row, env, root

    def value(self, expression: str) -> Value:
        inner = expression.strip()
        unknown = Unknown(f"${{{{ {inner} }}}} is known only when the workflow runs")
        if not _DOTTED.fullmatch(inner):
            return unknown
        first, *rest = inner.split(".")
        if first == "env" and len(rest) == 1:
            return self.env.get(rest[0], unknown)
        if inner == "github.workspace":
            return self.root
        found: Any = self.row if first == "matrix" else None
        for name in rest if first == "matrix" else ():
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, str) else unknown

    def text(self, raw: object) -> Value:
        """Return a text with its expressions replaced, unknown when one of them is."""
        if not isinstance(raw, str):
            return Unknown("it is no text")
        parts, at = [], 0
        for match in _EXPRESSION.finditer(raw):
            value = self.value(match[1])
            if isinstance(value, Unknown):
                return value
            parts += [raw[at : match.start()], value]
            at = match.end()
        return "".join(parts) + raw[at:]

    def shell(self, raw: str) -> tuple[str, dict[str, Value]]:
        """Return shell text in which every expression is a variable of the same length, and those variables."""
        known: dict[str, Value] = {}

        def variable(match: re.Match[str]) -> str:
            name = f"g{len(known)}".ljust(len(match[0]) - 3, "_")
            known[name] = self.value(match[1])
            return f"${{{name}}}"

        return _EXPRESSION.sub(variable, raw), known


def _environment(scope: _Scope, *raws: object) -> dict[str, Value]:
    env = dict(scope.env)
    for raw in raws:
        for name, value in raw.items() if isinstance(raw, dict) else ():
            env[name] = _Scope(scope.row, env, scope.root).text(value)
    return env


def _steps(
    reader: Reader, at: Path, job: dict[str, Any], row: dict[str, Any], workflow: dict[str, Any], root: str
) -> Iterator[BuildCommand]:
    steps = job.get("steps")
    steps = steps if isinstance(steps, list) else []
    base: dict[str, Value] = {"GITHUB_WORKSPACE": root}
    env = _environment(_Scope(row, base, root), workflow.get("env"), job.get("env"))
    metadata: dict[str, tuple[str, ...]] = {}
    made, elsewhere, moved = False, "", ""
    for number, step in enumerate(steps):
        if not isinstance(step, dict):
            continue
        place = (*at, "steps", number)
        scope = _Scope(row, _environment(_Scope(row, env, root), step.get("env")), root)
        uses, options = str(step.get("uses") or ""), step.get("with")
        given: dict[str, Any] = options if isinstance(options, dict) else {}
        if _CHECKOUT.match(uses):
            if given.get("repository") and "github.repository" not in str(given["repository"]):
                elsewhere = str(given.get("path") or ".")
            elif isinstance(given.get("path"), str):
                moved = given["path"]
        elif _META_ACTION.match(uses) and step.get("id"):
            metadata[str(step["id"])] = _lines(scope, given.get("images"))[0]
        elif _BAKE_ACTION.match(uses):
            yield _shifted(_bake_step(reader, place, given, scope), moved, elsewhere, made)
        elif _BUILD_ACTION.match(uses):
            build = _action(reader, place, given, scope, metadata)
            yield _shifted(build, moved, elsewhere, made)
        if isinstance(step.get("run"), str):
            folder = _folder(scope, root, step.get("working-directory"), job, workflow)
            text, known = scope.shell(step["run"])
            shell = Shell(reader.source.path, root, folder, {**scope.env, **known}, kind="workflow")
            shell.made = made
            for build in shell.run(reader.piece((*place, "run"), text, step["run"])):
                yield _shifted(build, moved, elsewhere, build.made)
            made = shell.made
        made = made or "download-artifact" in uses


def _shifted(build: BuildCommand, moved: str, elsewhere: str, made: bool) -> BuildCommand:
    """Count paths from where the checkout put the repository; what another checkout brings is not known."""
    texts = [one for one in (build.context, build.dockerfile) if isinstance(one, str)]
    if elsewhere and (elsewhere == "." or any(_below(one, elsewhere) is not None for one in texts)):
        return replace(build, folders=(), made=True)
    if not moved:
        return replace(build, made=made)
    context = _below(build.context, moved) if isinstance(build.context, str) else None
    file = _below(build.dockerfile, moved) if isinstance(build.dockerfile, str) else None
    return replace(
        build, made=made,
        context=context if context is not None else build.context,
        dockerfile=file if file is not None else build.dockerfile,
    )  # fmt: skip


def _below(path: str, folder: str) -> str | None:
    clean, top = os.path.normpath(path), os.path.normpath(folder)
    return "." if clean == top else clean.removeprefix(f"{top}/") if clean.startswith(f"{top}/") else None


def _folder(scope: _Scope, root: str, own: object, job: dict[str, Any], workflow: dict[str, Any]) -> tuple[str, ...]:
    raw = own
    for holder in (job, workflow):
        defaults = holder.get("defaults")
        run = defaults.get("run") if isinstance(defaults, dict) else None
        raw = raw if raw is not None or not isinstance(run, dict) else run.get("working-directory")
    if raw is None:
        return (root,)
    text = scope.text(raw)
    folder = os.path.normpath(os.path.join(root, text)) if isinstance(text, str) else ""
    return (folder,) if folder and os.path.isdir(folder) else ()


def _lines(scope: _Scope, raw: object) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the known entries of a list in text, names of which only the tag is not known, and why others are not."""
    known: list[str] = []
    names: list[str] = []
    hidden: list[str] = []
    items = raw if isinstance(raw, list) else re.split(r"[\n,](?![^{]*\}\})", raw) if isinstance(raw, str) else []
    for line in (str(item).strip() for item in items):
        value = scope.text(line)
        if not line or line.startswith("#"):
            continue
        if isinstance(value, str):
            known.append(value)
            continue
        hidden.append(value.reason)
        masked = _EXPRESSION.sub(lambda match: "x" * len(match[0]), line)
        colon = masked.rfind(":")
        name = scope.text(line[:colon]) if colon > masked.rfind("/") else value
        if isinstance(name, str) and name:
            names.append(name)
    return tuple(known), tuple(names), tuple(hidden)


def _bake_step(reader: Reader, at: Path, given: dict[str, Any], scope: _Scope) -> BuildCommand:
    """Return what a step of docker/bake-action runs: its lists are of lines or commas, its paths count from ``workdir``."""
    lists: list[tuple[Value, ...]] = []
    for key in ("files", "targets"):
        known, _, hidden = _lines(scope, given.get(key))
        lists.append((*known, *map(Unknown, hidden)))
    folder = scope.text(given.get("workdir") or ".")
    folders = (os.path.normpath(os.path.join(scope.root, folder)),) if isinstance(folder, str) else ()
    source = str(given.get("source") or ".")
    remote = "" if source in (".", "./") or "github.repository" in source else "the files come from another repository"
    return BuildCommand(
        reader.source.path, reader.span((*at, "uses")), "workflow step", folders, ".",
        open=remote, bake=Baked(lists[0], lists[1]),
    )  # fmt: skip


def _action(
    reader: Reader, at: Path, given: dict[str, Any], scope: _Scope, metadata: Mapping[str, tuple[str, ...]]
) -> BuildCommand:
    """Return the build of one step. Its paths count from the workspace; without a context it is the whole repository."""
    tags, names, hidden = _lines(scope, given.get("tags"))
    for name, images in metadata.items():
        if f"steps.{name}." in str(given.get("tags")):
            names = (*names, *images)
    context = scope.text(given["context"]) if given.get("context") else "."
    if isinstance(context, str) and ("{{defaultContext}}" in context or context.startswith("https://github.com/")):
        context = Unknown("the context is a repository")
    file = given.get("file", given.get("dockerfile", given.get("containerfiles")))
    platforms, _, unknown = _lines(scope, given.get("platforms"))
    args: dict[str, str | None] = {}
    for line in re.split(r"\n", str(given.get("build-args") or "")):
        name, equals, raw = line.strip().partition("=")
        if name and equals:
            value = scope.text(raw)
            args[name] = value if isinstance(value, str) else None
    return BuildCommand(
        reader.source.path,
        reader.span((*at, "uses")),
        "workflow step",
        (scope.root,),
        context,
        scope.text(file) if file else None,
        tags,
        names,
        hidden,
        Unknown(unknown[0]) if unknown else platforms,
        args,
        scope.text(given["target"]) if given.get("target") else "",
    )
