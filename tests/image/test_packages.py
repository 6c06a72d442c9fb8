"""Package records: who is installed, whose file is whose, what an os-release says."""

from __future__ import annotations

from typing import Any

from lucid_audit.image.packages import (
    added_packages,
    checksums,
    files_of,
    installed,
    os_release,
    read_fields,
    recorded,
)
from lucid_audit.image.replaced import topmost
from lucid_audit.image.rootfs import Rootfs, squash
from tests.image_sketch import layer

FOLDER = "/var/lib/dpkg/status.d"


def tree(*layers: dict[str, Any]) -> Rootfs:
    return squash([layer(files)[0] for files in layers])


def test_packages_of_a_layer_are_those_it_records() -> None:
    found, _ = layer({f"{FOLDER}/libc6": "", f"{FOLDER}/libc6.md5sums": "", f"{FOLDER}/": {}, "/x": ""})
    assert added_packages(found) == ["libc6"]


def test_installed_from_both_places() -> None:
    status = (
        "Package: dash\nStatus: install ok installed\nVersion: 0.5\nDescription: a shell\n with: a colon\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
        "Package: never\nStatus: purge ok not-installed\n"
    )
    found = installed(tree({f"{FOLDER}/libc6": "Package: libc6\nVersion: 2.41\n", "/var/lib/dpkg/status": status}))
    assert {name: one.version for name, one in found.items()} == {"libc6": "2.41", "dash": "0.5"}
    assert found["libc6"].record == f"{FOLDER}/libc6"


def test_nothing_is_installed_where_no_record_is() -> None:
    assert installed(tree({"/x": ""})) == {}
    assert installed(tree({f"{FOLDER}/x": "no fields here\n"})) == {}


def test_fields_pass_over_continuations() -> None:
    assert read_fields("A: 1\n B: 2\nC:3\nD\n") == {"A": "1", "C": "3"}


def test_os_release_follows_the_link_and_strips_quotes() -> None:
    text = "# comment\nNAME=\"Debian GNU/Linux\"\nID='debian'\nEMPTY=\nno sign\n"
    found = os_release(tree({"/etc/os-release": {"link": "../usr/lib/os-release"}, "/usr/lib/os-release": text}))
    assert found == {"NAME": "Debian GNU/Linux", "ID": "debian", "EMPTY": ""}
    assert os_release(tree({"/usr/lib/os-release": "ID=a"})) == {"ID": "a"}
    assert os_release(tree({"/x": ""})) == {}


def test_the_last_layer_counts() -> None:
    assert os_release(tree({"/etc/os-release": "ID=debian"}, {"/etc/os-release": "ID=alpine"})) == {"ID": "alpine"}


def test_lists_of_checksums() -> None:
    one = "d41d8cd98f00b204e9800998ecf8427e"
    sums = f"{one}  usr/bin/x\n{one}  usr/share/a  b\n{one}  ./lib/y\n\nbroken\n"
    expected = {"/usr/bin/x": one, "/usr/share/a  b": one, "/lib/y": one}
    assert files_of(sums.encode()) == expected
    assert files_of(None) == {}
    assert files_of(b"\xff  \xff\n") == {"/\udcff": "\udcff"}
    layers = [layer({f"{FOLDER}/{name}.md5sums": sums})[0] for name in "pq"]
    assert checksums(layers) == {path: {"p": md5, "q": md5} for path, md5 in expected.items()}


def test_records_with_their_layers() -> None:
    found = tree({f"{FOLDER}/a": "", f"{FOLDER}/a.md5sums": ""}, {f"{FOLDER}/b": "", f"{FOLDER}/folder/": {}})
    assert sorted(recorded(found)) == [("a", 0), ("b", 1)]


def test_the_highest_folder_that_is_gone() -> None:
    found = tree({"/usr/share/x/y/z": ""}, {"/usr/share/x": {"whiteout": True}})
    assert topmost(found, "/usr/share/x/y/z") == "/usr/share/x"
    assert topmost(found, "/usr/other") == "/usr/other"
    assert topmost(found, "/gone/x") == "/gone"
