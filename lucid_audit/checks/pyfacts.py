"""Where Python packages come from and go: what a builder installs, what a COPY takes along, which Python will run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from posixpath import basename, dirname, join, normpath

from lucid_audit.checks.runtext import called, run_text, stage_text
from lucid_audit.container.config import Argv, Container
from lucid_audit.container.files import State
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Transfer
from lucid_audit.dockerfile.stages import Stage, Step
from lucid_audit.regex import rx
from lucid_audit.text import Span
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

SITE = ("site-packages", "dist-packages")
# python3 of a release: https://packages.debian.org/python3 and https://packages.ubuntu.com/python3
_DISTRIBUTION = {
    "debian11": "3.9",
    "debian12": "3.11",
    "debian13": "3.13",
    "ubuntu22.04": "3.10",
    "ubuntu24.04": "3.12",
}
_OTHER_PYTHON = (
    r"\buv\s+python\s+install\b|\bpyenv\b|\bconda\b|\bmicromamba\b|--python[ =]|--python-version\b|\bUV_PYTHON="
)
_CHOOSES_BY = ("uv", "pyenv", "conda", "micromamba", "--python", "UV_PYTHON")  # one of these is in whatever it finds
_OPTION = r"-p(?<=\s-p)\s+(?:python)?3\."  # starts with letters: these are looked for ten times faster than a class
_APT_PYTHON = r"\binstall\b[^;&|]*\bpython3?(?:-\w+)?\b|\bpip3\b|\bpython3\b"
_INSTALL = (
    r"(?P<venv>(?P<python>\S*python[\d.]*)\s+-m\s+venv|virtualenv|uv\s+venv)\b(?P<venv_args>[^;&|\n]*)"
    r"|(?P<sync>\buv\s+sync\b)"
    r"|\b(?:pip[\d.]*|uv\s+pip)\s+(?:-\S+\s+)*install\b(?P<pip_args>[^;&|\n]*)"
    r"|(?P<project>\b(?:poetry|pdm|pipenv)\s+(?:install|sync)\b)"
)
_INSTALLS_BY = ("pip", "env", "uv", "poetry", "pdm")  # one of these is in whatever _INSTALL finds
_PLACE = r"(?:--(prefix|target|root)|(-t))[ =]+([^\s;&|]+)|(--user)\b"
_INSTALLERS = ("pip", "setuptools", "wheel", "uv", "poetry", "pdm", "pipenv", "build", "virtualenv")
_WRAPPERS = ("tini", "dumb-init", "catatonit")
_PYTHON = r"python[\d.]*"


class Packages(NamedTuple):
    """A folder of installed packages. ``kind``: system, prefix, target, user or venv; ``site`` is where its modules are."""

    kind: str
    root: str
    site: str
    python: str = ""  # for a venv: the program its python links to


class Python(NamedTuple):
    """A stage's Python: ``3.11`` and the program's path."""

    version: str
    program: str


class Copy(NamedTuple):
    """One source of a ``COPY --from=stage`` into the final image, both ends absolute and known."""

    step: Step
    stage: Stage
    source: str
    destination: str
    span: Span
    to: Span

    def mapped(self, path: str) -> str | None:
        """Return where a path of the stage ends up, or None when this COPY does not take it along."""
        if path == self.source:
            return self.destination
        inside = self.source.rstrip("/") + "/"
        return join(self.destination, path[len(inside) :]) if path.startswith(inside) else None


@lru_cache(maxsize=4)  # of one file: several checks ask
def copies(build: Build) -> tuple[Copy, ...]:
    """Return what the final image copies from other stages, where both ends are known."""
    return tuple(_copies(build))


def _copies(build: Build) -> Iterator[Copy]:
    for _, step in build.final_steps("COPY"):
        instruction = step.instruction
        word = instruction.from_ if isinstance(instruction, Transfer) else None
        stage = build.graph.stage(word.raw) if word is not None else None
        if not isinstance(instruction, Transfer) or stage is None:
            continue
        destination = step.destination(instruction.destination)
        for source in instruction.sources:
            path = step.scope.text(source)
            if path and isinstance(destination, str):
                yield Copy(
                    step,
                    stage,
                    normpath("/" + path.lstrip("/")),
                    normpath(destination),
                    source.span,
                    instruction.destination.span,
                )


@lru_cache(maxsize=64)
def python_of(stage: Stage) -> Python | Unknown | None:
    """Return the Python of a stage, Unknown when it may be another than the base's, None when nothing says there is one."""
    text = stage_text(stage)
    if (any(name in text for name in _CHOOSES_BY) and rx(_OTHER_PYTHON).search(text)) or rx(_OPTION).search(text):
        return Unknown(f"{called(stage)} chooses a Python of its own")
    base = stage.base
    if base is None:
        return Unknown(f"the Python of {stage.root.from_.image.raw} is not in the catalogue")
    if base.interpreter is not None:
        if base.interpreter.kind != "python":
            return None
        if base.interpreter.version is None or "." not in base.interpreter.version:
            return Unknown(f"the Python version of {base.ref.familiar} is not known")
        return Python(base.interpreter.version, base.interpreter.path)
    if not rx(_APT_PYTHON).search(text):
        return None
    version = _DISTRIBUTION.get(base.release or "")
    return (
        Python(version, "/usr/bin/python3") if version else Unknown(f"the Python of {base.ref.familiar} is not listed")
    )


