"""A build command: the words of ``docker build``, ``docker buildx build``, ``podman build``, ``buildah bud`` or kaniko.

Source: docker CLI reference of ``docker build`` and ``docker buildx build``, podman-build(1), buildah-build(1), kaniko's README.
"""

from __future__ import annotations

import os
import re

from lucid_audit.builders.builder import DOCKERFILE, REMOTE
from lucid_audit.record import record
from lucid_audit.text import Span
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_VALUED = frozenset(
    (
        "--add-host", "--annotation", "--attest", "--build-context", "--builder", "--cache-from", "--cache-to", "--cgroup-parent", "--iidfile", "--label",
        "--metadata-file", "--network", "--no-cache-filter", "--output", "-o", "--progress", "--secret", "--shm-size", "--ssh", "--ulimit", "--memory", "-m",
        "--memory-swap", "--cpu-shares", "-c", "--cpu-period", "--cpu-quota", "--cpuset-cpus", "--cpuset-mems", "--isolation", "--security-opt", "--call",
        "--allow", "--arch", "--os", "--variant", "--format", "--volume", "-v", "--device", "--creds", "--authfile", "--cert-dir", "--decryption-key", "--env",
        "--ignorefile", "--jobs", "--logfile", "--userns", "--runtime", "--timestamp", "--unsetenv", "--sign-by", "--cap-add", "--cap-drop", "--dns", "--annotation",
        "--cpp-flag", "--from", "--hooks-dir", "--pid", "--ipc", "--uts", "--cgroupns", "--retry", "--retry-delay", "--os-version", "--os-feature", "--unsetlabel",
        "--set", "--context-sub-path", "--cache-repo", "--cache-ttl", "--cache-dir", "--verbosity", "--registry-mirror", "--digest-file", "--label",
    )
)  # fmt: skip
_KANIKO = {"-c": "--context", "-d": "--destination", "-f": "--dockerfile"}
_SHORT = re.compile(r"-([ft])=?(.+)", re.DOTALL)
GENERATED = re.compile(
    r"(?:>{1,2}|\btee\b|\bcp\b|\bmv\b|\bcurl\b|\bwget\b|\bsed -i\b|\benvsubst\b|\bln\b|\brsync\b|\binstall\b)[^\n]*"
    r"(?:Docker|Container)file|\bgit clone\b|\bgit checkout\b|\bgit submodule\b|\bgit worktree\b|\bgit pull\b|\btar\b[^\n]* -?\w*x|\bunzip\b"
    r"|^[ \t]*FROM[ \t]+[\w.$]",
    re.MULTILINE,
)
"""What a script does that may put a Dockerfile, or a context, where none is in the repository."""


class Baked(NamedTuple):
    """What a call of bake names: its files, none for those that it finds by itself, and targets, none for "default"."""

    files: tuple[Value, ...] = ()
    targets: tuple[Value, ...] = ()


@record(eq=False)
class BuildCommand:
    """One build that somebody wrote down. ``span`` is its place in ``file``, an absolute path.

    ``folders`` are absolute: where it may be run, the likeliest first; none when that is not known. ``dockerfile`` is None
    where it is left out. ``tags`` are known image names; ``hidden`` are reasons why others are not. ``names`` are image names
    of which only the tag is not known. ``open``: why there may be more words than are known, "" when there are none.
    ``made``: its script may make or fetch what is built. ``loose``: ``-f`` may also count from the context. ``bake``: it calls bake,
    whose files say what is built.
    """

    file: str
    span: Span
    kind: str
    folders: tuple[str, ...]
    context: Value
    dockerfile: Value | None = None
    tags: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    platforms: tuple[str, ...] | Unknown = ()
    args: Mapping[str, str | None] = {}
    target: Value = ""
    open: str = ""
    made: bool = False
    loose: bool = False
    bake: Baked | None = None


class Resolved(NamedTuple):
    """Where a build command finds what it builds. Absolute paths; ``here`` is the folder that it is run in.

    ``missing`` is "" when both are there, else context or Dockerfile.
    """

    here: str
    context: str
    dockerfile: str
    missing: str = ""


def resolve(command: BuildCommand) -> Resolved | Unknown | None:
    """Return what a command builds, seen from the first folder in which that is there. None for what is no folder of ours."""
    context, file = command.context, command.dockerfile
    if command.bake is not None:
        return None  # what its files declare is read with them
    for value in (context, file):
        if isinstance(value, Unknown):
            return value
    at, below = str(context), str(file) if isinstance(file, str) else None
    if at.startswith(REMOTE) or "://" in at or "\0" in at:
        return None
    if not command.folders:
        return Unknown("it is not known in which folder the command is run")
    tried = [one for folder in command.folders for one in _from(folder, at, below, command.loose)]
    whole = next((one for one in tried if not one.missing), None)
    if whole is not None:
        return whole
    if command.made:
        return Unknown("its script makes or fetches files first")
    return next((one for one in tried if one.missing == "Dockerfile"), tried[0])


