"""How much an image may cost: bounds on what hostile input can make a reader do. All of them can be set."""

from __future__ import annotations

from lucid_audit.record import record

MIB = 1 << 20


@record
class Limits:
    """Bounds of one layer unless said otherwise; sizes in bytes.

    ``ratio`` bounds unpacked over packed size once more than ``ratio_from`` bytes were unpacked: deflate itself ends at
    1032, real layers stay below 100. ``keep_file`` and ``keep`` bound what is held of wanted files, ``texts`` what is held of
    sources, packed.
    """

    unpacked: int = 32 * 1024 * MIB
    ratio: int = 300
    ratio_from: int = 256 * MIB
    entries: int = 2_000_000
    path: int = 4096  # bytes, PATH_MAX of Linux
    pax: int = 1 * MIB
    keep_file: int = 4 * MIB
    keep: int = 64 * MIB
    texts: int = 64 * MIB
    config: int = 4 * MIB
    layers: int = 500  # of an image: what overlayfs can stack


DEFAULT = Limits()
