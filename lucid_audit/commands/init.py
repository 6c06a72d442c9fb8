"""``lucid-audit init``: what a repository needs to be judged: a policy, a hook, a workflow."""

from __future__ import annotations

import os
from typing import Any

import click

from lucid_audit import __version__, errors, ruleset
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
"""
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
"""
FILES = {"lucid-audit.yaml": POLICY, ".pre-commit-config.yaml": HOOK, ".github/workflows/lucid-audit.yml": WORKFLOW}


@click.command("init")
@click.argument("folder", default=".", metavar="[FOLDER]")
@click.option(
    "--from",
    "source",
    type=click.Choice(["hadolint"]),
    help="Write the policy from the configuration of another linter.",
)
@click.option("--profile", default="recommended", show_default=True, type=click.Choice(["recommended", "strict", "lucid", "lucid-overlay"]), help="Profile of the policy.")  # fmt: skip
def command(folder: str, source: str | None, profile: str) -> int:
    """Write a policy, a pre-commit hook and a GitHub workflow where there are none.

    What is there already is never touched. FOLDER is the repository (default: the current folder). With --from hadolint only the policy
    is written, from .hadolint.yaml; what it cannot say is listed.
    """
    if not os.path.isdir(folder):
        raise errors.UsageError(f"{folder}: there is no such folder")
    if source is not None:
        return _migrated(folder)
    values: dict[str, Any] = {"profile": profile, "version": __version__, "branch": _branch(folder)}
    for name, text in FILES.items():
        _said(folder, name, text.format(**values))
    click.echo("next: lucid-audit lint")
    return errors.OK


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