def _from(folder: str, at: str, below: str | None, loose: bool) -> list[Resolved]:
    context = os.path.normpath(os.path.join(folder, at))
    files = [os.path.join(context, DOCKERFILE)] if below is None else [os.path.join(folder, below)]
    if loose:
        files += [os.path.join(context, below if below is not None else "Containerfile")]
    found = []
    for file in map(os.path.normpath, files):
        missing = "" if os.path.isfile(file) else "Dockerfile"
        found.append(Resolved(folder, context, file, missing if os.path.isdir(context) else "context"))
    return found


class Words(NamedTuple):
    """The words of one command as written, and each with what it becomes: several words, or unknown."""

    raw: Sequence[str]
    read: Sequence[list[str] | Unknown]


class Given:
    """What the words of a build command say."""

    def __init__(self) -> None:
        self.flags: dict[str, list[tuple[Value, str]]] = {}
        self.rest: list[Value] = []
        self.open = ""

    def last(self, *names: str) -> Value | None:
        """Return the last value of a flag, under any of its names."""
        values = [value for name in names for value, _ in self.flags.get(name, ())]
        return values[-1] if values else None

    def all(self, *names: str) -> list[tuple[Value, str]]:
        """Return all values of a flag, each with how it is written."""
        return [pair for name in names for pair in self.flags.get(name, ())]


def given(words: Words, start: int, called: str) -> Given:
    """Read the words after ``build``."""
    found, flag = Given(), ""
    for raw, read in zip(words.raw[start:], words.read[start:], strict=True):
        values: list[Value] = [read] if isinstance(read, Unknown) else list(read)
        for value in values:
            if flag:
                found.flags.setdefault(flag, []).append((value, raw))
                flag = ""
            elif isinstance(value, Unknown):
                flag = _unknown(found, value, raw)
            else:
                flag = _word(found, value, raw, called)
    if flag:
        found.open = f"nothing follows {flag}"
    return found


def _unknown(found: Given, value: Unknown, raw: str) -> str:
    """Take a word of which not all is known: ``--tag=$X`` is a flag still."""
    named = re.match(r"[\"']?(--[a-z-]+)=(.*)", raw, re.DOTALL)
    if named is not None:
        found.flags.setdefault(named[1], []).append((value, named[2].rstrip("\"'")))
    else:
        found.rest.append(value)
    return ""


def _word(found: Given, value: str, raw: str, called: str) -> str:
    """Take one word; return the flag that wants the next one as its value, else ""."""
    if value in ("...", "\u2026") or value.startswith("["):
        found.open = f"{value} stands for something"
        return ""
    if not value.startswith("-") or value == "-":
        found.rest.append(value)
        return ""
    name, equals, text = value.partition("=")
    if called == "kaniko":
        name = _KANIKO.get(name, name)
        if (
            name in ("--context", "--destination", "--dockerfile", "--build-arg", "--target", "--custom-platform")
            and not equals
        ):
            return name
    if equals:
        found.flags.setdefault(name, []).append((text, raw))
        return ""
    short = _SHORT.fullmatch(value)
    if short is not None and not value.startswith("--"):
        found.flags.setdefault(f"-{short[1]}", []).append((short[2], raw))
        return ""
    if (
        value in ("-f", "--file", "-t", "--tag", "--platform", "--build-arg", "--target", "--manifest")
        or value in _VALUED
    ):
        return value
    return ""


def platforms(found: Given) -> tuple[str, ...] | Unknown:
    """Return the platforms that a build is for."""
    words: list[str] = []
    for value, _ in found.all("--platform", "--custom-platform"):
        if isinstance(value, Unknown):
            return value
        words += [word.strip() for word in value.split(",") if word.strip()]
    arch = found.last("--arch")
    return tuple(words) if words or arch is None else (f"linux/{arch}",) if isinstance(arch, str) else arch


def args(found: Given) -> dict[str, str | None]:
    """Return the build arguments, None for one whose value is not known."""
    values: dict[str, str | None] = {}
    for value, raw in found.all("--build-arg"):
        if isinstance(value, str):
            name, equals, text = value.partition("=")
            values[name] = text if equals else None
        elif (named := re.match(r"[\"']?(?:--build-arg=)?([A-Za-z_]\w*)=", raw)) is not None:
            values[named[1]] = None
    return values


def tagged(found: Given, text: Callable[[str], Value]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the tags of a build, names of which only the tag is not known, and why others are not. ``text`` reads a word."""
    tags: list[str] = []
    names: list[str] = []
    hidden: list[str] = []
    for value, raw in found.all("-t", "--tag", "--destination", "--manifest"):
        if isinstance(value, str):
            tags.append(value)
            continue
        hidden.append(value.reason)
        bare = raw[1:-1] if len(raw) > 1 and raw[0] == raw[-1] and raw[0] in "\"'" else raw.strip("\"'")
        name = _untagged(bare, text)
        if name:
            names.append(name)
    return tuple(tags), tuple(names), tuple(hidden)


def _untagged(raw: str, text: Callable[[str], Value]) -> str:
    """Return the name in front of a tag that is not known, "" when it is not known either."""
    for match in re.finditer(":", raw):
        name, rest = raw[: match.start()], raw[match.end() :]
        if "/" in re.sub(r"\$\{[^}]*\}|\$\([^)]*\)", "", rest) or name.count("{") != name.count("}"):
            continue
        value = text(name)
        if isinstance(value, str) and value:
            return value
    return ""
