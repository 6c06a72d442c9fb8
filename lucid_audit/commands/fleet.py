"""``lucid-audit fleet``: a plan of services, judged as one."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click

from lucid_audit import audit, errors, ruleset
from lucid_audit.bases import Bases
from lucid_audit.catalogue import compiled
from lucid_audit.commands import fleet_init
from lucid_audit.deliver import write
from lucid_audit.dockerfile.stages import Settings
from lucid_audit.fleet import document as answer
from lucid_audit.fleet import plan_file, run, surroundings
from lucid_audit.fleet.changed import Change, concerned
from lucid_audit.fleet.complete import Completed, complete
from lucid_audit.fleet.evidence import Repository, survey
from lucid_audit.fleet.measured import Measured
from lucid_audit.fleet.plan import Plan
from lucid_audit.fleet.shown import Shown

FORMATS = ("text", "json", "markdown", "csv", "html")


class Group(click.Group):
    """``fleet PLAN`` is ``fleet run PLAN``: what is no command of its own is a plan or an option of ``run``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``run`` in front where no command is named."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group("fleet", cls=Group, options_metavar="", subcommand_metavar="[run] [PLAN] | init [FOLDER]")
def command() -> None:
    """Many services as one plan: lint, audit and compare them, one report. ``run`` may be left out."""


command.add_command(fleet_init.command)


def _outputs(context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, str]]:
    found = []
    for value in values:
        name, equals, file = value.partition("=")
        if name not in FORMATS or not equals or not file:
            raise click.BadParameter(f"{value!r} is not FORMAT=FILE with one of {', '.join(FORMATS)}", context)
        found.append((name, file))
    return found


@command.command("run")
@click.argument("plan", default=plan_file.NAME, metavar="[PLAN]")
@click.option("--profile", default="", metavar="NAME", help="recommended (default), strict, lucid or lucid-overlay.")
@click.option("--policy", default="", metavar="FILE", help="Policy. Default: the nearest one to the plan.")
@click.option(
    "--images/--no-images", default=True, show_default=True, help="Read the images too, not only the Dockerfiles."
)
@click.option(
    "--platform", multiple=True, metavar="OS/ARCH", help="Platforms of an index to audit; repeat it. Default: all."
)
@click.option("--source", default="auto", show_default=True, type=click.Choice(["auto", "registry", "engine", "layout", "archive"]), help="Where images are.")  # fmt: skip
@click.option(
    "--mirror", "mirrors", multiple=True, metavar="REGISTRY=HOST", help="Ask HOST before REGISTRY; repeat it."
)
@click.option(
    "--insecure-registry", "insecure", multiple=True, metavar="HOST", help="Allow plain HTTP to HOST; repeat it."
)
@click.option("--changed-since", default="", metavar="REVISION", help="Only services whose Dockerfile, base or what is copied from the build context differs from REVISION, and build commands and compose services in files that do or of such builds.")  # fmt: skip
@click.option("--earlier", default="", metavar="FILE", help="An earlier report in JSON, to say what has changed.")
@click.option("--state", default="", metavar="FILE", help="Where to remember what is done. Default: beside the plan; a killed run goes on.")  # fmt: skip
@click.option("--jobs", default=0, type=click.IntRange(0, 32), metavar="N", help="Services in work at once. Default: one for each processor, 2 to 4.")  # fmt: skip
@click.option("--no-resume", is_flag=True, help="Begin anew, whatever an earlier run has done.")
@click.option(
    "--format", "format_", default="text", show_default=True, type=click.Choice(FORMATS), help="Format of the report."
)
@click.option("--output", "outputs", multiple=True, callback=_outputs, metavar="FORMAT=FILE", help="Also write the report there; repeat it.")  # fmt: skip
@click.option("--show-unknown", is_flag=True, help="Also say why a cell of the text report is unknown.")
@click.option("--as-of", default=None, metavar="DATE", help="Judge dates as of this day. Default: today.")
def run_command(plan: str, format_: str, outputs: list[tuple[str, str]], **options: Any) -> int:
    """Lint every Dockerfile of PLAN, audit every image, and say where an image was not built from its Dockerfile.

    PLAN is lucid-plan.yaml when it is left out. Exit codes: 0 all services meet all requirements, 1 not, 3 something could not be read.
    """
    found, completed, repository = _planned(plan)
    earlier = _earlier(options["earlier"])
    ask = audit.Request(
        (), _day(options["as_of"]), environ=os.environ, platform=options["platform"], source=options["source"],
        profile=options["profile"], policy=options["policy"], mirrors=options["mirrors"], insecure=options["insecure"],
    )  # fmt: skip
    state = options["state"] or _state(found.folder, plan)
    if options["no_resume"] and os.path.isfile(state):
        os.unlink(state)
    change = _changed(found, options["changed_since"], ask) if options["changed_since"] else None
    only = change.services if change is not None else None
    request = run.Request(found, ask, options["images"], only, state, options["jobs"])
    services = _judged(request)
    document = answer.document(
        found, services, ask.as_of, _around(repository, completed, ask, change, images=options["images"])
    )
    for name, file in outputs:
        _save(_rendered(document, earlier, name, options["show_unknown"]), file)
    write(_rendered(document, earlier, format_, options["show_unknown"]))
    if document["totals"]["unread"]:
        return errors.UNREADABLE
    return (
        errors.OK
        if document["totals"]["ready"] == len(document["services"])
        and not document["totals"]["drifted"]
        and not surroundings.errors(document)
        else errors.FINDINGS
    )


