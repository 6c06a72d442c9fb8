"""``lucid-audit cache``: what is remembered of layers that were read, and of Dockerfiles that were judged."""

from __future__ import annotations

import os

import click

from lucid_audit import errors, remember
from lucid_audit.cachefolder import cache_folder
from lucid_audit.deliver import write
from lucid_audit.image.facts import size
from lucid_audit.report.escape import visible
from lucid_audit.report.summary import plural
from lucid_audit.sources.cache import Cache, default_folder


@click.group("cache")
def command() -> None:
    """What is remembered of layers and of Dockerfiles."""


@command.command("info")
def info() -> int:
    """Say where the cache is and what it holds."""
    used = Cache(default_folder(os.environ)).usage()
    held = f"{used.layers} layers, {used.blobs} manifests and configurations, {size(used.size)}"
    reports = list(remember.files(cache_folder(os.environ)))
    told = f"{plural(len(reports), 'file')} of reports of Dockerfiles, {size(sum(os.path.getsize(file) for file in reports))}"
    write(f"{visible(str(used.file))}\n{held}\n{told}\n")
    return errors.OK


@command.command("clear")
def clear() -> int:
    """Forget everything."""
    Cache(default_folder(os.environ)).clear()
    remember.clear(cache_folder(os.environ))
    return errors.OK
