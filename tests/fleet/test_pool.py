"""Workers: every piece is done once, whatever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from lucid_audit.errors import UsageError
from lucid_audit.fleet.pool import LOST, Told, Work, each


def quiet(_at: int, _count: int) -> None:
    """Hear nothing."""


@pytest.mark.parametrize("jobs", [1, 2, 5, 50])
@pytest.mark.parametrize("count", [0, 1, 7, 40])
def test_everything_once(jobs: int, count: int) -> None:
    def start() -> Work:
        return lambda at, _told: at * at

    assert sorted(each(start, count, jobs, quiet)) == [(at, at * at) for at in range(count)]


def test_bytes_are_heard_of() -> None:
    def start() -> Work:
        def work(_at: int, told: Told) -> None:
            for _ in range(3):
                told(1 << 20)
                time.sleep(0.25)

        return work

    heard: dict[int, int] = {}
    list(each(start, 2, 2, lambda at, count: heard.__setitem__(at, heard.get(at, 0) + count)))
    assert set(heard) == {0, 1}
    assert all(size >= 1 << 20 for size in heard.values())


def test_large_answers_arrive_whole() -> None:
    assert dict(each(lambda: lambda at, _told: b"x" * (at << 20), 4, 2, quiet)) == {
        at: b"x" * (at << 20) for at in range(4)
    }


def test_what_kills_its_worker_is_lost_alone() -> None:
    def work(at: int, _told: Told) -> int:
        if at in (0, 3):
            os.kill(os.getpid(), signal.SIGKILL)
        return at

    assert dict(each(lambda: work, 6, 2, quiet)) == {0: LOST, 1: 1, 2: 2, 3: LOST, 4: 4, 5: 5}


def test_errors_end_all() -> None:
    def work(at: int, _told: Told) -> int:
        if at == 1:
            raise UsageError("no")
        return at

    with pytest.raises(UsageError, match="no"):
        list(each(lambda: work, 50, 3, quiet))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)  # no worker is left


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    """A parent that is killed cannot tell them: they notice."""
    script = f"""
        import os, sys, time
        from lucid_audit.fleet.pool import each
        def work(at, told):
            open(os.path.join({str(tmp_path)!r}, str(os.getpid())), "w").close()
            for _ in range(300):
                time.sleep(0.1)
                told(1)
        list(each(lambda: work, 3, 3, lambda at, count: None))
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], cwd=Path(__file__).parents[2])
    while len(list(tmp_path.iterdir())) < 3:
        assert parent.poll() is None
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    end = time.monotonic() + 20
    while any(_alive(int(one.name)) for one in tmp_path.iterdir()):
        assert time.monotonic() < end
        time.sleep(0.1)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
