"""What the sources of COPY and ADD are, as entries of a tree: of the build context, of other stages, or a guess.

Facts: moby/buildkit ``solver/llbsolver/file/backend.go`` (files of the context belong to root, files of another stage keep
their owner) and github.com/tonistiigi/fsutil ``copy/copy.go`` (wildcards).
"""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename

from lucid_audit.container.tree import Made, Node, Tree, doubted
from lucid_audit.dockerfile.globs import element, has_wildcards
from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lucid_audit.dockerfile.resolve import Context
    from lucid_audit.dockerfile.stages import Stage


class Source(NamedTuple):
    """Something that is copied. ``name`` is what it is called in a folder; ``node`` is None when its kind is not known."""

    name: str
    node: Node | None
    reason: str = ""


def guess(source: str, made: Made, reason: str, stage: Stage | None = None) -> Source:
    """Return what is there and not seen: a file when its name says so, else it may be a folder too."""
    name = basename(source.rstrip("/"))
    stem, dot, suffix = name.rpartition(".")
    suffixed = bool(stem and dot and suffix.isalnum() and suffix != "d" and not suffix.isdigit())
    program = stage is not None and basename(source.rpartition("/")[0]) in ("bin", "sbin", "busybox")
    plain = not has_wildcards(source) and not source.endswith("/")
    return Source(name, Node("?", made) if plain and (suffixed or program) else None, reason)


def heredoc_file(made: Made, body: str | None) -> Node:
    """Return the file that a here-document makes."""
    node = Node("f", made, 0o644, 0, 0)
    if body is not None:
        data = body.encode("utf-8", "surrogateescape")
        node.load = lambda limit: data[:limit]
    return node


def from_context(context: Context, source: str, made: Made) -> Iterator[Source]:
    """Yield what one source finds in the build context."""
    match = context.match(source)
    if match.kind in ("unknown", "missing", "ignored") or (match.kind == "outside" and not match.paths):
        # What is missing has findings of its own; whatever rests on it is not to be blamed as well.
        yield guess(source, made, match.reason or f"{source} is not in the build context")
    for path in match.paths:
        name = path if has_wildcards(source) else source.rstrip("/")  # a link keeps its name
        yield Source(basename(name), context_node(context, path, made))


def context_node(context: Context, path: str, made: Made) -> Node | None:
    """Return an entry of the context as BuildKit sends it: owned by root; a folder is listed when it is looked into."""
    kind = context.kind(path)
    if kind == "dir":
        node = Node("d", made, context.mode(path), 0, 0)

        def fill(folder: Node) -> None:
            names = context.list_dir(path)
            if names is None:
                folder.open = f"{path} cannot be read"
            for name in names or ():
                inner = name if path == "." else f"{path}/{name}"
                child = context_node(context, inner, made) if context.sent(inner) else None
                if child is not None:
                    folder.children[name] = child

        node.fill = fill
        return node
    if kind == "link":
        return Node("l", made, 0o777, 0, 0, context.target(path))
    if kind == "file":
        node = Node("f", made, context.mode(path), 0, 0)
        node.load = lambda limit: context.read(path, limit)
        return node
    return Node("?", made)


def matches(tree: Tree, pattern: str) -> Iterator[Source]:
    """Yield what a wildcard matches in another stage; in a folder that is not fully listed there may be more."""
    level: list[tuple[str, Node | None]] = [("", tree.root)]
    reason = ""
    for part in pattern.strip("/").split("/"):
        found: list[tuple[str, Node | None]] = []
        for path, _ in level:
            walk = tree.walk(path or "/")
            if walk.node is None or walk.node.kind != "d":
                reason = reason or walk.reason
                continue
            reason = reason or walk.node.open or tree.doubt
            regex = element(part)
            names = sorted(name for name in walk.node.children if regex is not None and regex.fullmatch(name))
            found.extend((f"{path}/{name}", walk.node.children[name]) for name in names)
        level = found
    for path, _ in level:
        walk = tree.walk(path)  # what matches is followed, and a link that leads nowhere is passed over
        if walk.node is not None:
            yield Source(basename(path), walk.node.copied(lambda one: doubted(one, tree.doubt), settled=True))
    if reason:
        yield Source("", None, reason)
