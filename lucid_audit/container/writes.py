"""Where a service is known to write: what its command and its environment say, without a look at its code.

Facts: gunicorn's settings (``--pid``, ``--access-logfile``, ``--error-logfile``; workers keep a file in a folder for temporary files
unless ``--worker-tmp-dir`` names another), Java's ``java.io.tmpdir``, mysqld's ``--datadir``, Prometheus' ``--storage.tsdb.path``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from posixpath import basename, dirname, join, normpath

from lucid_audit.container.config import Container, Place
from lucid_audit.container.execute import effective, unwrapped
from lucid_audit.container.files import covers
from lucid_audit.container.interpret import PYTHON
from lucid_audit.tuples import NamedTuple

# Options that are followed by a file which the program writes. `-` and /dev/… are no files.
_FILES = frozenset((
    "--pid", "--pidfile", "--pid-file", "--access-logfile", "--error-logfile", "--access-log-file", "--error-log-file",
    "--log-file", "--logfile", "--log.file",
))  # fmt: skip
# ... by a folder.
_FOLDERS = frozenset((
    "--worker-tmp-dir", "--datadir", "--storage.path", "--storage.tsdb.path", "--cache-dir", "--log-dir", "--state-dir",
))  # fmt: skip
_PROPERTIES = ("-Djava.io.tmpdir=", "-Djava.util.prefs.userRoot=")
_OWN = ("/dev", "/proc", "/sys")  # the runtime mounts these, however the root file system is


class Write(NamedTuple):
    """A folder that is written to. ``why`` names who says so; ``place`` is where it is said."""

    folder: str
    why: str
    place: Place


def writes(container: Container, variables: Iterable[str]) -> Iterator[Write]:
    """Yield the folders that a service writes to, as far as its command and ``variables`` say; a folder may come twice.

    What a variable names and the image fills is taken for something to read.
    """
    yield from _of_command(container)
    for name in variables:
        traced = container.env.get(name)
        value = traced.known() if traced is not None else None
        if traced is not None and value and value.startswith("/") and ":" not in value:
            node = container.files.walk(value).node
            if node is None or not node.children:
                yield Write(normpath(value), name, traced.place)


def unmounted(container: Container, found: Iterable[Write], mounted: Iterable[str] = ()) -> dict[str, Write]:
    """Return by folder what lies in no declared volume, nor in what else is ``mounted``, nor where the runtime mounts."""
    volumes = [text for volume in container.volumes if (text := volume.known())]
    over = [normpath(path) for path in (*_OWN, *volumes, *mounted) if path.startswith("/")]
    open_ones: dict[str, Write] = {}
    for one in found:
        if not any(covers(path, one.folder) for path in over):
            open_ones.setdefault(one.folder, one)
    return open_ones


def _of_command(container: Container) -> Iterator[Write]:
    traced, workdir = effective(container), container.workdir.known()
    argv = traced.known()
    words = argv.known() if argv is not None and not argv.shell else None
    if not words or workdir is None:
        return
    words, place = unwrapped(words), container.cmd.place if container.cmd.known() is not None else traced.place
    for at, word in enumerate(words[1:], 1):
        option, equals, value = word.partition("=")
        value = value if equals else words[at + 1] if at + 1 < len(words) else ""
        if not value or value.startswith("-"):
            continue
        if option in _FILES:
            yield Write(dirname(normpath(join(workdir, value))), f"{option} {value}", place)
        elif option in _FOLDERS:
            yield Write(normpath(join(workdir, value)), option, place)
        elif word.startswith(_PROPERTIES) and value.startswith("/"):
            yield Write(normpath(value), option.removeprefix("-D"), place)
    elsewhere = any(word.startswith(("--worker-tmp-dir", "-c", "--config")) for word in words)
    if _is_gunicorn(words) and not elsewhere and "GUNICORN_CMD_ARGS" not in container.env:
        yield Write("/tmp", "gunicorn's workers", place)  # noqa: S108  (a path in an image)


def _is_gunicorn(words: tuple[str, ...]) -> bool:
    """Whether a command is gunicorn, by its name, as a script or as a module."""
    names = [basename(word) for word in words[:3]]
    if names[:1] == ["gunicorn"]:
        return True
    return bool(names) and PYTHON.fullmatch(names[0]) is not None and "gunicorn" in names[1:3]
