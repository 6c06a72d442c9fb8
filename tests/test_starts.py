"""The linter's word on every tree of ``fixtures/starts``, which an engine has judged in ``tests/e2e/test_starts.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import starts

CASES = starts.cases()


def test_the_corpus_is_balanced() -> None:
    assert len(CASES) >= 60
    assert sum(not case.starts for case in CASES) >= 30
    assert all(case.starts or (case.error and case.rules) for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_broken_tree_is_reported_for_its_cause_and_a_working_one_is_not(case: starts.Case, tmp_path: Path) -> None:
    found = starts.errors(case, tmp_path)
    assert starts.right(case, found), f"{case.cause} Expected {case.rules or 'nothing'}, found {sorted(found)}."
