"""Programs that hold images, each started on an address of its own and stopped by its own process id.

Every context manager skips the test, with the reason, where its program is missing or may not be run.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

CLIENT = "/usr/bin/docker"  # Debian's, of the same version as the engine
MEMORY, MEMORY_NEEDED = "/dev/shm", 6 << 30
WAIT = 60.0  # seconds until a server has to answer


def need(*programs: str, root: bool = False) -> None:
    """Skip the test unless these programs can be run."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    if root and os.geteuid() != 0:
        pytest.skip(f"needs root for {', '.join(programs)}")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def answers(*words: str) -> bool:
    """Whether a program succeeds."""
    try:
        return subprocess.run(words, capture_output=True, check=False, timeout=10).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _connects(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _running(words: Sequence[str], folder: Path, ready: Callable[[], bool]) -> Iterator[None]:
    log = folder / "log"
    environment = {**os.environ, "TMPDIR": str(folder)}
    with log.open("w") as out:
        server = subprocess.Popen(words, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=environment)
    try:
        end = time.monotonic() + WAIT
        while not ready():
            if server.poll() is not None or time.monotonic() > end:
                pytest.fail(f"{words[0]} does not answer:\n{log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(30)


@contextmanager
def _folder(where: str | None = None) -> Iterator[Path]:
    """A folder with a short path: that of a socket may have 107 characters."""
    path = Path(tempfile.mkdtemp(prefix="la-", dir=where))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


REGISTRY = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: {quiet}}}}}
storage:
  filesystem: {{rootdirectory: {folder}/data}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}"}}
"""


@contextmanager
def registry(settings: str = "") -> Iterator[str]:
    """Run a registry without TLS and yield its host and port; ``settings`` are more lines of its configuration."""
    with logged_registry(settings, quiet="true") as (host, _):
        yield host


@contextmanager
def logged_registry(settings: str = "", quiet: str = "false") -> Iterator[tuple[str, Path]]:
    """Run a registry and yield its host and port, and its log with a line for each request."""
    need("docker-registry")
    port = free_port()
    with _folder() as folder:
        config = folder / "config.yml"
        config.write_text(REGISTRY.format(folder=folder, port=port, quiet=quiet) + settings)
        with _running(["docker-registry", "serve", str(config)], folder, lambda: _connects(port)):
            yield f"127.0.0.1:{port}", folder / "log"


def _overlays(folder: Path) -> bool:
    """Whether the kernel mounts an overlay here: inside another container it does not."""
    parts = {name: folder / "trial" / name for name in ("lowerdir", "upperdir", "workdir")}
    for part in (*parts.values(), folder / "trial/all"):
        part.mkdir(parents=True)
    options = ",".join(f"{name}={path}" for name, path in parts.items())
    mounted = answers("mount", "-t", "overlay", "overlay", "-o", options, f"{folder}/trial/all")
    return mounted and answers("umount", f"{folder}/trial/all")


class Storage(NamedTuple):
    """Where a program keeps images, and the driver that it can use there."""

    folder: Path
    driver: str

    def words(self) -> list[str]:
        """Return the words that tell podman and buildah."""
        return ["--root", f"{self.folder}/root", "--runroot", f"{self.folder}/run", f"--storage-driver={self.driver}"]


@contextmanager
def storage() -> Iterator[Storage]:
    """A place for images, gone afterwards with all that was mounted in it.

    Without overlays every layer is a copy of the whole tree below it, which takes a minute on a disk: memory then.
    """
    with _folder() as folder:
        driver = "overlay" if _overlays(folder) else "vfs"
        roomy = Path(MEMORY).is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED
        with _folder(MEMORY if driver == "vfs" and roomy else None) as place:
            try:
                yield Storage(place, driver)
            finally:
                _unmount(place)


@contextmanager
def engine() -> Iterator[str]:
    """Run a Docker engine without a network of its own and yield the address of its socket (unix://...)."""
    need("dockerd", CLIENT, root=True)
    with storage() as (folder, kind):
        address = f"unix://{folder}/s"
        driver = "overlay2" if kind == "overlay" else kind
        words = ["dockerd", "--iptables=false", "--bridge=none", f"--storage-driver={driver}", "-H", address]
        words += ["-p", f"{folder}/pid", "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"]
        with _running(words, folder, lambda: answers(CLIENT, "-H", address, "version")):
            yield address


def _unmount(folder: Path) -> None:
    """Unmount what a stopped program left below its folder."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for place in sorted((m for m in mounts if m.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "-l", place], check=False, capture_output=True)


@contextmanager
def podman_service() -> Iterator[str]:
    """Run podman's service, which speaks the engine's API, and yield the address of its socket (unix://...)."""
    need("podman", root=True)
    with storage() as place:
        address = f"unix://{place.folder}/s"
        words = ["podman", *place.words(), "--tmpdir", f"{place.folder}/tmp", "--cgroup-manager=cgroupfs"]
        words += ["--events-backend=file", "system", "service", "--time=0", address]
        with _running(words, place.folder, lambda: answers("podman", "--remote", "--url", address, "info")):
            yield address
