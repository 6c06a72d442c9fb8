"""The file tree of a base image, as far as the catalogue lists it.

Nothing of a base is known beyond its entries and programs, but some folders are known to be otherwise empty. Of distroless
and of plain distributions the top of the tree has only what the FHS names, and /opt and /srv are empty, as is /usr/local where
no interpreter is kept (Debian policy 9.1.2). The folders of programs are complete where the catalogue says so.
"""

from __future__ import annotations

from lucid_audit.bases import Base
from lucid_audit.container.files import MERGED, PROGRAM_DIRECTORIES, SHELLS
from lucid_audit.container.tree import Made, Node, Tree

_PLAIN = ("debian", "ubuntu", "alpine", "python")  # families that add nothing at the top of the tree
_EMPTY = ("/opt", "/srv")
_TOP = ("bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc",
        "root", "run", "sbin", "srv", "sys", "tmp", "usr", "var")  # fmt: skip
# Loaders by the library they belong to (the architectures that distroless is built for, and the two it is copied from).
LOADERS = (
    ("glibc", "ld-linux-x86-64.so.2"),
    ("glibc", "ld-linux-aarch64.so.1"),
    ("glibc", "ld-linux-armhf.so.3"),
    ("glibc", "ld64.so.2"),
    ("glibc", "ld-linux-riscv64-lp64d.so.1"),
    ("musl", "ld-musl-x86_64.so.1"),
    ("musl", "ld-musl-aarch64.so.1"),
    ("musl", "ld-musl-armhf.so.1"),
)
_MODES = {"/tmp": 0o1777, "/var/tmp": 0o1777, "/root": 0o700}  # noqa: S108  (hier(7), Debian's base-files)

_kept: dict[int, tuple[Base, Tree]] = {}


def base_tree(base: Base | None, image: str) -> Tree:
    """Return a tree of a base's files, free to be changed. ``image`` is its name as written."""
    if base is None:
        root = Node("d", Made(None, image), 0o755, 0, 0)
        root.open = f"the files of {image} are not in the catalogue"
        return Tree(root)
    kept = _kept.get(id(base))
    if kept is None:
        kept = _kept[id(base)] = base, _build(base)
    return kept[1].fork()


def _build(base: Base) -> Tree:
    name = base.ref.familiar
    made = Made(None, name)
    tree = Tree(Node("d", made, 0o755, 0, 0))
    if base.family == "scratch":
        return tree
    tree.root.open = open_ = f"the files of {name} are not all listed"
    for folder in _TOP:
        node = Node("d", made, _MODES.get(f"/{folder}", 0o755), 0, 0)
        node.open = f"the files of {name} below /{folder} are not all listed"
        tree.root.children[folder] = node
    _links(tree, base, made)
    for path, entry in sorted(base.entries.items()):
        if entry.kind == "l" and path not in MERGED:
            tree.put(path, Node("l" if entry.target else "?", made, 0o777, 0, 0, entry.target or ""), made)
        elif entry.kind == "d":
            _listed(tree, path, made, open_, entry.mode, entry.uid, entry.gid)
        elif entry.kind != "l":
            tree.put(path, Node(entry.kind, made, entry.mode, entry.uid, entry.gid), made)
    for path in base.programs:
        if tree.walk(path, follow=False).state != "present":
            tree.put(path, Node("?", made, 0o755, 0, 0), made)
    _close(tree, base)
    return tree


def _links(tree: Tree, base: Base, made: Made) -> None:
    """Make the links of a merged /usr; where the catalogue does not have them they are folders of their own."""
    for link in MERGED:
        entry = base.entries.get(link)
        if entry is not None and entry.kind == "l":
            tree.root.children[link[1:]] = Node("l", made, 0o777, 0, 0, entry.target or f"usr{link}")
            folder = tree.folder(f"/usr{link}", made)
            if folder is not None:
                folder.open = tree.root.children["usr"].open


def _listed(tree: Tree, path: str, made: Made, reason: str, mode: int | None, uid: int | None, gid: int | None) -> None:
    folder = tree.folder(path, made)
    if folder is not None:
        folder.open = folder.open or reason
        folder.mode, folder.uid, folder.gid = mode, uid, gid


def _close(tree: Tree, base: Base) -> None:
    """Say which folders have no more than what is listed, and which names an open one has not."""
    if base.family in _PLAIN or (base.distroless and base.closed):
        tree.root.open = ""
        for path in (*_EMPTY, *(("/usr/local",) if base.distroless else ())):
            folder = tree.folder(path, tree.root.made)
            if folder is not None:
                folder.open = ""
    if base.distroless and base.closed:
        _bare(tree, base)
    for path in PROGRAM_DIRECTORIES:
        found = tree.walk(path)
        if found.node is not None and found.node.kind == "d":
            found.node.without = SHELLS if base.shell == "" else frozenset()
            if base.closed:
                found.node.open = ""


def _bare(tree: Tree, base: Base) -> None:
    """Say what a distroless base surely has not: files in homes, packages for its Python, another C library's loader."""
    for path in ("/root", "/home", "/home/nonroot"):
        found = tree.walk(path)
        if found.node is not None and found.node.kind == "d":
            found.node.open = ""
    without = {name for libc, name in LOADERS if base.libc is not None and base.libc.kind != libc}
    if base.interpreter is not None and base.interpreter.kind == "python":
        without.add("python3")  # /usr/lib/python3/dist-packages is Debian's for packages of Python modules
    for path in base.python_paths:
        found = tree.walk(path)
        if found.node is not None and found.node.kind == "d":
            found.node.without |= {"site-packages", "dist-packages"}
    for path in ("/lib", "/lib64", "/usr/lib", "/usr/lib64"):
        found = tree.walk(path)
        if found.node is not None and found.node.kind == "d":
            found.node.without |= without - set(found.node.children)
