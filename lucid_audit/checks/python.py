"""Python across stages: whether what a builder installed can be found and run by the Python of the final image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from posixpath import basename, join, normpath

from lucid_audit.checks import Answers, check
from lucid_audit.checks.pyfacts import (
    SITE,
    Copy,
    Packages,
    Python,
    Runtime,
    argv_of,
    copies,
    packages,
    python_of,
    runtime,
)
from lucid_audit.checks.runtext import called, stage_text
from lucid_audit.checks.user import is_root
from lucid_audit.container.accounts import measured
from lucid_audit.container.config import Container, Traced
from lucid_audit.container.files import State
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Pairs, Transfer
from lucid_audit.finding import Hit, Skip
from lucid_audit.regex import rx
from lucid_audit.values import Unknown

_LITERAL = r"python(\d+\.\d+)"
# No Debian package installs anything there (Debian policy, section 9.1.1 and the FHS), so nothing there is unlisted.
_LEFT_EMPTY = ("/usr/local/", "/opt/", "/srv/", "/home/", "/mnt/", "/media/", "/tmp/")  # noqa: S108 - only compared
_HOMES = {"root": "/root", "0": "/root", "nonroot": "/home/nonroot", "65532": "/home/nonroot"}  # distroless /etc/passwd


def _final_python(container: Container | None) -> str:
    """Return the version of the final base's Python, "" when it has none or it is not known."""
    base = container.base if container is not None else None
    if base is None or base.interpreter is None or base.interpreter.kind != "python":
        return ""
    return base.interpreter.version or ""


@lru_cache(maxsize=4)  # of one file: several checks ask
def _moved(build: Build) -> tuple[tuple[Copy, Packages, str], ...]:
    """Return the package folders that the final image copies, with where their modules end up."""
    return tuple(_moves(build))


def _moves(build: Build) -> Iterator[tuple[Copy, Packages, str]]:
    for copy in copies(build):
        seen = set()
        for found in packages(copy.stage):
            site = copy.mapped(found.site) if found.site else None
            if site is not None and site not in seen:
                seen.add(site)
                yield copy, found, normpath(site)
        if not seen and basename(copy.source) in SITE:
            yield copy, Packages("system", copy.source, copy.source), copy.destination


def _venvs(build: Build) -> list[tuple[Copy, Packages, str]]:
    """Return the virtual environments that the final image copies whole, with their roots in it."""
    found = []
    for copy in copies(build):
        for made in packages(copy.stage):
            root = copy.mapped(made.root) if made.kind == "venv" else None
            if root is not None:
                found.append((copy, made, normpath(root)))
    return found


def _runs(build: Build) -> Runtime | Unknown:
    container = build.container
    assert container is not None
    argv = argv_of(container)
    return argv if isinstance(argv, Unknown) else runtime(container, argv, [root for *_, root in _venvs(build)])


@check("python-minor-mismatch")
def python_minor_mismatch(build: Build) -> Answers:
    """Judge packages by the minor version that installed them: names of folders and compiled modules carry it."""
    version = _final_python(build.container)
    if not version:
        return
    seen = set()
    for copy in _copied_packages(build):
        if copy.stage.index in seen or "--python-version" in stage_text(copy.stage):
            continue
        seen.add(copy.stage.index)
        python, runs = python_of(copy.stage), _runs(build)
        unknown = next((one for one in (python, runs) if isinstance(one, Unknown)), None)
        if isinstance(python, Python) and python.version == version:
            continue
        if unknown is not None:
            yield Skip(copy.span, unknown.reason)
        elif isinstance(python, Python) and isinstance(runs, Runtime) and runs.kind != "own":
            names = {"path": copy.source, "stage": called(copy.stage), "image": _image(build)}
            yield Hit(copy.span, builder=python.version, runtime=version, **names)


def _copied_packages(build: Build) -> Iterator[Copy]:
    """Yield copies that take packages along: known folders, or paths that only packages have."""
    taken = [copy for copy, *_ in _moved(build)]
    for copy in copies(build):
        named = any(part in (*SITE, ".local", "venv", ".venv") for part in copy.source.split("/"))
        if named or copy in taken or any(copy.mapped(made.root) for made in packages(copy.stage)):
            yield copy


@check("python-path-literal")
def python_path_literal(build: Build) -> Answers:
    """Judge ``pythonX.Y`` in COPY destinations and ENV values of the final image against the Python that is there."""
    version = _final_python(build.container)
    if not version or not rx(_LITERAL).search(build.dockerfile.source.text):
        return
    runs = _runs(build)
    if isinstance(runs, Runtime) and runs.kind == "own":
        return
    for _, step in build.final_steps("COPY", "ENV"):
        instruction = step.instruction
        if isinstance(instruction, Transfer):
            words = [instruction.destination]
        else:
            pairs = instruction.pairs if isinstance(instruction, Pairs) else ()
            words = [pair.value for pair in pairs if pair.value is not None]
        for word in words:
            text = step.scope.text(word) or word.raw
            other = next((found for found in rx(_LITERAL).findall(text) if found != version), None)
            if other is None:
                continue
            if isinstance(runs, Unknown):
                yield Skip(word.span, runs.reason)
            else:
                yield Hit(word.span, literal=f"python{other}", runtime=version, base=_image(build))


