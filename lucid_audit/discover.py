"""Which files are Dockerfiles, and where they are.

By name only: the pre-commit hook and the walk have to agree, and a hook sees names. What is named on the command line is
always linted, whatever its name.
"""

from __future__ import annotations

import os

from lucid_audit.gitcall import git, paths
from lucid_audit.regex import rx
from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pathspec import GitIgnoreSpec

_TRAPS = (
    # text about Dockerfiles, and data
    r"md|markdown|mdx|rst|adoc|txt|log|html?|pdf|png|jpe?g|svg|csv|tsv|json5?|jsonc|jsonl|ya?ml|toml|ini|cfg|xml|sql|lock"
    r"|dockerignore|gitignore|sha256|sig|asc|zip|tar|gz|tgz|xz|zst"
    # programs
    r"|py[ciw]?|ipynb|sh|bash|zsh|fish|ps1|bat|cmd|pl|go|rb|rs|php|lua|java|kt|scala|groovy|cs|c|cc|cpp|h|hpp"
    r"|[cm]?[jt]s|[jt]sx|vue|css|vim|el|so|exe|snap"
    # templates: no Dockerfiles before they are filled in
    r"|j2|jinja2?|tmpl|tpl|template|gotmpl|mustache|hbs|erb|ejs|in|m4"
    # backups and what merges leave behind
    r"|bak|backup|old|orig|rej|sw[a-p]|tmp|temp|save|patch|diff"
)

FILES_REGEX = (
    r"(?:^|/)(?:"
    r"Dockerfile\.(?:go|rb|rs|php|js)"  # with a capital, these name what is built; Go's dockerfile.go is a program
    rf"|(?![^/]*(?:~|\.(?i:{_TRAPS}))\Z)"
    r"(?i:(?:docker|container)file(?:[._ -][^/]+)?|[^/]+\.(?:docker|container)file)"
    r")\Z"
)
"""Finds the paths of Dockerfiles, with ``re.search``. It stands in ``.pre-commit-hooks.yaml`` as ``files:``, too."""

_DECLARING = (".yaml", ".yml", ".hcl", ".json")
BAKE_FILES = frozenset(f"docker-bake.{stem}{end}" for stem in ("", "override.") for end in ("hcl", "json"))

SKIPPED_FOLDERS = frozenset({".git", "node_modules", ".venv"})
"""Folders that are not looked into, tracked by git or not: other people's Dockerfiles."""


class Found(NamedTuple):
    """A file to lint. ``path`` is written from where the search began, as the person named it."""

    path: str


class Unreadable(NamedTuple):
    """A path that could not be looked into, and why; never to be taken for "no Dockerfiles here"."""

    path: str
    reason: str


def is_dockerfile(path: str) -> bool:
    """Whether a path, with ``/``, has the name of a Dockerfile."""
    return rx(FILES_REGEX).search(path) is not None  # compiled when first asked: not for files that are named


def declares_builds(name: str) -> bool:
    """Whether a file, by its bare name, is a compose or bake file, which say how Dockerfiles are built."""
    if name.endswith((".yaml", ".yml")):
        return name.startswith(("compose.", "docker-compose"))
    return name in BAKE_FILES


def find(paths: Iterable[str]) -> Iterator[Found | Unreadable]:
    """Yield what to lint: files as they are named, folders searched, each file once, a folder's files sorted.

    In a git checkout a folder gives what git tracks or would track; elsewhere ``.gitignore`` files in it are honoured.
    Neither symbolic links to folders nor submodules are followed.
    """
    seen: set[str] = set()
    for path in paths:
        for item in search(path):
            real = os.path.realpath(item.path) if isinstance(item, Found) else item.path
            if real not in seen:
                seen.add(real)
                yield item


def repository_root(path: str) -> str | None:
    """Return the nearest folder at or above ``path`` that holds ``.git`` (a folder, or a file in worktrees)."""
    # Links are not followed: a checkout is where it was named.
    return next((folder for folder in upwards(os.path.abspath(path)) if os.path.lexists(f"{folder}/.git")), None)


def upwards(folder: str) -> Iterator[str]:
    """Yield an absolute folder and every one above it."""
    yield folder
    while (above := os.path.dirname(folder)) != folder:
        folder = above
        yield folder


