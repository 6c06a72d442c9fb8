"""Containers made of one layer and small changes, without a registry or an engine: hundreds of them in a minute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lucid_audit.container.config import Container
from lucid_audit.image.files import MeasuredFiles
from lucid_audit.image.image import Image
from lucid_audit.image.layer import Layer
from lucid_audit.image.rootfs import squash
from lucid_audit.record import fields
from tests.image_sketch import image, layer


def container(
    base: Layer,
    without: Iterable[str] = (),
    files: Mapping[str, Any] | None = None,
    workdir: str = "/",
    user: str = "0",
    env: Iterable[str] = (),
) -> Container:
    """Return a container with the files of a layer, less some paths, and with some texts."""
    top, _ = layer({**{path: {"whiteout": True} for path in without}, **(files or {})})
    plain = image({"platform": "linux/amd64", "config": {"User": user, "WorkingDir": workdir, "Env": [*env]}}).container
    values = {field.name: getattr(plain, field.name) for field in fields(Container)}
    return Container(**{**values, "files": MeasuredFiles(squash([base, top]))})


def image_of(base: Layer, without: Iterable[str] = ()) -> Image:
    """Return an image for amd64 with the files of a layer, less some paths, that starts nothing."""
    top, _ = layer({path: {"whiteout": True} for path in without})
    plain = image({"platform": "linux/amd64"})
    rootfs = squash([base, top])
    values = {field.name: getattr(plain, field.name) for field in fields(Image)}
    inside = {field.name: getattr(plain.container, field.name) for field in fields(Container)}
    made = Container(**{**inside, "files": MeasuredFiles(rootfs)})
    return Image(**{**values, "rootfs": rootfs, "layers": (base, top), "container": made})
