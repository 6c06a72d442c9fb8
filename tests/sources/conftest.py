"""Fixtures of the tests of sources."""

from __future__ import annotations

import pytest

from lucid_audit.sources import engine as engine_module
from lucid_audit.sources import export


@pytest.fixture
def _no_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a temporary copy was made")

    monkeypatch.setattr(export, "spool", never)
    monkeypatch.setattr(engine_module, "spool", never)
