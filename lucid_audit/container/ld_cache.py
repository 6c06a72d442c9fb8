"""The cache of the dynamic linker, ``/etc/ld.so.cache``: which file ldconfig found for each library.

Source: glibc ``sysdeps/generic/dl-cache.h`` (``struct cache_file_new``; the older format may stand before it).
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from posixpath import normpath

from lucid_audit.container.files import Files

PATH = "/etc/ld.so.cache"
_SETTINGS = "/etc/ld.so.conf"
_OLD, _NEW = b"ld.so-1.7.0\0", b"glibc-ld.so.cache1.1"
_LIBRARIES = 1 << 20  # entries that are read; a large system has some thousand


def read_cache(content: bytes, order: str = "<") -> dict[str, tuple[str, ...]] | None:
    """Return the files of each library in the cache's order, None when it cannot be read. ``order`` is struct's byte order."""
    start = 0
    if content.startswith(_OLD):
        (count,) = struct.unpack_from(f"{order}I", content, 12) if len(content) >= 16 else (0,)
        start = 16 + 12 * count
        start += -start % 8  # the new format is aligned to its 64-bit members
    if content[start : start + len(_NEW)] != _NEW or len(content) < start + 48:
        return None
    (count,) = struct.unpack_from(f"{order}I", content, start + 20)
    if count > _LIBRARIES or start + 48 + 24 * count > len(content):
        return None
    found: dict[str, list[str]] = {}
    for number in range(count):
        key, value = struct.unpack_from(f"{order}II", content, start + 48 + 24 * number + 4)
        found.setdefault(_text(content, start + key), []).append(_text(content, start + value))
    return {name: tuple(paths) for name, paths in found.items()}


def configured(files: Files, folders: Collection[str]) -> str:
    """Return the file of settings that names one of some folders, for ldconfig; "" when none is known to (ldconfig(8)).

    ``include /etc/ld.so.conf.d/*.conf`` is what distributions write; other inclusions are not followed.
    """
    lines = _lines(files, _SETTINGS)
    paths = [_SETTINGS]
    if any(
        line.split() in (["include", "/etc/ld.so.conf.d/*.conf"], ["include", "ld.so.conf.d/*.conf"]) for line in lines
    ):
        node = files.walk("/etc/ld.so.conf.d").node
        names = node.children if node is not None else ()
        paths += [f"/etc/ld.so.conf.d/{name}" for name in sorted(names) if name.endswith(".conf")]
    for path in paths:
        if any(line.startswith("/") and files.canonical(normpath(line)) in folders for line in _lines(files, path)):
            return path
    return ""


def _lines(files: Files, path: str) -> list[str]:
    content = files.read(path)
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
    return [line.partition("#")[0].strip() for line in text.splitlines()]


def _text(content: bytes, at: int) -> str:
    end = content.find(b"\0", at)
    return content[at : end if end >= 0 else len(content)].decode("utf-8", "surrogateescape")
