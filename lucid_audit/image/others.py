"""Tells bases that are not Google's, by their os-release and a few files; without any of that it is scratch."""

from __future__ import annotations

from lucid_audit.image.fingerprints import Other
from lucid_audit.image.identity import Evidence, Identity
from lucid_audit.image.packages import STATUS, STATUS_D
from lucid_audit.image.rootfs import Rootfs
from lucid_audit.reference import parse

# What a base without shell and package manager has not got, where distributions have it.
TOOLS = tuple(
    f"{folder}/{name}"
    for folder, names in {
        "/bin": ("sh", "bash", "busybox"),
        "/usr/bin": (
            "sh",
            "bash",
            "busybox",
            "apk",
            "apt-get",
            "dpkg",
            "dnf",
            "microdnf",
            "rpm",
            "tdnf",
            "yum",
            "zypper",
        ),
        "/sbin": ("apk",),
        "/usr/sbin": ("apk",),
    }.items()
    for name in names
)
_RECORDS = (STATUS, STATUS_D.rstrip("/"), "/lib/apk/db/installed", "/usr/lib/apk/db/installed", "/var/lib/rpm",
            "/usr/lib/sysimage/rpm", "/var/lib/rpmmanifest")  # fmt: skip


def tools(rootfs: Rootfs) -> list[str]:
    """Return the shells and package managers that are where distributions have them."""
    return [path for path in TOOLS if rootfs.resolve(path).node is not None]


def other(evidence: Evidence) -> Identity:
    """Name a base by its os-release; without one, and without packages and tools, nothing but the service is there."""
    release, rootfs, known = evidence.release, evidence.rootfs, evidence.known
    name, version = release.get("ID", ""), release.get("VERSION_ID", "")
    if not name:
        if any(rootfs.get(path) is not None for path in _RECORDS) or tools(rootfs):
            return Identity()
        ref = parse("scratch")
        base = known.bases.lookup(ref, known.as_of) if ref is not None else None
        return Identity(ref, base, "scratch", tier="files", distroless=True)
    one = next((one for one in known.prints.others if name in one.ids and _fits(one, rootfs)), None)
    if one is None:
        return Identity(family=f"{name} {version}".strip(), release=f"{name}{version}", tier="files")
    family, found = f"{one.name} {version}".strip(), tools(rootfs)
    if not one.minimal and not found:  # its os-release may have been copied, and packages unpacked into nothing
        claims = (
            f"its os-release is that of {family}, which has a shell and a package manager, but none is in the image"
        )
        return Identity(family=family, release=f"{name}{version}", tier="files", claims=claims)
    minor = ".".join(version.split(".")[:2])
    image = one.image.format(version=version, minor=minor, major=version.partition(".")[0]) if version else ""
    ref = parse(image) if image else None
    base = known.bases.lookup(ref, known.as_of) if ref is not None else None
    return Identity(ref, base, family, f"{name}{version}", tier="files", distroless=one.minimal and not found)


def _fits(one: Other, rootfs: Rootfs) -> bool:
    return all(rootfs.get(path) is not None for path in one.present) and all(
        rootfs.get(path) is None for path in one.absent
    )
