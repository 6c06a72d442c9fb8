"""Fetching ahead in a thread: order, errors, and that closing early ends everything."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from lucid_audit.sources.prefetch import prefetched


class Pieces:
    """Numbers as bytes, and whether their end was reached."""

    def __init__(self, count: int, error: BaseException | None = None) -> None:
        self.count, self.error = count, error
        self.given = 0
        self.ended = threading.Event()

    def run(self) -> Iterator[bytes]:
        try:
            for number in range(self.count):
                self.given += 1
                yield str(number).encode()
            if self.error is not None:
                raise self.error
        finally:
            self.ended.set()


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


@pytest.mark.parametrize("count", [0, 1, 8, 9, 1000])
def test_every_piece_in_order(count: int) -> None:
    pieces = Pieces(count)
    assert list(prefetched(pieces.run())) == [str(number).encode() for number in range(count)]
    assert pieces.ended.is_set()
    assert threads() == []


@pytest.mark.parametrize("error", [ValueError("x"), OSError("y"), KeyboardInterrupt(), SystemExit(3)])
@pytest.mark.parametrize("count", [0, 3, 20])
def test_errors_pass_through(count: int, error: BaseException) -> None:
    taken: list[bytes] = []
    with pytest.raises(type(error)) as raised:
        taken.extend(prefetched(Pieces(count, error).run()))
    assert raised.value is error
    assert len(taken) == count
    assert threads() == []


@pytest.mark.parametrize("taken", [1, 5, 50])
def test_closing_early_ends_the_thread_and_the_source(taken: int) -> None:
    pieces = Pieces(1_000_000)
    stream = prefetched(pieces.run())
    for _ in range(taken):
        next(stream)
    stream.close()
    assert pieces.ended.is_set()
    assert threads() == []
    assert pieces.given <= taken + 10


def test_nothing_starts_before_it_is_asked_for() -> None:
    pieces = Pieces(5)
    stream = prefetched(pieces.run())
    assert threads() == []
    stream.close()
    assert pieces.given == 0


def test_it_does_not_run_away() -> None:
    pieces = Pieces(1_000_000)
    stream = prefetched(pieces.run())
    next(stream)
    threading.Event().wait(0.05)
    assert pieces.given <= 11
    stream.close()


def test_iterators_that_cannot_be_closed() -> None:
    stream = prefetched(iter([b"a", b"b"]))
    assert next(stream) == b"a"
    stream.close()
    assert threads() == []


def test_an_error_while_closing_is_nobodys() -> None:
    class Odd:
        def __iter__(self) -> Odd:
            return self

        def __next__(self) -> bytes:
            return b"x"

        def close(self) -> None:
            raise ValueError

    stream = prefetched(Odd())
    assert next(stream) == b"x"
    stream.close()
    assert threads() == []
