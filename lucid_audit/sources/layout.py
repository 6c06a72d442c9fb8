"""OCI layouts: a folder, or a tar file of one. Blobs lie at the place their digest names and nowhere else.

Source: OCI image-spec v1.1, ``image-layout.md``; the second annotation with a name is containerd's.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lucid_audit import reference
from lucid_audit.errors import InputError
from lucid_audit.image.descriptor import Descriptor, sha256, valid_digest
from lucid_audit.image.manifest import MANIFEST_LIMIT, OCI_INDEX, Fetched, Index, read, read_json
from lucid_audit.image.source import DamagedError, NotFoundError
from lucid_audit.sources.files import Files, Folder, explain
from lucid_audit.sources.members import open_members

VERSION_FILE, INDEX_FILE = "oci-layout", "index.json"
REF_NAME = "org.opencontainers.image.ref.name"
IMAGE_NAME = "io.containerd.image.name"
_VERSION_LIMIT = 4096
_LISTED = 12  # names that an error lists


def open_files(path: Path) -> Files:
    """Open a folder or a tar file.

    Raises:
        SourceError: it is neither, or cannot be read.

    """
    try:
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)  # Path.is_dir hides why it failed
    except OSError as error:
        raise explain(error, str(path)) from None
    return Folder(path) if is_folder else open_members(path)


def listed(names: Sequence[str]) -> str:
    """Join names for an error, a few of them; they are an image's words, not ours."""
    rest = len(names) - _LISTED
    shown = [name if name.isprintable() else repr(name) for name in names[:_LISTED]]
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")


class Layout:
    """One image of a layout. ``name`` is a name in its index or a digest; without it there has to be one image only."""

    kind = "layout"

    def __init__(self, path: Path, name: str = "", *, files: Files | None = None) -> None:
        self.name = f"{path}:{name}" if name else str(path)
        self._path, self._wanted = path, name
        self._files = files or open_files(path)
        try:
            self._index = self._read_index()
        except BaseException:
            self._files.close()
            raise

    def _read_index(self) -> Index:
        said = self._document(VERSION_FILE, _VERSION_LIMIT).get("imageLayoutVersion")
        if not isinstance(said, str) or said.partition(".")[0] != "1":
            raise DamagedError(f"{self._path} is an OCI layout of version {said!r}; 1 is the one known here")
        try:
            data = self._files.document(INDEX_FILE, MANIFEST_LIMIT)
        except NotFoundError:
            raise DamagedError(f"{self._path} is not an OCI layout: it has no {INDEX_FILE}") from None
        try:
            found = read(Fetched(data, OCI_INDEX, ""))
        except InputError as error:
            raise DamagedError(f"{INDEX_FILE} of {self._path}: {error}") from None
        if not isinstance(found, Index):
            raise DamagedError(f"{INDEX_FILE} of {self._path} is not an index")
        return found

    def _document(self, name: str, limit: int) -> dict[str, Any]:
        try:
            return read_json(self._files.document(name, limit), f"{name} of {self._path}")
        except NotFoundError:
            raise DamagedError(f"{self._path} is not an OCI layout: it has no {name}") from None
        except InputError as error:
            raise DamagedError(str(error)) from None

    def manifest(self, digest: str = "") -> Fetched:
        """Return the manifest or index of that digest, or the one that was chosen."""
        if digest:
            known = next((entry for entry in self._index.manifests if entry.digest == digest), None)
            return self._fetch(known or Descriptor("", digest, -1))
        entries = self._chosen()
        if len(entries) == 1:
            return self._fetch(entries[0])
        # One image for several platforms, listed at the top: these entries are its index.
        data = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [_raw(entry) for entry in entries]})
        return Fetched(data.encode(), OCI_INDEX, sha256(data.encode()))

    def _chosen(self) -> list[Descriptor]:
        """Return the entry with the wanted name, or the entries where one image has one for each platform."""
        entries = list(
            {(_name(entry), entry.digest, entry.platform): entry for entry in self._index.manifests}.values()
        )
        if self._wanted:
            found = [entry for entry in entries if _is_named(entry, self._wanted)]
            if not found and valid_digest(self._wanted):
                return [Descriptor("", self._wanted, -1)]
            if not found:
                raise NotFoundError(f"{self._path} has no image {self._wanted!r}; it has {self._listing()}")
            return found
        if not entries:
            raise NotFoundError(f"{self._path} has no images")
        several = len({_name(entry) for entry in entries}) > 1
        if several or (len(entries) > 1 and any(entry.platform is None for entry in entries)):
            raise NotFoundError(f"{self._path} has several images, choose one of {self._listing()}")
        return entries

    def _listing(self) -> str:
        return listed(list(dict.fromkeys(_name(entry) or entry.digest for entry in self._index.manifests))) or "none"

    def _fetch(self, entry: Descriptor) -> Fetched:
        pieces, size = [], 0
        for piece in self.blob(entry):
            size += len(piece)
            if size > MANIFEST_LIMIT:
                raise DamagedError(f"the manifest {entry.digest} has more than {MANIFEST_LIMIT} bytes")
            pieces.append(piece)
        return Fetched(b"".join(pieces), entry.media_type, entry.digest)

    def blob(self, descriptor: Descriptor) -> Iterator[bytes]:
        """Yield the content of a blob in pieces."""
        return blob_of(self._files, descriptor)

    def close(self) -> None:
        """Release the files."""
        self._files.close()


def blob_of(files: Files, descriptor: Descriptor) -> Iterator[bytes]:
    """Yield a blob from where a layout has it.

    Raises:
        SourceError: the digest is no digest, the blob is missing or has another size.

    """
    if not valid_digest(descriptor.digest):
        raise DamagedError(f"{descriptor.digest[:80]!r} is not a digest that can be verified")
    place = f"blobs/{descriptor.digest.replace(':', '/')}"
    size = files.size(place)
    if descriptor.size not in (-1, size):
        raise DamagedError(f"{descriptor.digest} has {size} bytes, not {descriptor.size}")
    yield from files.pieces(place)


def _name(entry: Descriptor) -> str:
    return entry.annotations.get(IMAGE_NAME) or entry.annotations.get(REF_NAME) or ""


def _is_named(entry: Descriptor, wanted: str) -> bool:
    """Whether an entry has a name or the digest; the full name that containerd adds may be given in any spelling."""
    if wanted in (entry.digest, entry.annotations.get(REF_NAME), entry.annotations.get(IMAGE_NAME)):
        return True
    return same_image(wanted, entry.annotations.get(IMAGE_NAME, "")) or same_image(
        wanted, entry.annotations.get(REF_NAME, "")
    )


def same_image(one: str, other: str) -> bool:
    """Whether two references name the same tag of the same repository: ``a`` and ``docker.io/library/a:latest`` do."""
    keys = {(ref.name, ref.tag or "latest", ref.digest) if ref else None for ref in map(reference.parse, (one, other))}
    return len(keys) == 1 and None not in keys


def _raw(entry: Descriptor) -> dict[str, Any]:
    """Return the JSON form of an entry of an index."""
    raw: dict[str, Any] = {"mediaType": entry.media_type, "digest": entry.digest, "size": entry.size}
    if entry.platform:
        raw["platform"] = {key: value for key, value in entry.platform._asdict().items() if value}
    if entry.annotations:
        raw["annotations"] = dict(entry.annotations)
    if entry.artifact_type:
        raw["artifactType"] = entry.artifact_type
    return raw
