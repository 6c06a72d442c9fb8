"""``lucid-audit fleet init``: a plan from what the repository itself says of its builds."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from lucid_audit import errors
from lucid_audit.fleet import plan_file
from lucid_audit.report.escape import visible

SHOWN = 40  # lines of one kind on a terminal; the plan has them all


@click.command("init")
@click.argument("folder", default=".", metavar="[FOLDER]")
@click.option("--output", "output", default="", metavar="FILE", help="Write the plan there. Default: lucid-plan.yaml in FOLDER; - prints it.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write over a plan that is there already.")
def command(folder: str, output: str, force: bool) -> int:
    """Write a plan from compose files, bake files, workflows and the build commands in scripts, Makefiles and Markdown.

    Every entry says where it was found. Where two places contradict each other, both are told, here and in the plan. Nothing is run.
    """
    if not os.path.isdir(folder):
        raise errors.UsageError(f"{folder}: there is no such folder")
    path = output or os.path.normpath(os.path.join(folder, plan_file.NAME))
    if path != "-" and not force and os.path.lexists(path):
        raise errors.UsageError(f"{path}: there is one already; --force writes over it")
    from lucid_audit.fleet import plan_text  # noqa: PLC0415  (reads YAML and HCL)
    from lucid_audit.fleet.evidence import survey  # noqa: PLC0415
    from lucid_audit.fleet.propose import propose  # noqa: PLC0415

    found = survey(folder)
    made = propose(found)
    if not made.entries:
        for line in made.unknown:
            click.echo(f"not known: {visible(line)}", err=True)
        raise errors.UsageError(f"{folder}: nothing here says how an image is built")
    where = os.path.abspath(os.path.dirname(path) or ".") if path != "-" else os.path.abspath(folder)
    text = plan_text.render(made, where)
    if path == "-":
        click.echo(text, nl=False)
    else:
        _save(path, text, force=force)
    _told("contradiction", made.contradictions)
    _told("not known", made.unknown)
    _told("nothing here builds the image of", made.unbuilt)
    _told("no service uses", made.unused)
    _told("could not be read", [one.said() for one in found.troubles])
    count = len(made.entries)
    done = f"{count} service{'' if count == 1 else 's'}, {len(made.contradictions)} contradictions"
    click.echo(f"{visible(path)}: written, {done}" if path != "-" else done, err=path == "-")
    if path != "-":
        click.echo(f"next: lucid-audit fleet {'' if path == plan_file.NAME else visible(path) + ' '}--no-images")
    return errors.OK


def _told(what: str, lines: Sequence[str]) -> None:
    for line in lines[:SHOWN]:
        click.echo(f"{what}: {visible(line)}", err=True)
    if len(lines) > SHOWN:
        click.echo(f"{what}: and {len(lines) - SHOWN} more", err=True)


def _save(path: str, text: str, *, force: bool) -> None:
    try:
        with open(path, "w" if force else "x", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        raise errors.UsageError(f"{path}: there is one already; --force writes over it") from None
    except OSError as error:
        raise errors.UsageError(f"{path}: {error.strerror}") from None
