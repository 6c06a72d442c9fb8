"""What is drawn while a fleet is judged."""

from __future__ import annotations

import io

from lucid_audit.fleet.shown import Shown, line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_line() -> None:
    assert line(0, 4, {}) == "[....................] 0 of 4"
    assert line(2, 4, {"api": 0, "web\x1b[2J": 12_300_000}) == "[##########..........] 2 of 4: api, web\\x1b[2J 12.3 MB"
    assert line(0, 0, {}).startswith("[####################]")


def test_on_a_terminal_only() -> None:
    pipe, terminal = io.StringIO(), Terminal()
    for stream in (pipe, terminal):
        shown = Shown(stream)
        shown.told(0, 2, {"a": 0})
        shown.told(0, 2, {"a": 5})  # too soon after
        shown.told(1, 2, {"b": 0})
        shown.end()
    assert pipe.getvalue() == ""
    assert terminal.getvalue().count("\r") == 3
    assert terminal.getvalue().endswith("\r\x1b[K")
