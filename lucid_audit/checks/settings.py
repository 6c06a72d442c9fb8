"""Settings of a container that the runtime refuses or that lead somewhere else than meant."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import normpath

from lucid_audit.checks import Answers, check
from lucid_audit.container.config import Container
from lucid_audit.container.execute import effective, unwrapped
from lucid_audit.container.files import State, covers
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.regex import rx
from lucid_audit.values import Unknown

# Linux signals by name, as moby's ``signal`` package knows them (signal_linux.go).
_SIGNALS = frozenset(
    (
        "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL",
        "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1",
        "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX",
    )
)  # fmt: skip
_REAL_TIME = r"RTMIN\+(?:[1-9]|1[0-5])|RTMAX-(?:[1-9]|1[0-4])"


@check("stop-signal-valid")
def stop_signal_valid(container: Container) -> Answers:
    """Judge the signal that stops the container; engines refuse to create one with a signal that they do not know."""
    signal = container.stop_signal.value
    if isinstance(signal, Unknown):
        yield Skip(container.stop_signal.place, signal.reason)
        return
    if signal is None or container.stop_signal.inherited:
        return
    if signal.isdigit():
        valid = 1 <= int(signal) <= 64
    else:
        name = signal.upper().removeprefix("SIG")
        valid = name in _SIGNALS or rx(_REAL_TIME).fullmatch(name) is not None
    if not valid:
        yield Hit(container.stop_signal.place, signal=signal)


@record
class Sensitive:
    """``paths``: where a volume is wrong, with all that lies below; ``allowed``: what lies below and is fine."""

    paths: tuple[str, ...]
    allowed: tuple[str, ...] = ()


@check("volume-place")
def volume_place(container: Container, params: Sensitive) -> Answers:
    """Judge volumes over what the kernel, the engine or the system keeps there; sub-paths count too."""
    for volume in container.volumes:
        value = volume.value
        if isinstance(value, Unknown):
            yield Skip(volume.place, value.reason)
            continue
        path = normpath(f"/{value.lstrip('/')}")
        inside = next((place for place in params.paths if covers(place, path)), None) if path != "/" else "/"
        if inside is not None and path not in params.allowed:
            yield Hit(volume.place, volume=value, place=inside)


@check("volume-over-code")
def volume_over_code(container: Container) -> Answers:
    """Judge volumes over the code that starts: a volume that is filled once hides every later version."""
    code = list(_code(container))
    for volume in container.volumes:
        value = volume.known()
        path = normpath(value) if value and value.startswith("/") else None
        if path is not None and not volume.inherited:
            hidden = next((one for one in code if covers(path, one)), None)
            if hidden is not None:
                yield Hit(volume.place, volume=path, hidden=hidden)


def _code(container: Container) -> Iterator[str]:
    """Yield the absolute paths of what starts: programs and scripts of the command, and where Python finds modules."""
    argv, workdir = effective(container).known(), container.workdir.known()
    words = unwrapped(argv.known() or ()) if argv is not None and not argv.shell else ()
    for word in words:
        if word.startswith("/"):
            # An argument may name data; only what starts and what looks like code counts.
            if word == words[0] or rx(r".*\.(?:py|pyc|m?js|cjs|jar|sh|so)").fullmatch(word):
                yield normpath(word)
        elif workdir is not None and rx(r"[\w./-]+\.(?:py|pyc|m?js|cjs|jar|sh)").fullmatch(word):
            yield normpath(f"{workdir}/{word}")
    if workdir is not None and "-m" in words[1:3]:
        yield normpath(workdir)
    traced = container.env.get("PYTHONPATH")
    for entry in (traced.known() or "").split(":") if traced is not None else ():
        if entry.startswith("/"):
            yield normpath(entry)


@check("path-absolute")
def path_absolute(container: Container) -> Answers:
    """Judge entries of PATH that depend on the folder a process happens to be in; an empty one means that folder."""
    traced = container.env.get("PATH")
    if traced is None or isinstance(traced.value, Unknown) or traced.inherited or not traced.value:
        return
    for entry in dict.fromkeys(traced.value.split(":")):
        if not entry.startswith("/"):
            yield Hit(traced.place, entry=f"{entry!r}, a relative folder" if entry else "an empty entry")


@record
class Variables:
    """``names``: variables whose value is a path, or several with colons or blanks between them.

    ``usual`` are paths that stand there by habit, or for what a runtime mounts: nothing is said of these.
    """

    names: tuple[str, ...]
    usual: tuple[str, ...] = ()


@check("variable-paths-exist")
def variable_paths_exist(container: Container, params: Variables) -> Answers:
    """Judge variables that the loader or the interpreter follows to files of the image."""
    for name in params.names:
        traced = container.env.get(name)
        value = traced.value if traced is not None else None
        if traced is None or value is None or traced.inherited:
            continue
        if isinstance(value, Unknown):
            yield Skip(traced.place, f"{name}: {value.reason}")
            continue
        for path in dict.fromkeys(value.replace(" ", ":").split(":")):
            if not path.startswith("/") or "$" in path or path.rstrip("/") in params.usual:
                continue
            if any(container.files.placed_under(path)):
                continue
            answer = container.files.find(normpath(path))
            if answer.state is State.ABSENT:
                yield Hit(traced.place, name=name, path=path)
            elif answer.state is State.UNKNOWN:
                yield Skip(traced.place, f"{path}: {answer.reason}")
