"""The page of a report: everything is in it, nothing that others wrote is markup."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.finding import Finding, Layer, Location, Problem, Report, Severity, Skipped, SubjectReport
from lucid_audit.report import render

TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "p", "ul", "ol", "li", "a", "span", "dl", "dt", "dd",
    "section", "code", "small", "svg", "rect", "details", "summary", "div", "table", "thead", "tbody", "tr", "th", "td", "br",
}  # fmt: skip
FACTS = (
    ("base", "gcr.io/distroless/python3-debian13"),
    ("health check", '["/usr/bin/python3"]'),
    ("starts", '["/app/run"]'),
    ("", "→ /app/run (program, layer 2: COPY run /app/)"),
    ("", "✗ /app/run needs libx.so.1, which is not in the image"),
    ("health check", '["/usr/bin/python3"]'),
    ("", "? /usr/bin/python3: its content was not kept"),
)


class Page(HTMLParser):
    """Reads a page with Python's own reader and keeps what it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def report(text: str = "x") -> Report:
    finding = Finding("some-rule", Severity.error, text, Location(field=text), text)
    image = SubjectReport(
        "image", text, (finding,), (Skipped("rule", text, Location()),), platform="linux/arm64", facts=(*FACTS, (text, text)),
        layers=(Layer("sha256:1", 3_000_000, text), Layer("sha256:2", 900, "")),
    )  # fmt: skip
    broken = SubjectReport("image", text, problems=(Problem(text, Location()),))
    return Report((image, broken), 3)


@given(
    st.text()
    | st.sampled_from(
        ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'-->", "\x1b[31m", "</style>", "&lt;"]
    )
)
def test_what_others_wrote_is_text(text: str) -> None:
    page = Page(render(report(text), "html"))
    assert {tag for tag, _ in page.tags} <= TAGS
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes), tag
        assert set(attributes) <= {"lang", "charset", "http-equiv", "content", "name", "class", "id", "href", "x", "y", "width", "height",
                                   "viewbox", "preserveaspectratio", "role", "aria-label"}  # fmt: skip
        assert (attributes.get("href") or "#").startswith("#")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "".join(page.words))


def test_the_chain_says_where_it_breaks() -> None:
    text = render(report(), "html")
    assert '<h3>starts <span class="fail">cannot work</span></h3>' in text
    assert '<h3>health check <span class="unknown">not known to the end</span></h3>' in text
    assert '<li class=""><code>/app/run</code><small>program, layer 2: COPY run /app/</small></li>' in text
    assert '<li class="fail">/app/run needs libx.so.1, which is not in the image</li>' in text
    assert text.count("<dt>health check</dt>") == 1, "what the image says is a fact, not a chain"


def test_layers_are_to_scale() -> None:
    widths = [
        float(attributes["width"] or 0) for tag, attributes in Page(render(report(), "html")).tags if tag == "rect"
    ]
    assert widths == pytest.approx([999.7, 0.3], abs=0.01)


def test_the_policy_allows_the_style_and_nothing_else() -> None:
    text = render(report(), "html")
    style = re.search(r"<style>(.*)</style>", text, re.DOTALL)
    assert style is not None
    allowed = b64encode(sha256(style[1].encode()).digest()).decode()
    assert (
        f"default-src 'none'; style-src 'sha256-{allowed}'; script-src 'none'; base-uri 'none'; form-action 'none'"
        in text
    )
    assert "<script" not in text
    assert "http://" not in text.replace("http-equiv", "")


def test_nothing_to_say() -> None:
    assert "Nothing found." in render(Report((SubjectReport("dockerfile", "Dockerfile"),), 3), "html")
