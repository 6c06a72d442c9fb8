"""All images of the start bench."""

from __future__ import annotations

from start_case import Case
from start_compiled import compiled
from start_java import java
from start_modules import modules
from start_native import native
from start_node import node
from start_programs import LOADERS
from start_python import python, scripts
from start_servers import installed, servers
from start_surroundings import surroundings


def cases() -> list[Case]:
    """Return every case, by name and architecture."""
    groups = (native, compiled, scripts, python, modules, installed, servers, surroundings, node, java)
    found = [case for architecture in LOADERS for make in groups for case in make(architecture)]
    return sorted(found, key=lambda case: (case.name, case.architecture))
