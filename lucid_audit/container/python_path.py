"""Where an interpreter looks for modules: its ``sys.path``, from the files around it, its variables and its user.

Facts: CPython's ``Modules/getpath.py`` (a ``._pth`` file beside the program is the whole path, since 3.11; a ``pyvenv.cfg`` beside
the program or one folder up makes a virtual environment; the standard library is found by ``os.py`` in ``lib/pythonX.Y`` above
the program), ``site.py`` and Debian's change to it (``dist-packages``; ``site-packages`` only in a virtual environment).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from posixpath import basename, dirname, join, normpath

from lucid_audit.container.accounts import Account, account, lines, measured, number
from lucid_audit.container.config import Container
from lucid_audit.container.interpret import PYTHON
from lucid_audit.container.python_switches import Switches, newer, switches, value
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

_CONFIG_LIMIT = 1 << 16  # bytes of a pyvenv.cfg
_SITE_LIMIT = 1 << 18  # bytes of site.py


class Search(NamedTuple):
    """The folders, existing or not, in their order. ``version`` is ``3.11``, "" when it is not known.

    ``doubt`` is why there may be more folders, "" when these are all. ``exact``: the interpreter's own library was looked at;
    otherwise there are rather too many folders than too few. ``mapped`` and ``dropped``: see ``python_site.Added``.
    """

    folders: tuple[str, ...]
    version: str
    doubt: str
    exact: bool
    mapped: Mapping[str, str] = {}  # nobody writes to it
    dropped: tuple[tuple[str, str], ...] = ()


class Python(NamedTuple):
    """An interpreter: the path by which it is ``called``, where that leads behind all links, and its ``arguments``."""

    called: str
    real: str
    arguments: tuple[str, ...] = ()


def search(container: Container, python: Python, always: Sequence[str] = (), first: Sequence[str] = ()) -> Search:
    """Return where an interpreter looks: after the folders ``first``, unless an option says no, and after ``always``."""
    version = _version(container, python.called, python.real)
    told = switches(container, python.arguments, version)
    listed = _listed(container, python) if newer(version) and not value(container, "PYTHONHOME") else None
    if listed is not None:
        return _of_list(container, python, version, always, listed)
    given, doubt = _given(container) if told.variables else ([], "")
    begin = (*always, *(first if told.first else ()), *given)
    home = container.env.get("PYTHONHOME") if told.variables else None
    if "." not in version or (home is not None and isinstance(home.value, Unknown)):
        return Search(begin, version, doubt or "which Python runs is not known", exact=False)
    venv, config = _environment(container, python.called)
    library, dynamic = _library(container, python.real, version, config, str(home.value) if home is not None else "")
    if library and (not venv or config):
        own = _own(container, venv, config, library, version, told) if told.site else []
        path = (*begin, f"{dirname(library)}/python{version.replace('.', '')}.zip", library, dynamic)
        return _searched(container, version, path, own, doubt, exact=True)
    likely = _likely(container, python.called, python.real, version, told)
    return _searched(container, version, begin, likely, doubt, exact=False)


def _searched(
    container: Container, version: str, path: Sequence[str], own: Sequence[str], doubt: str, *, exact: bool
) -> Search:
    """Return a path with what ``site`` adds to it."""
    nodes = (container.files.walk(folder).node for folder in own)
    if not any(
        name.endswith(".pth") for node in nodes if node is not None and node.kind == "d" for name in node.children
    ):
        return Search((*path, *own), version, doubt, exact)
    from lucid_audit.container.python_site import added  # noqa: PLC0415  (few folders have such files)

    more = added(container, own, path)
    return Search((*path, *more.folders), version, doubt or more.doubt, exact, more.mapped, more.dropped)


def _listed(container: Container, python: Python) -> tuple[str, bytes] | None:
    """Return the ``._pth`` file beside an interpreter, which is its whole path; None when there is none."""
    for program in (python.called, python.real):
        walk = container.files.walk(f"{program}._pth")
        if walk.state == "present":
            return dirname(program), walk.load(_CONFIG_LIMIT) or b""
    return None


def _of_list(
    container: Container, python: Python, version: str, always: Sequence[str], listed: tuple[str, bytes]
) -> Search:
    """Return the path that a ``._pth`` file gives: its lines, and the system's packages where one is ``import site``."""
    place, data = listed
    lines = [line.partition("#")[0].strip() for line in data.decode("utf-8", "replace").splitlines()]
    folders = [normpath(join(place, line)) for line in lines if line and not line.startswith("import ")]
    library = next((one for one in folders if container.files.walk(f"{one}/os.py").state == "present"), "")
    plain = Switches(variables=False, first=False)
    own = _own(container, "", {}, f"{place}/lib/python{version}", version, plain) if "import site" in lines else []
    found = _searched(container, version, (*always, *folders), own, "", exact=bool(library))
    return found if folders else found._replace(doubt=f"{python.called}._pth is not known")


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
    entries = traced.value.split(":") if traced.value else []  # an empty entry is the working directory
    return [join(container.workdir.known() or "/", entry).rstrip("/") or "/" for entry in entries], ""


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


