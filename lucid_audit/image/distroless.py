"""Tells Google distroless: by its constant layers, by its builder's history lines, by its files; and where it ends.

Sources: the project's Bazel rules (one layer for each package, then small ones made of constants; which packages a
repository has), ``PACKAGE_METADATA.md`` (records in ``status.d``); rules_oci writes the history lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from lucid_audit.image.fingerprints import Family, Fingerprint
from lucid_audit.image.identity import Evidence, Identity
from lucid_audit.image.layer import Layer
from lucid_audit.image.packages import STATUS, added_packages, installed
from lucid_audit.record import replace
from lucid_audit.reference import parse
from lucid_audit.tuples import NamedTuple

REPOSITORY = "gcr.io/distroless/"
_KNOWN_ENOUGH = 5  # of the seven constant layers at their places: then one or two newer versions do not matter
_LAYERED = 3  # layers of one package each, above which an image is not a flattened one
_NONROOT = 65532
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_BUSYBOX = "/busybox/busybox"
_BUILDER = "bazel build "  # of any rule that builds images with rules_oci
# Of distroless' own rules: others who use Bazel have no such lines but those of the base they build on.
_OWN = re.compile(
    r"bazel build (?://common:(?:rootfs|passwd|home|group|tmp|os_release_\w+|cacerts_\w+|locale_\w+)"
    r"|//static:nsswitch|//(?:python3?|java|experimental/busybox):"
    r"|@+(?:[\w~+]*[~+])?(?:(?:bookworm|trixie|forky)\w*//|(?:nodejs|temurin|bun|python)\d*_))"
)
_OWN_RELEASE = re.compile(r"os_release_(debian\d+)|[@~+](bookworm|trixie|forky)")
_CODENAMES = {"bookworm": "debian12", "trixie": "debian13", "forky": "debian14"}


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


def by_layers(evidence: Evidence) -> Identity | None:
    """Return the base when its constant layers are there."""
    run = _run(evidence)
    if run is None:
        return None
    end = _end(evidence, run.start + len(evidence.known.prints.order))
    found = _named(evidence, run.release or _release(evidence.release), end)
    return replace(found, tier="layers", replaced_on=run.replaced_on)


def by_history(evidence: Evidence) -> Identity | None:
    """Return the base that lines of its builder name. Its layers are those with such lines, from below."""
    lines = [step.created_by for step in evidence.config.history if _OWN.match(step.created_by)]
    if not lines:
        return None
    if evidence.release.get("PRETTY_NAME") != "Distroless":
        return Identity(
            family="distroless",
            claims="its history has lines of distroless' builder, but neither its layers nor its os-release are distroless'",
        )
    match = next((m for line in lines if (m := _OWN_RELEASE.search(line))), None)
    release = (match[1] or _CODENAMES[match[2]]) if match is not None else _release(evidence.release)
    end = 0
    while end < len(evidence.lines) and _OWN.match(evidence.line(end)):
        end += 1
    return replace(_named(evidence, release, end), tier="history")


def by_files(evidence: Evidence) -> Identity | None:
    """Return the base that os-release names; what else is there says whether that can be."""
    if evidence.release.get("PRETTY_NAME") != "Distroless":
        return None
    found = _named(evidence, _release(evidence.release), 0)
    if sum(bool(added_packages(layer)) for layer in evidence.layers) > _LAYERED:
        return replace(found, tier="files")  # built as distroless images are, of constant layers not known here
    rootfs = evidence.rootfs
    home = rootfs.get("/home/nonroot")
    says = "its os-release says Distroless, but it "
    if rootfs.get(STATUS) is not None:
        claims = f"{says}has the package database of a full distribution ({STATUS})"
    elif installed(rootfs) and home is not None and (home.entry.mode, home.entry.uid) == (0o700, _NONROOT):
        claims = "its files are those of a distroless image, but its layers are not: it was flattened or copied"
        return replace(found, tier="files", claims=claims)
    else:
        claims = f"{says}has neither the layers nor the package records of a distroless image"
    return Identity(family=found.family, release=found.release, claims=claims)


def _run(evidence: Evidence) -> _Run | None:
    """Find the constant layers: they follow each other, and only layers of one package each lie below."""
    prints, layers = evidence.known.prints, evidence.layers
    order = prints.order
    for start in range(len(layers) - len(order) + 1):
        found = [prints.layers.get(layer.diff_id) for layer in layers[start : start + len(order)]]
        fitting = tuple(one for one, name in zip(found, order, strict=True) if one is not None and one.layer == name)
        if len(fitting) >= _KNOWN_ENOUGH:
            return _Run(start, fitting) if all(_one_package(layer) for layer in layers[:start]) else None
    return None


def _one_package(layer: Layer) -> bool:
    """Whether a layer is one package with its record. A shell is in none of them, whatever its record says."""
    return len(added_packages(layer)) == 1 and not any(one.known_as for one in layer.programs.values())


def _end(evidence: Evidence, at: int) -> int:
    """Return how many layers belong to the base: up to the last one after the constant ones that only its builder makes."""
    layers, prints = evidence.layers, evidence.known.prints
    if at < len(layers) and _has(layers[at], _CERTIFICATES):
        at += 1
    if at < len(layers) and _only(layers[at], ("/busybox/",)) and _has(layers[at], _BUSYBOX):
        at += 1  # the debug variants have it here and nowhere else
    end = at
    while at < len(layers) and (not evidence.line(at) or evidence.line(at).startswith(_BUILDER)):
        layer = layers[at]
        at += 1
        if _one_package(layer):
            if prints.packages.fullmatch(added_packages(layer)[0]):
                end = at  # a package that is not known counts when a known one lies above it
        elif not added_packages(layer) and _shaped(layer, prints.shapes):
            end = at
        else:
            break
    return end


def _shaped(layer: Layer, shapes: Iterable[tuple[str, ...]]) -> bool:
    """Whether a layer without a record is one that the builder makes. Of Python's aliases only links will do."""
    if any(one.known_as for one in layer.programs.values()):
        return False
    for shape in shapes:
        if _only(layer, shape) and any(entry.path.startswith(shape[0]) for entry in layer.entries):
            return not shape[0].startswith("/usr/bin/python") or all(entry.kind in "dl" for entry in layer.entries)
    return False