@lru_cache(maxsize=64)
def packages(stage: Stage) -> tuple[Packages, ...]:
    """Return the folders of packages that a stage's RUN instructions make; those of unknown place are left out."""
    python = python_of(stage)
    version = python.version if isinstance(python, Python) else ""
    program = python.program if isinstance(python, Python) else ""
    found: list[Packages] = []
    system = venv = False
    for step in stage.all_steps():
        text = run_text(step.instruction) if step.instruction.keyword == "RUN" else ""
        for match in rx(_INSTALL).finditer(text) if any(name in text for name in _INSTALLS_BY) else ():
            for kind, root, link in _installs(match, step, program):
                site = f"{root}/lib/python{version}/site-packages" if version else ""
                found.append(Packages(kind, root, root if kind == "target" else site, link))
            system = system or bool(match["project"]) or _installs_here(match["pip_args"])
            venv = venv or bool(match["venv"] or match["sync"])
    if system and not venv:  # with one, that is where pip installs
        paths = stage.base.python_paths if stage.base is not None else ()
        found.extend(Packages("system", path, path) for path in paths if basename(path) in SITE)
    return tuple(found)


def _installs_here(arguments: str | None) -> bool:
    """Whether a pip install is of something else than installers, and into no folder of its own."""
    if arguments is None or rx(_PLACE).search(arguments):
        return False
    words = arguments.split()
    return any(word.startswith("-r") or (word[0] not in "-\\" and word not in _INSTALLERS) for word in words)


def _installs(match: re.Match[str], step: Step, program: str) -> Iterator[tuple[str, str, str]]:
    """Yield kind, root and venv link of what one command makes."""
    if match["venv"]:
        words = [word for word in match["venv_args"].split() if not word.startswith("-")]
        root = _absolute(step, words[0] if words else ".venv" if match["venv"].startswith("uv") else "")
        if root:
            name = basename(match["python"]) if match["python"] else basename(program)
            yield "venv", root, f"{dirname(program)}/{name}" if program else ""
    elif match["sync"]:
        root = _absolute(step, step.scope.expand("${UV_PROJECT_ENVIRONMENT:-.venv}").text or ".venv")
        if root:
            yield "venv", root, program
    elif match["pip_args"]:
        for kind, target, value, user in rx(_PLACE).findall(match["pip_args"]):
            root = "/root/.local" if user else _absolute(step, value)
            if root:
                yield "user" if user else kind or (target and "target"), root, ""


def _absolute(step: Step, path: str) -> str:
    """Return a path of a RUN as an absolute one, "" when it is not known."""
    text = step.scope.expand(path).text if path else None
    if not text or any(char in text for char in "$`*?"):
        return ""
    if text.startswith("~"):
        return normpath("/root" + text[1:])
    if text.startswith("/"):
        return normpath(text)
    return normpath(join(step.workdir, text)) if isinstance(step.workdir, str) else ""


class Runtime(NamedTuple):
    """Which Python the container runs: ``base``, ``venv`` (then ``root``), ``own`` (copied in), ``script`` or ``none``."""

    kind: str
    root: str = ""
    program: str = ""


def argv_of(container: Container) -> tuple[str, ...] | Unknown:
    """Return the effective argument vector, without a tini in front of it."""
    words: list[str] = []
    for traced in (container.entrypoint, container.cmd):
        if isinstance(traced.value, Unknown):
            return traced.value
        args = traced.value.args if isinstance(traced.value, Argv) else ()
        words.extend(arg if isinstance(arg, str) else "" for arg in args)
    if words and basename(words[0]) in _WRAPPERS:
        del words[0]
        while words and words[0].startswith("-"):
            del words[0]
    return tuple(words)


def search_path(container: Container) -> list[str]:
    """Return the folders of PATH, empty when it is not known."""
    path = container.env.get("PATH")
    value = path.known() if path is not None else None
    return [normpath(entry) for entry in value.split(":") if entry.startswith("/")] if value else []


def runtime(container: Container, argv: tuple[str, ...], venvs: list[str]) -> Runtime | Unknown:
    """Say which Python a command runs. ``venvs`` are the roots of the virtual environments in the image."""
    base = container.base
    if not argv or not argv[0] or base is None or base.interpreter is None:
        return Runtime("none")
    program, folders = argv[0], search_path(container)
    if program in (base.interpreter.path, *base.interpreter.aliases):
        return Runtime("base", program=program)
    for root in venvs:
        if program.startswith(f"{root}/bin/"):
            return Runtime("venv", root, program)
    answer = container.files.which(program, folders)
    if not rx(_PYTHON).fullmatch(basename(program)):
        if "/" not in program and answer.state is not State.PRESENT:
            for root in venvs:
                if f"{root}/bin" in folders:
                    return Runtime("venv", root, f"{root}/bin/{program}")
        return Runtime("script", program=program)
    if answer.state is State.UNKNOWN and "/" not in program:
        others = [folder for folder in folders if folder not in {f"{root}/bin" for root in venvs}]
        later = container.files.which(program, others)
        if len(others) < len(folders) and later.state is not State.UNKNOWN:
            root = next(root for root in venvs if f"{root}/bin" in folders)
            return Runtime("venv", root, program)
    if answer.state is State.UNKNOWN:
        return Unknown(answer.reason)
    return Runtime("own" if answer.placed is not None else "base", program=program)
