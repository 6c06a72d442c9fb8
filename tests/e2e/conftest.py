"""Servers that the tests of a module share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e import servers


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    with servers.registry() as host:
        yield host


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    with servers.engine() as address:
        yield address
