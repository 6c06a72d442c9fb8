"""What COPY takes from another stage or image: whether anything made it there."""

from __future__ import annotations

from posixpath import dirname, normpath

from lucid_audit.checks import Answers, check
from lucid_audit.checks.copyfacts import plain_sources
from lucid_audit.checks.runtext import called
from lucid_audit.container.tree import Tree
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.globs import has_wildcards
from lucid_audit.dockerfile.model import Transfer
from lucid_audit.finding import Hit, Skip

SHOWN = 4  # names of a folder in a message


@check("copy-from-path-exists")
def copy_from_path_exists(build: Build) -> Answers:
    """Judge the sources of ``COPY --from``: one that the stage does not have ends the build (a wildcard may match nothing)."""
    for _, step in build.steps("COPY"):
        instruction = step.instruction
        word = instruction.from_ if isinstance(instruction, Transfer) else None
        stage = build.graph.stage(word.raw) if word is not None else None
        if not isinstance(instruction, Transfer) or stage is None or stage.index not in build.graph.reached:
            continue
        tree = build.trees.end(stage)
        for source in plain_sources(instruction):
            path = step.scope.text(source)
            if not path or has_wildcards(path):
                continue
            walk = tree.walk(normpath("/" + path.lstrip("/")))
            if walk.state == "unknown":
                yield Skip(source.span, f"{path} of {called(stage)}: {walk.reason}")
            elif walk.state == "absent":
                link = f", to which {walk.link.path} leads" if walk.link is not None else ""
                yield Hit(
                    source.span, path=walk.path, link=link, stage=called(stage), instead=_instead(tree, walk.path)
                )


def _instead(tree: Tree, path: str) -> str:
    """Say what is in the folder, when that is little."""
    folder = dirname(path)
    node = tree.walk(folder).node
    names = sorted(node.children) if node is not None and node.kind == "d" and not node.open else []
    return f"; {folder} has {', '.join(names)}" if 0 < len(names) <= SHOWN and folder != "/" else ""
