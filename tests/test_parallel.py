from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from lucid_audit.errors import InputError, InternalError
from lucid_audit.parallel import available, ordered

NAMES = [f"item {number}" for number in range(11)]


@pytest.mark.parametrize("jobs", [1, 2, 3, 50])
def test_results_come_in_order(jobs: int) -> None:
    assert ordered(lambda at: (at * at, "x" * 100_000 * (at == 3)), NAMES, jobs) == [
        (at * at, "x" * 100_000 * (at == 3)) for at in range(11)
    ]


@pytest.mark.parametrize("jobs", [1, 2])
def test_nothing_to_do(jobs: int) -> None:
    assert ordered(lambda at: at, [], jobs) == []


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_first_error_by_index_is_raised(jobs: int) -> None:
    def work(at: int) -> int:
        if at in (4, 7):
            raise InputError(f"bad {at}")
        return at

    with pytest.raises(InputError, match="bad 4"):
        ordered(work, NAMES, jobs)


def test_the_cause_of_an_error_is_kept_for_debugging() -> None:
    def work(_at: int) -> int:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise InternalError("outer") from error

    with pytest.raises(InternalError) as caught:
        ordered(work, NAMES, 2)
    assert "KeyError: 'inner'" in caught.value.__notes__[0]


def test_a_worker_that_dies_is_an_error_that_names_its_item() -> None:
    def work(at: int) -> int:
        if at == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return at

    with pytest.raises(InternalError, match="died while it judged item 5"):
        ordered(work, NAMES, 2)


def test_an_interrupt_stops_everything() -> None:
    script = (
        "import os, signal, time\n"
        "from lucid_audit.parallel import ordered\n"
        "def work(at):\n"
        "    time.sleep(60)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # it may be ignored here, as in background jobs
        "signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.3)\n"
        "try:\n"
        "    ordered(work, ['a', 'b'], 2)\n"
        "except KeyboardInterrupt:\n"
        "    try:\n"
        "        os.waitpid(-1, os.WNOHANG)\n"
        "    except ChildProcessError:\n"
        "        print('no child left')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout == "no child left\n", done.stderr


def test_available_is_at_least_one() -> None:
    assert available() >= 1
