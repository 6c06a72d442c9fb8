"""Runs one function over many items in forked processes; results come back in order, as if computed one by one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from lucid_audit.errors import INTERRUPTED, InternalError, LucidError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any, TypeVar

    T = TypeVar("T")


def available() -> int:
    """Return how many processors this process may use; 1 where processes cannot be forked."""
    if not hasattr(os, "fork"):
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ordered(function: Callable[[int], T], names: list[str], jobs: int) -> list[T]:
    """Return ``function(i)`` for every index of ``names``, computed by at most ``jobs`` processes.

    Raises:
        LucidError: the first one, by index, that ``function`` raised.
        InternalError: a process died; the message names the item it was at.

    """
    jobs = min(jobs, len(names))
    if jobs <= 1:
        return [function(at) for at in range(len(names))]
    from tempfile import TemporaryFile  # noqa: PLC0415

    # Results go through files, not pipes: a worker never waits for a reader.
    streams = [TemporaryFile() for _ in range(jobs)]  # noqa: SIM115  (closed as they are read)
    sys.stdout.flush()
    sys.stderr.flush()
    workers = [_fork(function, range(at, len(names), jobs), streams[at]) for at in range(jobs)]
    try:
        for pid in workers:
            os.waitpid(pid, 0)
    except BaseException:
        _stop(workers)
        raise
    answers: list[Any] = [None] * len(names)
    for at, stream in enumerate(streams):
        _collect(stream, range(at, len(names), jobs), answers, names)
    for answer in answers:
        if isinstance(answer, LucidError):
            raise answer
    return answers


def _fork(function: Callable[[int], T], indices: range, stream: IO[bytes]) -> int:
    """Start a worker and return its process id; the worker itself never returns."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        _work(function, indices, stream)
        status = 0
    except KeyboardInterrupt:
        status = INTERRUPTED
    finally:
        os._exit(status)  # no clean-up of what belongs to the parent


def _work(function: Callable[[int], T], indices: range, stream: IO[bytes]) -> None:
    import pickle  # noqa: PLC0415

    for at in indices:
        try:
            answer: object = function(at)
        except LucidError as error:
            from traceback import format_exc  # noqa: PLC0415

            error.add_note(format_exc())  # the cause does not survive pickling
            answer = error
        pickle.dump(answer, stream, pickle.HIGHEST_PROTOCOL)
        stream.flush()  # so that a killed worker is known to have got this far


def _collect(stream: IO[bytes], indices: range, answers: list[Any], names: list[str]) -> None:
    import pickle  # noqa: PLC0415

    stream.seek(0)
    for at in indices:
        try:
            answers[at] = pickle.load(stream)  # noqa: S301  (written by our own child into an unnamed file)
        except (EOFError, pickle.UnpicklingError):
            answers[at] = InternalError(f"a worker process died while it judged {names[at]}")
            break
    stream.close()


def _stop(workers: list[int]) -> None:
    """End the workers and wait for them."""
    from signal import SIGTERM  # noqa: PLC0415

    for pid in workers:
        try:
            os.kill(pid, SIGTERM)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            continue
