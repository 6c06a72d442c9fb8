"""What an interpreter is told to run: the script, the module or the archive among its arguments.

Facts: python3(1) and ``python3 --help``, node(1), java(1); for servers see ``container.starters``.
"""

from __future__ import annotations

from collections.abc import Mapping
from posixpath import basename

from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple

PYTHON = regex(r"python(\d+(?:\.\d+)?)?")
_NODE = regex(r"node(?:js)?\d*")
INTERPRETERS = (("python", PYTHON), ("node", _NODE))
_NODE_VALUES = (
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
    "-C",
    "--conditions",
    "--env-file",
    "--title",
)
_CLASS_PATHS = ("-cp", "-classpath", "--class-path")
_JAVA_VALUES = (
    "-p",
    "--module-path",
    "--upgrade-module-path",
    "--add-modules",
    "--enable-native-access",
    "--limit-modules",
    "--add-exports",
    "--add-opens",
    "--add-reads",
    "--patch-module",
)
_JAVA_ENDS = (
    "-m",
    "--module",
    "-d",
    "--describe-module",
    "--list-modules",
    "--validate-modules",
    "--dry-run",
    "--source",
    "-version",
    "--version",
    "-h",
    "-help",
    "--help",
    "-?",
    "-X",
)
# Scripts that an installer writes, with its own interpreter in their first line.
PYTHON_SCRIPTS = (
    r"pip[0-9.]*|gunicorn|uvicorn|hypercorn|daphne|granian|waitress-serve|celery|flask|fastapi|alembic|pytest|streamlit"
)

# Programs that serve a module which they are told, by the module that is run with ``-m`` instead.
_OF_MODULES = {"uvicorn": "uvicorn", "gunicorn": "gunicorn", "hypercorn": "hypercorn", "daphne": "daphne", "granian": "granian",
               "waitress": "waitress-serve", "celery": "celery", "flask": "flask"}  # fmt: skip
SERVERS = tuple(_OF_MODULES.values())
VARIABLES = ("FLASK_APP", "GUNICORN_CMD_ARGS")  # that tell servers what to serve


class Task(NamedTuple):
    """What runs. ``kind``: ``script``, ``module``, ``app`` (a module that a server loads), ``node``, ``jar``, ``class``.

    ``folder`` is where a server looks first, "" for the working directory, and the class path of a class; ``also`` are
    modules that it loads besides. ``server`` is the module that loads an app, where it is run by its name (``-m``). ``configs`` and
    ``climbs``: see ``starters.Served``.
    """

    kind: str
    name: str
    folder: str = ""
    also: tuple[str, ...] = ()
    server: str = ""
    configs: tuple[str, ...] = ()
    climbs: bool = False


def task(program: str, arguments: tuple[str, ...], variables: Mapping[str, str] | None = None) -> Task | None:
    """Return what a program is told to run, None when that is not plain to see or it is no interpreter.

    ``variables`` are those of ``VARIABLES`` that are set.
    """
    name = basename(program)
    if PYTHON.fullmatch(name):
        return _python(arguments, variables or {})
    if name in SERVERS:
        return _app(name, arguments, variables or {})
    if _NODE.fullmatch(name):
        return _node(arguments)
    return _java(arguments) if name == "java" else None


def _java(arguments: tuple[str, ...]) -> Task | None:
    """Read options up to the first word that is none: the archive after ``-jar``, which takes no value, else the main class.

    ``-jar`` may come again; a class path after it makes that word a class again.
    """
    words, archive, classpath = list(arguments), False, None
    while words:
        word = words.pop(0)
        if word.startswith(("@", "--module=")) or word in _JAVA_ENDS:
            return None
        if word in _CLASS_PATHS:
            classpath, archive = words.pop(0) if words else "", False
        elif word.startswith("--class-path="):
            classpath, archive = word.partition("=")[2], False
        elif word in _JAVA_VALUES:
            del words[:1]
        elif word == "-jar":
            archive = True
        elif not word.startswith("-"):
            if archive:
                return Task("jar", word)
            return Task("class", word, classpath) if classpath and not word.endswith(".java") else None
    return None


def _python(arguments: tuple[str, ...], variables: Mapping[str, str]) -> Task | None:
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word in ("-", "-c", "-V", "-VV", "--version", "-h", "--help") or word.startswith("--"):
            return None
        if not word.startswith("-"):
            return Task("script", word)
        for at, letter in enumerate(word[1:], 2):
            if letter in "cVh?":
                return None
            if letter in "mWX":
                value = word[at:] or (words.pop(0) if words else "")
                if letter != "m":
                    break
                app = _app(_OF_MODULES[value], tuple(words), variables) if value in _OF_MODULES else None
                if app is not None:
                    return app._replace(server=value)
                return Task("module", value) if value else None
    return None


def _app(program: str, arguments: tuple[str, ...], variables: Mapping[str, str]) -> Task | None:
    from lucid_audit.container.starters import served, with_variables  # noqa: PLC0415  (few containers have a server)

    found = served(program, with_variables(program, arguments, variables))
    if found is None:
        return None
    return Task("app", found.module, found.folder, found.also, configs=found.configs, climbs=found.climbs)


def _node(arguments: tuple[str, ...]) -> Task | None:
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word in (
            "-e",
            "--eval",
            "-p",
            "--print",
            "-",
            "-v",
            "--version",
            "-h",
            "--help",
            "--run",
            "--test",
            "inspect",
        ):
            return None
        if word in _NODE_VALUES:
            del words[:1]
        elif not word.startswith("-"):
            return Task("node", word)
    return None
