"""The state of a run that was killed."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.fleet.state import State


def test_kept_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "state"
    State(str(path)).keep("a", {"n": 1})
    again = State(str(path))
    again.keep("b", {"n": 2})
    assert (again.find("a"), again.find("b"), again.find("c")) == ({"n": 1}, None, None)
    assert State(str(path)).find("b") == {"n": 2}
    assert path.stat().st_mode & 0o777 == 0o600
    again.finished()
    assert not path.exists()


def test_without_a_path_nothing_is_kept() -> None:
    state = State("")
    state.keep("a", {})
    state.finished()


@given(st.integers(0, 200))
def test_cut_anywhere(cut: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "state")
        for name in ("a", "b"):
            State(str(path)).keep(name, {"x": "y" * 20})
        whole = path.read_bytes()
        path.write_bytes(whole[:cut])
        state = State(str(path))
        assert state.find("a") in (None, {"x": "y" * 20})
        state.keep("c", {"n": 3})
        assert State(str(path)).find("c") == {"n": 3}, "a line that was cut spoils no other"


def test_rubbish_is_no_state(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(b'\xff\xfe\n[1]\n["a"]\n["a", 3]\n' + b"[" * 100_000)
    assert State(str(path)).find("a") is None
