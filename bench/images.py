"""Measures the audit of images: against other tools on one image, against the machine's own limit, and its memory.

The limit is one process that does only what nobody can leave out: read each layer, hash it, inflate it with the fastest
library there is, and hash the result. All run on the same files, in turns.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import layout

UNPACKED = 640_000_000  # bytes of files in the image: more than 150 MB packed
LAYERS = 8
HUGE = 1 << 30
SERVICES = 35
ROUNDS = 5
LIMIT = """
import hashlib, os, sys
from isal import isal_zlib
for entry in os.scandir(sys.argv[1] + "/blobs/sha256"):
    with open(entry.path, "rb") as stream:
        if stream.read(2) != b"\\x1f\\x8b":
            continue
        stream.seek(0)
        packed, unpacked, inflate = hashlib.sha256(), hashlib.sha256(), isal_zlib.decompressobj(31)
        while piece := stream.read(1 << 18):
            packed.update(piece)
            unpacked.update(inflate.decompress(piece))
"""
READ = """
import sys
from lucid_audit.__main__ import main
sys.stdout = open("/dev/null", "w")
main(sys.argv[1:])
print(next(line.split()[1] for line in open("/proc/self/io") if line.startswith("rchar")), file=sys.stderr)
"""
BETWEEN = """
import os, sys, tempfile, time
with tempfile.TemporaryFile() as errors, open(os.devnull, "wb") as nothing:
    actions = [(os.POSIX_SPAWN_DUP2, nothing.fileno(), 1), (os.POSIX_SPAWN_DUP2, errors.fileno(), 2)]
    start = time.perf_counter()
    pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - start
    errors.seek(0)
    print(seconds, usage.ru_maxrss, os.waitstatus_to_exitcode(status), errors.read().decode("utf-8", "replace"), sep="\\n")
"""
TEST = """schemaVersion: 2.0.0
fileExistenceTests:
  - {name: no shell, path: /bin/sh, shouldExist: false}
"""


class Run(NamedTuple):
    """One kind of run: what it is called, its command, and the exit codes that mean it worked."""

    name: str
    command: tuple[str, ...]
    codes: tuple[int, ...] = (0, 1)


class Took(NamedTuple):
    """Wall-clock seconds of several runs, and the peak memory of the largest in MiB."""

    seconds: tuple[float, ...]
    peak: float

    @property
    def middle(self) -> float:
        """The median."""
        return median(self.seconds)

    def shown(self) -> str:
        """Median and range."""
        return f"{self.middle:.2f} s ({min(self.seconds):.2f} to {max(self.seconds):.2f})"


def once(run: Run, environment: dict[str, str]) -> tuple[float, float]:
    """Run a command; return seconds and peak memory in MiB. Stop when it failed.

    A small process in between starts it: a child's peak begins with the memory of who forked it.
    """
    done = subprocess.run(
        [sys.executable, "-S", "-c", BETWEEN, *run.command], capture_output=True, text=True, env=environment, check=True
    )
    seconds, peak, code, errors = done.stdout.split("\n", 3)
    if int(code) not in run.codes:
        sys.exit(f"{run.name} failed with exit code {code}: {errors[:500]}")
    return float(seconds), int(peak) / 1024


def turns(runs: Sequence[Run], environment: dict[str, str], rounds: int = ROUNDS) -> list[Took]:
    """Time every run, taking turns."""
    taken: list[list[tuple[float, float]]] = [[] for _ in runs]
    for number in range(rounds):
        for at, run in enumerate(runs):
            taken[at].append(once(run, environment))
        print(f"images: round {number + 1} of {rounds}", file=sys.stderr)
    return [Took(tuple(seconds for seconds, _ in one), max(peak for _, peak in one)) for one in taken]


def tool(name: str) -> str | None:
    """Find a program beside this Python, else on the path."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.is_file() else shutil.which(name)


