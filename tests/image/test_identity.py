"""Which base an image is said to stand on, and how sure that is."""

from __future__ import annotations

from typing import Any

import pytest

from lucid_audit.image.image import Image
from tests.image_sketch import image

APP = {"files": {"/app/main.py": "print(1)\n"}}
DISTROLESS = 'PRETTY_NAME="Distroless"\nID="debian"\nVERSION_ID="13"\n'


def of(*layers: dict[str, Any], **more: Any) -> Image:
    return image({"layers": list(layers), **more})


@pytest.mark.parametrize("family", ["static", "base", "python3"])
@pytest.mark.parametrize("release", ["debian12", "debian13"])
@pytest.mark.parametrize("tag", ["latest", "debug"])
def test_by_its_layers(family: str, release: str, tag: str) -> None:
    found = of(APP, base=f"{family}-{release}:{tag}")
    identity = found.identity
    assert (identity.tier, identity.release, identity.debug) == ("layers", release, tag == "debug")
    assert identity.ref is not None
    assert identity.ref.repository == f"distroless/{family}-{release}"
    assert identity.layers == len(found.layers) - 1
    assert found.own(identity.layers)
    assert not found.own(identity.layers - 1)
    assert identity.base is not None
    assert identity.base.distroless


def test_a_layer_that_only_looks_like_busybox_is_not_the_bases() -> None:
    fake = {"files": {"/busybox/busybox": {"elf": "arm64", "contains": ["BusyBox v1"]}}}
    found = of(fake, base="base-debian13")
    assert found.identity.layers == len(found.layers) - 1
    assert found.identity.debug is False


def test_nonroot_is_told_by_the_user() -> None:
    for user, tag in (("65532", "nonroot"), ("65532:65532", "nonroot"), ("0", "latest"), ("", "latest")):
        base = of(APP, base="static-debian13", config={"User": user}).identity.base
        assert base is not None
        assert base.ref.tag == tag


def test_by_the_history_when_the_layers_are_not_known() -> None:
    history = [
        {"created_by": "bazel build //common:rootfs"},
        {"created_by": "bazel build @trixie//libc6/arm64:data_statusd"},
    ]
    record = {"files": {"/var/lib/dpkg/status.d/libc6": "Package: libc6\n", "/usr/lib/os-release": DISTROLESS}}
    identity = of({"files": {"/x": ""}}, record, history=history).identity
    assert (identity.tier, identity.release, identity.layers) == ("history", "debian13", 0)
    assert identity.ref is not None
    assert identity.ref.repository == "distroless/base-nossl-debian13"


def test_by_its_files_when_it_is_built_like_one() -> None:
    records = [{"files": {f"/var/lib/dpkg/status.d/p{n}": f"Package: p{n}\n"}} for n in range(5)]
    identity = of(*records, {"files": {"/usr/lib/os-release": DISTROLESS}}).identity
    assert (identity.tier, identity.claims) == ("files", "")


def test_what_only_claims_to_be_one() -> None:
    identity = of({"files": {"/usr/lib/os-release": DISTROLESS, "/bin/sh": {"elf": "arm64"}}}).identity
    assert identity.tier == "none"
    assert "Distroless" in identity.claims
    assert identity.base is None


@pytest.mark.parametrize(
    ("release", "family", "ref"),
    [
        ("ID=wolfi\nVERSION_ID=20230201\n", "Chainguard (wolfi)", None),
        ("ID=ubuntu\nVERSION_ID=24.04\n", "chiselled Ubuntu", None),
        ("ID=alpine\nVERSION_ID=3.20.3\n", "alpine 3.20.3", "alpine:3.20"),
        ('ID=debian\nVERSION_ID="12"\n', "debian 12", "debian:12"),
        ("ID=something\n", "something", None),
    ],
)
def test_others_by_os_release(release: str, family: str, ref: str | None) -> None:
    identity = of({"files": {"/etc/os-release": release}}).identity
    assert (identity.family, identity.tier) == (family, "files")
    assert (identity.ref.familiar if identity.ref is not None else None) == ref


def test_nothing_but_the_service_is_scratch() -> None:
    identity = of({"files": {"/server": {"elf": "arm64"}}}).identity
    assert (identity.family, identity.tier) == ("scratch", "files")
