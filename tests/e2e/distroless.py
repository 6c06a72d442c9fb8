"""Base images laid out as Google distroless lays them out: one layer per Debian package, then small constant ones."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import pytest

from tests.e2e import constant
from tests.e2e.debs import codename, content, deb_layer, fetch, members, per_release, status
from tests.e2e.layout import Image, several
from tests.e2e.tars import Layer, Member, directory, file, of, symlink

Family = Literal["static", "base", "cc", "python3"]
Variant = Literal["latest", "nonroot", "debug", "debug-nonroot"]

ARCHITECTURES = ("amd64", "arm64")
SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


class Release(NamedTuple):
    """What the packages of a Debian release are called."""

    number: str
    python: str
    static: tuple[str, ...]
    base: tuple[str, ...]
    cc: tuple[str, ...]
    libraries: tuple[str, ...]  # of the interpreter


COMMON = (
    "libbz2-1.0", "libcom-err2", "libcrypt1", "libexpat1", "libffi8", "libgssapi-krb5-2", "libk5crypto3",
    "libkeyutils1", "libkrb5-3", "libkrb5support0", "liblzma5", "libncursesw6", "libsqlite3-0", "libtinfo6",
)  # fmt: skip
RELEASES = {
    "bookworm": Release(
        "12",
        "3.11",
        ("base-files", "netbase", "tzdata", "media-types"),
        ("libc6", "libssl3"),
        ("libgomp1", "libstdc++6", "libgcc-s1", "gcc-12-base"),
        (*COMMON, "libdb5.3", "libnsl2", "libreadline8", "libtirpc3", "libuuid1", "zlib1g", "libc-bin"),
    ),
    "trixie": Release(
        "13",
        "3.13",
        ("base-files", "netbase", "tzdata", "tzdata-legacy", "media-types"),
        ("libc6", "libssl3t64", "libzstd1", "zlib1g"),
        ("libgomp1", "libstdc++6", "libgcc-s1", "gcc-14-base"),
        (*COMMON, "libdb5.3t64", "libreadline8t64", "libuuid1", "libc-bin"),
    ),
}


def release() -> Release:
    """The release of this machine."""
    if codename() not in RELEASES:
        pytest.skip(f"base images are described for {' and '.join(RELEASES)}, not for {codename() or 'this system'}")
    return RELEASES[codename()]


def interpreter() -> str:
    """The program of the language image."""
    return f"/usr/bin/python{release().python}"


def library() -> str:
    """The folder of its standard library."""
    return f"/usr/lib/python{release().python}"


def packages(family: Family) -> list[tuple[str, ...]]:
    """Return a family's packages in the order of their layers: those below the constant layers, those above."""
    now = release()
    version = now.python
    parts = (f"libpython{version}-minimal", f"libpython{version}-stdlib", f"python{version}-minimal")
    above: tuple[str, ...] = ()
    if family != "static":
        above += now.base
    if family in ("cc", "python3"):
        above += now.cc
    if family == "python3":
        above += now.libraries + parts
    return [now.static, above]


@per_release
def base(family: Family, architecture: str, variant: Variant = "latest") -> Image:
    """Return the image of one architecture."""
    static, above = packages(family)
    layers = [*_debs(static, architecture), *constant.layers(release().number), cacerts(architecture)]
    debug = variant.startswith("debug")
    if debug:
        layers.append(busybox(architecture))
    layers += _debs(above, architecture)
    if family == "python3":
        layers.append(aliases())
    nonroot = variant.endswith("nonroot")
    environment = [f"PATH={SEARCH}{':/busybox' if debug else ''}", f"SSL_CERT_FILE={BUNDLE}"]
    config: dict[str, object] = {
        "User": "65532" if nonroot else "0",
        "Env": environment,
        "WorkingDir": "/home/nonroot" if nonroot else "/",
    }
    if family == "python3":
        config["Entrypoint"] = [interpreter()]
        environment.append("LANG=C.UTF-8")
    elif debug:
        config["Entrypoint"] = ["/busybox/sh"]
    return Image(architecture, config, tuple(layers))


def layout(
    folder: Path, family: Family, variant: Variant = "latest", architectures: Sequence[str] = ARCHITECTURES
) -> Path:
    """Write a layout whose index has the image for each architecture."""
    return several(folder, [base(family, one, variant) for one in architectures], tag=variant)


def _debs(names: Sequence[str], architecture: str) -> list[Layer]:
    return [
        deb_layer(deb, f"bazel build @{codename()}//{deb.package}/{architecture}:data_statusd")
        for deb in fetch(names, architecture)
    ]


@per_release
def cacerts(architecture: str) -> Layer:
    """Return the layer of one file with all certificates; the package is listed, most of its files are not there."""
    (deb,) = fetch(["ca-certificates"], architecture)
    found = {info.name.removeprefix("."): data for info, data in members(deb) if info.isreg()}
    bundle = b"".join(found[path] for path in sorted(found) if path.endswith(".crt"))
    made = [directory(f"./{part}") for part in ("etc/ssl", "etc/ssl/certs")]
    made.append(file(f".{BUNDLE}", bundle, 0o555))
    licence = "usr/share/doc/ca-certificates/copyright"
    made += [directory(f"./{posixpath.dirname(licence)}"), file(f"./{licence}", found[f"/{licence}"], 0o555)]
    made += [directory("./var"), directory("./var/lib"), *status(deb)]
    return of(made, f"bazel build //common:cacerts_debian{release().number}_{architecture}")


APPLETS = (
    "[ arch ash awk base64 basename cat chmod chown clear cp cut date dd df dirname dpkg dpkg-deb du echo egrep env "
    "expr false find grep gunzip gzip head hostname hush id kill killall less ln ls md5sum mkdir mkfifo mknod mktemp "
    "more mv nc nslookup od ping printenv printf ps pwd readlink rm rmdir rpm sed seq sh sha256sum sleep sort stat su "
    "sync tail tar tee telnet test time timeout top touch tr true tty uname uniq unzip vi wc wget which whoami xargs"
)


@per_release
def busybox(architecture: str) -> Layer:
    """Return the layer that a debug image has more."""
    program = content("busybox-static", architecture, "bin/busybox")
    made: list[Member] = [directory("./busybox"), file("./busybox/busybox", program, 0o755)]
    made += [symlink(f"./busybox/{name}", "/busybox/busybox") for name in APPLETS.split()]
    return of(made, f"bazel build //experimental/busybox:busybox_{architecture}")


@per_release
def aliases() -> Layer:
    """Return the layer that gives the interpreter its short names."""
    made = [symlink(f"./usr/bin/{name}", interpreter()) for name in ("python", "python3")]
    return of(made, "bazel build //python3:python_aliases")
