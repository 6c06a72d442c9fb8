"""Which base an image stands on: confirmed by its layers or only claimed, alive or not, and left as it was or changed."""

from __future__ import annotations

from lucid_audit.checks import Answers, check
from lucid_audit.checks.base import ending
from lucid_audit.container.config import Field
from lucid_audit.container.files import MERGED
from lucid_audit.dates import timedelta
from lucid_audit.finding import Hit, Skip
from lucid_audit.image.image import Image
from lucid_audit.image.packages import STATUS_D, files_of, recorded
from lucid_audit.image.replaced import replaced, same, topmost
from lucid_audit.image.rootfs import Buried
from lucid_audit.record import record

# What every start writes or mounts anew, and what a service is expected to bring its own of.
_MAY_CHANGE = ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/ld.so.cache")
# Nothing reads these when a service runs.
_DOCUMENTS = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/info/", "/usr/share/lintian/")
_LISTS = f"{STATUS_D}*.md5sums"
_BASE = Field("rootfs.diff_ids")


@check("base-confirmed")
def base_confirmed(image: Image) -> Answers:
    """Judge whether something names a base that the layers do not confirm: a flattened image, or an impostor."""
    identity = image.identity
    if identity.claims:
        yield Hit(_BASE, claims=identity.claims)
    elif identity.google and identity.tier != "layers":
        yield Skip(_BASE, f"{identity.name} is told {identity.how}: too few of its constant layers are known here")


@record
class Life:
    """``days`` > 0 asks for bases whose end comes within that many days, 0 for those whose end has come."""

    days: int = 0


@check("image-base-life")
def image_base_life(image: Image, params: Life) -> Answers:
    """Judge the base by its end of life on the day of the run."""
    base = image.identity.base
    if base is None:
        if image.identity.family:
            yield Skip(_BASE, f"the end of life of {image.identity.family} is not known")
        return
    found = ending(base, base.eol, image.as_of, params.days)
    if found is not None:
        yield Hit(_BASE, **found)


@record
class Age:
    """``days`` since the published base has had other constant layers."""

    days: int = 90


@check("base-outdated")
def base_outdated(image: Image, params: Age) -> Answers:
    """Judge the age of the base by its constant layers: published images have had newer ones for so long."""
    replaced = image.identity.replaced_on
    if replaced is not None and image.as_of - replaced > timedelta(days=params.days):
        yield Hit(_BASE, image=image.identity.name, since=replaced.isoformat())


@check("base-file-changed", reads=(_LISTS,))
def base_file_changed(image: Image) -> Answers:
    """Judge files of the base's packages that a layer above replaces by another content, or deletes."""
    identity = image.identity
    if identity.google and identity.tier != "layers":
        yield Skip(_BASE, "nobody can tell which layers are the base's")
    gone: dict[tuple[str, int], list[str]] = {}
    for one in replaced(image):
        path, by = one.buried.entry.path, one.buried.by
        if path in _MAY_CHANGE or path.startswith(_DOCUMENTS):
            continue
        if one.node is None:
            gone.setdefault((topmost(image.rootfs, path), by), []).append(one.package)
            continue
        unchanged = same(image, one)
        if unchanged is None:
            yield Skip(image.place(path, by), f"{path} is too large to be compared with the package {one.package}")
        elif not unchanged:
            yield Hit(image.place(path, by), done="replaces", path=path, package=f"the package {one.package}")
    for (path, by), packages in gone.items():
        count = f" with {len(packages)} files" if len(packages) > 1 else ""
        owners = listed(sorted(set(packages)))
        package = f"the package{'s' if len(set(packages)) > 1 else ''} {owners}"
        yield Hit(image.place(path, by), done="deletes", path=f"{path}{count}", package=package)


def listed(names: list[str]) -> str:
    """Name a few and count the others."""
    if len(names) <= 3:
        return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"{names[0]}, {names[1]} and {len(names) - 2} more"


@check("package-record-hidden", reads=(_LISTS,))
def package_record_hidden(image: Image) -> Answers:
    """Judge package records that a layer deletes while files of the package stay: scanners then no longer see it."""
    hidden: dict[int, list[str]] = {}
    for buried in image.rootfs.buried:
        path = buried.entry.path
        if path.startswith(STATUS_D) and not path.endswith(".md5sums") and image.rootfs.get(path) is None:
            stays = _stays(image, buried)
            if stays:
                hidden.setdefault(buried.by, []).append(path.removeprefix(STATUS_D))
            elif stays is None:
                name = path.removeprefix(STATUS_D)
                yield Skip(image.place(path, buried.by), f"the package {name} has no list of files to look for")
    for by, names in hidden.items():
        path, packages = f"{STATUS_D}{names[0]}", f"the record of the package {names[0]} is"
        if len(names) > 1:
            path, packages = STATUS_D.rstrip("/"), f"the records of the packages {listed(sorted(names))} are"
        yield Hit(image.place(path, by), packages=packages, it="them" if len(names) > 1 else "it")


def _stays(image: Image, buried: Buried) -> bool | None:
    """Whether a file of a package is still there whose record is not; None when no list says what its files are."""
    files = files_of(image.layers[buried.layer].kept.get(f"{buried.entry.path}.md5sums"))
    if not files:
        return None
    found = (image.rootfs.resolve(path, follow=False).node for path in files)
    return any(node is not None and node.layer <= buried.layer for node in found)


@check("package-record-without-files", reads=(_LISTS,))
def package_record_without_files(image: Image) -> Answers:
    """Judge package records above the base of whose files not one is there."""
    for name, layer in recorded(image.rootfs):
        if not image.own(layer):
            continue
        path = f"{STATUS_D}{name}"
        files = files_of(image.rootfs.read(f"{path}.md5sums"))
        if not files:
            yield Skip(image.place(path, layer), f"the package {name} has no list of files to look for")
        elif not any(image.rootfs.resolve(file, follow=False).node is not None for file in files):
            yield Hit(image.place(path, layer), package=name, count=len(files))


@check("system-link-replaced")
def system_link_replaced(image: Image) -> Answers:
    """Judge folders that take the place of a merged-/usr link: what lay behind the link is gone from that path."""
    nodes = image.rootfs.nodes
    for buried in image.rootfs.buried:
        path = buried.entry.path
        node = nodes.get(path)
        if path in MERGED and buried.entry.kind == "l" and node is not None and node.entry.kind == "d":
            loaders = image.rootfs.children.get(f"/usr{path}", ())
            loader = next((name for name in loaders if name.startswith("ld-") and f"{path}/{name}" not in nodes), "")
            lost = f"{path}/{loader}, which every program asks for, is gone" if loader else f"{path} shows other files"
            yield Hit(image.place(path, node.layer), path=path, target=buried.entry.link, lost=lost)
