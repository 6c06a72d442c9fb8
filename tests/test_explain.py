from __future__ import annotations

import json

import pytest

from lucid_audit import explain
from lucid_audit.errors import UsageError
from lucid_audit.policy import Policy
from lucid_audit.report.style import Style
from lucid_audit.ruleset import RuleSet
from tests.rulebook import PROFILES, book, raw

FULL = raw(
    "every-part",
    "words",
    params={"allowed": ["FROM", "RUN"]},
    rationale="Because\nof this.",
    references=["https://docs.docker.com/reference/dockerfile/"],
    equivalents={"hadolint": ["DL3006"], "buildkit": []},
    examples=[
        {"good": "FROM a\nRUN ```x```\n", "context": {"a.txt": ""}},
        {"bad": "FROM a\n\tLABEL b=c\n", "at": {"2": ["LABEL is here", "two"]}, "params": {"limit": 1}},
        {"unknown": "FROM $A\n"},
    ],
)
KNOWN = RuleSet(book(FULL), PROFILES, Policy())


def test_text_says_everything_once() -> None:
    assert explain.text(explain.entry(KNOWN, "every-part")) == (
        "every-part: The title of every-part\n"
        "error; profiles: recommended, strict\n"
        "\n"
        "Because of this.\n"
        "\n"
        "Remedy\n"
        "Take it away. There is no more to it.\n"
        "\n"
        "Message\n"
        "{word} is here\n"
        "\n"
        "Parameters\n"
        'allowed: ["FROM", "RUN"]\n'
        "limit: 3\n"
        "\n"
        "Good\n"
        "    FROM a\n"
        "    RUN ```x```\n"
        "\n"
        "Bad\n"
        "    FROM a\n"
        "        LABEL b=c\n"
        "    # line 2: LABEL is here\n"
        "    # line 2: two\n"
        "\n"
        "Cannot be judged\n"
        "    FROM $A\n"
        "\n"
        "Elsewhere\n"
        "hadolint: DL3006\n"
        "\n"
        "References\n"
        "https://docs.docker.com/reference/dockerfile/\n"
    )


def test_text_is_coloured_on_request() -> None:
    found = explain.entry(KNOWN, "every-part")
    assert "\x1b[1;31merror\x1b[0m" in explain.text(found, Style(colour=True))
    assert "\x1b" not in explain.text(found)


def test_text_of_a_hostile_rule_is_harmless() -> None:
    hostile = raw("hostile", "first", title="a\x1b[31m", rationale="b\u202e", references=["c\x07"])
    found = explain.entry(RuleSet(book(hostile), PROFILES, Policy()), "hostile")
    assert not {"\x1b", "\u202e", "\x07"} & set(explain.text(found))


def test_markdown_has_the_parts_of_a_page() -> None:
    page = explain.markdown(explain.entry(KNOWN, "every-part"))
    assert page.startswith(
        "# every-part\n\nThe title of every-part.\n\n**error**; profiles: recommended, strict; tags: a; since 0.1.0.\n"
    )
    assert "````dockerfile\nFROM a\nRUN ```x```\n````" in page
    assert "In the repository: `a.txt`." in page
    assert 'With the parameters `{"limit": 1}`.' in page
    assert "- line 2: LABEL is here\n- line 2: two" in page
    assert "| `limit` | `3` |" in page
    assert "- <https://docs.docker.com/reference/dockerfile/>" in page
    assert page.endswith("\n")
    assert not page.endswith("\n\n")


def test_profiles_that_change_the_severity_or_leave_the_rule_out() -> None:
    assert "warning; profiles: recommended, strict (error)" in explain.text(explain.entry(KNOWN, "first-word"))
    quiet = raw("quiet", "first", tags=("c",))
    profiles = {"recommended": PROFILES["recommended"]}
    assert "off in every profile" in explain.text(explain.entry(RuleSet(book(quiet), profiles, Policy()), "quiet"))


def test_an_unknown_rule_suggests_one() -> None:
    with pytest.raises(UsageError, match=r"there is no rule .evry-part.; did you mean every-part\?"):
        explain.entry(KNOWN, "evry-part")


def test_the_list_of_rules() -> None:
    lines = explain.listing(KNOWN, "text").splitlines()
    assert lines[0] == "base-not-allowed  note     The title of base-not-allowed (strict)"
    assert [line.split()[0] for line in lines] == sorted(book(FULL))
    rows = json.loads(explain.listing(KNOWN, "json"))["rules"]
    assert rows[1] == {
        "id": "every-part",
        "severity": "error",
        "title": "The title of every-part",
        "profiles": ["recommended", "strict"],
    }
    assert explain.listing(KNOWN, "table").splitlines()[0].split() == ["Rule", "Severity", "Title", "Profiles"]


def test_the_overview_lists_every_rule_with_its_severity_by_profile() -> None:
    page = explain.overview(KNOWN)
    assert "| [first-word](first-word.md) | The title of first-word | warning | warning | error |" in page
    assert "| [base-not-allowed](base-not-allowed.md) | The title of base-not-allowed | note |  | note |" in page
