"""Where CI says so, an end-to-end test that is skipped counts as failed: a gap must not look like a pass."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# How long one example takes says more about what else the machine does than about the code. The same examples in every
# run, so that a change is judged by what it changes; ``make explore`` looks for new ones.
settings.register_profile("default", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1_000)
settings.load_profile("default")


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or writes the cache of the person who runs it."""
    os.environ["LUCID_AUDIT_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    required = os.environ.get("LUCID_AUDIT_REQUIRE_E2E") and item.get_closest_marker("e2e")
    if required and report.skipped:  # type: ignore[attr-defined]
        report.outcome = "failed"  # type: ignore[attr-defined]
        report.longrepr = f"{item.nodeid} was skipped, and LUCID_AUDIT_REQUIRE_E2E is set: {report.longrepr}"  # type: ignore[attr-defined]
    return report
