"""What git tracks, read from its index: an ignored file that somebody added all the same is in the repository.

Source: git's Documentation/gitformat-index. Versions 2 and 3 are read; in version 4 paths are compressed, a split index
keeps them elsewhere, and a sparse one stands for whole folders, so there the answer is "unknown".
"""

from __future__ import annotations

from functools import lru_cache

FILE = ".git/index"
LIMIT = 64 << 20  # bytes: half a million files
_FIXED = 62  # bytes of an entry before its path
_EXTENDED = 0x40  # in the higher byte of an entry's flags: two more bytes before the path


def tracks(data: bytes, path: str) -> bool | None:
    """Whether an index has a file, or a file below a folder; None when this index cannot say."""
    paths = _paths(data)
    if paths is None:
        return None
    wanted = path.strip("/").encode("utf-8", "surrogateescape")
    below = wanted + b"/"
    return any(one == wanted or one.startswith(below) for one in paths)


@lru_cache(maxsize=2)  # of one repository: every file of a run may ask
def _paths(data: bytes) -> tuple[bytes, ...] | None:
    """Return the paths of all entries."""
    version, count = int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:12], "big")
    if data[:4] != b"DIRC" or version not in (2, 3) or len(data) >= LIMIT:
        return None
    found: list[bytes] = []
    at = 12
    for _ in range(count):
        if at + _FIXED >= len(data):
            return None
        start = at + _FIXED + 2 * bool(data[at + 60] & _EXTENDED)
        end = data.find(b"\0", start)
        if end < 0:
            return None
        found.append(data[start:end])
        at += (end - at) // 8 * 8 + 8  # one to eight NUL bytes fill an entry up
    odd = data[at : at + 4] == b"link" or any(path.endswith(b"/") for path in found)
    return None if odd else tuple(found)
