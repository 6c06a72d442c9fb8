"""Programs of arm64 on a machine of another kind: the kernel hands them to qemu, in containers too."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BINFMT = Path("/proc/sys/fs/binfmt_misc")
QEMU = Path(
    "/usr/lib/binfmt.d/qemu-aarch64.conf"
)  # of qemu-user-static; opens the emulator at once, so no image needs it


def emulated() -> bool:
    """Whether the kernel starts programs of arm64 with qemu."""
    return (BINFMT / "qemu-aarch64").exists()


def emulate(*, on: bool) -> bool:
    """Make the kernel start programs of arm64 with qemu, or not; False where that cannot be."""
    if not (BINFMT / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", str(BINFMT)], check=False, capture_output=True)
    if on and not emulated() and QEMU.exists() and (BINFMT / "register").exists():
        (BINFMT / "register").write_text(QEMU.read_text().strip())
    if not on and emulated():
        (BINFMT / "qemu-aarch64").write_text("-1")
    return emulated() == on


@contextmanager
def arm64() -> Iterator[None]:
    """Programs of arm64 start here meanwhile; the test is skipped where they cannot."""
    if platform.machine() == "aarch64" or emulated():
        yield
        return
    if os.geteuid() != 0 or not emulate(on=True):
        pytest.skip("needs root and qemu-user-static, to start programs of arm64")
    try:
        yield
    finally:
        emulate(on=False)
