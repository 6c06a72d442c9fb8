"""The page of a report: everything is in it, nothing that others wrote is markup."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.finding import Finding, Layer, Location, Problem, Report, Severity, Skipped, SubjectReport, Suppressed
from lucid_audit.report import render

TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "header", "h1", "h2", "h3", "p", "b", "i", "ul", "ol", "li", "a", "span", "dl", "dt",
    "dd", "section", "code", "small", "svg", "rect", "details", "summary", "div", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
FACTS = (
    ("base", "gcr.io/distroless/python3-debian13"),
    ("health check", '["/usr/bin/python3"]'),
    ("starts", '["/app/run"]'),
    ("", "→ /app/run (program, layer 2: COPY run /app/)"),
    *(("", f"→ /lib/lib{name}.so.1 (library lib{name}.so.1, layer 1: base)") for name in "abcde"),
    ("", "→ /lib/x (program, layer 77: nowhere)"),
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
    finding = Finding("some-rule", Severity.error, text, Location(field=text, layer=2, created_by=text), text)
    image = SubjectReport(
        "image", text, (finding,), (Skipped("rule", text, Location()),), platform="linux/arm64", facts=(*FACTS, (text, text)),
        layers=(Layer("sha256:1", 3_000_000, text), Layer("sha256:2", 900, "")), lines=((3, text),),
        suppressed=(Suppressed(Finding("silent", Severity.note, text, Location(line=3)), text, "policy", 0),),
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
                                   "viewbox", "preserveaspectratio", "role", "aria-label", "scope", "tabindex"}  # fmt: skip
        assert (attributes.get("href") or "#").startswith("#")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "".join(page.words))


def test_hostile_facts_are_text() -> None:
    """A proof's line is taken apart; whatever it holds, the parts are text and lead nowhere but to rows of this page."""
    evil = '<b id=x onclick=y>" (x, layer 1: <script>) · </code>'
    facts = (
        ("starts", f'["{evil}"] ({evil})'),
        ("", f"→ {evil} ({evil})"),
        ("", f"✗ {evil}"),
        ("", evil),
        ("", f"→ a ({evil}, layer 9: x)"),
    )
    page = Page(render(Report((SubjectReport("image", evil, facts=facts, layers=(Layer(evil, 5, evil),)),), 1), "html"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert ids == ["s0", "s0-l1"]
    assert {attributes["href"] for tag, attributes in page.tags if tag == "a"} == {"#s0-l1"}
    assert not [attributes for _, attributes in page.tags if "onclick" in attributes]


def test_the_chain_says_where_it_breaks() -> None:
    text = render(report(), "html")
    assert '<h3>starts <span class="badge fail">cannot work</span></h3>' in text
    assert '<h3>health check <span class="badge unknown">not known to the end</span></h3>' in text
    step = (
        '<code>/app/run</code><small>program · <a href="#s0-l2">layer 2</a> · <code>COPY run /app/</code></small></li>'
    )
    assert f'<li class="pass">{step}' in text
    assert '<li class="fail">/app/run needs libx.so.1, which is not in the image</li>' in text
    assert "<dt>health check</dt>" not in text, "it is said by its chain"
    assert '<tr id="s0-l2">' in text, "where the step leads"
    assert 'href="#s0-l77"' not in text, "there is no such layer"
    assert "<summary>5 libraries</summary>" in text
    assert '<li class="bad"><span>starts: proven</span><b>0<i> of 1</i></b></li>' in text


def test_what_is_silenced_is_marked() -> None:
    text = render(report("why"), "html")
    assert '<li class="note silenced">' in text
    assert "silenced by policy: why" in text


def test_layers_are_to_scale() -> None:
    tags = Page(render(report(), "html")).tags
    rows = [attributes for tag, attributes in tags if tag == "rect"]
    assert [float(one["width"] or 0) for one in rows[:2]] == pytest.approx([998.2, 0.3], abs=0.01)
    assert float(rows[1]["x"] or 0) == pytest.approx(999.7, abs=0.01)
    assert [one["class"] for one in rows[:2]] == ["own", "found"], (
        "the start needs the first, something was found in the second"
    )


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
    assert ">nothing found</span>" in render(Report((SubjectReport("dockerfile", "Dockerfile"),), 3), "html")


def test_files_with_nothing_to_say_are_lines_of_the_overview() -> None:
    subjects = (
        SubjectReport("dockerfile", "a/Dockerfile"),
        SubjectReport("dockerfile", "b", problems=(Problem("no", Location()),)),
    )
    text = render(Report(subjects, 3), "html")
    assert text.count("<section") == 1
    assert '<tr><th scope="row">a/Dockerfile</th>' in text
    assert text.count('<td class="mark pass">nothing found</td></tr>') == 1
    assert '<a href="#s1">b</a>' in text
