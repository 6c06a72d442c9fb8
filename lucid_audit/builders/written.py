"""Every build command of a repository: in workflows, pipelines, scripts, Makefiles and Markdown. Never raises."""

from __future__ import annotations

import os
import re

from lucid_audit.builders.builder import Trouble, read
from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lucid_audit.builders.command import BuildCommand

FILES = 5_000  # that are opened
_SCRIPT = re.compile(r"(?i)\.(?:sh|bash|zsh|ksh)$")
_COMMANDS = re.compile(r"(?i)(?:docker|build|image)[^/]*\.txt$")
_MAKEFILE = re.compile(r"(?:^|/)(?:GNUmakefile|[Mm]akefile(?:\.[\w-]+)?|[\w.-]+\.mk)$")
_MARKDOWN = re.compile(r"(?i)\.(?:md|markdown|mdx)$")
_WORKFLOW = re.compile(r"(?:^|/)\.(?:github|gitea|forgejo)/workflows/[^/]+\.ya?ml$|(?:^|/)action\.ya?ml$")
_PIPELINE = re.compile(r"(?:^|/)(?:[\w.-]*\.)?gitlab-ci\.ya?ml$|(?:^|/)\.gitlab/.*\.ya?ml$")
_WORTH = re.compile(r"(?i)docker|podman|buildah|nerdctl|kaniko")
_SHEBANG = re.compile(r"#!\s*\S*(?:\bsh|\bbash|\bdash|\bzsh|env\s+(?:ba|da|z)?sh)\b")


class Written(NamedTuple):
    """The build commands in the order of their files, and what could not be read."""

    commands: tuple[BuildCommand, ...]
    troubles: tuple[Trouble, ...]


def kind_of(path: str) -> str:
    """Say by its name how a file may have build commands; "?" when its first line has to say, "" when it has none."""
    for kind, pattern in (("workflow", _WORKFLOW), ("pipeline", _PIPELINE), ("script", _SCRIPT), ("make", _MAKEFILE),
                          ("markdown", _MARKDOWN), ("script", _COMMANDS)):  # fmt: skip
        if pattern.search(path):
            return kind
    return "?" if "." not in os.path.basename(path) else ""


def written(paths: Iterable[str], root: str) -> Written:
    """Read files of a repository. ``paths`` count from ``root``, which is absolute."""
    commands: list[BuildCommand] = []
    troubles: list[Trouble] = []
    opened = 0
    for path in sorted(paths):
        kind = kind_of(path)
        if not kind or opened >= FILES:
            continue
        file = os.path.join(root, path)
        text = read(file, root)
        opened += 1
        if isinstance(text, Trouble):
            if kind != "?":
                troubles.append(text)
            continue
        if _WORTH.search(text) is None or (kind == "?" and _SHEBANG.match(text) is None):
            continue
        try:
            commands += _of(file, text, kind, root, troubles)
        except RecursionError:
            troubles.append(Trouble(file, 0, "it is nested too deeply"))
    return Written(tuple(commands), tuple(troubles))


def _of(file: str, text: str, kind: str, root: str, troubles: list[Trouble]) -> Iterator[BuildCommand]:
    if kind in ("workflow", "pipeline"):
        from lucid_audit.builders import pipelines, workflows  # noqa: PLC0415  (they read YAML)

        found = workflows.github(file, text, root) if kind == "workflow" else pipelines.gitlab(file, text, root)
        if found.problem:
            troubles.append(Trouble(file, 0, found.problem))
        yield from found.builds
        return
    from lucid_audit.builders import documents  # noqa: PLC0415  (most repositories have few of each)
    from lucid_audit.builders.command import GENERATED  # noqa: PLC0415
    from lucid_audit.builders.pieces import Piece  # noqa: PLC0415
    from lucid_audit.builders.scripts import Shell  # noqa: PLC0415

    folder = os.path.dirname(file)
    made = GENERATED.search(text) is not None  # of a document or a Makefile every part may prepare another
    if kind == "make":
        for recipe in documents.makefile(text, folder):
            for piece in recipe.pieces:
                yield from Shell(file, root, (folder,), recipe.known, kind="Makefile", made=made).run(piece)
    elif kind == "markdown":
        for piece in documents.markdown(text):
            yield from Shell(file, root, (root, folder), kind="document", made=made).run(piece)
    else:
        yield from Shell(file, root, (root, folder), kind="script", script=True).run(Piece(text, 0))
