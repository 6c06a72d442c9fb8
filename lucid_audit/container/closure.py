"""What a program loads when it starts, whatever language it is in: modules that are reached, and what is not there."""

from __future__ import annotations

from collections.abc import Callable

from lucid_audit.container.imports import Import
from lucid_audit.tuples import NamedTuple


class Module(NamedTuple):
    """A module that is reached: its name, its file ("" of a namespace), and who imports it where (None at the start)."""

    name: str
    path: str
    by: Module | None = None
    at: Import | None = None

    @property
    def where(self) -> str:
        """The import that needs it, in words."""
        return said(self.by, self.at) if self.by is not None and self.at is not None else "the command"

    @property
    def package(self) -> str:
        """The package that it belongs to: the first part of a dotted name, or the folder below the last node_modules."""
        if self.path.endswith((".js", ".cjs", ".mjs", ".json", ".node")):
            above, _, inside = self.path.rpartition("/node_modules/")
            return f"{above} {'/'.join(inside.split('/')[: 2 if inside.startswith('@') else 1])}" if above else ""
        return self.name.partition(".")[0]


class Missing(NamedTuple):
    """A module that is not there; ``by`` needs it, in ``at.line``. ``there`` follows "which is" and says where it is or is not.

    ``doubt`` is why it may be there all the same. ``under`` is the interpreter that takes the branch of the import, "" for any.
    """

    name: str
    by: Module
    at: Import
    there: str
    doubt: str = ""
    under: str = ""

    @property
    def where(self) -> str:
        """The import that needs it, in words."""
        return said(self.by, self.at) + (f", run by {self.under}," if self.under else "")


def said(by: Module, at: Import) -> str:
    """Say where something is imported."""
    return f"{by.path} line {at.line}"


class Refusal(NamedTuple):
    """A module whose source the interpreter does not take: its line, and what is wrong with it. ``doubt`` is why it may."""

    module: Module
    line: int
    words: str
    doubt: str = ""


class Closure(NamedTuple):
    """What was reached; what is missing; and names of which it is not known whether they are there, with the reason.

    ``sure`` confirms that a module that was reached is imported whenever the program starts. ``refused`` are sources that the
    interpreter cannot read.
    """

    modules: tuple[Module, ...]
    missing: tuple[Missing, ...]
    unknown: tuple[tuple[Missing, str], ...]
    sure: Callable[[Module], bool]
    refused: tuple[Refusal, ...] = ()
