"""Claims: one reader at a time, and none that waits for the dead."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lucid_audit.sources.claim import Claims


def test_one_at_a_time(tmp_path: Path) -> None:
    claims, inside, most = Claims(str(tmp_path)), [0], [0]

    def work(_number: int) -> bool:
        with claims.of("sha256:a", None) as waited:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.02)
            inside[0] -= 1
            return waited

    with ThreadPoolExecutor(4) as pool:
        waited = list(pool.map(work, range(8)))
    assert most == [1]
    assert waited.count(False) >= 1
    assert any(waited)


def test_the_dead_hold_nothing(tmp_path: Path) -> None:
    ready, started = os.pipe()
    pid = os.fork()
    if not pid:
        with Claims(str(tmp_path)).of("a", None):
            os.write(started, b"x")
            time.sleep(60)
        os._exit(0)
    os.read(ready, 1)
    with Claims(str(tmp_path)).of("a", time.monotonic() + 0.1) as waited:
        assert waited, "and nobody waits longer than he has time"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with Claims(str(tmp_path)).of("a", None) as waited:
        assert not waited
    os.close(ready)
    os.close(started)


def test_without_a_folder_everybody_reads(tmp_path: Path) -> None:
    for folder in ("", str(tmp_path / "none")):
        with Claims(folder).of("a", None) as one, Claims(folder).of("a", None) as two:
            assert (one, two) == (False, False)
