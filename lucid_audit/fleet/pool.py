"""A few processes that take one piece of work after the other; answers come as they are ready, with what arrives meanwhile.

Each worker is a fork with a socket to its parent: a number goes in, bytes that arrived and in the end the answer come out.
A worker whose parent is gone ends at its next word; one that dies loses the piece that it was at, and another takes over.
"""

from __future__ import annotations

import os
import pickle
import selectors
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from threading import Lock
from time import monotonic
from typing import Any, NoReturn

from lucid_audit.errors import INTERRUPTED, InternalError, LucidError

Told = Callable[[int], None]  # so many bytes more arrived
Work = Callable[[int, Told], Any]
Start = Callable[[], Work]  # makes what one worker needs for all of its pieces
Heard = Callable[[int, int], None]  # a piece is in work, and so many bytes more arrived for it
_HEAD = struct.Struct("!cI")
_EVERY = 0.2  # seconds between two words about bytes


class Lost:
    """Stands for the answer of a piece whose worker died."""


LOST = Lost()


def each(start: Start, count: int, jobs: int, heard: Heard) -> Iterator[tuple[int, Any]]:
    """Yield every piece's number with its answer, or ``LOST``, as they become ready.

    Raises:
        LucidError: what a piece raised. The others are ended.

    """
    if jobs <= 1 or not hasattr(os, "fork"):
        work = start()
        for at in range(count):
            heard(at, 0)
            yield at, work(at, partial(heard, at))
        return
    yield from _Pool(start, count, heard).answers(min(jobs, count))


class _Worker:
    """The parent's end of one process."""

    def __init__(self, pid: int, end: socket.socket) -> None:
        self.pid, self.end, self.at = pid, end, -1

    def give(self, at: int) -> None:
        self.at = at
        with suppress(OSError):  # it died: what is read next says so
            self.end.sendall(struct.pack("!I", at))

    def word(self) -> tuple[bytes, bytes] | None:
        """Return what it says next; None when it is gone."""
        head = _exactly(self.end, _HEAD.size)
        if head is None:
            return None
        kind, length = _HEAD.unpack(head)
        body = _exactly(self.end, length)
        return None if body is None else (kind, body)

    def stop(self) -> None:
        self.end.close()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


class _Pool:
    def __init__(self, start: Start, count: int, heard: Heard) -> None:
        self._start, self._heard = start, heard
        self._left = iter(range(count))
        self._workers: list[_Worker] = []
        self._selector = selectors.DefaultSelector()

    def answers(self, jobs: int) -> Iterator[tuple[int, Any]]:
        try:
            for _ in range(jobs):
                self._hire()
            while self._workers:
                for key, _ in self._selector.select():
                    yield from self._hear(key.data)
        finally:
            for worker in self._workers:
                worker.stop()
            self._selector.close()

    def _hire(self) -> None:
        """Start a worker, if there is anything left to do."""
        at = next(self._left, None)
        if at is None:
            return
        sys.stdout.flush()
        sys.stderr.flush()
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if not pid:
            ours.close()
            for other in self._workers:
                other.end.close()  # or they would not hear of their parent's end
            _serve(theirs, self._start)
        theirs.close()
        worker = _Worker(pid, ours)
        self._workers.append(worker)
        self._selector.register(ours, selectors.EVENT_READ, worker)
        self._set(worker, at)

    def _set(self, worker: _Worker, at: int) -> None:
        self._heard(at, 0)
        worker.give(at)

    def _hear(self, worker: _Worker) -> Iterator[tuple[int, Any]]:
        word = worker.word()
        if word is None:
            self._dismiss(worker)
            self._hire()
            yield worker.at, LOST
        elif word[0] == b"b":
            self._heard(worker.at, int.from_bytes(word[1], "big"))
        else:
            answer, at = pickle.loads(word[1]), worker.at  # noqa: S301  (from our own child)
            if word[0] == b"e":
                raise answer
            following = next(self._left, None)
            if following is None:
                self._dismiss(worker)
            else:
                self._set(worker, following)
            yield at, answer

    def _dismiss(self, worker: _Worker) -> None:
        self._selector.unregister(worker.end)
        self._workers.remove(worker)
        worker.stop()


class _Speaker:
    """The worker's end: several threads of it may speak."""

    def __init__(self, end: socket.socket) -> None:
        self._end, self._lock = end, Lock()
        self._bytes, self._last = 0, 0.0

    def say(self, kind: bytes, body: bytes) -> None:
        try:
            with self._lock:
                self._end.sendall(_HEAD.pack(kind, len(body)) + body)
        except OSError:
            os._exit(1)  # nobody is there to hear

    def arrived(self, count: int) -> None:
        self._bytes += count
        if monotonic() - self._last > _EVERY:
            said, self._bytes, self._last = self._bytes, 0, monotonic()
            self.say(b"b", said.to_bytes(8, "big"))


def _serve(end: socket.socket, start: Start) -> NoReturn:
    """Be a worker: never return."""
    status = 1
    try:
        speaker, work = _Speaker(end), None
        while (order := _exactly(end, 4)) is not None:
            try:
                work = work or start()
                answer = work(struct.unpack("!I", order)[0], speaker.arrived)
            except LucidError as error:
                speaker.say(b"e", pickle.dumps(_told(error)))
            except Exception as error:  # noqa: BLE001  (a bug of ours must not look like an answer)
                speaker.say(b"e", pickle.dumps(_told(InternalError(f"{type(error).__name__}: {error}"))))
            else:
                speaker.say(b"a", pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))
        status = 0
    except KeyboardInterrupt:
        status = INTERRUPTED
    finally:
        os._exit(status)  # no clean-up of what belongs to the parent


def _told(error: LucidError) -> LucidError:
    from traceback import format_exc  # noqa: PLC0415

    error.add_note(format_exc())  # the cause does not survive pickling
    return error


def _exactly(end: socket.socket, size: int) -> bytes | None:
    """Return so many bytes, None when the other side is gone before."""
    data = bytearray()
    while len(data) < size:
        try:
            piece = end.recv(size - len(data))
        except ConnectionError:
            return None
        if not piece:
            return None
        data += piece
    return bytes(data)
