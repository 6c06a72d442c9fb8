"""Which base an image stands on: confirmed by its layers or only claimed, alive or not, and left as it was or changed."""

from __future__ import annotations

from lucid_audit.checks import Answers, check
from lucid_audit.container.config import Field
from lucid_audit.container.files import MERGED
from lucid_audit.dates import timedelta
from lucid_audit.finding import Hit, Skip
from lucid_audit.image.image import Image
from lucid_audit.image.packages import STATUS_D
from lucid_audit.image.replaced import replaced, same
from lucid_audit.record import record

# What every start writes or mounts anew, and what a service is expected to bring its own of.
_MAY_CHANGE = ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/ld.so.cache")
_BASE = Field("rootfs.diff_ids")


@check("base-confirmed")
def base_confirmed(image: Image) -> Answers:
    """Judge whether something names a base that the layers do not confirm: a flattened image, or an impostor."""
    if image.identity.claims:
        yield Hit(_BASE, claims=image.identity.claims)


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
    ends = [day for day in (base.eol, base.removed) if day is not None]
    if not ends:
        return
    end, today = min(ends), image.as_of
    if (today < end <= today + timedelta(days=params.days)) if params.days else end <= today:
        successor = f"; its successor is {base.successor}" if base.successor else ""
        yield Hit(_BASE, image=base.ref.familiar, end=end.isoformat(), successor=successor)


@record
class Age:
    """``days`` since the published base has had other constant layers."""

    days: int = 90


@check("base-outdated")
def base_outdated(image: Image, params: Age) -> Answers:
    """Judge the age of the base by its constant layers: published images have had newer ones for so long."""
    replaced = image.identity.replaced_on
    if replaced is not None and image.as_of - replaced > timedelta(days=params.days):
        name = image.identity.ref.familiar if image.identity.ref is not None else image.identity.family
        yield Hit(_BASE, image=name, since=replaced.isoformat())


@check("base-file-changed", reads=(f"{STATUS_D}*.md5sums",))
def base_file_changed(image: Image) -> Answers:
    """Judge files of the base's packages that a layer above replaces by another content, or deletes."""
    for one in replaced(image):
        path, by = one.buried.entry.path, one.buried.by
        unchanged = same(image, one)
        if path in _MAY_CHANGE or unchanged:
            continue
        if unchanged is None:
            yield Skip(image.place(path, by), f"{path} is too large to be compared with the package {one.package}")
        else:
            done = "replaces" if one.node is not None else "deletes"
            yield Hit(image.place(path, by), done=done, path=path, package=one.package)


@check("package-record-hidden")
def package_record_hidden(image: Image) -> Answers:
    """Judge package records that a layer deletes: scanners then no longer see a package that is still there."""
    identity = image.identity
    for buried in image.rootfs.buried:
        path = buried.entry.path
        if (
            path.startswith(STATUS_D)
            and buried.deleted
            and not path.endswith(".md5sums")
            and buried.by >= identity.layers
        ):
            yield Hit(image.place(path, buried.by), package=path.removeprefix(STATUS_D))


@check("system-link-replaced")
def system_link_replaced(image: Image) -> Answers:
    """Judge folders that take the place of a merged-/usr link: what lay behind the link is gone from that path."""
    nodes = image.rootfs.nodes
    for buried in image.rootfs.buried:
        path = buried.entry.path
        node = nodes.get(path)
        if path in MERGED and buried.entry.kind == "l" and node is not None and node.entry.kind == "d":
            loader = next((name for name in image.rootfs.children.get(f"/usr{path}", ()) if name.startswith("ld-")), "")
            lost = f"{path}/{loader}, which every program asks for, is gone" if loader else f"{path} shows other files"
            yield Hit(image.place(path, node.layer), path=path, target=buried.entry.link, lost=lost)
