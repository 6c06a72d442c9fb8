"""Servers that the tests of a module share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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


@pytest.fixture
def browser() -> Iterator[Any]:
    """A real browser without a window, which keeps what its console says."""
    servers.need("chromium", "chromedriver")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    for word in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1200,900",
    ):
        options.add_argument(word)
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    yield driver
    driver.quit()
