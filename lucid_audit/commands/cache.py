"""``lucid-audit cache``: what is remembered of layers that were read."""

from __future__ import annotations

import os

import click

from lucid_audit import errors
from lucid_audit.deliver import write
from lucid_audit.image.facts import size
from lucid_audit.report.escape import visible
from lucid_audit.sources.cache import Cache, default_folder


@click.group("cache")
def command() -> None:
    """What is remembered of layers that were read."""


@command.command("info")
def info() -> int:
    """Say where the cache is and what it holds."""
    used = Cache(default_folder(os.environ)).usage()
    held = f"{used.layers} layers, {used.blobs} manifests and configurations, {size(used.size)}"
    write(f"{visible(str(used.file))}\n{held}\n")
    return errors.OK


@command.command("clear")
def clear() -> int:
    """Forget everything."""
    Cache(default_folder(os.environ)).clear()
    return errors.OK
