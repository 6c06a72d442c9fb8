"""What a Python server is told to serve: the module that it imports, and the folder where it looks for that first.

Facts: the documentation and the options of uvicorn, gunicorn (``wsgi`` alone stands for ``wsgi:application``; ``--config``), hypercorn
(``asgi:`` and ``wsgi:`` in front, paths instead of names), waitress, daphne, granian, celery (``-A``) and flask (``--app``, ``run``).
"""

from __future__ import annotations

from collections.abc import Mapping
from posixpath import basename, dirname

from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple

_APP = regex(r"([A-Za-z_][\w.]*):[A-Za-z_][\w.]*(?:\(.*\))?")
_DOTTED = regex(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_MODES = ("asgi:", "wsgi:")
_WORKERS = ("-k", "--worker-class")  # of gunicorn and hypercorn: a class by its dotted name
_FOLDERS = ("--app-dir", "--chdir", "--working-dir", "--workdir")
_PLAIN = frozenset((  # options of gunicorn that take no value
    "--reload", "--spew", "--preload", "--no-sendfile", "--reuse-port", "-D", "--daemon", "--initgroups", "--capture-output", "--log-syslog",
    "-R", "--enable-stdio-inheritance", "--proxy-protocol", "--disable-redirect-access-to-syslog", "--check-config", "--print-config",
))  # fmt: skip


class Served(NamedTuple):
    """An application: its ``module``, ``folder``, where it is looked for before the working directory, and ``also``.

    ``also`` are modules that are loaded besides, ``a:b`` where ``b`` may be a name in ``a`` as well. ``configs`` are files that are run.
    ``climbs``: a folder that is a package is taken for the beginning of the module's name.
    """

    module: str
    folder: str = ""
    also: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()
    climbs: bool = False


def served(program: str, arguments: tuple[str, ...]) -> Served | None:
    """Return what a server's arguments say that it serves, None when that is not plain to see."""
    if any(word.startswith(("--pythonpath", "--factory-dir", "--paste")) for word in arguments):
        return None
    if program in ("flask", "granian"):
        target = _flask(arguments) if program == "flask" else _granian(arguments)
        stem = basename(target).removesuffix(".py")
        return Served(stem, dirname(target), climbs=True) if _DOTTED.fullmatch(stem) else None
    if program == "celery":
        return _celery(arguments)
    folder, also = "", tuple[str, ...]()
    configs = ("gunicorn.conf.py",) if program == "gunicorn" else ()
    for option, value in _options(arguments):
        if option in _FOLDERS:
            folder = value
        if option in _WORKERS and "." in value:
            also = (value.rpartition(".")[0],)
        if program == "gunicorn" and option in ("-c", "--config"):
            named = value.removeprefix("python:")
            also, configs = ((*also, named), ()) if named != value else (also, (value.removeprefix("file:"),))
    path = _by_path(arguments) if program == "hypercorn" else None
    for word in arguments if path is None else ():
        match = _APP.fullmatch(word[5:] if program == "hypercorn" and word.startswith(_MODES) else word)
        if match is not None and match[1] not in ("unix", "python", "file"):
            return Served(match[1], folder, also, configs)
    alone = _alone(arguments) if program == "gunicorn" else ""
    return path or (Served(alone, folder, also, configs) if alone else None)


def _options(arguments: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return every word with the value that it has if it is an option."""
    found = []
    for at, word in enumerate(arguments):
        option, equals, value = word.partition("=")
        found.append((option, value if equals else arguments[at + 1] if at + 1 < len(arguments) else ""))
    return found


def _alone(arguments: tuple[str, ...]) -> str:
    """Return the last word where it is a module without an attribute, and no option's value."""
    if not arguments or _DOTTED.fullmatch(arguments[-1]) is None:
        return ""
    before = arguments[-2] if len(arguments) > 1 else ""
    return "" if before.startswith("-") and "=" not in before and before not in _PLAIN else arguments[-1]


def _by_path(arguments: tuple[str, ...]) -> Served | None:
    """Read what hypercorn takes as well: the path of a module and a name in it."""
    for word in arguments:
        path, colon, name = word.removeprefix("asgi:").removeprefix("wsgi:").partition(":")
        stem = basename(path).removesuffix(".py")
        if colon and _DOTTED.fullmatch(name) and path != stem and "//" not in path and _DOTTED.fullmatch(stem):
            return Served(stem, dirname(path))
    return None


def _celery(arguments: tuple[str, ...]) -> Served | None:
    """Read ``-A``: a module, ``module:name``, or a last part that is a module or a name."""
    folder = next((value for option, value in _options(arguments) if option == "--workdir"), "")
    for at, word in enumerate(arguments):
        value = word[2:] if word.startswith("-A") and len(word) > 2 else ""
        if word in ("-A", "--app"):
            value = arguments[at + 1] if at + 1 < len(arguments) else ""
        elif word.startswith("--app="):
            value = word[6:]
        if value:
            module, colon, _ = value.partition(":")
            if _DOTTED.fullmatch(module) is None:
                return None
            if colon or "." not in module:
                return Served(module, folder)
            first, _, last = module.rpartition(".")
            return Served(first, folder, (f"{first}:{last}",))
    return None


def _granian(arguments: tuple[str, ...]) -> str:
    """Return the path or name of the module, "" when it is not plain to see."""
    if any(word.startswith(("--working-dir", "--env-files")) for word in arguments):
        return ""
    found = (word.partition(":") for word in arguments)
    return next((path for path, colon, name in found if colon and _DOTTED.fullmatch(name)), "")


def _flask(arguments: tuple[str, ...]) -> str:
    """Return the path or name of ``--app`` before ``run``, "" when there is none."""
    words, value = list(arguments), ""
    while words and words[0].startswith("-"):
        word = words.pop(0)
        option, equals, rest = word.partition("=")
        given = rest if equals else words.pop(0) if words and option in ("-A", "--app", "-e", "--env-file") else ""
        if option in ("-A", "--app"):
            value = given
        elif word.startswith("-A"):
            value = word[2:]
    return value.partition(":")[0] if words[:1] == ["run"] else ""


def with_variables(program: str, arguments: tuple[str, ...], variables: Mapping[str, str]) -> tuple[str, ...]:
    """Return a server's arguments with those that a variable gives in front of them."""
    if program == "flask" and variables.get("FLASK_APP") and not any(w.startswith(("-A", "--app")) for w in arguments):
        return ("--app", variables["FLASK_APP"], *arguments)
    if program == "gunicorn" and variables.get("GUNICORN_CMD_ARGS"):
        return (*variables["GUNICORN_CMD_ARGS"].split(), *arguments)
    return arguments
