"""The command line: options in, an exit code out. What a command does is in ``lint``, ``audit`` and ``explain``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from lucid_audit import __version__, errors
from lucid_audit.cachefolder import cache_folder
from lucid_audit.commands import Commands
from lucid_audit.report import FORMATS, LISTS

if TYPE_CHECKING:
    from lucid_audit.outcome import Outcome

SOURCES = ("auto", "registry", "engine", "layout", "archive")
SEVERITIES = ("error", "warning", "note")
EPILOG = "Exit codes: 0 clean, 1 findings, 2 usage, 3 something could not be read, 70 a bug, 130 interrupted."


@click.group(
    cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="lucid-audit", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an internal error.")
def cli(debug: bool) -> None:
    """Says before the build whether a container will be distroless, start and stay healthy."""


def _words(_context: click.Context, _option: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """Split comma lists of a repeatable option."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def _build_args(_context: click.Context, _option: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    """Read ``K=V``; a bare ``K`` takes its value from the environment and is left out when that has none, as in builds."""
    found = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not key:
            raise click.BadParameter(f"{value!r} is not KEY=VALUE")
        if equals:
            found[key] = text
        elif key in os.environ:
            found[key] = os.environ[key]
    return found


def _outputs(context: click.Context, _option: click.Parameter, values: Sequence[str]) -> list[tuple[str, str]]:
    """Read ``FORMAT=FILE``, or ``FILE`` for the format of ``--format``, given here as ""."""
    found = []
    for value in values:
        name, equals, file = value.partition("=")
        if not equals or "/" in name:
            found.append(("", value))
        elif name not in FORMATS or not file:
            raise click.BadParameter(f"{value!r} is not FORMAT=FILE with one of {', '.join(FORMATS)}", context)
        else:
            found.append((name, file))
    return found


def _date(_context: click.Context, _option: click.Parameter, value: str | None) -> Any:
    """Read a day; without one it is today. Only here and in ``__main__`` the clock is read."""
    from datetime import date  # noqa: PLC0415

    if value is None:
        return date.today()  # noqa: DTZ011  (the day where the person is)
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a day such as 2026-11-23") from None


def _options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Apply options so that ``--help`` lists them as they stand here."""

    def apply(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return apply


SUBJECT = _options(
    click.option("--context", default="", metavar="DIR", help="Build context of every file. Default: the policy's, else the file's folder or the repository."),
    click.option("--target", default="", metavar="STAGE", help="Stage that is built. Default: the last."),
    click.option("--build-arg", "build_args", multiple=True, callback=_build_args, metavar="KEY=VALUE", help="Build argument; repeat it. A bare KEY is taken from the environment."),
    click.option("--platform", default="", metavar="OS/ARCH", help="Platform that is built, e.g. linux/arm64."),
    click.option("--stdin-name", default="Dockerfile", metavar="PATH", help="Name to report for PATH '-'."),
    click.option("--as-of", callback=_date, metavar="DATE", help="Judge dates as of this day. Default: today."),
)  # fmt: skip
RULES = _options(
    click.option("--profile", default="", metavar="NAME", help="recommended (default), strict, lucid or lucid-overlay."),
    click.option("--policy", default="", metavar="FILE", help="Policy. Default: the nearest lucid-audit.yaml or [tool.lucid-audit] in pyproject.toml."),
    click.option("--select", multiple=True, callback=_words, metavar="RULE,...", help="Judge by these rules only; tag:NAME for a group."),
    click.option("--ignore", multiple=True, callback=_words, metavar="RULE,...", help="Do not judge by these rules."),
    click.option("--fail-on", default="", type=click.Choice(["", *SEVERITIES]), metavar="SEVERITY", help="Lowest severity that gives exit code 1: error (default), warning or note."),
)  # fmt: skip
BASELINE = _options(
    click.option("--baseline", default="", metavar="FILE", help="Findings that are in FILE do not count."),
    click.option("--prune-baseline", "prune", is_flag=True, help="Take out of FILE what is found no more."),
    click.option("--write-baseline", "written", default="", metavar="FILE", help="Write all findings to FILE, so that from now on only new ones count."),
)  # fmt: skip
REPORT = _options(
    click.option("--format", "format_", default="text", show_default=True, type=click.Choice(FORMATS), help="Format of the report."),
    click.option("--output", "outputs", multiple=True, callback=_outputs, metavar="[FORMAT=]FILE", help="FORMAT=FILE: also write the report there; repeat it. FILE: write it there instead of printing it."),
    click.option("--color/--no-color", default=None, help="Colour. Default: on a terminal, unless NO_COLOR is set."),
    click.option("--quiet", "-q", is_flag=True, help="One line per finding and nothing else."),
    click.option("--show-skipped", is_flag=True, help="Also say what could not be judged, and why."),
)  # fmt: skip


CHANGED = click.option("--changed-since", default="", metavar="REVISION", help="Only Dockerfiles that differ from where the history parted from REVISION.")  # fmt: skip
FIXES = _options(
    click.option("--diff", is_flag=True, help="Print what fixes would change and write nothing; 1 when that is anything."),
    click.option("--fix", is_flag=True, help="Repair what can be repaired, then report what is left."),
    click.option("--unsafe-fixes", "unsafe", is_flag=True, help="With --diff or --fix: also repairs that may change what the container does."),
)  # fmt: skip


@cli.command("lint", epilog=EPILOG)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@SUBJECT
@RULES
@CHANGED
@BASELINE
@FIXES
@REPORT
@click.option(
    "--why",
    is_flag=True,
    help="Also print the container that is predicted: what starts, step by step, and what is not known.",
)
@click.option(
    "--suppressions/--no-suppressions",
    default=True,
    show_default=True,
    help="Let comments silence findings: # lucid: ignore[RULE] reason, hadolint's and BuildKit's.",
)
@click.option(
    "--shellcheck/--no-shellcheck",
    default=None,
    help="Examine the scripts in RUN by ShellCheck. Default: where the profile or the policy says so, as strict does.",
)
@click.option(
    "--cache/--no-cache",
    default=True,
    show_default=True,
    help="Use reports of earlier runs for what has not changed, where there are many files.",
)
@click.option(
    "--jobs",
    default=0,
    type=click.IntRange(0),
    metavar="N",
    help="Processes. Default: one, or all processors for many files.",
)
def lint_command(paths: tuple[str, ...], **options: Any) -> int:
    """Lint Dockerfiles.

    PATH is a Dockerfile, a folder to search (default: the current one; what git ignores is left out), or '-' for
    standard input.
    """
    from lucid_audit.deliver import Look, deliver  # noqa: PLC0415  (--help and --version need none of it)
    from lucid_audit.items import STDIN  # noqa: PLC0415
    from lucid_audit.lint import Request, run  # noqa: PLC0415

    asked = {name: options[name] for name in Request._fields if name in options}
    asked["why"] = options["why"] or _wants_html(options)
    asked["cache"] = cache_folder(os.environ) if options["cache"] else ""
    stdin = sys.stdin.buffer if STDIN in paths else None
    request = Request(paths=paths or (".",), stdin=stdin, **asked)
    if options["diff"] or options["fix"]:
        from lucid_audit import fixing  # noqa: PLC0415  (only where fixes are asked for)

        if options["diff"]:
            return fixing.differences(request, unsafe=options["unsafe"])
        fixing.fix(request, unsafe=options["unsafe"])
    elif options["unsafe"]:
        raise errors.UsageError("--unsafe-fixes wants --fix or --diff")
    outcome = _known(run(request), options)
    deliver(outcome.report, Look(**{name: options[name] for name in Look._fields}))
    return outcome.exit_code


IMAGE = _options(
    click.option("--platform", multiple=True, callback=_words, metavar="OS/ARCH,...", help="Platforms of an index to audit. Default: all."),
    click.option("--source", default="auto", show_default=True, type=click.Choice(SOURCES), help="Where images are. auto: a path, else a local engine, else the registry."),
    click.option("--mirror", "mirrors", multiple=True, metavar="REGISTRY=HOST", help="Ask HOST before REGISTRY; repeat it. It never gets the registry's credentials."),
    click.option("--insecure-registry", "insecure", multiple=True, metavar="HOST", help="Allow plain HTTP to HOST; repeat it. Loopback needs no leave."),
    click.option("--ca-file", default="", metavar="FILE", help="Certificates to trust beside the system's."),
    click.option("--timeout", default=0.0, type=click.FloatRange(0), metavar="SECONDS", help="Give up on an image after this long. Default: never."),
    click.option("--cache/--no-cache", default=True, show_default=True, help="Remember what layers hold."),
    click.option("--as-of", callback=_date, metavar="DATE", help="Judge dates as of this day. Default: today."),
    click.option("--why", is_flag=True, help="Also prove how each image starts, step by step, or say which step fails."),
)  # fmt: skip


@cli.command("image", epilog=EPILOG)
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@IMAGE
@RULES
@BASELINE
@REPORT
def image_command(images: tuple[str, ...], **options: Any) -> int:
    """Audit images, without running anything of them and without a daemon.

    IMAGE is a name (pickme/lucid-tron-client:1.2), a saved image (image.tar), an OCI layout (folder or tar, folder:tag),
    or one with a prefix that says which: docker://, docker-daemon:, docker-archive:, oci:, oci-archive:
    """
    from lucid_audit.audit import Request, run  # noqa: PLC0415  (linting needs none of it)
    from lucid_audit.deliver import Look, deliver  # noqa: PLC0415
    from lucid_audit.progress import showing  # noqa: PLC0415

    asked = {name: options[name] for name in Request._fields if name in options}
    with showing(sys.stderr, quiet=options["quiet"]) as told:
        asked["why"] = options["why"] or _wants_html(options)
        outcome = run(Request(images, environ=os.environ, told=told, **asked))
    outcome = _known(outcome, options)
    deliver(outcome.report, Look(**{name: options[name] for name in Look._fields if name in options}))
    return outcome.exit_code


def _wants_html(options: Mapping[str, Any]) -> bool:
    """Whether a page is asked for, which shows how everything starts."""
    return "html" in (options["format_"], *(name for name, _ in options["outputs"]))


def _known(outcome: Outcome, options: Mapping[str, Any]) -> Outcome:
    """Apply a baseline, and write it where that was asked for.

    Raises:
        UsageError: a baseline cannot be read or written.

    """
    if not options["baseline"] and not options["written"]:
        if options["prune"]:
            raise errors.UsageError("--prune-baseline wants --baseline FILE")
        return outcome
    from lucid_audit import baseline  # noqa: PLC0415  (only for those who have one)

    if options["written"]:
        known = frozenset(baseline.every(outcome.report))
        baseline.write(options["written"], known)
        click.echo(f"{len(known)} finding{'s' if len(known) != 1 else ''} written to {options['written']}", err=True)
        return baseline.apply(outcome, baseline.Baseline(options["written"], known)).outcome
    given = baseline.read(options["baseline"])
    applied = baseline.apply(outcome, given)
    if applied.stale and options["prune"]:
        baseline.write(given.file, given.known - applied.stale)
    elif applied.stale:
        count = len(applied.stale)
        click.echo(
            f"{count} of the baseline's findings {'is' if count == 1 else 'are'} no more: --prune-baseline takes them out",
            err=True,
        )
    return applied.outcome


CATALOGUE = _options(
    click.option("--policy", default="", metavar="FILE", help="Policy whose own rules are included."),
    click.option("--format", "format_", default="text", show_default=True, type=click.Choice(LISTS), help="Format."),
)


@cli.command("rules")
@CATALOGUE
def rules_command(policy: str, format_: str) -> int:
    """List all rules: id, severity, title and the profiles that judge by them."""
    from lucid_audit import explain  # noqa: PLC0415
    from lucid_audit.deliver import write  # noqa: PLC0415

    write(explain.listing(explain.rules(policy), format_))
    return errors.OK


@cli.command("explain")
@click.argument("rule_id", metavar="RULE")
@click.option("--policy", default="", metavar="FILE", help="Policy whose own rules are included.")
@click.option("--color/--no-color", default=None, help="Colour. Default: on a terminal, unless NO_COLOR is set.")
def explain_command(rule_id: str, policy: str, color: bool | None) -> int:
    """Explain one rule in full: what, why, how to repair it, and examples."""
    from lucid_audit import explain  # noqa: PLC0415
    from lucid_audit.deliver import coloured, write  # noqa: PLC0415
    from lucid_audit.report.style import Style  # noqa: PLC0415

    write(explain.text(explain.entry(explain.rules(policy), rule_id), Style(coloured(color))))
    return errors.OK
