"""The tree follows paths as the kernel does, and what is not listed stays unknown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lucid_audit.container.tree import HOPS, Made, Node, Tree

MADE = Made(None, "a test")
NAMES = ("a", "b", "c")
PATHS = st.lists(st.sampled_from((*NAMES, "..", ".")), min_size=1, max_size=5).map("/".join)
ENTRIES = st.lists(
    st.tuples(
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join),
        st.one_of(st.just("d"), st.just("f"), PATHS),
    ),
    max_size=8,
)


def empty() -> Tree:
    return Tree(Node("d", MADE, 0o755, 0, 0))


@settings(max_examples=300)
@example(entries=[("b", "f")], asked=["b/."])
@example(entries=[("a", "f"), ("b", "a/.")], asked=["b"])
@given(entries=ENTRIES, asked=st.lists(PATHS, min_size=1, max_size=6))
def test_the_kernel_follows_the_same_way(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[str, str]], asked: list[str]
) -> None:
    root = tmp_path_factory.mktemp("root")
    tree = empty()
    for path, what in entries:
        real = root / path
        if any((root / above).is_symlink() for above in Path(path).parents):
            continue  # it would be made elsewhere
        try:
            real.parent.mkdir(parents=True, exist_ok=True)
            if what == "d":
                real.mkdir()
            elif what == "f":
                real.open("x").close()
            else:
                real.symlink_to(what)
        except OSError:
            continue
        tree.put(f"/{path}", Node(what if what in "df" else "l", MADE, None, None, None, what), MADE)
    for path in asked:
        if not _escapes(root, path):
            there = os.path.exists(f"{root}/{path}")  # noqa: PTH110  (pathlib drops an end of /.)
            assert (tree.walk(f"/{path}").state == "present") == there, (entries, path)


def _escapes(root: Path, path: str) -> bool:
    """Whether a path leaves the root on its way, where the real file system goes on and a container's does not."""
    at = root
    todo = path.split("/")
    for _ in range(200):
        if not todo:
            return False
        part = todo.pop(0)
        if part == ".." and at == root:
            return True
        at = at.parent if part == ".." else at / part if part != "." else at
        if at.is_symlink():
            todo = os.readlink(at).split("/") + todo  # noqa: PTH115
            at = at.parent
        elif not at.is_dir() and todo:
            return False
    return True


def test_a_circle_ends() -> None:
    tree = empty()
    tree.put("/a", Node("l", MADE, target="b"), MADE)
    tree.put("/b", Node("l", MADE, target="a"), MADE)
    walk = tree.walk("/a")
    assert walk.state == "absent"
    assert len(walk.hops) == HOPS + 1


def test_an_open_folder_says_why_a_name_is_not_known() -> None:
    tree = empty()
    folder = tree.folder("/x/y", MADE)
    assert folder is not None
    folder.doubt("pip installs there", frozenset(["sh"]))
    assert tree.walk("/x/y/z").reason == "pip installs there"
    assert tree.walk("/x/other").state == "absent"


def test_what_a_folder_surely_has_not() -> None:
    node = Node("d", MADE)
    node.open, node.without = "not listed", frozenset(["sh", "bash"])
    tree = Tree(node)
    assert tree.walk("/sh").state == "absent"
    node.doubt("copied", frozenset(["bash"]))
    assert (tree.walk("/sh").state, tree.walk("/bash").state) == ("unknown", "absent")


def test_a_doubt_leaves_what_is_there_and_makes_the_rest_unknown() -> None:
    tree = empty()
    tree.put("/app/main.py", Node("f", MADE, 0o644, 0, 0), MADE)
    tree.doubt = "make may have written it"
    assert tree.walk("/app/main.py").state == "present"
    assert tree.walk("/app/other.py").state == "unknown"


def test_a_fork_changes_by_itself() -> None:
    tree = empty()
    tree.put("/a/b", Node("f", MADE), MADE)
    fork = tree.fork()
    fork.remove("/a/b")
    assert tree.walk("/a/b").state == "present"
    assert fork.walk("/a/b").state == "absent"


def test_folders_are_listed_when_they_are_looked_into() -> None:
    asked = []

    def fill(node: Node) -> None:
        asked.append(1)
        node.children["x"] = Node("f", MADE, 0o644)

    folder = Node("d", MADE)
    folder.fill = fill
    tree = empty()
    tree.root.children["lazy"] = folder
    fork = tree.fork()
    assert asked == []
    assert fork.walk("/lazy/x").state == tree.walk("/lazy/x").state == "present"
    assert asked == [1]


def test_a_doubt_about_a_folder_that_is_not_listed_yet_stays() -> None:
    made = Made(None, "base")
    source = Node("d", made, 0o755, 0, 0)
    source.fill = lambda folder: folder.children.update(sub=Node("d", made, 0o755, 0, 0))
    tree = Tree(Node("d", made, 0o755, 0, 0))
    tree.put("/app", source.copied(), made)
    tree.uncertain("/app", "a program may have written there")
    assert tree.walk("/app/x").state == tree.walk("/app/sub/x").state == "unknown"
    assert tree.walk("/app/sub").state == "present"


def test_a_settled_folder_is_copied_when_it_is_looked_into() -> None:
    made = Made(None, "base")
    source = Node("d", made, 0o755, 0, 0)
    source.children["a"] = Node("f", made, 0o644, 0, 0)
    copy = source.copied(lambda node: setattr(node, "uid", 7), settled=True)
    copy.children["b"] = Node("f", made)
    assert (copy.uid, copy.children["a"].uid, source.children["a"].uid) == (7, 7, 0)
    assert set(source.children) == {"a"}