def _planned(path: str) -> tuple[Plan, Completed, Repository]:
    """Read a plan; what it leaves out is taken from the repository that it stands in."""
    if path == plan_file.NAME and not os.path.exists(path):
        raise errors.UsageError(
            f"there is no {path} here; lucid-audit fleet init writes one from what the repository says"
        )
    plan = plan_file.read(path)
    repository = survey(plan.folder)
    completed = complete(plan, repository)
    return completed.plan, completed, repository


def _around(
    repository: Repository, completed: Completed, ask: audit.Request, change: Change | None, *, images: bool
) -> dict[str, Any]:
    measured = Measured(ask, completed.plan.folder) if images else None
    try:
        return surroundings.judged(repository, completed, ask, measured, change)
    finally:
        if measured is not None:
            measured.close()


def _day(value: str | None) -> Any:
    from datetime import date  # noqa: PLC0415

    try:
        return date.fromisoformat(value) if value else date.today()  # noqa: DTZ011  (the day where the person is)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a day such as 2026-11-23") from None


def _state(folder: str, plan: str) -> str:
    """Return where a run remembers what is done when nobody says: beside the plan, or nowhere if that cannot be written to."""
    return os.path.join(folder, f".{os.path.basename(plan)}.state") if os.access(folder, os.W_OK) else ""


def _judged(request: run.Request) -> list[dict[str, Any]]:
    shown = Shown(sys.stderr)
    try:
        return list(run.run(request, shown.told))
    except KeyboardInterrupt:
        shown.end()
        click.echo("interrupted; what is done is kept, and the same command goes on with the rest", err=True)
        raise
    finally:
        shown.end()


def _earlier(file: str) -> dict[str, Any] | None:
    if not file:
        return None
    try:
        with open(file, "rb") as stream:
            found = json.loads(stream.read(256 << 20))
    except OSError as error:
        raise errors.UsageError(f"--earlier {file}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise errors.UsageError(f"--earlier {file}: this is no report of a fleet") from None
    if not isinstance(found, dict) or found.get("version") != 1 or not isinstance(found.get("services"), list):
        raise errors.UsageError(f"--earlier {file}: this is no report of a fleet")
    return found


def _changed(found: Plan, revision: str, ask: audit.Request) -> Change:
    """Return what has changed since a revision, and the services that this concerns."""
    from lucid_audit.changed import since  # noqa: PLC0415  (it asks git)

    policy = ruleset.load(ask.policy, found.folder).policy
    settings = Settings(Bases(compiled()["bases"], policy.bases), ask.as_of, dict(policy.build_args))
    everything = frozenset({os.path.realpath(policy.path)} if policy.path else ())
    paths = since(revision, found.folder)
    whole = bool((everything | {os.path.realpath(found.path)}) & paths)
    return Change(paths, concerned(found, paths, settings, everything), settings, whole)


def _rendered(document: dict[str, Any], earlier: dict[str, Any] | None, name: str, show_unknown: bool) -> str:
    if name == "json":
        return answer.dumps(document)
    if name == "text":
        from lucid_audit.fleet import text  # noqa: PLC0415  (one format is used per run)

        return text.render(document, earlier, show_unknown=show_unknown)
    from importlib import import_module  # noqa: PLC0415

    module = {"csv": "table_csv"}.get(name, name)
    rendered: str = import_module(f"lucid_audit.fleet.{module}").render(document, earlier)
    return rendered


def _save(text: str, file: str) -> None:
    try:
        with open(file, "w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            stream.write(text)
    except OSError as error:
        raise errors.UsageError(f"--output {file}: {error.strerror}") from None
