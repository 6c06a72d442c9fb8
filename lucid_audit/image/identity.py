"""Which base an image is really built on, and how sure that is.

Tiers, strongest first: ``layers`` (diff_ids that only this base has), ``history`` (lines its builder writes),
``files`` (what its file system looks like), ``none``. History and files can be forged; verified diff_ids cannot.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from lucid_audit.bases import Base, Bases
from lucid_audit.image.config import ImageConfig
from lucid_audit.image.layer import Layer
from lucid_audit.image.packages import added_packages, installed, os_release
from lucid_audit.image.rootfs import Rootfs
from lucid_audit.record import record, replace
from lucid_audit.reference import ImageRef, parse
from lucid_audit.tuples import NamedTuple

DISTROLESS = "gcr.io/distroless/"
CHAINGUARD = ("wolfi", "chainguard")
_KNOWN_ENOUGH = 5  # of the seven constant layers at their places: then one or two newer versions do not matter
_BAZEL = re.compile(r"bazel build (?://common:|//static:|//python3:|@)[\w@/+.:-]+")
_BAZEL_RELEASE = re.compile(r"os_release_(debian\d+)|@(bookworm|trixie)")
_CODENAMES = {"bookworm": "debian12", "trixie": "debian13"}
_LAYERED = 3  # layers of one package each, above which an image is not a flattened one
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


@record(eq=False)
class Identity:
    """The base of an image. ``ref`` names its repository, and the tag as far as it can be told; None when unknown.

    ``tier`` is ``layers``, ``history``, ``files`` or ``none``; ``layers`` is how many layers from below are the base's, 0
    when that is not known. ``replaced_on`` is the day on which the first of its constant layers was replaced in the
    published images, None while all of them are current. ``claims`` says what names a base that the layers do not confirm, "" when nothing does.
    """

    ref: ImageRef | None = None
    base: Base | None = None
    family: str = ""
    release: str = ""
    debug: bool | None = None
    tier: str = "none"
    layers: int = 0
    replaced_on: date | None = None
    claims: str = ""


class Fingerprint(NamedTuple):
    """A constant layer: its place in the run, the release it belongs to ("" for all), and when the next one replaced it."""

    layer: str
    release: str
    until: date | None


class Fingerprints(NamedTuple):
    """What is known of constant layers: their order, and each by its diff_id."""

    order: tuple[str, ...]
    layers: Mapping[str, Fingerprint]


class Known(NamedTuple):
    """What is known of bases on one day."""

    bases: Bases
    prints: Fingerprints
    as_of: date


class _Evidence(NamedTuple):
    """What an identity is judged by."""

    config: ImageConfig
    layers: Sequence[Layer]
    rootfs: Rootfs
    known: Known


def read_fingerprints(data: Mapping[str, Any]) -> Fingerprints:
    """Read ``rules/fingerprints`` as the catalogue has it."""
    raw = data["distroless"]

    def day(text: str | None) -> date | None:
        return date.fromisoformat(str(text)) if text else None

    layers = {
        one["diff_id"]: Fingerprint(one["layer"], one.get("release", ""), day(one.get("until")))
        for one in raw["layers"]
    }
    return Fingerprints(tuple(raw["order"]), layers)


class _Run(NamedTuple):
    """The constant layers found in an image: where they start, and what they are."""

    start: int
    found: tuple[Fingerprint, ...]

    @property
    def release(self) -> str:
        return next((one.release for one in self.found if one.release), "")

    @property
    def replaced_on(self) -> date | None:
        return min((one.until for one in self.found if one.until is not None), default=None)


def identify(config: ImageConfig, layers: Sequence[Layer], rootfs: Rootfs, known: Known) -> Identity:
    """Say which base an image is built on, by the strongest evidence there is."""
    evidence = _Evidence(config, layers, rootfs, known)
    release = os_release(rootfs)
    run = _run(layers, known.prints)
    if run is not None:
        found = _distroless(
            evidence, run.release or _release(release), _end(layers, run.start + len(known.prints.order))
        )
        return replace(found, tier="layers", replaced_on=run.replaced_on)
    bazel = [step.created_by for step in config.history if _BAZEL.match(step.created_by)]
    if bazel:
        match = next((m for line in bazel if (m := _BAZEL_RELEASE.search(line))), None)
        named = (match[1] or _CODENAMES[match[2]]) if match is not None else _release(release)
        return replace(_distroless(evidence, named, 0), tier="history")
    if release.get("PRETTY_NAME") == "Distroless":
        found = _distroless(evidence, _release(release), 0)
        if sum(bool(added_packages(layer)) for layer in layers) > _LAYERED:
            return replace(found, tier="files")  # built as distroless images are, of constant layers not known here
        claims = "its os-release says Distroless, but it has not the layers of a distroless image"
        return Identity(family=found.family, release=found.release, claims=claims)
    return _other(release, rootfs, known)


def _run(layers: Sequence[Layer], prints: Fingerprints) -> _Run | None:
    """Find the constant layers: they follow each other, and only layers of one package each lie below."""
    order = prints.order
    for start in range(len(layers) - len(order) + 1):
        found = [prints.layers.get(layer.diff_id) for layer in layers[start : start + len(order)]]
        fitting = tuple(one for one, name in zip(found, order, strict=True) if one is not None and one.layer == name)
        if len(fitting) >= _KNOWN_ENOUGH and all(added_packages(layer) for layer in layers[:start]):
            return _Run(start, fitting)
    return None


def _end(layers: Sequence[Layer], at: int) -> int:
    """Return how many layers belong to the base: those after the constant ones that only its builder makes."""
    if at < len(layers) and _has(layers[at], _CERTIFICATES):
        at += 1
    if at < len(layers) and _only(layers[at], "/busybox/") and _has(layers[at], "/busybox/busybox"):
        at += 1  # the debug variants have it here and nowhere else
    while at < len(layers) and _of_base(layers[at]):
        at += 1
    return at


def _of_base(layer: Layer) -> bool:
    """Whether a layer is a package with its record, Node, Java's certificates, aliases of Python, or a loader cache."""
    if added_packages(layer) or _only(layer, "/etc/ld.so.cache"):
        return True
    if _only(layer, "/nodejs/"):
        return _has(layer, "/nodejs/bin/node")
    aliases = _only(layer, "/usr/bin/python") and all(entry.kind in "dl" for entry in layer.entries)
    return aliases or _only(layer, ("/etc/ssl/certs/java/", "/usr/lib/locale/", "/usr/lib/jvm/"))


