"""``lucid-audit init``: what a repository needs to be judged: a policy, a hook, a workflow."""

from __future__ import annotations

import os
from typing import Any

import click

from lucid_audit import __version__, errors, ruleset
from lucid_audit.fleet import plan_file
from lucid_audit.report.escape import visible

POLICY = """\
# What lucid-audit judges here: docs/rules lists every rule, `lucid-audit explain RULE` says why.
profile: {profile}
# platforms: [linux/arm64]        # what the images are built for
# contexts: {{"services/*/Dockerfile": "."}}
# ignore: [base-unpinned]
# waivers:
#   - {{rules: [health-check-missing], files: ["tools/*"], reason: command-line images answer no requests}}
"""
HOOK = """\
repos:
  - repo: https://github.com/HamiGames/lucid-audit
    rev: v{version}
    hooks:
      - id: lucid-audit
{fleet_hook}"""
FLEET_HOOK = "      - id: lucid-audit-fleet\n        args: [{plan}]\n"
WORKFLOW = """\
name: lucid-audit
on:
  pull_request:
  push:
    branches: [{branch}]
permissions:
  contents: read
  security-events: write # for code scanning
jobs:
  lint:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0 # what changed is asked of git
      - uses: HamiGames/lucid-audit@v{version}
{fleet_input}"""
FLEET_INPUT = '        with:\n          fleet: {plan}\n          fleet-images: "false" # "true" once the images are built before this job\n'
GITLAB = """\
include:
  - component: $CI_SERVER_FQDN/HamiGames/lucid-audit/lucid-audit@{version}
{gitlab_inputs}"""
GITLAB_INPUTS = "    inputs: {{plan: {plan}}}\n"
SHARED = {"lucid-audit.yaml": POLICY, ".pre-commit-config.yaml": HOOK}
FORGES = {"github": {".github/workflows/lucid-audit.yml": WORKFLOW}, "gitlab": {".gitlab-ci.yml": GITLAB}}


@click.command("init")
@click.argument("folder", default=".", metavar="[FOLDER]")
@click.option(
    "--from",
    "source",
    type=click.Choice(["hadolint"]),
    help="Write the policy from the configuration of another linter.",
)
@click.option("--profile", default="recommended", show_default=True, type=click.Choice(["recommended", "strict", "lucid", "lucid-overlay"]), help="Profile of the policy.")  # fmt: skip
@click.option(
    "--forge",
    default=None,
    type=click.Choice(["github", "gitlab"]),
    help="Whose workflow to write. Default: what the repository is of.",
)
def command(folder: str, source: str | None, profile: str, forge: str | None) -> int:
    """Write a policy, a pre-commit hook and a workflow where there are none; with a plan of services, for these too.

    What is there already is never touched: what to add to it is printed. FOLDER is the repository (default: the current folder). With --from hadolint only the policy
    is written, from .hadolint.yaml; what it cannot say is listed.
    """
    if not os.path.isdir(folder):
        raise errors.UsageError(f"{folder}: there is no such folder")
    if source is not None:
        return _migrated(folder)
    plan = plan_file.NAME if os.path.isfile(os.path.join(folder, plan_file.NAME)) else ""
    values: dict[str, Any] = {"profile": profile, "version": __version__, "branch": _branch(folder)}
    for name, text in (("fleet_hook", FLEET_HOOK), ("fleet_input", FLEET_INPUT), ("gitlab_inputs", GITLAB_INPUTS)):
        values[name] = text.format(plan=plan) if plan else ""
    for name, text in {**SHARED, **FORGES[forge or _forge(folder)]}.items():
        wanted = text.format(**values)
        if not _said(folder, name, wanted) and not _names_us(folder, name):
            click.echo(f"to add to it:\n{wanted}", err=True)
    click.echo(f"next: lucid-audit {'fleet' if plan else 'lint'}")
    return errors.OK


def _forge(folder: str) -> str:
    """Return whose workflows a repository has: GitLab's where it has such a file, or its remotes are there."""
    if os.path.exists(os.path.join(folder, ".gitlab-ci.yml")):
        return "gitlab"
    if os.path.isdir(os.path.join(folder, ".github")):
        return "github"
    try:
        with open(os.path.join(folder, ".git", "config"), encoding="utf-8", errors="replace") as stream:
            hosts = [line.lower() for line in stream.read(1 << 20).splitlines() if line.strip().startswith("url")]
    except OSError:
        return "github"
    return "gitlab" if any("gitlab" in line for line in hosts) else "github"


def _names_us(folder: str, name: str) -> bool:
    """Whether a file that is there mentions this program already."""
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as stream:
            return name == "lucid-audit.yaml" or "lucid-audit" in stream.read(1 << 20)
    except OSError:
        return True


def _migrated(folder: str) -> int:
    from lucid_audit import hadolint  # noqa: PLC0415  (only for who comes from there)

    path = hadolint.find(folder)
    if path is None:
        raise errors.UsageError(f"{folder}: there is no {' or '.join(hadolint.NAMES)}")
    found = hadolint.migrate(path, ruleset.load("", "/").rules)
    if not _said(folder, "lucid-audit.yaml", found.text):
        return errors.USAGE
    for line in found.left_out:
        click.echo(f"left out: {visible(line)}")
    return errors.OK


def _said(folder: str, name: str, text: str) -> bool:
    """Write a file that is not there yet, and say what was done."""
    path = os.path.join(folder, name)
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        click.echo(f"{visible(name)}: there is one already, left as it is", err=True)
        return False
    except OSError as error:
        raise errors.UsageError(f"{path}: {error.strerror}") from None
    click.echo(f"{visible(name)}: written")
    return True


def _branch(folder: str) -> str:
    """Return the branch that a repository is on, as its HEAD says; main where that says nothing plain."""
    try:
        with open(os.path.join(folder, ".git", "HEAD"), encoding="utf-8") as stream:
            name = stream.read(200).strip().removeprefix("ref: refs/heads/")
    except (OSError, UnicodeDecodeError):
        return "main"
    return name if name and all(char.isalnum() or char in "-_./" for char in name) else "main"
