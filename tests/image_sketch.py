"""Images from the sketches in rule examples: real layers, configurations and manifests, made in memory and read back.

A sketch is a mapping; every key may be left out:

    platform: linux/arm64             # of the configuration
    config: {User: "65532"}           # config.config
    created: 2026-01-01T00:00:00Z
    history: [...]                    # raw; by default one line per layer, its created_by
    base: python3-debian13            # put the layers of a distroless base below (tests/image_bases.py)
    layers:
      - created_by: COPY app /app
        files:
          /app/main.py: text          # a file, mode 0644, root
          /app/run: {text: "#!/bin/sh", mode: "0755", uid: 65532, gid: 65532}
          /app/x: {elf: arm64, contains: [OPTIND, getopts, OLDPWD], mode: "0755"}
          /lib/x.so.1: {elf: arm64, soname: x.so.1, needed: [libc.so.6], wants: {libc.so.6: [GLIBC_2.36]}}  # tests/elf.py
          /app/x.jar: {zip: {org/A.class: text, lib/x.so: {elf: arm64}}}
          /app/link: {link: /app/x}
          /app/same: {hard: /app/x}
          /app/folder/: {mode: "1777"}
          /app/gone: {whiteout: true}
          /dev/x: {device: [1, 3]}
          /run/x: {pipe: true}
          /usr/bin/ping: {elf: arm64, capability: "01000002"}

A sketch of a publication has ``index``, a list of {platform, image, annotations, artifact_type}, and perhaps ``name``;
without ``index`` it is the sketch of one image.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from random import Random
from typing import Any

from lucid_audit import reference
from lucid_audit.checks import reads
from lucid_audit.image.assemble import assemble
from lucid_audit.image.config import read_config
from lucid_audit.image.descriptor import Descriptor, Platform, parse_platform, sha256
from lucid_audit.image.identity import Known
from lucid_audit.image.image import Image, Publication
from lucid_audit.image.layer import Layer, read_layer
from lucid_audit.image.manifest import (
    DOCKER_LAYER,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    Index,
    Manifest,
    is_attestation,
)
from lucid_audit.image.replaced import unread
from lucid_audit.image.wanted import ALWAYS, Wanted, wanted
from tests.elf import sketched
from tests.sketch import AS_OF, bases

NAME = "example/service"
PIECE = 1 << 20  # bytes, as sources give them


@cache
def kept() -> Wanted:
    return wanted({*ALWAYS, *reads()})


def member(path: str, spec: Any) -> tuple[tarfile.TarInfo, bytes]:
    if isinstance(spec, str):
        spec = {"text": spec}
    if isinstance(spec, bytes):
        spec = {"bytes": spec}
    info = tarfile.TarInfo(path.strip("/"))
    info.mode = int(spec.get("mode", "0755" if path.endswith("/") or "elf" in spec else "0644"), 8)
    info.uid, info.gid = spec.get("uid", 0), spec.get("gid", 0)
    data = b""
    if path.endswith("/"):
        info.type = tarfile.DIRTYPE
    elif "link" in spec:
        info.type, info.linkname = tarfile.SYMTYPE, spec["link"]
    elif "hard" in spec:
        info.type, info.linkname = tarfile.LNKTYPE, spec["hard"].strip("/")
    elif "device" in spec:
        info.type = tarfile.CHRTYPE
        info.devmajor, info.devminor = spec["device"]
    elif "pipe" in spec:
        info.type = tarfile.FIFOTYPE
    elif "whiteout" in spec:
        folder, _, name = info.name.rpartition("/")
        info.name = f"{folder}/.wh.{name}".strip("/")
    elif "opaque" in spec:
        info.name = f"{info.name}/.wh..wh..opq"
    else:
        data = content(spec)
    data += bytes(spec.get("zeros", 0)) + Random(1).randbytes(spec.get("noise", 0))
    if "capability" in spec:
        info.pax_headers = {"SCHILY.xattr.security.capability": bytes.fromhex(spec["capability"]).decode("utf-8")}
    info.size = len(data)
    return info, data


def content(spec: Mapping[str, Any]) -> bytes:
    if "elf" in spec:
        return sketched(spec)
    if "zip" in spec:
        return zipped(spec["zip"])
    data: bytes = spec.get("bytes") or spec.get("text", "").encode()
    return data


def zipped(files: Mapping[str, Any]) -> bytes:
    """Return an archive of files, sketched as in a layer."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for name, spec in files.items():
            made.writestr(zipfile.ZipInfo(name), member(name, spec)[1], zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def archive(files: Mapping[str, Any]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, spec in files.items():
            info, data = member(path, spec)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def layer(files: Mapping[str, Any], more: Iterable[str] = (), tar: bytes | None = None) -> tuple[Layer, Descriptor]:
    """Read the layer of some files, or of an archive as it is."""
    blob = gzip.compress(archive(files) if tar is None else tar, 1, mtime=0)
    descriptor = Descriptor(DOCKER_LAYER + ".gzip", sha256(blob), len(blob))
    want = kept()
    pieces = [blob[at : at + PIECE] for at in range(0, len(blob), PIECE)]
    return read_layer(iter(pieces), descriptor, want._replace(exact=want.exact | set(more))), descriptor


def image(sketch: Mapping[str, Any], name: str = NAME, entry: Descriptor | None = None, as_of: date = AS_OF) -> Image:
    from tests.image_bases import base_layers, fingerprints

    platform = parse_platform(sketch.get("platform", "linux/arm64"))
    assert platform is not None
    below = base_layers(sketch["base"], platform.architecture) if "base" in sketch else []
    described = [*below, *sketch.get("layers", [])]
    made = [layer(one.get("files", {}), (), one.get("tar")) for one in described]
    history = sketch.get("history")
    if history is None:
        history = [{"created_by": one.get("created_by", "")} for one in described]
        history += [{"created_by": line, "empty_layer": True} for line in sketch.get("lines", [])]
    raw = {
        "os": platform.os,
        "architecture": platform.architecture,
        **({"variant": platform.variant} if platform.variant else {}),
        "created": sketch.get("created", "2026-01-01T00:00:00Z"),
        "config": sketch.get("config", {}),
        "rootfs": {"type": "layers", "diff_ids": [one.diff_id for one, _ in made]},
        "history": history,
    }
    data = json.dumps(raw).encode()
    config = read_config(data)
    manifest = Manifest(
        OCI_MANIFEST,
        Descriptor(OCI_CONFIG, sha256(data), len(data)),
        tuple(d for _, d in made),
        sketch.get("annotations", {}),
    )
    digest = entry.digest if entry is not None else sha256(b"manifest" + data)

    def assembled() -> Image:
        layers = [one for one, _ in made]
        return assemble(name, digest, entry, manifest, config, layers, Known(bases(), fingerprints(), as_of))

    found = assembled()
    for number, paths in unread(found).items():  # as when an image is pulled
        made[number] = layer(described[number].get("files", {}), paths, described[number].get("tar"))
        found = assembled()
    return found


def publication(sketch: Mapping[str, Any], as_of: date = AS_OF, platforms: tuple[str, ...] = ()) -> Publication:
    name = sketch.get("name", NAME)
    wanted_platforms = tuple(p for text in platforms if (p := parse_platform(text)) is not None)
    ref = reference.parse(name)
    if "index" not in sketch:
        one = image(sketch, name, as_of=as_of)
        return Publication(name, ref, one.digest, None, (one,), wanted_platforms, as_of=as_of)
    entries, images = [], []
    for number, spec in enumerate(sketch["index"]):
        text = spec.get("platform")
        digest = spec.get("digest", sha256(f"manifest {number}".encode()))
        platform = Platform(*text.split("/")) if text else None
        entry = Descriptor(
            spec.get("media_type", OCI_MANIFEST), digest, 100, platform, spec.get("annotations", {}), (),
            spec.get("artifact_type", ""),
        )  # fmt: skip
        entries.append(entry)
        if not is_attestation(entry) and "failed" not in spec and "media_type" not in spec:
            images.append(image({"platform": text or "linux/amd64", **spec.get("image", {})}, name, entry, as_of))
    index = Index(OCI_INDEX, tuple(entries), sketch.get("annotations", {}))
    return Publication(
        name,
        ref,
        sha256(repr(index).encode()),
        index,
        tuple(images),
        wanted_platforms,
        tuple(entry for entry in entries if is_attestation(entry)),
        tuple(entry for entry in entries if entry.media_type != OCI_MANIFEST),
        as_of=as_of,
    )
