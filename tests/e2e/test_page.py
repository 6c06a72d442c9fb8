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
CONTRAST = """
const light = c => { const v = c.map(x => x / 255).map(x => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4); return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
const parts = text => text.match(/[\\d.]+/g).map(Number);
const ground = one => { for (; one; one = one.parentElement) { const c = parts(getComputedStyle(one).backgroundColor); if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
const words = [...document.querySelectorAll('body *')].filter(one => [...one.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && one.checkVisibility() && !one.closest('svg'));
return words.map(one => { const a = light(parts(getComputedStyle(one).color)), b = light(ground(one));
  return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), one.outerHTML.slice(0, 80)]; });
"""


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
    assert browser.execute_script("return document.querySelector('h1').textContent").endswith(
        "onerror=document.title=1>"
    )
    assert len(browser.find_elements("css selector", "svg rect")) > 80
    assert bool(browser.find_elements("css selector", "ol.chain > li.fail")) == bool(fault)
    _folded_by_keyboard(browser)
    _a_step_leads_to_its_layer(browser)
    browser.set_window_size(390, 800)
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth + 1")
    for scheme in ("light", "dark"):
        _can_be_read(browser, scheme)
    assert _printed(browser) > 0, "what is folded is on paper"
    assert [one for one in browser.get_log("browser") if one["level"] in ("SEVERE", "WARNING")] == []


def _folded_by_keyboard(browser: Any) -> None:
    folded = browser.find_element("css selector", "section > details")
    folded.find_element("tag name", "summary").send_keys("\n")
    assert folded.get_attribute("open") is not None
    assert "COPY --chown=65532:65532 server.py probe.py ./" in folded.text
    folded.find_element("tag name", "summary").send_keys("\n")
    assert folded.get_attribute("open") is None


def _a_step_leads_to_its_layer(browser: Any) -> None:
    """Without a script: the browser unfolds what an address leads into, and the style marks the row."""
    link = next(
        one
        for one in browser.find_elements("css selector", "ol.chain small a")
        if one.is_displayed() and "45" in one.text
    )
    link.send_keys("\n")
    row = browser.find_element("css selector", "tr:target")
    assert row.is_displayed()
    assert row.text.startswith("45 "), row.text


def _can_be_read(browser: Any, scheme: str) -> None:
    """Every text stands out from its ground as WCAG 2.1 asks (1.4.3, level AA: 4.5 to 1)."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    worst, where = min(browser.execute_script(CONTRAST))
    assert worst >= 4.5, f"{scheme}: {worst:.2f} of {where}"


def _printed(browser: Any) -> int:
    """Return how high a layer's row is on paper, 0 when it is folded away."""
    browser.execute_script("document.querySelectorAll('details').forEach(one => { one.open = false; })")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    return int(browser.execute_script("return document.querySelector('tr[id]').getBoundingClientRect().height"))