def _only(layer: Layer, start: str | tuple[str, ...]) -> bool:
    """Whether all that a layer brings lies at or below such a path, and it brings something."""
    files = [entry.path for entry in layer.entries if entry.kind != "d"]
    return bool(files) and all(path.startswith(start) for path in files)


def _has(layer: Layer, path: str) -> bool:
    return any(entry.path == path for entry in layer.entries)


def _distroless(evidence: _Evidence, release: str, end: int) -> Identity:
    """Name the family by what the base's own layers record: the first ``end``, or all when that is not known."""
    config, layers, rootfs, known = evidence
    own = layers[:end] if end else layers
    names = {name for layer in own for name in added_packages(layer)} or set(installed(rootfs))
    family = _family(names, rootfs, config)
    debug = any(entry.path == "/busybox/busybox" for layer in own for entry in layer.entries)
    ref = base = None
    if family and release:
        nonroot = config.user.partition(":")[0] == "65532"
        tag = "-".join(word for word, said in (("debug", debug), ("nonroot", nonroot)) if said) or "latest"
        ref = parse(f"{DISTROLESS}{family}-{release}:{tag}")
        base = known.bases.lookup(ref, known.as_of) if ref is not None else None
    # Whether it was latest or nonroot only the configuration tells, and that may have been set again.
    shown = ref._replace(tag="debug" if debug else None) if ref is not None else None
    return Identity(shown, base, f"distroless {family}".strip(), release, debug, layers=end)


def _family(packages: set[str], rootfs: Rootfs, config: ImageConfig) -> str:
    """Return the repository's name without its release, "" when a part of it cannot be told."""
    if any(name.startswith(("python3.", "libpython3.")) for name in packages):
        return "python3"
    if rootfs.get("/nodejs/bin/node") is not None:
        return ""  # the version is in no record
    if any(name.startswith(("temurin", "openjdk")) for name in packages):
        major = re.match(r"(?:jdk-?)?(\d+)", config.env.get("JAVA_VERSION", ""))
        return f"java{major[1]}" if major is not None else ""
    if any(name.startswith("libstdc++") for name in packages):
        return "cc"
    if any(name.startswith("libssl") for name in packages):
        return "base"
    return "base-nossl" if "libc6" in packages else "static"


def _release(release: Mapping[str, str]) -> str:
    number = release.get("VERSION_ID", "").partition(".")[0]
    return f"debian{number}" if release.get("ID") == "debian" and number.isdigit() else ""


def _other(release: Mapping[str, str], rootfs: Rootfs, known: Known) -> Identity:
    """Name a base by its os-release; without one, and without packages, nothing but the service is there."""
    name, version = release.get("ID", ""), release.get("VERSION_ID", "")
    if not name:
        if installed(rootfs) or rootfs.get("/lib/apk/db/installed") is not None:
            return Identity()
        ref = parse("scratch")
        return Identity(ref, known.bases.lookup(ref, known.as_of) if ref is not None else None, "scratch", tier="files")
    if name in CHAINGUARD:
        return Identity(family=f"Chainguard ({name})", release=version, tier="files")
    if name == "ubuntu" and not installed(rootfs):
        return Identity(family="chiselled Ubuntu", release=version, tier="files")
    named = {"debian": version, "ubuntu": version, "alpine": ".".join(version.split(".")[:2])}.get(name)
    ref = parse(f"{name}:{named}") if named else None
    base = known.bases.lookup(ref, known.as_of) if ref is not None else None
    return Identity(ref, base, f"{name} {version}".strip(), f"{name}{version}", tier="files")
