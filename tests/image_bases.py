"""Layers of distroless bases for sketches of images: small, but laid out as the real ones are.

The constant layers are the published ones, byte for byte, but for nsswitch.conf: its text is not ours, so the layer has a
fingerprint of its own. A name is ``python3-debian13`` or ``python3-debian13:debug-lines``; the words of its tag are

    debug      with the layer of busybox
    old        with the constant layers of before December 2025
    lines      with the history lines that the builder writes since January 2026
    future     with lines, and with constant layers that nobody knows yet
    flattened  all of it in one layer
"""

from __future__ import annotations

from functools import cache
from typing import Any

from lucid_audit.catalogue import fingerprints as shipped
from lucid_audit.image.fingerprints import Fingerprint, Fingerprints, read_fingerprints
from tests.e2e import constant
from tests.e2e.tars import directory, file, pack_at, sha256

RELEASES = {"debian12": ("12", "bookworm", "3.11"), "debian13": ("13", "trixie", "3.13")}
NSSWITCH = pack_at([file("etc/nsswitch.conf", "hosts: files dns\n")])
_MILLENNIUM = 946684800  # 2000-01-01, which the layers of rules_pkg had
PASSWD = constant.passwd()
GROUP = constant.group()
FAMILIES = ("static", "base-nossl", "base", "cc", "python3", "nodejs24", "java-base", "java21")

Sketch = dict[str, Any]


def package(name: str, files: Sketch, version: str = "1.0") -> Sketch:
    from hashlib import md5

    from tests.image_sketch import member

    sums = "".join(
        f"{md5(member(path, spec)[1]).hexdigest()}  {path.strip('/')}\n"
        for path, spec in files.items()
        if not path.endswith("/") and not (isinstance(spec, dict) and "link" in spec)
    )
    folder = "/var/lib/dpkg/status.d"
    record = f"Package: {name}\nVersion: {version}\nArchitecture: all\n"
    return {"files": {**files, f"{folder}/{name}": record, f"{folder}/{name}.md5sums": sums}, "package": name}


def old(name: str) -> bytes:
    """Return a constant layer as it was before December 2025."""
    if name == "tmp":
        return pack_at([directory("./tmp", 0o1777)], time=1501783453, user="root")
    if name == "group":
        return pack_at([directory("./etc"), file("./etc/group", GROUP)], time=_MILLENNIUM)
    if name.startswith("os_release"):
        text = constant.os_release(name.removeprefix("os_release_debian"))
        members = [directory("./usr"), directory("./usr/lib"), file("./usr/lib/os-release", text, 0o555)]
        return pack_at(members, time=_MILLENNIUM)
    return constant.archive(name)


def constants(release: str, tag: list[str]) -> list[Sketch]:
    """Return the constant layers in their order, with their names."""
    number = RELEASES[release][0]
    make = old if "old" in tag else constant.archive
    made = [(name, NSSWITCH if name == "nsswitch" else make(name)) for name in constant.names(number)]
    # Whoever makes the archive in another way gets other digests of the same files.
    return [{"tar": data + bytes(512) if "future" in tag else data, "constant": name} for name, data in made]


@cache
def fingerprints() -> Fingerprints:
    """What is shipped, and the layer of nsswitch.conf as it is here."""
    found = read_fingerprints(shipped())
    return found._replace(layers={**found.layers, sha256(NSSWITCH): Fingerprint("nsswitch", "", None)})


def base_layers(name: str, architecture: str) -> list[Sketch]:
    """Return the layers of a base, the lowest first."""
    repository, _, words = name.partition(":")
    family, _, release = repository.rpartition("-")
    tag = words.split("-")
    layers = [*_static(release), *constants(release, tag), _certificates()]
    if "debug" in tag:
        layers.append(_busybox(architecture))
    layers += _above(family, release, architecture)
    if "lines" in tag or "future" in tag:
        for layer in layers:
            layer["created_by"] = _line(layer, RELEASES[release][1], architecture)
    return [_flat(layers)] if "flattened" in tag else layers


def _line(layer: Sketch, codename: str, architecture: str) -> str:
    if "package" in layer:
        return f"bazel build @{codename}//{layer['package']}/{architecture}:data_statusd"
    name = layer.get("constant", "")
    if name == "nsswitch":
        return "bazel build //static:nsswitch"
    return f"bazel build {layer.get('label', f'//common:{name}').format(architecture)}"


def _flat(layers: list[Sketch]) -> Sketch:
    """Return one layer with the files of all, as ``docker export`` and ``import`` make it."""
    from io import BytesIO
    from tarfile import open as read

    files: Sketch = {}
    for layer in layers:
        files.update(layer.get("files", {}))
        if "tar" in layer:
            with read(fileobj=BytesIO(layer["tar"])) as archive:
                for info in archive:
                    path = "/" + info.name.removeprefix("./").strip("/.")
                    about = {"mode": f"{info.mode:04o}", "uid": info.uid, "gid": info.gid}
                    stream = archive.extractfile(info) if info.isreg() else None
                    if stream is not None:
                        files[path] = {**about, "text": stream.read().decode()}
                    elif path != "/":
                        files[f"{path}/"] = about
    return {"files": files}


