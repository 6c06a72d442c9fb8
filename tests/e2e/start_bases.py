"""The bases of the start corpus, flat and without what no service reads, loaded under their real names."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from tests.e2e import distroless, layout, tools
from tests.e2e.debs import fetch, members
from tests.e2e.layout import Image
from tests.e2e.services import flatten
from tests.e2e.tars import Layer, Member, directory, file, of, symlink

MERGED = ("bin", "sbin", "lib", "lib64")  # links to their like below /usr
UNREAD = ("usr/share/doc/", "usr/share/zoneinfo/", "usr/share/man/", "usr/share/locale/")
SLIM = ("base-files", "dash", "coreutils", "libc6", "libacl1", "libattr1", "libselinux1", "libpcre2-8-0", "libgmp10")
INTERPRETER = ("libexpat1", "zlib1g")
SEARCH = "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


def load(engine: str, folder: Path) -> None:
    """Load all bases into an engine."""
    number, minor = distroless.release().number, distroless.release().python
    families: tuple[distroless.Family, ...] = ("static", "base", "python3")
    for family in families:
        image = distroless.base(family, "amd64")
        thin = image._replace(layers=(unread_left_out(flatten(image.layers)),))
        _load(engine, folder, thin, f"gcr.io/distroless/{family}-debian{number}:latest")
    node = distroless.base("cc", "amd64")
    layers = (unread_left_out(flatten(node.layers)), of(_node()))
    node = node._replace(layers=layers, config={**node.config, "Entrypoint": ["/nodejs/bin/node"]})
    _load(engine, folder, node, f"gcr.io/distroless/nodejs20-debian{number}:latest")
    slim = Image("amd64", {"Env": [SEARCH], "Cmd": ["bash"]}, (slim_layer(SLIM),))
    _load(engine, folder, slim, f"debian:{number}-slim")
    python = Image(
        "amd64", {"Env": [SEARCH], "Cmd": ["python3"]}, (slim_layer((*SLIM, *INTERPRETER), interpreter(minor)),)
    )
    for version in dict.fromkeys((minor, "3.13")):  # of another version only the name: its trees are not run
        _load(engine, folder, python, f"python:{version}-slim-bookworm")


def _load(engine: str, folder: Path, image: Image, name: str) -> None:
    place = layout.single(folder / name.replace("/", "-").replace(":", "-"), image)
    tools.load(engine, place, name)


def unread_left_out(one: Layer) -> Layer:
    """Return a layer without what no service reads."""
    return of((info, data) for info, data in one.members() if not info.name.removeprefix("./").startswith(UNREAD))


def slim_layer(packages: Sequence[str], more: Iterable[Member] = ()) -> Layer:
    """Return a file system whose /bin, /sbin and /lib are links, as a debootstrapped one."""
    found: dict[str, Member] = {}
    for deb in fetch(packages, "amd64"):
        for info, data in members(deb):
            path = info.name.removeprefix("./").rstrip("/")
            if path in MERGED:  # since Debian 13 a package has the links themselves
                continue
            if path.split("/")[0] in MERGED:
                path = f"usr/{path}"
            info.name = path
            if path and not f"{path}/".startswith(UNREAD):
                found.setdefault(path, (info, data))
    links = [symlink(name, f"usr/{name}") for name in MERGED]
    extra = [directory("tmp", 0o1777), directory("root", 0o700)]
    extra += [directory(name) for name in ("dev", "opt", "srv", "usr/lib64")]
    for one in (*extra, *more):
        found.setdefault(one[0].name, one)
    return of([*(found[path] for path in sorted(found)), *links])


def interpreter(minor: str) -> list[Member]:
    """Return Debian's interpreter where the official image has its own: below /usr/local."""
    packages = (f"python{minor}-minimal", f"libpython{minor}-minimal", f"libpython{minor}-stdlib")
    made: list[Member] = [directory("usr/local"), directory("usr/local/bin"), directory("usr/local/lib")]
    for deb in fetch(packages, "amd64"):
        for info, data in members(deb):
            path = info.name.removeprefix("./").rstrip("/")
            if path.startswith((f"usr/bin/python{minor}", f"usr/lib/python{minor}")):
                info.name = path.replace("usr/", "usr/local/", 1)
                made.append((info, data))
    made += [symlink("usr/local/bin/python3", f"python{minor}"), symlink("usr/local/bin/python", "python3")]
    made += [directory(f"usr/local/lib/python{minor}/site-packages"), file("etc/passwd", PASSWD)]
    return made


def _node() -> list[Member]:
    """Return this machine's Node.js where distroless has its own, with those of its libraries that the base does not have.

    Its version is this machine's, whatever the base's name says: the trees do nothing that depends on it.
    """
    program = Path(shutil.which("node") or pytest.fail("there is no node")).resolve()
    made = [directory("nodejs"), directory("nodejs/bin"), file("nodejs/bin/node", program.read_bytes(), 0o755)]
    for line in tools.run("ldd", str(program)).splitlines():
        name, _, path = line.strip().partition(" => ")
        library = Path(path.split(" (")[0])
        if path and not name.startswith(OF_THE_BASE):
            made.append(file(f"usr/lib/x86_64-linux-gnu/{name}", library.resolve().read_bytes(), 0o644))
    return made


OF_THE_BASE = ("libc.", "libm.", "libdl.", "libpthread.", "librt.", "libstdc++.", "libgcc_s.")
PASSWD = "root:x:0:0:root:/root:/bin/sh\n"