def _library(container: Container, real: str, version: str, config: dict[str, str], home: str) -> tuple[str, str]:
    """Return the folder of the standard library, "" when it is not seen, and that of its extension modules."""
    if home:
        prefix, _, other = home.partition(":")
        roots = [prefix.rstrip("/")]
    else:
        starts = [config["home"]] if "home" in config else []
        above = (folder for start in (*starts, dirname(real)) for folder in _above(start))
        roots, other = list(dict.fromkeys((*above, "/usr", "/usr/local"))), ""
    for root in roots:
        for lib in ("lib", "lib64"):
            library = f"{root.rstrip('/')}/{lib}/python{version}"
            if container.files.walk(f"{library}/os.py").state == "present":
                return (
                    library,
                    f"{other.rstrip('/')}/{lib}/python{version}/lib-dynload" if other else f"{library}/lib-dynload",
                )
    return "", ""


def _above(folder: str) -> list[str]:
    found = [folder]
    while folder not in ("/", ""):
        folder = dirname(folder)
        found.append(folder)
    return found


def _own(
    container: Container, venv: str, config: dict[str, str], library: str, version: str, told: Switches
) -> list[str]:
    """Return the folders that ``site`` adds."""
    of_debian = container.files.learned(container.files.walk(f"{library}/site.py"), "debian", _is_of_debian)
    debian, other = of_debian is not False, of_debian is not True
    prefix, libs = dirname(dirname(library)), dict.fromkeys((basename(dirname(library)), "lib"))
    of_base = [f"{prefix}/{lib}/python{version}/site-packages" for lib in libs] if other else []
    if debian:
        of_base += [
            f"{prefix}/local/lib/python{version}/dist-packages",
            f"{prefix}/lib/python3/dist-packages",
            f"{prefix}/lib/python{version}/dist-packages",
        ]
    of_user = _of_user(container, version, told)
    if not venv:
        return [*of_user, *of_base]
    own = [f"{venv}/{lib}/python{version}/site-packages" for lib in libs]
    if config.get("include-system-site-packages", "").lower() == "true":
        own += [*of_user, *of_base]
    return own


def _is_of_debian(data: bytes) -> bool:
    return b"dist-packages" in data[:_SITE_LIMIT]


def _of_user(container: Container, version: str, told: Switches) -> list[str]:
    """Return the user's own folders: of his home, or of every home that may be his."""
    if not told.user:
        return []
    base = value(container, "PYTHONUSERBASE") if told.variables else ""
    bases = [base.rstrip("/")] if base else [f"{home.rstrip('/')}/.local" for home in _homes(container)]
    return [f"{folder}/lib/python{version}/site-packages" for folder in bases]


def _homes(container: Container) -> list[str]:
    """Return the home of who runs: HOME, else what a runtime sets it to, the folder in the line of passwd or ``/``."""
    given = value(container, "HOME")
    who, passwd = account(container), lines(container, "/etc/passwd")
    if not measured(container) or not isinstance(who, Account) or not isinstance(passwd, tuple):
        return sorted({"/root", "/home/nonroot", given or "/root"})
    of_line = (line[5] for line in passwd if len(line) > 5 and number(line[2]) == who.uid)
    return [given or next(of_line, "") or "/"]


def _likely(container: Container, called: str, real: str, version: str, told: Switches) -> list[str]:
    """Return an interpreter's folders by the customs of all that are known: too many rather than too few."""
    found = list(container.base.python_paths) if container.base is not None else []
    for root in dict.fromkeys((dirname(dirname(called)), dirname(dirname(real)), "/usr", "/usr/local")):
        lib = f"{root.rstrip('/')}/lib/python{version}"
        found += [lib, f"{lib}/lib-dynload", f"{lib}/site-packages", f"{lib}/dist-packages"]
    return [*found, "/usr/lib/python3/dist-packages", *_of_user(container, version, told)]
