from __future__ import annotations

from typing import Any

import pytest

from lucid_audit.errors import UsageError
from lucid_audit.finding import Severity
from lucid_audit.policy import Policy, platforms, select
from lucid_audit.rules import ActiveRule
from tests.rulebook import PROFILES, book


def chosen(policy: Policy | None = None, **options: Any) -> dict[str, ActiveRule]:
    active = select(book(), PROFILES, policy or Policy(), **options)
    assert [rule.rule.id for rule in active] == sorted(rule.rule.id for rule in active)
    return {rule.rule.id: rule for rule in active}


def test_the_default_profile_is_recommended() -> None:
    assert set(chosen()) == {"first-word", "word-allowed"}


def test_a_profile_extends_another() -> None:
    found = chosen(profile="strict")
    assert set(found) == set(book())
    assert found["first-word"].severity is Severity.error
    assert found["word-allowed"].params.limit == 9
    assert found["word-allowed"].params.allowed == ("FROM",)


def test_the_command_line_beats_the_policy_and_the_policy_the_profile() -> None:
    policy = Policy(profile="strict", rules={"first-word": "note", "word-allowed": "off"})
    assert chosen(policy)["first-word"].severity is Severity.note
    assert set(chosen(policy)) == {"first-word", "base-not-allowed"}
    assert set(chosen(policy, profile="recommended")) == {"first-word"}


@pytest.mark.parametrize("word", ["off", False])
def test_rules_can_be_turned_off(word: object) -> None:
    assert set(chosen(Policy(rules={"first-word": word}))) == {"word-allowed"}


@pytest.mark.parametrize("word", ["on", True, {}, "note", {"severity": "note"}])
def test_rules_can_be_turned_on(word: object) -> None:
    assert "base-not-allowed" in chosen(Policy(rules={"base-not-allowed": word}))


def test_select_narrows_and_turns_on() -> None:
    assert set(chosen(only=["base-not-allowed"])) == {"base-not-allowed"}
    assert set(chosen(only=["tag:c", "first-word"])) == {"base-not-allowed", "first-word"}
    assert set(chosen(Policy(select=("tag:b",)))) == {"word-allowed"}
    assert set(chosen(Policy(select=("tag:b",)), only=["first-word"])) == {"first-word"}


def test_ignored_anywhere_is_off() -> None:
    assert set(chosen(without=["tag:b"])) == {"first-word"}
    assert set(chosen(Policy(ignore=("first-word",)))) == {"word-allowed"}
    assert set(chosen(Policy(ignore=("first-word",)), only=["first-word", "word-allowed"])) == {"word-allowed"}


def test_allowed_bases_turn_their_rule_on() -> None:
    found = chosen(Policy(allowed_bases=("gcr.io/distroless/*",)))
    assert found["base-not-allowed"].params.allowed == ("gcr.io/distroless/*",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"only": ["frist-word"]}, "--select: there is no rule 'frist-word'; did you mean first-word?"),
        ({"without": ["nothing-like-it"]}, "--ignore: there is no rule 'nothing-like-it'"),
        ({"only": ["tag:x"]}, "--select: no rule has the tag 'x'"),
        ({"profile": "stict"}, "there is no profile 'stict'; did you mean strict? Known: recommended, strict"),
        ({"policy": Policy(path="p.yaml", ignore=("word-alowed",))}, "p.yaml: ignore: there is no rule 'word-alowed'; did you mean word-allowed?"),
        ({"policy": Policy(path="p.yaml", select=("x",))}, "p.yaml: select: there is no rule 'x'"),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_an_error_with_a_suggestion(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(**options)
    assert str(caught.value) == message


def test_platforms_come_from_the_policy_or_the_profile_it_extends() -> None:
    assert platforms(Policy(), PROFILES) == ("linux/amd64",)
    assert platforms(Policy(), PROFILES, "strict") == ("linux/amd64",)
    assert platforms(Policy(platforms=("linux/arm64",)), PROFILES, "strict") == ("linux/arm64",)
