"""Where an interpreter looks for modules: its ``sys.path``, from the files around it, its variables and its user.

Facts: CPython's ``Modules/getpath.py`` (a ``pyvenv.cfg`` beside the program or one folder up makes a virtual environment;
the standard library is found by ``os.py`` in ``lib/pythonX.Y`` above the program), ``site.py`` and Debian's change to it
(``dist-packages``; ``site-packages`` only in a virtual environment).
"""

from __future__ import annotations

from posixpath import basename, dirname, join

from lucid_audit.container.config import Container
from lucid_audit.container.interpret import PYTHON
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

_CONFIG_LIMIT = 1 << 16  # bytes of a pyvenv.cfg
_SITE_LIMIT = 1 << 18  # bytes of site.py


class Search(NamedTuple):
    """The folders, existing or not, in their order. ``version`` is ``3.11``, "" when it is not known.

    ``doubt`` is why there may be more folders, "" when these are all. ``exact``: the interpreter's own library was looked at;
    otherwise there are rather too many folders than too few.
    """

    folders: tuple[str, ...]
    version: str
    doubt: str
    exact: bool


def search(container: Container, called: str, real: str, first: tuple[str, ...]) -> Search:
    """Return where the interpreter ``called`` by that path, ``real`` behind all links, looks, after the folders ``first``."""
    given, doubt = _given(container)
    version = _version(container, called, real)
    if "PYTHONHOME" in container.env or "." not in version:
        return Search((*first, *given), version, doubt or "which Python runs is not known", exact=False)
    venv, config = _environment(container, called)
    library = _library(container, real, version, config)
    if library and (not venv or config):
        own = _own(container, venv, config, library, version)
        return Search((*first, *given, library, f"{library}/lib-dynload", *own), version, doubt, exact=True)
    return Search((*first, *given, *_likely(container, called, real, version)), version, doubt, exact=False)


def _version(container: Container, called: str, real: str) -> str:
    """Return ``3.11`` as names or the catalogue tell it, "" or less of it when they do not."""
    base = container.base
    interpreter = base.interpreter if base is not None and base.interpreter is not None else None
    return _named(real) or _named(called) or (interpreter.version if interpreter is not None else "") or ""


def _named(path: str) -> str:
    match = PYTHON.fullmatch(basename(path))
    found = match[1] or "" if match is not None else ""
    return found if "." in found else ""


def _given(container: Container) -> tuple[list[str], str]:
    """Return the folders of PYTHONPATH, or why they are not known."""
    traced = container.env.get("PYTHONPATH")
    if traced is None:
        return [], container.env_open
    if isinstance(traced.value, Unknown):
        return [], traced.value.reason
    return [join(container.workdir.known() or "/", entry) for entry in traced.value.split(":") if entry], ""


def _environment(container: Container, called: str) -> tuple[str, dict[str, str]]:
    """Return the virtual environment of a program, "" when it is in none, and its ``pyvenv.cfg`` as far as it can be read."""
    folder = dirname(called)
    for place in (folder, dirname(folder)):
        walk = container.files.walk(f"{place.rstrip('/')}/pyvenv.cfg")
        if walk.state == "absent":
            continue
        return dirname(folder), container.files.learned(walk, "settings", _settings) or {}
    return "", {}


def _settings(data: bytes) -> dict[str, str]:
    pairs = (line.partition("=") for line in data[:_CONFIG_LIMIT].decode("utf-8", "replace").splitlines())
    return {key.strip().lower(): value.strip() for key, equals, value in pairs if equals}


def _library(container: Container, real: str, version: str, config: dict[str, str]) -> str:
    """Return the folder of the standard library, "" when it is not seen."""
    starts = [config["home"]] if "home" in config else []
    roots = [above for start in (*starts, dirname(real)) for above in _above(start)]
    for root in dict.fromkeys((*roots, "/usr", "/usr/local")):
        library = f"{root.rstrip('/')}/lib/python{version}"
        if container.files.walk(f"{library}/os.py").state == "present":
            return library
    return ""


def _above(folder: str) -> list[str]:
    found = [folder]
    while folder not in ("/", ""):
        folder = dirname(folder)
        found.append(folder)
    return found


def _own(container: Container, venv: str, config: dict[str, str], library: str, version: str) -> list[str]:
    """Return the folders that ``site`` adds."""
    of_debian = container.files.learned(container.files.walk(f"{library}/site.py"), "debian", _is_of_debian)
    debian, other = of_debian is not False, of_debian is not True
    prefix = dirname(dirname(library))
    of_base = [f"{prefix}/lib/python{version}/site-packages"] if other else []
    if debian:
        of_base += [
            f"{prefix}/local/lib/python{version}/dist-packages",
            f"{prefix}/lib/python3/dist-packages",
            f"{prefix}/lib/python{version}/dist-packages",
        ]
    if not venv:
        return [*_of_user(container, version), *of_base]
    own = [f"{venv}/lib/python{version}/site-packages"]
    if config.get("include-system-site-packages", "").lower() == "true":
        own += [*_of_user(container, version), *of_base]
    return own


def _is_of_debian(data: bytes) -> bool:
    return b"dist-packages" in data[:_SITE_LIMIT]


def _of_user(container: Container, version: str) -> list[str]:
    """Return the user's own folders: of every home that may be his, for the runtime reads passwd for it."""
    home = container.env["HOME"].known() if "HOME" in container.env else None
    homes = sorted({"/root", "/home/nonroot", home or "/root"})
    return [f"{folder}/.local/lib/python{version}/site-packages" for folder in homes]


def _likely(container: Container, called: str, real: str, version: str) -> list[str]:
    """Return an interpreter's folders by the customs of all that are known: too many rather than too few."""
    found = list(container.base.python_paths) if container.base is not None else []
    for root in dict.fromkeys((dirname(dirname(called)), dirname(dirname(real)), "/usr", "/usr/local")):
        lib = f"{root.rstrip('/')}/lib/python{version}"
        found += [lib, f"{lib}/lib-dynload", f"{lib}/site-packages", f"{lib}/dist-packages"]
    return [*found, "/usr/lib/python3/dist-packages", *_of_user(container, version)]
