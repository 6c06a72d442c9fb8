"""Package records in an image: what dpkg, apk and distroless write of what they installed.

Sources: deb-control(5) and distroless' PACKAGE_METADATA (one control file per package in ``status.d``, its checksums in
``<package>.md5sums``), dpkg(1) (``/var/lib/dpkg/status``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lucid_audit.container.os_release import PATHS, read_os_release
from lucid_audit.image.layer import Layer
from lucid_audit.image.rootfs import Rootfs
from lucid_audit.tuples import NamedTuple

STATUS_D = "/var/lib/dpkg/status.d/"
STATUS = "/var/lib/dpkg/status"
_SUMS = ".md5sums"


class Package(NamedTuple):
    """An installed package. ``record`` is the path of the file that says so."""

    name: str
    version: str
    record: str


def added_packages(layer: Layer) -> list[str]:
    """Return the packages that a layer records in ``status.d``: file names, as that is enough to tell them."""
    start = len(STATUS_D)
    return [
        entry.path[start:]
        for entry in layer.entries
        if entry.path.startswith(STATUS_D) and entry.kind == "f" and not entry.path.endswith(_SUMS)
    ]


def installed(rootfs: Rootfs) -> dict[str, Package]:
    """Return the packages by name, from ``status.d`` and ``status``; those whose record was not kept are missing."""
    found: dict[str, Package] = {}
    for name in rootfs.children.get(STATUS_D.rstrip("/"), ()):
        if not name.endswith(_SUMS):
            _records(rootfs, f"{STATUS_D}{name}", found)
    _records(rootfs, STATUS, found)
    return found


def _records(rootfs: Rootfs, path: str, into: dict[str, Package]) -> None:
    for paragraph in (rootfs.read(path) or b"").decode("utf-8", "replace").split("\n\n"):
        fields = read_fields(paragraph)
        if "Package" in fields and not fields.get("Status", "installed").endswith(("config-files", "not-installed")):
            into[fields["Package"]] = Package(fields["Package"], fields.get("Version", ""), path)


def read_fields(paragraph: str) -> dict[str, str]:
    """Read ``Name: value`` lines; continuation lines are passed over."""
    pairs = (line.partition(":") for line in paragraph.splitlines() if line[:1].strip())
    return {name: value.strip() for name, colon, value in pairs if colon}


def os_release(rootfs: Rootfs) -> Mapping[str, str]:
    """Return os-release(5) as the image has it: ``/etc`` first, links followed. Empty when there is none."""
    return read_os_release(next(filter(None, map(rootfs.read, PATHS)), b""))


def checksums(layers: Iterable[Layer]) -> dict[str, dict[str, str]]:
    """Return the packages of each path in the lists of ``status.d`` that these layers bring, with the MD5 each one gives.

    Configuration files are in no list.
    """
    owners: dict[str, dict[str, str]] = {}
    for layer in layers:
        for list_path, sums in layer.kept.items():
            if list_path.startswith(STATUS_D) and list_path.endswith(_SUMS):
                package = list_path[len(STATUS_D) : -len(_SUMS)]
                for path, md5 in files_of(sums).items():
                    owners.setdefault(path, {})[package] = md5
    return owners


def files_of(sums: bytes | None) -> dict[str, str]:
    """Return the paths of a list of checksums, each with its MD5; none when there is no list."""
    pairs = (line.partition("  ") for line in (sums or b"").decode("utf-8", "surrogateescape").split("\n"))
    return {f"/{path.removeprefix('./')}": md5 for md5, _, path in pairs if path}


def recorded(rootfs: Rootfs) -> Iterator[tuple[str, int]]:
    """Yield the packages that ``status.d`` names, each with the layer of its record."""
    for name in rootfs.children.get(STATUS_D.rstrip("/"), ()):
        node = rootfs.get(f"{STATUS_D}{name}")
        if node is not None and node.entry.kind == "f" and not name.endswith(_SUMS):
            yield name, node.layer
