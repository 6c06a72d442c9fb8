"""What an interpreter is told to run: the script, the module or the archive among its arguments.

Facts: python3(1) and ``python3 --help``, node(1), java(1); the documentation of uvicorn, gunicorn and hypercorn for the
``module:attribute`` that they load from the working directory.
"""

from __future__ import annotations

from posixpath import basename

from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple

PYTHON = regex(r"python(\d+(?:\.\d+)?)?")
_NODE = regex(r"node(?:js)?\d*")
INTERPRETERS = (("python", PYTHON), ("node", _NODE))
_APP = regex(r"([A-Za-z_][\w.]*):[A-Za-z_][\w.]*(?:\(.*\))?")
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
PYTHON_SCRIPTS = r"pip[0-9.]*|gunicorn|uvicorn|hypercorn|daphne|celery|flask|fastapi|alembic|pytest|streamlit"
SERVERS = ("uvicorn", "gunicorn", "hypercorn", "daphne", "granian")
_WORKERS = ("-k", "--worker-class")  # of gunicorn and hypercorn: a class by its dotted name
_FOLDERS = ("--app-dir", "--chdir")


class Task(NamedTuple):
    """What runs. ``kind``: ``script``, ``module``, ``app`` (a module that a server loads), ``node``, ``jar``, ``class``.

    ``folder`` is where a server looks first, "" for the working directory, and the class path of a class; ``also`` are
    modules that it loads besides. ``server`` is the module that loads an app, where it is run by its name (``-m``).
    """

    kind: str
    name: str
    folder: str = ""
    also: tuple[str, ...] = ()
    server: str = ""


def task(program: str, arguments: tuple[str, ...]) -> Task | None:
    """Return what a program is told to run, None when that is not plain to see or it is no interpreter."""
    name = basename(program)
    if PYTHON.fullmatch(name):
        return _python(arguments)
    if name in SERVERS:
        return _app(arguments)
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


def _python(arguments: tuple[str, ...]) -> Task | None:
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
                app = _app(tuple(words)) if value in SERVERS else None
                if app is not None:
                    return app._replace(server=value)
                return Task("module", value) if value else None
    return None


def _app(arguments: tuple[str, ...]) -> Task | None:
    if any(word.startswith(("--pythonpath", "--factory-dir")) for word in arguments):
        return None
    folder, also = "", tuple[str, ...]()
    for at, word in enumerate(arguments):
        option, _, value = word.partition("=")
        value = value or (arguments[at + 1] if at + 1 < len(arguments) else "")
        if option in _FOLDERS:
            folder = value
        if option in _WORKERS and "." in value:
            also = (value.rpartition(".")[0],)
    for word in arguments:
        match = _APP.fullmatch(word)
        if match is not None and match[1] != "unix":
            return Task("app", match[1], folder, also)
    return None


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
