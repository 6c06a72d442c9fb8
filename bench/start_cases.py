"""All images of the start bench."""

from __future__ import annotations

from start_case import Case
from start_modules import modules
from start_native import native
from start_programs import LOADERS
from start_python import python, scripts


def cases() -> list[Case]:
    """Return every case, by name and architecture."""
    groups = (native, scripts, python, modules)
    found = [case for architecture in LOADERS for make in groups for case in make(architecture)]
    return sorted(found, key=lambda case: (case.name, case.architecture))
