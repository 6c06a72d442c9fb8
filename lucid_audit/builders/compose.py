"""Compose files of one folder, and what they extend and include: which service builds which Dockerfile, and how.

Source: compose specification (merge, extends, include, interpolation) and docker/compose's default files. A file such as
``compose.prod.yaml`` is given with ``-f``, alone or after the main one; nobody can see which. Here a service of it whose
build names a context stands alone, and one that does not is laid over the main file's.
"""

from __future__ import annotations

import os

from lucid_audit.builders.builder import Draft, Trouble, read
from lucid_audit.builders.interpolate import interpolate, parse_env
from lucid_audit.builders.services import draft
from lucid_audit.builders.yamltree import YamlError, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from lucid_audit.yamlsource import Document

MAIN = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")  # in docker/compose's order
OVERRIDES = tuple(f"{stem}.override.{end}" for stem in ("compose", "docker-compose") for end in ("yml", "yaml"))
FILES = 100  # that one folder's files extend and include
DEPTH = 20  # of extends and includes
SERVICES = 2_000  # of one file

Services = dict[str, Draft]


class Compose:
    """The compose files of one folder. ``troubles`` are what could not be read; it never raises."""

    def __init__(self, folder: str, root: str) -> None:
        self.troubles: list[Trouble] = []
        self._folder = folder
        self._root = root
        self._documents: dict[str, Document | None] = {}
        self._envs: dict[str, dict[str, str]] = {}

    def services(self, names: Iterable[str]) -> list[Draft]:
        """Return the builds that these files of the folder declare; the same service may come from several files."""
        files = set(names)
        main = next((name for name in MAIN if name in files), "")
        base = self._file(main) if main else {}
        for name in sorted(files.intersection(OVERRIDES)):
            base = _merged(base, self._file(name))
        found = list(base.values())
        for name in sorted(files.difference({main}, OVERRIDES)):
            for service, own in self._file(name).items():
                partial = own.context is None and service in base and own.declared
                found.append(own.over(base[service]) if partial else own)
        return [one for one in found if one.declared]

    def _file(self, name: str) -> Services:
        return self._project(os.path.join(self._folder, name), self._folder, self._env(self._folder), 0)

    def _project(self, path: str, folder: str, env: Mapping[str, str], depth: int) -> Services:
        """Return the services of one file and of those it includes; its own go over the others."""
        document = self._document(path)
        if document is None or depth > DEPTH:
            return {}
        found: Services = {}
        includes = document.data.get("include")
        for entry in includes if isinstance(includes, list) else ():
            found = _merged(found, self._included(entry, path, folder, env, depth + 1))
        services = document.data.get("services")
        own = {
            name: self._service(document, name, folder, env, ())
            for name in list(services if isinstance(services, dict) else {})[:SERVICES]
        }
        return _merged(found, own)

    def _included(self, entry: object, path: str, folder: str, env: Mapping[str, str], depth: int) -> Services:
        """Follow one ``include``: a path, or paths with a project directory of their own."""
        options: dict[str, Any] = entry if isinstance(entry, dict) else {"path": entry}
        paths = options["path"] if isinstance(options.get("path"), list) else [options.get("path")]
        found: Services = {}
        for raw in paths:
            file = interpolate(raw, env) if isinstance(raw, str) else None
            if not isinstance(file, str):
                self.troubles.append(Trouble(path, 0, f"what is included as {raw} is not known"))
                continue
            target = os.path.normpath(os.path.join(folder, file))
            at = interpolate(str(options.get("project_directory") or ""), env)
            project = (
                os.path.normpath(os.path.join(folder, at)) if at and isinstance(at, str) else os.path.dirname(target)
            )
            found = _merged(found, self._project(target, project, {**self._env(project), **env}, depth))
        return found

    def _service(
        self, document: Document, name: str, folder: str, env: Mapping[str, str], seen: tuple[tuple[str, str], ...]
    ) -> Draft:
        """Return a service as a draft, with what it extends below it; a circle is cut."""
        services = document.data.get("services")
        service = services.get(name) if isinstance(services, dict) else None
        raw: dict[str, Any] = service if isinstance(service, dict) else {}
        line = document.line(("services", name, "build") if "build" in raw else ("services", name))
        own = draft(name, raw, (document.path, line), folder, env)
        extends = raw.get("extends")
        parent = extends.get("service") if isinstance(extends, dict) else extends
        here = (document.path, name)
        if not isinstance(parent, str) or here in seen or len(seen) > DEPTH:
            return own
        file = extends.get("file") if isinstance(extends, dict) else None
        if not isinstance(file, str):
            return own.over(self._service(document, parent, folder, env, (*seen, here)))
        path = interpolate(file, env)
        target = os.path.normpath(os.path.join(folder, path)) if isinstance(path, str) else ""
        other = self._document(target) if target else None
        if other is None:
            return own
        return own.over(self._service(other, parent, os.path.dirname(target), env, (*seen, here)))

    def _document(self, path: str) -> Document | None:
        """Read a file once; None when it is of no use, which is noted."""
        if path not in self._documents:
            self._documents[path] = None
            if len(self._documents) <= FILES:
                self._documents[path] = self._parsed(path)
        return self._documents[path]

    def _parsed(self, path: str) -> Document | None:
        text = read(path, self._root)
        if isinstance(text, Trouble):
            self.troubles.append(text)
            return None
        if not any(word in text for word in ("build", "include", "extends")):
            return None  # nothing is built there, so it need not be parsed
        try:
            document = load(path, text)
        except YamlError as error:
            self.troubles.append(Trouble(path, 0, str(error)))
            return None
        return document if isinstance(document.data, dict) else None

    def _env(self, folder: str) -> dict[str, str]:
        if folder not in self._envs:
            text = read(os.path.join(folder, ".env"), self._root)
            self._envs[folder] = parse_env(text) if isinstance(text, str) else {}
        return self._envs[folder]


def _merged(below: Services, above: Services) -> Services:
    """Lay the services of one file over another's, as ``-f A -f B`` does."""
    return below | {name: one.over(below[name]) if name in below else one for name, one in above.items()}
