"""Commands that are imported when they are called, and not before: linting one file pays for none of them."""

from __future__ import annotations

import click

LAZY = ("fleet", "init", "cache")  # modules of this folder; each has a ``command``


class Commands(click.Group):
    """The commands that are defined with the group, and those of this folder."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names of all commands."""
        return [*super().list_commands(context), *LAZY]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return one command, imported now when it is one of the folder's."""
        if name not in LAZY:
            return super().get_command(context, name)
        from importlib import import_module  # noqa: PLC0415  (only for these commands)

        command: click.Command = import_module(f"{__name__}.{name}").command
        return command