def _only(layer: Layer, starts: tuple[str, ...]) -> bool:
    """Whether all that a layer brings lies at or below such a path, and it brings something."""
    brings = False
    for entry in layer.entries:
        if entry.kind != "d":
            if not entry.path.startswith(starts):
                return False
            brings = True
    return brings


def _has(layer: Layer, path: str) -> bool:
    return any(entry.path == path for entry in layer.entries)


def _named(evidence: Evidence, release: str, end: int) -> Identity:
    """Name the repository by what the base's own layers hold: the first ``end``, or all when that is not known."""
    known = evidence.known
    own = evidence.layers[:end] if end else evidence.layers
    names = {name for layer in own for name in added_packages(layer)} or set(installed(evidence.rootfs))
    name, version = _family(evidence, names, end)
    debug = any(_has(layer, _BUSYBOX) for layer in own)
    ref = base = None
    if release and (version or "{version}" not in name):
        nonroot = evidence.config.user.partition(":")[0] == str(_NONROOT)
        tag = "-".join(word for word, said in (("debug", debug), ("nonroot", nonroot)) if said) or "latest"
        ref = parse(f"{REPOSITORY}{name.format(version=version)}-{release}:{tag}")
        base = known.bases.lookup(ref, known.as_of) if ref is not None else None
    # Whether it was latest or nonroot only the configuration tells, and that may have been set again.
    shown = ref._replace(tag="debug" if debug else None) if ref is not None else None
    family = f"distroless {name.format(version=version)}"
    return Identity(shown, base, family, release, debug, layers=end, distroless=True)


def _family(evidence: Evidence, names: set[str], end: int) -> tuple[str, str]:
    """Return the name of the repository without its release, and the version that belongs into it."""
    for family in evidence.known.prints.families:
        marks = [match for match in _marks(evidence, family, names, end) if match is not None]
        if marks or family.any:
            line = next((m for one in evidence.lines if family.line and (m := family.line.fullmatch(one))), None)
            groups = [match[1] for match in (*marks, line) if isinstance(match, re.Match) and match.re.groups]
            return family.name, groups[0] if groups else ""
    return "", ""


def _marks(evidence: Evidence, family: Family, names: set[str], end: int) -> Iterator[re.Match[str] | str | None]:
    """Yield what tells a family, of the base's own layers."""
    nodes = evidence.rootfs.nodes

    def own(path: str) -> bool:
        node = nodes.get(path)
        return node is not None and (not end or node.layer < end)

    if family.package is not None:
        yield from map(family.package.fullmatch, names)
    if family.path and own(family.path):
        yield family.path
    if family.child is not None:
        for name in evidence.rootfs.children.get(family.folder, ()):
            if own(f"{family.folder}/{name}"):
                yield family.child.fullmatch(name)


def _release(release: Mapping[str, str]) -> str:
    number = release.get("VERSION_ID", "").partition(".")[0]
    return f"debian{number}" if release.get("ID") == "debian" and number.isdigit() else ""
