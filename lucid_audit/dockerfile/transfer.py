"""What COPY and ADD do to a tree.

Facts: moby/buildkit ``frontend/dockerfile/dockerfile2llb/convert_copy.go`` and ``solver/llbsolver/file/backend.go`` (a
destination's folders are made, owned as --chown says; files of the context belong to root, files of another stage keep their
owner), github.com/tonistiigi/fsutil ``copy/copy.go`` (a file that is copied onto a folder lands in it; of a folder the
contents are copied; links below a source stay links).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from posixpath import basename

from lucid_audit.container.access import number
from lucid_audit.container.base_tree import base_tree
from lucid_audit.container.tree import Made, Node, Tree, melt
from lucid_audit.dockerfile.globs import element, has_wildcards
from lucid_audit.dockerfile.model import Transfer, Word
from lucid_audit.dockerfile.stages import Graph, Stage, Step, find_stage
from lucid_audit.reference import parse
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lucid_audit.dockerfile.resolve import Context

ARCHIVES = (".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")
_REMOTE = ("http://", "https://", "git://", "ssh://", "git@")


class Source(NamedTuple):
    """Something that is copied. ``name`` is what it is called in a folder; ``node`` is None when its kind is not known."""

    name: str
    node: Node | None
    reason: str = ""


class Target(NamedTuple):
    """Where an instruction copies to. ``into``: it is surely a folder. ``change`` is what its flags do to every entry."""

    tree: Tree
    path: str
    into: bool
    made: Made
    uid: int | None
    gid: int | None
    change: Callable[[Node], None]


class Transfers:
    """Applies COPY and ADD to trees. ``end`` gives the finished tree of another stage."""

    def __init__(self, graph: Graph, context: Context | None, end: Callable[[Stage], Tree]) -> None:
        self.graph, self.context, self.end = graph, context, end

    def apply(self, tree: Tree, step: Step, instruction: Transfer) -> None:
        """Place what one instruction copies."""
        destination = step.destination(instruction.destination)
        if isinstance(destination, Unknown):
            tree.doubt = (
                tree.doubt or f"where {instruction.keyword} puts its sources is not known: {destination.reason}"
            )
            return
        from_ = instruction.from_
        stage = find_stage(self.graph.stages, from_.raw) if from_ is not None else None
        words = "the build context" if from_ is None else f"stage {stage.label}" if stage is not None else from_.raw
        target = _target(tree, step, instruction, destination, Made(instruction.span, words))
        parents, exclude = instruction.flag("parents"), instruction.flag("exclude")
        if parents is not None or exclude is not None:
            what = "parents" if parents is not None else "exclude"
            _unlisted(target, f"what {instruction.keyword} --{what} takes along is not followed")
            return
        for word in instruction.sources:
            for source in self._sources(step, instruction, word, stage):
                _place(target, source)

    def _sources(self, step: Step, instruction: Transfer, word: Word, stage: Stage | None) -> Iterator[Source]:
        made = Made(instruction.span)
        heredoc = next((one for one in instruction.heredocs if one.word == word.span), None)
        if heredoc is not None:
            yield Source(
                heredoc.name, _text(made, heredoc.body if not heredoc.expand or "$" not in heredoc.body else None)
            )
            return
        source = step.scope.value(word)
        if isinstance(source, Unknown):
            yield Source("", None, source.reason)
        elif instruction.from_ is not None:
            yield from self._elsewhere(source, instruction.from_.raw, stage, made)
        elif instruction.keyword == "ADD" and (source.startswith(_REMOTE) or source.endswith(ARCHIVES)):
            yield Source("", None, f"what ADD {source} brings is not listed")
        elif self.context is None:
            yield _guess(source, made, "the build context is not known")
        else:
            yield from _from_context(self.context, source, made)

    def _elsewhere(self, source: str, name: str, stage: Stage | None, made: Made) -> Iterator[Source]:
        if stage is not None:
            tree = self.end(stage)
        else:
            ref = parse(name)
            found = self.graph.settings.bases.lookup(ref, self.graph.settings.as_of) if ref is not None else None
            tree = base_tree(found, name)
        if has_wildcards(source):
            yield from _matches(tree, source)
            return
        walk = tree.walk("/" + source)
        if walk.state == "present" and walk.node is not None and walk.node.kind != "?":
            copy = walk.node.copied(lambda node: _doubted(node, tree.doubt))
            yield Source(basename(source.rstrip("/")), copy)
        else:
            yield _guess(source, made, walk.reason or f"{source} of {name} is not known", stage)


def _doubted(node: Node, doubt: str) -> None:
    if node.kind == "d" and doubt:
        node.doubt(doubt)


def _guess(source: str, made: Made, reason: str, stage: Stage | None = None) -> Source:
    """Return what is there and not seen: a file when its name says so, else it may be a folder too."""
    name = basename(source.rstrip("/"))
    stem, dot, suffix = name.rpartition(".")
    suffixed = bool(stem and dot and suffix.isalnum() and suffix != "d" and not suffix.isdigit())
    program = stage is not None and basename(source.rpartition("/")[0]) in ("bin", "sbin", "busybox")
    plain = not has_wildcards(source) and not source.endswith("/")
    return Source(name, Node("?", made) if plain and (suffixed or program) else None, reason)


def _target(tree: Tree, step: Step, instruction: Transfer, destination: str, made: Made) -> Target:
    def flag(name: str) -> str | None:
        found = instruction.flag(name)
        return step.scope.text(found.value) if found is not None and found.value is not None else None

    chown, chmod = flag("chown"), flag("chmod")
    named = instruction.flag("chown") is not None
    user, _, group = (chown or "").partition(":")
    uid = number(user) if named else None
    gid = (number(group) if group else uid) if named else None
    given = instruction.flag("chmod") is not None
    mode = int(chmod, 8) if given and chmod and chmod.isdigit() and not set(chmod) & {"8", "9"} else None

    def change(node: Node) -> None:
        node.made = made
        if named:
            node.uid, node.gid = uid, gid
        if given and node.kind != "l":
            node.mode = mode

    into = destination.endswith("/") or len(instruction.sources) > 1
    owner = (uid, gid) if named else (0, 0)
    return Target(tree, destination.rstrip("/") or "/", into, made, *owner, change)


def _unlisted(target: Target, reason: str) -> None:
    """Say that nobody knows what lies at or below a destination."""
    folder = target.tree.folder(target.path, target.made, None, None, None)
    if folder is not None:
        target.tree.uncertain(target.path, reason)


def _place(target: Target, source: Source) -> None:
    tree = target.tree
    there = tree.walk(target.path)
    folder = target.into or (there.state == "present" and there.node is not None and there.node.kind == "d")
    node = source.node
    if node is None:
        if folder:
            _unlisted(target, source.reason)
        else:
            unknown = Node("?", target.made)
            _put(target, target.path, unknown)
        return
    node = node.copied(target.change)
    if node.kind != "d" and folder:  # a link of that name in the folder is replaced
        inside = tree.folder(target.path, target.made, 0o755, target.uid, target.gid)
        if inside is not None:
            inside.listed()[source.name] = node
        return
    if node.kind != "d":
        _put(target, target.path, node)
        return
    # The folder itself is made like those above it: only what is in the source keeps its attributes.
    existing = tree.folder(target.path, target.made, 0o755, target.uid, target.gid)
    if existing is not None:
        melt(existing, node)


def _put(target: Target, path: str, node: Node) -> None:
    """Place one entry where links on the way, and a link at its end, lead."""
    walk = target.tree.walk(path)
    target.tree.folder(path.rpartition("/")[0] or "/", target.made, 0o755, target.uid, target.gid)
    target.tree.put(walk.path if walk.hops else path, node, target.made)


def _text(made: Made, body: str | None) -> Node:
    """Return the file that a here-document makes."""
    node = Node("f", made, 0o644, 0, 0)
    if body is not None:
        data = body.encode("utf-8", "surrogateescape")
        node.load = lambda limit: data[:limit]
    return node


def _from_context(context: Context, source: str, made: Made) -> Iterator[Source]:
    match = context.match(source)
    if match.kind in ("unknown", "missing", "ignored") or (match.kind == "outside" and not match.paths):
        # What is missing has findings of its own; whatever rests on it is not to be blamed as well.
        yield _guess(source, made, match.reason or f"{source} is not in the build context")
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


def _matches(tree: Tree, pattern: str) -> Iterator[Source]:
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
            names = sorted(name for name in walk.node.listed() if regex is not None and regex.fullmatch(name))
            found.extend((f"{path}/{name}", walk.node.children[name]) for name in names)
        level = found
    for path, _ in level:
        walk = tree.walk(path)  # what matches is followed, and a link that leads nowhere is passed over
        if walk.node is not None:
            yield Source(basename(path), walk.node.copied(lambda one: _doubted(one, tree.doubt)))
    if reason:
        yield Source("", None, reason)