def search(path: str, beside: list[str] | None = None) -> Iterator[Found | Unreadable]:
    """Yield what to lint of one path that somebody named. Compose and bake files on the way are added to ``beside``."""
    if not os.path.isdir(path):
        reason = _why_unreadable(path)
        yield Unreadable(path, reason) if reason else Found(path)
        return
    names = _from_git(path) if repository_root(path) is not None else None
    found, problems = (names, []) if names is not None else _from_walk(path)
    prefix = "" if path in ("", ".", "./") else path.rstrip("/") + "/"
    yield from (Unreadable(prefix + name, reason) for name, reason in problems)
    if beside is not None:
        beside.extend(prefix + name for name in sorted(found) if not is_dockerfile(name))
    files: dict[str, str] = {}
    found = [name for name in found if is_dockerfile(name)]
    for name in sorted(found, key=lambda name: (os.path.islink(prefix + name), name)):
        files.setdefault(os.path.realpath(prefix + name), prefix + name)  # of a file and a link to it, the file is kept
    yield from map(Found, sorted(files.values()))


def _why_unreadable(path: str) -> str:
    """Say why a file cannot be read, "" when it can. It is not opened: what is behind a pipe can be read once only."""
    try:
        os.stat(path)
        return "" if os.access(path, os.R_OK) else "Permission denied"
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)


def _wanted(name: str) -> bool:
    declares = name.endswith(_DECLARING) and declares_builds(name.rpartition("/")[2])
    return (declares or is_dockerfile(name)) and not SKIPPED_FOLDERS.intersection(name.split("/")[:-1])


def files(folder: str, chosen: Callable[[str], bool]) -> list[str]:
    """Return the paths below a folder that ``chosen`` wants, sorted: of a git checkout what git would track, else by ``.gitignore``."""
    found = _from_git(folder, chosen) if repository_root(folder) is not None else None
    return sorted(found if found is not None else _from_walk(folder, chosen)[0])


def _from_git(folder: str, chosen: Callable[[str], bool] = _wanted) -> list[str] | None:
    """Ask git; None when it is not there, refuses, or ignores the whole folder, which somebody named all the same."""
    output = git(folder, "ls-files", "-z", "-co", "--exclude-standard")
    if not output:
        return None
    names = set(paths(output))
    return [name for name in names if chosen(name) and os.path.isfile(os.path.join(folder, name))]


def _from_walk(top: str, chosen: Callable[[str], bool] = _wanted) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the files below a folder and what could not be read."""
    found: list[str] = []
    problems: list[tuple[str, str]] = []

    def note(error: OSError) -> None:
        problems.append((_below(top, str(error.filename)), error.strerror or str(error)))

    ignored: dict[str, list[tuple[str, GitIgnoreSpec]]] = {"": []}
    for folder, folders, files in os.walk(top, onerror=note):
        here = _below(top, folder)
        specs = ignored.pop(here)
        if ".gitignore" in files:
            specs = [*specs, *_gitignore(folder, here)]
        folders[:] = [
            name for name in folders if name not in SKIPPED_FOLDERS and not _is_ignored(_join(here, name) + "/", specs)
        ]
        ignored |= {_join(here, name): specs for name in folders}
        for name in files:
            path = _join(here, name)
            if chosen(path) and not _is_ignored(path, specs) and os.path.isfile(f"{folder}/{name}"):
                found.append(path)
    return found, problems


def _gitignore(folder: str, here: str) -> list[tuple[str, GitIgnoreSpec]]:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415  (only outside of git checkouts)

    try:
        with open(f"{folder}/.gitignore", encoding="utf-8", errors="surrogateescape") as lines:
            return [(here, GitIgnoreSpec.from_lines(lines.read().splitlines()))]
    except (OSError, ValueError):
        return []


def _is_ignored(path: str, specs: list[tuple[str, GitIgnoreSpec]]) -> bool:
    """Ask the ``.gitignore`` files from the deepest up; the first that says anything decides."""
    for base, spec in reversed(specs):
        verdict = spec.check_file(path[len(base) + 1 :] if base else path).include
        if verdict is not None:
            return verdict
    return False


def _below(top: str, path: str) -> str:
    relative = os.path.relpath(path, top)
    return "" if relative == "." else relative


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
