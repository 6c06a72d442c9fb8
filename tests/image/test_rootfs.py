"""The squashed tree: whiteouts, links, replacements; against a real unpacking of the same layers by GNU tar."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lucid_audit.image.rootfs import HOPS, Rootfs, squash
from tests.image_sketch import archive, layer


def tree(*layers: dict[str, Any]) -> Rootfs:
    return squash([layer(files)[0] for files in layers])


def shown(rootfs: Rootfs) -> dict[str, str]:
    return {path: node.entry.kind for path, node in rootfs.nodes.items() if path != "/"}


def test_a_whiteout_takes_a_path_with_all_below() -> None:
    rootfs = tree({"/a/b/c": "x", "/a/d": "y"}, {"/a/b": {"whiteout": True}})
    assert shown(rootfs) == {"/a": "d", "/a/d": "f"}
    ((one),) = [buried for buried in rootfs.buried if buried.entry.kind == "f"]
    assert (one.entry.path, one.layer, one.by, one.deleted) == ("/a/b/c", 0, 1, True)


def test_whiteouts_concern_lower_layers_wherever_they_stand() -> None:
    assert shown(tree({"/a": "old"}, {"/a": "new", "/x": {"whiteout": True}, "/./a": {"whiteout": True}})) == {
        "/a": "f"
    }
    rootfs = tree({"/d/old": "x"}, {"/d/new": "y", "/d": {"opaque": True}})
    assert shown(rootfs) == {"/d": "d", "/d/new": "f"}
    assert shown(tree({"/gone": {"whiteout": True}, "/d": {"opaque": True}})) == {}


def test_a_folder_over_a_folder_keeps_what_is_in_it() -> None:
    rootfs = tree({"/d/": {"mode": "0700"}, "/d/a": "x"}, {"/d/": {"mode": "0755"}})
    assert shown(rootfs) == {"/d": "d", "/d/a": "f"}
    assert rootfs.nodes["/d"].entry.mode == 0o755
    assert rootfs.nodes["/d"].layer == 1


def test_anything_else_replaces() -> None:
    assert shown(tree({"/d/a": "x"}, {"/d": "now a file"})) == {"/d": "f"}
    assert shown(tree({"/d": "x"}, {"/d/": {}})) == {"/d": "d"}
    rootfs = tree({"/lib": {"link": "usr/lib"}, "/usr/lib/a": "x"}, {"/lib/b": "y"})
    assert shown(rootfs) == {"/lib": "d", "/lib/b": "f", "/usr": "d", "/usr/lib": "d", "/usr/lib/a": "f"}
    assert [(c.path, c.layer) for c in rootfs.conflicts] == [("/lib", 1)]


def test_hard_links_share_content_also_with_lower_layers_and_later_entries() -> None:
    rootfs = tree({"/a": {"elf": "arm64"}}, {"/z": {"hard": "/y"}, "/y": {"hard": "/a"}})
    for path in ("/a", "/y", "/z"):
        node = rootfs.nodes[path]
        assert (node.entry.kind, node.content) == ("f", (0, "/a"))
        program = rootfs.program(node)
        assert program is not None
        assert program.architecture == "arm64"
    assert rootfs.nodes["/z"].layer == 1
    broken = tree({"/a": {"hard": "/nothing"}, "/b": {"hard": "/c"}, "/c": {"hard": "/b"}})
    assert shown(broken) == {}
    assert sorted(conflict.path for conflict in broken.conflicts) == ["/a", "/b", "/c"]


def test_paths_are_resolved_inside_the_tree_only() -> None:
    rootfs = tree(
        {
            "/usr/bin/python3.13": "x",
            "/usr/bin/python3": {"link": "/usr/bin/python3.13"},
            "/bin": {"link": "usr/bin"},
            "/up": {"link": "../../../usr/bin/python3"},
            "/a": {"link": "b"},
            "/b": {"link": "a"},
            "/lost": {"link": "/no/where"},
        }
    )
    assert rootfs.resolve("/bin/python3").path == "/usr/bin/python3.13"
    assert rootfs.resolve("/bin/python3").links == ("/bin", "/usr/bin/python3")
    assert rootfs.resolve("/bin/../bin//./python3").path == "/usr/bin/python3.13"
    assert rootfs.resolve("/up").path == "/usr/bin/python3.13"
    assert rootfs.resolve("/bin/python3", follow=False).path == "/usr/bin/python3"
    assert rootfs.resolve("/a").loop
    assert rootfs.resolve("/lost/x").broken == "/no"
    assert rootfs.resolve("/usr/bin/python3.13/x").node is None
    assert rootfs.resolve("/").path == "/"
    assert sorted(rootfs.below("/usr")) == ["/usr/bin", "/usr/bin/python3", "/usr/bin/python3.13"]


def test_as_many_links_as_the_kernel_follows() -> None:
    chain: dict[str, Any] = {f"/l{n}": {"link": f"l{n + 1}"} for n in range(HOPS + 2)}
    chain[f"/l{HOPS + 2}"] = "end"
    rootfs = tree(chain)
    assert rootfs.resolve("/l2").node is not None
    assert rootfs.resolve("/l0").loop


NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
SPECS = st.one_of(st.just("text"), st.just({"whiteout": True}), st.just("folder"))
LAYER = st.lists(st.tuples(PATHS, SPECS), max_size=6)


def _consistent(entries: list[tuple[str, Any]]) -> dict[str, Any]:
    """Leave out what contradicts itself within one layer: a file with something below, a path of two kinds."""
    files: dict[str, Any] = {}
    for path, spec in entries:
        plain = [other.rstrip("/") for other, kind in files.items() if kind == "text"]
        known = {other.rstrip("/") for other in files}
        if path in known or any(path.startswith(f"{other}/") for other in plain):
            continue
        if spec == "text" and any(other.startswith(f"{path}/") for other in known):
            continue
        files[f"{path}/" if spec == "folder" else path] = {} if spec == "folder" else spec
    return files


def _unpacked(layers: list[dict[str, Any]], root: Path) -> dict[str, str]:
    """Apply layers as an engine does on a plain folder: whiteouts first, then GNU tar over what is there."""
    for files in layers:
        for path, spec in files.items():
            if isinstance(spec, dict) and spec.get("whiteout"):
                victim = root / path.strip("/")
                if victim.is_dir():
                    shutil.rmtree(victim)
                elif victim.parent.is_dir():
                    victim.unlink(missing_ok=True)
        plain = {path: spec for path, spec in files.items() if not (isinstance(spec, dict) and spec.get("whiteout"))}
        for path in plain:  # tar does not replace a full folder by a file; engines do
            place = root / path.strip("/")
            for above in [*reversed(place.relative_to(root).parents), place.relative_to(root)]:
                there = root / above
                wants_folder = there != place or path.endswith("/")
                if there.is_dir() and not wants_folder:
                    shutil.rmtree(there)
                elif there.exists() and not there.is_dir() and wants_folder:
                    there.unlink()
        subprocess.run(["tar", "-C", root, "-xf", "-"], input=archive(plain), check=True)
    found = {}
    for folder, folders, names in os.walk(root):
        for name in (*folders, *names):
            there = Path(folder, name)
            found["/" + str(there.relative_to(root))] = "d" if there.is_dir() else "f"
    return found


@pytest.mark.skipif(shutil.which("tar") is None, reason="needs GNU tar")
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(LAYER, min_size=1, max_size=4))
def test_the_tree_is_what_unpacking_gives(tmp_path: Path, layers: list[list[tuple[str, Any]]]) -> None:
    root = tmp_path / "root"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    consistent = [_consistent(entries) for entries in layers]
    assert shown(tree(*consistent)) == _unpacked(consistent, root)


@given(st.lists(LAYER, max_size=4))
def test_every_node_hangs_in_the_tree(layers: list[list[tuple[str, Any]]]) -> None:
    rootfs = tree(*({path: spec for path, spec in entries if spec != "folder"} for entries in layers))
    assert set(rootfs.below("/")) == set(rootfs.nodes) - {"/"}
    for path in rootfs.nodes:
        assert path == "/" or rootfs.nodes[path.rpartition("/")[0] or "/"].entry.kind == "d"
        assert rootfs.resolve(path).path == path
    for buried in rootfs.buried:
        assert buried.layer < buried.by
