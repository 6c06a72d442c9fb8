"""What is in a jar: its names, the main section of its manifest, and the versions of its class files.

Facts: the JAR File Specification ("JAR Manifest"); The Java Virtual Machine Specification, section 4.1 (``ClassFile``).
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

LIMIT = 32 << 20  # bytes of an archive that is looked into
_MANIFEST = 1 << 20  # bytes of a manifest
BROKEN = (  # what zipfile raises for an archive that is damaged or packed in a way it does not read
    zipfile.BadZipFile,
    ValueError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    OSError,
    EOFError,
    zlib.error,
)


class UnreadableJarError(ValueError):
    """An archive that is damaged, or packed in a way that is not read here."""


class Jar:
    """An archive that is open. ``main`` are the attributes of the manifest's main section, names in lower case."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = {info.filename: info for info in archive.infolist()}
        manifest = next((name for name in self._names if name.upper() == "META-INF/MANIFEST.MF"), "")
        self.main = attributes(self._read(manifest, _MANIFEST) if manifest else b"")

    def has(self, name: str) -> bool:
        """Whether it has a file, or a version of it for some release."""
        return name in self._names or (self._versioned and any(self._releases(name)))

    def beginning(self, name: str, release: int, size: int) -> bytes:
        """Return the first bytes of the class file that is loaded, nothing when that is not known."""
        if self._versioned and self._releases(name):
            if not release:
                return b""
            fit = [number for number in self._releases(name) if number <= release]
            name = f"META-INF/versions/{max(fit)}/{name}" if fit else name
        return self._read(name, size) if name in self._names else b""

    @property
    def _versioned(self) -> bool:
        return self.main.get("multi-release", "").lower() == "true"

    def _releases(self, name: str) -> list[int]:
        parts = (entry.split("/", 3) for entry in self._names if entry.startswith("META-INF/versions/"))
        return [int(part[2]) for part in parts if len(part) == 4 and part[3] == name and part[2].isdecimal()]

    def _read(self, name: str, limit: int) -> bytes:
        try:
            with self._archive.open(self._names[name]) as file:
                return file.read(limit)
        except BROKEN as error:
            raise UnreadableJarError(str(error)) from error


def read_jar(data: bytes) -> Jar | None:
    """Read an archive, None when it surely is none. Raises UnreadableJarError, and so do the methods of what it returns."""
    if b"PK\x05\x06" not in data:
        return None
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except BROKEN as error:
        raise UnreadableJarError(str(error)) from error
    return Jar(archive)


def attributes(manifest: bytes) -> dict[str, str]:
    """Return the main section: lines up to an empty one; a line that begins with a blank goes on with the one before."""
    text = manifest.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n\n", 1)[0].replace("\n ", "").split("\n")
    pairs = (line.partition(": ") for line in lines)
    return {name.lower(): value.strip() for name, colon, value in pairs if colon}


def major_of(data: bytes) -> int:
    """Return the major version in the first eight bytes of a class file, 0 when they are not those of one."""
    return int.from_bytes(data[6:8], "big") if len(data) >= 8 and data[:4] == b"\xca\xfe\xba\xbe" else 0
