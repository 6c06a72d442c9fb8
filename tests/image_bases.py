"""Layers of distroless bases for sketches of images: small, but laid out as the real ones are.

The constant layers hold other bytes than the published ones, so they are known by fingerprints of their own.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

from lucid_audit.image.identity import Fingerprint, Fingerprints

PASSWD = "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"
GROUP = "root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\nnonroot:x:65532:\n"
RELEASES = {"debian12": ("12", "bookworm", "3.11"), "debian13": ("13", "trixie", "3.13")}
OLD_TMP: dict[str, Any] = {"/tmp/": {"mode": "1777"}, "/tmp/old": ""}
ORDER = ("rootfs", "passwd", "home", "group", "tmp", "nsswitch", "os_release")


def package(name: str, files: dict[str, Any], version: str = "1.0") -> dict[str, Any]:
    from hashlib import md5

    from tests.image_sketch import member

    sums = "".join(
        f"{md5(member(path, spec)[1]).hexdigest()}  {path.strip('/')}\n"
        for path, spec in files.items()
        if not path.endswith("/")
    )
    folder = "/var/lib/dpkg/status.d"
    record = f"Package: {name}\nVersion: {version}\nArchitecture: all\n"
    return {"files": {**files, f"{folder}/{name}": record, f"{folder}/{name}.md5sums": sums}}


def constant(release: str) -> dict[str, dict[str, Any]]:
    number, codename, _ = RELEASES[release]
    text = f'PRETTY_NAME="Distroless"\nID="debian"\nVERSION_ID="{number}"\nVERSION="Debian GNU/Linux {number} ({codename})"\n'
    return {
        "rootfs": {"/": {"mode": "0755"}},
        "passwd": {"/etc/passwd": PASSWD},
        "home": {
            "/home/": {},
            "/home/nonroot/": {"mode": "0700", "uid": 65532, "gid": 65532},
            "/root/": {"mode": "0700"},
        },
        "group": {"/etc/group": GROUP},
        "tmp": {"/tmp/": {"mode": "1777"}},
        "nsswitch": {"/etc/nsswitch.conf": "hosts: files dns\n"},
        "os_release": {"/usr/lib/os-release": {"text": text, "mode": "0555"}},
    }


@cache
def fingerprints() -> Fingerprints:
    """The constant layers of sketches by their diff_ids."""
    from hashlib import sha256

    from tests.image_sketch import archive

    found = {f"sha256:{sha256(archive(OLD_TMP)).hexdigest()}": Fingerprint("tmp", "", date(2025, 12, 3))}
    for release in RELEASES:
        for name, files in constant(release).items():
            of = release if name == "os_release" else ""
            found[f"sha256:{sha256(archive(files)).hexdigest()}"] = Fingerprint(name, of, None)
    return Fingerprints(ORDER, found)


def base_layers(name: str, architecture: str) -> list[dict[str, Any]]:
    """Return the layers of a base, the lowest first: ``python3-debian13``, ``static-debian12:old``, ``base-debian13:debug``."""
    repository, _, tag = name.partition(":")
    family, _, release = repository.rpartition("-")
    version = RELEASES[release][2]
    merged = release == "debian13"
    links = {f"/{name}": {"link": f"usr/{name}"} for name in ("bin", "lib", "sbin")} if merged else {}
    lib = "/usr/lib" if merged else "/lib"
    below = {
        **links,
        "/etc/os-release": {"link": "../usr/lib/os-release"},
        "/etc/update-motd.d/10-uname": {"text": "#!/bin/sh\n", "mode": "0755"},
        "/usr/bin/": {},
        "/var/tmp/": {"mode": "1777"},
    }
    layers = [package("base-files", below), package("netbase", {"/etc/protocols": "tcp 6\n"})]
    constants = constant(release)
    if tag == "old":
        constants["tmp"] = OLD_TMP
    layers += [{"files": files} for files in constants.values()]
    layers.append(
        {"files": {"/etc/ssl/certs/ca-certificates.crt": {"text": "-----BEGIN CERTIFICATE-----\n", "mode": "0555"}}}
    )
    if "debug" in tag:
        applets = {f"/busybox/{applet}": {"link": "/busybox/busybox"} for applet in ("sh", "ls", "dpkg", "wget")}
        shell = {"elf": architecture, "contains": ["BusyBox v1.37.0", "OPTIND", "getopts", "OLDPWD"]}
        layers.append({"files": {"/busybox/busybox": shell, **applets}})
    if family != "static":
        loader = {"elf": architecture}
        layers.append(package("libc6", {f"{lib}/ld-linux-aarch64.so.1": loader, f"{lib}/libc.so.6": loader}))
        layers.append(package("libssl3t64", {f"{lib}/libssl.so.3": {"elf": architecture, "mode": "0644"}}))
    if family in ("cc", "python3"):
        layers.append(package("libstdc++6", {f"{lib}/libstdc++.so.6": {"elf": architecture, "mode": "0644"}}))
    if family == "python3":
        program = {"elf": architecture, "interpreter": "/lib/ld-linux-aarch64.so.1"}
        layers.append(package("libc-bin", {"/usr/bin/ldd": {"text": "#!/bin/bash\n", "mode": "0755"}}))
        layers.append(package(f"python{version}-minimal", {f"/usr/bin/python{version}": program}))
        aliases = {f"/usr/bin/{alias}": {"link": f"/usr/bin/python{version}"} for alias in ("python", "python3")}
        layers.append({"files": aliases})
    return layers
