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
from lucid_audit.container.tree import Made, Node, Tree, doubted, melt
from lucid_audit.dockerfile.globs import has_wildcards
from lucid_audit.dockerfile.model import Transfer, Word
from lucid_audit.dockerfile.sources import Source, from_context, guess, heredoc_file, matches
from lucid_audit.dockerfile.stages import Graph, Stage, Step, find_stage
from lucid_audit.reference import parse
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lucid_audit.dockerfile.resolve import Context

ARCHIVES = (".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")
_REMOTE = ("http://", "https://", "git://", "ssh://", "git@")


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
        made = Made(instruction.span, words)
        if instruction.linked:  # as if on an empty image, whose files then lie over these: links there are not followed
            layer = Tree(Node("d", made, tree.root.mode, tree.root.uid, tree.root.gid))
            self._copy(_target(layer, step, instruction, destination, made), step, instruction, stage)
            melt(tree.root, layer.root)
        else:
            self._copy(_target(tree, step, instruction, destination, made), step, instruction, stage)

    def _copy(self, target: Target, step: Step, instruction: Transfer, stage: Stage | None) -> None:
        if any(flag.name in ("parents", "exclude") for flag in instruction.flags):
            from lucid_audit.dockerfile.picked import UnclearError, picked  # noqa: PLC0415  (few files use them)

            try:
                chosen = picked(step, instruction, lambda word: self._sources(step, instruction, word, stage))
            except UnclearError as why:
                _unlisted(target, str(why))
            else:
                for source in chosen:
                    _place(target, source)
            return
        for word in instruction.sources:
            for source in self._sources(step, instruction, word, stage):
                _place(target, source)

    def _sources(self, step: Step, instruction: Transfer, word: Word, stage: Stage | None) -> Iterator[Source]:
        made = Made(instruction.span)
        heredoc = next((one for one in instruction.heredocs if one.word == word.span), None)
        if heredoc is not None:
            yield Source(
                heredoc.name,
                heredoc_file(made, heredoc.body if not heredoc.expand or "$" not in heredoc.body else None),
            )
            return
        source = step.scope.value(word)
        if isinstance(source, Unknown):
            yield Source("", None, source.reason)
        elif instruction.from_ is not None:
            yield from self._elsewhere(source, instruction.from_.raw, stage, made)
        elif instruction.keyword == "ADD" and (source.startswith(_REMOTE) or source.endswith(ARCHIVES)):
            yield self._added(source, instruction, made)
        elif self.context is None:
            yield guess(source, made, "the build context is not known")
        else:
            yield from from_context(self.context, source, made)

    def _added(self, source: str, instruction: Transfer, made: Made) -> Source:
        """Return what ADD makes of a URL or an archive."""
        from lucid_audit.dockerfile.archive import remote, unpacked  # noqa: PLC0415  (few files use them)

        named = {flag.name for flag in instruction.flags}
        if not named & {"unpack", "exclude"}:
            if source.startswith(_REMOTE):
                return remote(source, made)
            # Whose the files are with --chown depends on the release: BuildKit of Docker 20.10 keeps the archive's owners.
            if self.context is not None and not named & {"chmod", "chown"} and not has_wildcards(source):
                paths = self.context.match(source).paths
                if len(paths) == 1 and self.context.kind(paths[0]) == "file":
                    return unpacked(self.context, paths[0], made)
        return Source("", None, f"what ADD {source} brings is not listed")

    def _elsewhere(self, source: str, name: str, stage: Stage | None, made: Made) -> Iterator[Source]:
        if stage is not None:
            tree = self.end(stage)
        elif isinstance(instead := self.graph.settings.named(name), Unknown):
            yield guess(source, made, instead.reason)
            return
        else:
            ref = parse(instead or name)
            found = self.graph.settings.bases.lookup(ref, self.graph.settings.as_of) if ref is not None else None
            tree = base_tree(found, name)
        if has_wildcards(source):
            yield from matches(tree, source)
            return
        walk = tree.walk("/" + source)
        if walk.state == "present" and walk.node is not None and walk.node.kind != "?":
            copy = walk.node.copied(lambda node: doubted(node, tree.doubt), settled=True)
            yield Source(basename(source.rstrip("/")), copy)
        else:
            yield guess(source, made, walk.reason or f"{source} of {name} is not known", stage)


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
    node = node.copied(target.change, settled=True)
    if node.kind != "d" and folder:  # a link of that name in the folder is replaced
        inside = tree.folder(target.path, target.made, 0o755, target.uid, target.gid)
        if inside is not None:
            inside.children[source.name] = node
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
