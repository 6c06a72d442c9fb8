"""Takes the next pieces of a stream in a thread of its own while the last ones are worked on."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event, Thread

_AHEAD = 8  # pieces; they are about 256 KiB each
_POLL = 0.1  # seconds after which a full queue looks whether anyone still wants it


def prefetched(pieces: Iterator[bytes]) -> Generator[bytes, None, None]:
    """Yield the pieces of ``pieces``; what it raises is raised here. Closing this ends the thread and the source."""
    queue: Queue[bytes | BaseException | None] = Queue(_AHEAD)
    stopped = Event()

    def put(item: bytes | BaseException | None) -> bool:
        while not stopped.is_set():
            with suppress(Full):
                queue.put(item, timeout=_POLL)
                return True
        return False

    def run() -> None:
        try:
            for piece in pieces:
                if not put(piece):
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001  (it is the reader's, whatever it is)
            put(error)
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                with suppress(Exception):  # it is at its end; nobody is left to hear of it
                    close()

    thread = Thread(target=run, name="prefetch", daemon=True)
    thread.start()
    try:
        while (item := queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        with suppress(Empty):
            queue.get_nowait()
        thread.join()