def _static(release: str) -> list[Sketch]:
    merged = release == "debian13"
    links = {f"/{name}": {"link": f"usr/{name}"} for name in ("bin", "lib", "sbin")}
    files = {
        **(links if merged else {"/bin/": {}, "/lib/": {}, "/sbin/": {}, "/var/local/": {"mode": "2775", "gid": 50}}),
        "/etc/os-release": {"link": "../usr/lib/os-release"},
        "/etc/update-motd.d/10-uname": {"text": "#!/bin/sh\n", "mode": "0755"},
        "/etc/dpkg/origins/debian": "Vendor: Debian\n",
        "/usr/lib/os-release": f'ID=debian\nPRETTY_NAME="Debian GNU/Linux {RELEASES[release][0]}"\n',
        "/usr/share/doc/base-files/copyright": "text\n",
        "/usr/bin/": {},
        "/usr/sbin/": {},
        "/var/lock/": {"mode": "1777"},
        "/var/tmp/": {"mode": "1777"},
    }
    zones = {"/usr/share/zoneinfo/UTC": "TZif2", "/usr/share/zoneinfo/Etc/UTC": "TZif2 UTC"}
    zones = {**zones, "/usr/share/zoneinfo/localtime": {"link": "/etc/localtime"}}  # type: ignore[dict-item]
    return [
        package("base-files", files),
        package("netbase", {"/etc/protocols": "tcp 6\n"}),
        package("tzdata", zones),
        package("media-types", {"/etc/mime.types": "text/plain txt\n"}),
    ]


def _certificates() -> Sketch:
    bundle = {"text": "-----BEGIN CERTIFICATE-----\n", "mode": "0555"}
    doc = {"text": "text\n", "mode": "0555"}
    files = {"/etc/ssl/certs/ca-certificates.crt": bundle, "/usr/share/doc/ca-certificates/copyright": doc}
    return {"files": files, "label": "//common:cacerts_debian13_{}"}


def _busybox(architecture: str) -> Sketch:
    applets = {f"/busybox/{applet}": {"link": "/busybox/busybox"} for applet in ("sh", "ls", "dpkg", "wget")}
    shell = {"elf": architecture, "contains": ["BusyBox v1.37.0", "OPTIND", "getopts", "OLDPWD"]}
    return {"files": {"/busybox/busybox": shell, **applets}, "label": "//experimental/busybox:busybox_{}"}


def _above(family: str, release: str, architecture: str) -> list[Sketch]:
    """Return what a family has above static."""
    if family == "static":
        return []
    lib = "/usr/lib" if release == "debian13" else "/lib"
    ssl, gcc = ("libssl3t64", "gcc-14-base") if release == "debian13" else ("libssl3", "gcc-12-base")

    def library(name: str, file: str) -> Sketch:
        return package(name, {f"{lib}/{file}": {"elf": architecture, "mode": "0644"}})

    loader = {"elf": architecture}
    layers = [package("libc6", {f"{lib}/ld-linux-aarch64.so.1": loader, f"{lib}/libc.so.6": loader})]
    java = family.startswith("java")
    if family != "base-nossl" and not java:
        layers.append(library(ssl, "libssl.so.3"))
    if family == "cc" or family.startswith(("python", "nodejs", "java")):
        layers += [library("libgomp1", "libgomp.so.1"), library("libstdc++6", "libstdc++.so.6")]
        layers.append(package(gcc, {f"/usr/share/doc/{gcc}/copyright": "text\n"}))
    if family == "python3":
        layers += _python(RELEASES[release][2], architecture)
    if family.startswith("nodejs"):
        files = {"/nodejs/bin/node": {"elf": architecture}, "/nodejs/LICENSE": "text\n"}
        layers.append({"files": files, "label": f"@{family}_{{}}//:data"})
    if java:
        layers += _java(family, release, architecture)
    return layers


def _python(version: str, architecture: str) -> list[Sketch]:
    program = {"elf": architecture, "interpreter": "/lib/ld-linux-aarch64.so.1"}
    aliases = {f"/usr/bin/{alias}": {"link": f"/usr/bin/python{version}"} for alias in ("python", "python3")}
    scripts = {name: {"text": "#!/bin/bash\n", "mode": "0755"} for name in ("/usr/bin/ldd", "/usr/bin/tzselect")}
    return [
        package("libc-bin", scripts),
        package(f"python{version}-minimal", {f"/usr/bin/python{version}": program}),
        {"files": aliases, "label": "//python3:python_aliases"},
        {"files": {"/etc/ld.so.cache": "glibc-ld.so.cache1.1"}, "label": "//python3:ldconfig_cache_{}"},
    ]


def _java(family: str, release: str, architecture: str) -> list[Sketch]:
    locale = {"/usr/lib/locale/C.utf8/LC_CTYPE": "x", "/usr/share/doc/libc-bin/copyright": "text\n"}
    layers: list[Sketch] = [
        package("fontconfig-config", {"/etc/fonts/fonts.conf": "<fontconfig/>\n"}),
        {"files": locale, "label": "//common:locale_debian13_{}"},
    ]
    certificates = {"/etc/ssl/certs/java/cacerts": "x"}
    if release == "debian13" or family == "java-base":
        layers.append({"files": certificates, "label": "//java:cacerts_java_{}_debian13"})
    if family != "java-base":
        version = family.removeprefix("java")
        folder = f"/usr/lib/jvm/temurin-{version}-jre-{architecture}"
        if release == "debian12":
            folder = f"/usr/lib/jvm/temurin{version}_jre_{architecture}"
        files = {"/usr/bin/java": {"link": f"{folder}/bin/java"}, f"{folder}/bin/java": {"elf": architecture}}
        if release == "debian13":
            layers.append(package(f"temurin-{version}-jre", files))
        else:
            layers.append({"files": {**files, **certificates}, "label": f"@temurin{version}_jre_{{}}//:data"})
    return layers
