"""What Python finds: whether the script or module that it is told to run is there, on the path it would look along.

Facts: python3(1), runpy's ``-m`` (a package needs ``__main__``).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from posixpath import join

from lucid_audit.container.access import READ, who
from lucid_audit.container.config import Container
from lucid_audit.container.interpret import Task
from lucid_audit.container.launch import Link
from lucid_audit.container.python_begin import begin
from lucid_audit.container.python_find import Finder
from lucid_audit.container.python_path import Python, search
from lucid_audit.container.python_release import release_of
from lucid_audit.container.python_sources import Sources
from lucid_audit.container.tree import Walk
from lucid_audit.regex import regex

_TARGET = regex(r"(?:asgi:|wsgi:)?([\w.]+):([A-Za-z_]\w*)(?:[.(].*)?")  # module:name, as servers are told

Ending = tuple[str, str, str]  # kind, path and words of a Break


def python_start(container: Container, python: Python, told: Task, links: list[Link]) -> Ending | None:
    """Follow what an interpreter is told to run; None when nothing that is known is in its way."""
    workdir = container.workdir.known()
    if workdir is None:
        return None
    if told.kind in ("script", "node", "jar"):
        return _script(container, told, workdir, links)
    if begin(container, python, told) is None:
        return None
    if told.server:
        server = Task("module", told.server)
        end = _Look(container, python, server).module(server, links)
        if end is not None:
            return end
    return _Look(container, python, told).module(told, links)


def _script(container: Container, told: Task, workdir: str, links: list[Link]) -> Ending | None:
    path = join(workdir, told.name)
    names = (path, f"{path}.js", f"{path}.json", f"{path}.node", f"{path}/index.js") if told.kind == "node" else (path,)
    walks = [container.files.walk(name) for name in names]
    there = next((walk for walk in walks if walk.state != "absent"), None)
    if there is None:
        first = walks[0]
        lead = f" ({first.link.path} leads there)" if first.link is not None else ""
        return "script", path, f"there is no {first.path}{lead}"
    if there.state == "unknown":
        return "unknown", path, there.reason
    if there.node is not None:
        links.append(Link("script", there.path, there.node.made))
        user = who(container)
        shut = user.enters(there.through)
        if shut is not None:
            return "permission", path, f"{shut[0]} is closed to user {user.uid}"
        if there.node.kind == "f" and user.may(there.node, READ) is False:
            return "permission", path, f"{there.path} may not be read by user {user.uid}"
        if told.kind == "script":
            return _main(container, there)
    return None


def _main(container: Container, there: Walk) -> Ending | None:
    """Check that a folder or archive that is run has ``__main__`` (runpy, ``run_path``)."""
    node = there.node
    if node is not None and node.kind == "d":
        mains = [container.files.walk(f"{there.path}/__main__{ending}") for ending in (".py", ".pyc")]
        if all(walk.state == "absent" for walk in mains):
            return "script", there.path, f"{there.path} is a folder without __main__.py"
    elif not there.path.endswith(".py"):
        from lucid_audit.container.archived import opened  # noqa: PLC0415  (archives are rare)

        archive = opened(node)
        if archive is not None and not {"__main__.py", "__main__.pyc"} & set(archive.namelist()):
            return "script", there.path, f"{there.path} is an archive without __main__.py"
    return None


class _Look:
    """A dotted name that is looked for."""

    def __init__(self, container: Container, python: Python, told: Task) -> None:
        self.container, self.python, self.words = container, python.real, python.arguments
        start = begin(container, python, told)
        self.files, self.search = (
            (start.files, start.search) if start is not None else (container.files, search(container, python))
        )
        self.finder = Finder(self.files, self.search.version, (), self.search.mapped)

    def module(self, told: Task, links: list[Link]) -> Ending | None:
        """Follow a dotted name from package to package."""
        parts = told.name.split(".")
        if parts[0] in sys.stdlib_module_names or not all(parts):
            return None
        folders: Sequence[str] = self.search.folders
        for depth, part in enumerate(parts):
            found = self.finder.find(part, folders, top=depth == 0)
            packages, module = found.packages, "" if found.packages else found.path
            name = ".".join(parts[: depth + 1])
            last = depth == len(parts) - 1
            if module:
                links.append(self._link(f"module {name}", module))
                if not last:
                    return "module", module, f"{name} is {module}, which is no package"
                return self._closed(module) or (self._without_name(told.name, module) if told.kind == "app" else None)
            if not packages:
                doubt = found.doubt or (self.search.doubt if depth == 0 else "")
                if doubt:
                    return "unknown", name, doubt
                return "module", name, self._nowhere(name, folders, top=depth == 0)
            if not last or told.kind == "app":
                links.append(self._link(f"package {name}", packages[0]))
            folders = packages
        if told.kind == "module":
            mains = [
                self.files.walk(f"{folder}/{name}") for folder in folders for name in ("__main__.py", "__main__.pyc")
            ]
            if all(walk.state == "absent" for walk in mains):
                return "module", told.name, f"{folders[0]} is a package without __main__.py"
        return None

    def _closed(self, path: str) -> Ending | None:
        """Say that a module is not for the user to read; importing it then fails."""
        walk, user = self.files.walk(path), who(self.container)
        if walk.node is None or walk.node.kind != "f" or user.may(walk.node, READ) is not False:
            return None
        return "permission", path, f"{walk.path} may not be read by user {user.uid}"

    def _without_name(self, module: str, path: str) -> Ending | None:
        """Say that a module has not the name that a server is told to take from it, where nothing in it makes names."""
        spelt = (match for word in self.words if (match := _TARGET.fullmatch(word)) is not None)
        name = next((match[2] for match in spelt if match[1] == module), "")
        sources = Sources(self.files, release_of(self.container, self.python, self.search.version))
        if (
            not name
            or not path.endswith(".py")
            or not sources.lacking(path, (name,))
            or sources.makes(path) is not False
        ):
            return None
        return "module", path, f"{name} is not defined in {path}"

    def _link(self, what: str, path: str) -> Link:
        node = self.files.walk(path).node
        return Link(what, path, node.made if node is not None else None)

    def _nowhere(self, name: str, folders: Sequence[str], *, top: bool) -> str:
        if not top:
            return f"there is no {name.rpartition('.')[2]} in {folders[0]}"
        known = [folder for folder in dict.fromkeys(folders) if self.files.walk(folder).state == "present"]
        from lucid_audit.container.import_words import elsewhere  # noqa: PLC0415  (only for a finding)

        more = elsewhere(self.files, self.search, self.python, name)
        return f"no module {name} in {', '.join(known) or 'any folder of its path'}{more}"
