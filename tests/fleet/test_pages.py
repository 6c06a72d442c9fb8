"""The reports: what they say, and that nothing hostile gets through as anything but text."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from html.parser import HTMLParser
from typing import Any

from markdown_it import MarkdownIt

from lucid_audit.fleet import html, markdown, table_csv, text
from lucid_audit.fleet.document import document
from lucid_audit.fleet.plan import Plan
from lucid_audit.fleet.words import TITLES
from tests.fleet.documents import hostile, service, subject
from tests.sketch import AS_OF


class Page(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.bodies: dict[str, str] = {}
        self._last = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._last = tag

    def handle_data(self, data: str) -> None:
        if self._last in ("style", "script"):
            self.bodies[self._last] = self.bodies.get(self._last, "") + data
            self._last = ""


def hash_of(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def test_the_page_has_one_script_and_one_style_and_its_policy_names_them() -> None:
    page = Page(html.render(hostile(), hostile()))
    names = [tag for tag, _ in page.tags]
    assert names.count("script") == names.count("style") == 1
    (policy,) = [
        attributes["content"]
        for tag, attributes in page.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    assert "default-src 'none'" in policy
    for name in ("style", "script"):
        assert hash_of(page.bodies[name]) in policy


def test_the_page_asks_nobody_and_handles_nothing_inline() -> None:
    page = Page(html.render(hostile()))
    for _, attributes in page.tags:
        assert not any(name.startswith("on") or name in ("src", "style", "srcset", "action") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")


def test_identifiers_are_there_once_and_links_lead_somewhere() -> None:
    page = Page(html.render(hostile()))
    identifiers = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    links = {str(attributes["href"])[1:] for _, attributes in page.tags if "href" in attributes}
    assert links <= set(identifiers)


def test_nothing_is_obeyed() -> None:
    for rendered in (
        html.render(hostile()),
        text.render(hostile(), show_unknown=True),
        markdown.render(hostile()),
        table_csv.render(hostile()),
    ):
        assert "\x1b" not in rendered
        assert "\u202e" not in rendered
    assert not re.search(r"(?m)^\s*::error", text.render(hostile()))
    shown = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown.render(hostile()))
    assert "<script" not in shown


def test_what_is_shared_is_drawn_otherwise() -> None:
    rendered = html.render(hostile())
    assert rendered.count('class="shared" x=') == 2
    assert rendered.count('class="own" x=') == 2
    assert "2.0 MB packed in 2 layers, 1.0 MB of them its own" in rendered
    assert "also in bad" in rendered
    assert "sharing saves 1.0 MB (25 %)" in rendered
    assert rendered.count('<td>2 of 2</td><td class="dots">') == 1, "one group of services has a layer together"


def test_a_cell_has_its_findings_and_its_proof() -> None:
    one = service("x", {"starts": "fail"}, images=[{**subject("x"), "facts": {"base": "a base", "user": "0"}}])
    one["proof"] = [
        {"of": "linux/arm64", "lines": [["starts", '["/app"]'], ["", "✗ there is no /app"], ["health check", "none"]]},
        {"of": "dockerfile", "lines": [["user", "65532"], ["starts", "predicted chain"], ["port", "80"]]},
    ]
    page = html.render(document(Plan("p", ".", ()), [one], AS_OF))

    def fold(name: str) -> str:
        return page.partition(f'<details id="s0-{name}">')[2].partition("</details>")[0]

    assert "there is no /app" in fold("starts")
    assert "predicted chain" in fold("starts")
    assert "port" not in fold("starts")
    assert "<b>health check</b> none" in fold("health")
    assert "there is no /app" not in fold("health")
    assert "<b>user</b> 0" in fold("user")
    assert "<b>user</b> 65532" in fold("user")
    assert "a base" in fold("distroless")


def test_tiles_say_what_has_moved() -> None:
    before = hostile()
    before["totals"] = {**before["totals"], "ready": 3, "images": 2}
    page = html.render(hostile(), before)
    assert '<span class="delta">-2</span>' in page
    assert '<span class="delta">+1</span>' in page
    assert 'class="delta"' not in html.render(hostile(), hostile())


def test_nothing_read_is_not_praised() -> None:
    one = service("x", dict.fromkeys(TITLES, "unknown"), judged="nothing", images=[])
    page = html.render(document(Plan("p", ".", ()), [one], AS_OF))
    assert '<li class="good">' not in page


def test_spreadsheets_compute_nothing() -> None:
    rows = list(csv.reader(io.StringIO(table_csv.render(hostile()))))
    assert len(rows) == 4
    assert not any(value.startswith(("=", "+", "-", "@", "\t")) for row in rows for value in row)
    assert rows[1][5:11] == ["pass"] * 6


def test_totals() -> None:
    found: dict[str, Any] = hostile()["totals"]
    assert (found["services"], found["ready"], found["drifted"], found["unread"]) == (3, 1, 1, 0)
    assert found["requirements"]["user"] == 2
    assert "Compliant: 1 of 3 (33 %)" in text.render(hostile())


def test_trend() -> None:
    now, before = hostile(), hostile()
    before["services"] = [service("good", {"starts": "fail"}), service("old")]
    rendered = text.render(now, before)
    assert "good: Starts was NO, is yes" in rendered
    assert "old is gone" in rendered
    assert "bad is new" in rendered
    assert "nothing has changed" in text.render(now, now)


def test_a_comment_is_not_longer_than_platforms_take() -> None:
    many = hostile()
    many["services"] = [service(f"s{n}", {"user": "fail"}) for n in range(600)]
    rendered = markdown.render(many)
    assert "did not fit" in rendered
