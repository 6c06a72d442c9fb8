"""What a person sees while images are read: one line per layer in work, on a terminal only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import IO, TYPE_CHECKING

from lucid_audit.image.descriptor import Descriptor

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress, TaskID


@contextmanager
def showing(stream: IO[str], *, quiet: bool = False) -> Iterator[Callable[[str, Descriptor, int], None]]:
    """Give what is to be told of bytes that arrive. Nothing is drawn when ``stream`` is no terminal."""
    if quiet or not stream.isatty():
        yield lambda _name, _part, _count: None
        return
    from rich.console import Console  # noqa: PLC0415  (80 ms, and only terminals have a use for it)
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=Console(file=stream), transient=True, refresh_per_second=8) as progress:
        yield _Lines(progress).told


class _Lines:
    """Keeps one line per layer, and takes it away when the layer is whole."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        self._done: dict[str, int] = {}
        self._lock = Lock()

    def told(self, name: str, part: Descriptor, count: int) -> None:
        """Take in that ``count`` more bytes of a part arrived."""
        from lucid_audit.report.escape import visible  # noqa: PLC0415

        with self._lock:
            task = self._tasks.get(part.digest)
            if task is None:
                shown = f"{visible(name)[:40]} {part.digest[7:19]}"
                task = self._progress.add_task(shown, total=part.size if part.size >= 0 else None)
                self._tasks[part.digest] = task
            done = self._done[part.digest] = self._done.get(part.digest, 0) + count
            self._progress.advance(task, count)
            if done == part.size:
                self._progress.update(task, visible=False)