def _image(build: Build) -> str:
    container = build.container
    return container.base.ref.familiar if container is not None and container.base is not None else "the base"


@check("site-packages-off-path")
def site_packages_off_path(build: Build) -> Answers:
    """Judge where copied packages land against ``sys.path``: Debian's Python has no ``site-packages`` outside a venv."""
    container = build.container
    if container is None or not _final_python(container) or not container.base or not container.base.python_paths:
        return
    runs: Runtime | Unknown | None = None
    for copy, _, site in _moved(build):
        if basename(site) not in SITE or site in container.base.python_paths or site.startswith("/root/"):
            continue
        inside = container.files.walk(site).node
        if inside is not None and inside.kind == "d" and not (inside.children or container.files.doubt(inside)):
            continue  # nobody misses what is in an empty folder
        runs = runs or _runs(build)
        looked = _python_path(container)
        if isinstance(runs, Runtime) and runs.kind != "base":
            return
        unknown = next((one for one in (runs, looked) if isinstance(one, Unknown)), None)
        if isinstance(looked, list) and (site in looked or site == _user_site(container) or _extended(container)):
            continue
        if unknown is not None:
            yield Skip(copy.to, unknown.reason)
        else:
            right = next((path for path in container.base.python_paths if path.endswith(SITE)), "")
            program = runs.program if isinstance(runs, Runtime) else ""
            yield Hit(copy.to, program=program, path=site, right=right)


def _python_path(container: Container) -> list[str] | Unknown:
    """Return the entries of PYTHONPATH, relative ones from the working directory."""
    traced = container.env.get("PYTHONPATH")
    if traced is None:
        return Unknown(container.env_open) if container.env_open else []
    if isinstance(traced.value, Unknown):
        return traced.value
    workdir = container.workdir.known() or "/"
    return [normpath(join(workdir, entry.replace("//", "/"))) for entry in traced.value.split(":") if entry]


def _user_site(container: Container) -> str:
    """Return the user's own site-packages (``site.getusersitepackages``), "" when the home is not known."""
    user = container.user.known()
    home = container.env.get("HOME")
    folder = home.known() if home is not None else _HOMES.get((user or "root").partition(":")[0])
    return f"{folder}/.local/lib/python{_final_python(container)}/site-packages" if folder else ""


def _extended(container: Container) -> bool:
    """Whether something else may extend ``sys.path``: other variables, a .pth file, or the command itself."""
    argv = argv_of(container)
    places = [container.env[name].value for name in ("PYTHONHOME", "PYTHONUSERBASE") if name in container.env]
    return (
        any(value != "" for value in places)
        or any((placed.path or "").endswith((".pth", "sitecustomize.py")) for placed in container.files.placements)
        or (not isinstance(argv, Unknown) and any("sys.path" in word or "addsitedir" in word for word in argv))
    )


@check("user-site-unreachable")
def user_site_unreachable(build: Build) -> Answers:
    """Judge packages below /root against the user: distroless' /root is closed to everybody but root (mode 0700)."""
    container = build.container
    entry = container.base.entries.get("/root") if container is not None and container.base is not None else None
    if container is None or entry is None or entry.mode is None or entry.mode & 0o005:
        return
    user = container.user.value
    for copy, _, site in _moved(build):
        if site.startswith("/root/"):
            if isinstance(user, Unknown):
                yield Skip(copy.to, user.reason)
            elif not is_root(user):
                yield Hit(copy.to, path=site, user=user)


@check("pythonpath-missing")
def pythonpath_missing(container: Container) -> Answers:
    """Judge the entries of PYTHONPATH: a folder that nothing creates is skipped by Python without a word."""
    traced = container.env.get("PYTHONPATH")
    entries = _python_path(container)
    if traced is None or isinstance(entries, Unknown):
        return
    if measured(container):
        yield from _measured_entries(container, traced, entries)
        return
    base = container.base
    if base is None or not _final_python(container):
        return
    workdir = container.workdir.known()
    for entry in dict.fromkeys(entries):
        if entry == workdir or entry in base.python_paths or any(container.files.placed_under(entry)):
            continue
        answer = container.files.find(entry)
        if answer.placed is not None or answer.state is State.PRESENT:
            continue
        never = base.distroless and entry.startswith(_LEFT_EMPTY) and not container.files.opaque
        if answer.state is State.ABSENT or never:
            yield Hit(traced.place, missing=f"nothing creates {entry}")
        elif answer.state is State.UNKNOWN:
            yield Skip(traced.place, answer.reason)


def _measured_entries(container: Container, traced: Traced[str], entries: Iterable[str]) -> Answers:
    """Judge the entries against the files of an image; a base's own PYTHONPATH is the base's business."""
    for entry in dict.fromkeys(entries) if not traced.inherited else ():
        answer = container.files.find(entry)
        if answer.state is State.ABSENT and not entry.endswith(".zip"):
            yield Hit(traced.place, missing=f"the image has no {entry}")
        elif answer.state is State.UNKNOWN:
            yield Skip(traced.place, answer.reason)