def others(scratch: Path, one: Path) -> list[Run]:
    """Return the runs of other tools that are installed."""
    found = []
    skopeo, cst, syft = tool("skopeo"), tool("container-structure-test"), tool("syft")
    if skopeo:
        saved = scratch / "saved.tar"
        subprocess.run([skopeo, "copy", "-q", f"oci:{one}:one", f"docker-archive:{saved}:one:1"], check=True)
        found.append(Run("skopeo copy to a folder", (skopeo, "copy", "-q", f"oci:{one}:one", f"dir:{scratch / 'dir'}")))
        if cst:
            (scratch / "test.yaml").write_text(TEST)
            words = (cst, "test", "--driver", "tar", "--image", str(saved), "--config", str(scratch / "test.yaml"))
            found.append(Run("container-structure-test, one file test", words))
    if syft:
        found.append(Run("syft, all packages", (syft, "scan", f"oci-dir:{one}", "-q", "-o", "json")))
    return found


def bytes_read(python: str, arguments: Sequence[str], environment: dict[str, str]) -> int:
    """Return how many bytes a run reads, its own code included."""
    command = [python, "-c", READ, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    return int(done.stderr.split()[-1])


def verdict(value: float, most: float) -> str:
    """Say whether a target was reached."""
    return "reached" if value <= most else "**missed**"


def report(program: str, scratch: Path, environment: dict[str, str]) -> str:
    """Measure everything and return the section of ``RESULTS.md``. ``program`` is the installed command."""
    one = layout.large(scratch / "one", UNPACKED, LAYERS)
    environment = {**environment, "LUCID_AUDIT_CACHE": str(scratch / "cache")}
    python = str(Path(program).parent / "python")
    place = str(one.folder)
    runs = [
        Run("the limit: read, hash, inflate, hash", (python, "-c", LIMIT, place)),
        Run("lucid-audit, nothing cached", (program, "image", place, "--no-cache")),
        Run("lucid-audit, layers cached", (program, "image", place)),
        *others(scratch, one.folder),
    ]
    once(runs[2], environment)  # fills the cache
    took = turns(runs, environment)
    limit, cold, cached = took[:3]
    rivals = dict(zip((run.name for run in runs[3:]), took[3:], strict=True))
    test = rivals.get("container-structure-test, one file test")
    single = layout.huge(scratch / "huge", HUGE)
    memory = turns([Run("huge", (program, "image", str(single.folder), "--no-cache"))], environment, 1)[0]
    many = layout.fleet(scratch / "fleet", UNPACKED // 4, SERVICES)
    names = [f"{many.folder}:{entry['annotations']['org.opencontainers.image.ref.name']}" for entry in many.entries]
    fresh = {**environment, "LUCID_AUDIT_CACHE": str(scratch / "fresh")}
    own = bytes_read(python, ["rules"], fresh)
    ratio = (bytes_read(python, ["image", *names], fresh) - own) / many.size
    rows = [
        ("cold audit: times the limit", cold.middle / limit.middle, 1.5, "at most 1.5"),
        ("layers cached: seconds in all", cached.middle, 0.15, "at most 0.15"),
        ("peak memory for a layer of 1 GiB: MiB", memory.peak, 200, "at most 200"),
        (f"{SERVICES} images over one base: bytes read, times their unique bytes", ratio, 1.1, "at most 1.1"),
    ]
    if test is not None:
        faster = test.middle / cold.middle
        shown = "reached" if faster >= 5 else "**missed**"
        extra = f"| cold audit: times as fast as container-structure-test | {faster:.1f} | at least 5 | {shown} |\n"
    else:
        extra = "| cold audit: times as fast as container-structure-test | not installed | at least 5 | |\n"
    table = "".join(
        f"| {what} | {value:.2f} | {target} | {verdict(value, most)} |\n" for what, value, most, target in rows
    )
    times = "".join(
        f"| {run.name} | {one.shown()} | {one.peak:.0f} MiB |\n" for run, one in zip(runs, took, strict=True)
    )
    return f"""## Images

| what | reached | target | |
|---|---|---|---|
{table}{extra}
| one image, {one.size / 1e6:.0f} MB packed in {LAYERS} layers, {ROUNDS} runs each in turns | wall clock, median (lowest to highest) | peak memory |
|---|---|---|
{times}
The image is an OCI layout on disk made of files of this machine (`bench/layout.py`). The tools do different work:
container-structure-test unpacks the image and looks for one path, syft lists packages, skopeo copies the packed layers
without unpacking them; lucid-audit verifies both digests of every layer, lists and recognises every file and judges the
image.
"""
