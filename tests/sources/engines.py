"""Real engines for the tests, each with its own folder and socket, stopped by its own pid. They need root."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from lucid_audit.sources.sockets import connect


@contextmanager
def dockerd(folder: Path) -> Iterator[str]:
    """Run a Docker engine; the value is its endpoint."""
    words = ["dockerd", "--iptables=false", "--bridge=none", "--storage-driver=vfs", "-H", f"unix://{folder}/s"]
    words += ["-p", f"{folder}/pid", "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"]
    with _running(words, folder) as endpoint:
        yield endpoint


@contextmanager
def podman(folder: Path) -> Iterator[str]:
    """Run Podman's service; the value is its endpoint."""
    with TemporaryDirectory(prefix="p") as short:  # Podman refuses a runroot of more than 50 characters
        words = ["podman", "--storage-driver", "vfs", "--root", f"{folder}/root", "--runroot", f"{short}/run"]
        with _running([*words, "system", "service", "-t", "0", f"unix://{folder}/s"], folder) as endpoint:
            yield endpoint


@contextmanager
def _running(words: Sequence[str], folder: Path) -> Iterator[str]:
    if os.geteuid() != 0 or shutil.which(words[0]) is None:
        pytest.skip(f"needs {words[0]}, as root")
    endpoint = f"unix://{folder}/s"
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        for _ in range(100):
            if (folder / "s").exists() and _answers(endpoint):
                break
            time.sleep(0.2)
        else:
            pytest.fail((folder / "log").read_text()[-2000:])
        yield endpoint
    finally:
        server.terminate()
        server.wait(30)


def _answers(endpoint: str) -> bool:
    try:
        connect(endpoint, {}).close()
    except Exception:  # noqa: BLE001  # whatever it is, the engine is not there yet
        return False
    return True
