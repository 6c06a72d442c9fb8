"""The page of an image in a real browser: the proof is there, nothing is loaded, nothing complains, nothing that others wrote runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import services
from tests.e2e.test_audit import DAY

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(("fault", "said"), [("", "proven"), ("shell-form", "cannot work")])
def test_an_image(fault: str, said: str, browser: Any, tmp_path: Path) -> None:
    hostile = tmp_path / "<img src=x onerror=document.title=1>"
    services.layout(hostile, fault)
    page = tmp_path / "page.html"
    words = [
        sys.executable,
        "-m",
        "lucid_audit",
        "image",
        "--as-of",
        DAY,
        "--ignore",
        "image-base-end-of-life",
        "--output",
        f"html={page}",
        f"oci:{hostile}",
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == bool(fault), done.stderr
    browser.get(page.as_uri())
    assert browser.title.startswith("lucid-audit: oci:")
    starts = [one for one in browser.find_elements("css selector", "h3") if one.text.startswith("starts")]
    assert [one.text for one in starts] == [f"starts {said}"] * 2, "one for each platform"
    assert browser.find_elements("css selector", "img, script") == []
    assert len(browser.find_elements("css selector", "svg rect")) > 80
    assert bool(browser.find_elements("css selector", "ol.chain li.fail")) == bool(fault)
    folded = browser.find_element("css selector", "details")
    folded.find_element("tag name", "summary").send_keys("\n")  # by the keyboard
    assert folded.get_attribute("open") is not None
    assert "COPY --chown=65532:65532 server.py probe.py ./" in folded.text
    browser.set_window_size(390, 800)
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth + 1")
    assert [one for one in browser.get_log("browser") if one["level"] in ("SEVERE", "WARNING")] == []
