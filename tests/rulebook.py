"""A small rule book of its own, so that tests of policy and reports do not change when the real rules do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lucid_audit.checks import Answers, Check
from lucid_audit.finding import Hit
from lucid_audit.rules import Rule, bind, index

if TYPE_CHECKING:
    from lucid_audit.dockerfile.build import Build


@dataclass(frozen=True, slots=True)
class Words:
    """``allowed``: words that pass; ``limit``: how many."""

    allowed: tuple[str, ...]
    limit: int = 3


def first(build: Build) -> Answers:
    """Find the first instruction."""
    yield Hit(build.dockerfile.instructions[0].span, word=build.dockerfile.instructions[0].keyword)


def words(build: Build, params: Words) -> Answers:
    """Find instructions that are not allowed."""
    for instruction in build.dockerfile.instructions:
        if instruction.keyword not in params.allowed:
            yield Hit(instruction.span, word=instruction.keyword)


def crash(build: Build) -> Answers:
    """Have a bug."""
    yield Hit(build.dockerfile.instructions[99].span)


CHECKS: Mapping[str, Check] = {
    "first": Check("first", first, "dockerfile", None),
    "words": Check("words", words, "dockerfile", Words),
    "crash": Check("crash", crash, "dockerfile", None),
    "base-allowed": Check("base-allowed", words, "dockerfile", Words),
}


def raw(
    rule_id: str, check: str, severity: str = "error", tags: tuple[str, ...] = ("a",), **more: Any
) -> dict[str, Any]:
    return {
        "id": rule_id,
        "title": f"The title of {rule_id}",
        "severity": severity,
        "tags": list(tags),
        "since": "0.1.0",
        "check": check,
        "message": "{word} is here",
        "rationale": "It is so.",
        "remediation": "Take it away. There is no more to it.",
        "examples": [{"good": "FROM a\n"}, {"bad": "FROM b\n", "at": {"1": "FROM is here"}}],
        **more,
    }


def book(*more: dict[str, Any]) -> dict[str, Rule]:
    rules = [
        raw("first-word", "first", "warning"),
        raw("word-allowed", "words", tags=("a", "b"), params={"allowed": ["FROM"]}),
        raw("base-not-allowed", "base-allowed", "note", tags=("c",), params={"allowed": []}),
        *more,
    ]
    return index(bind(rule, CHECKS.get, rule["id"]) for rule in rules)


PROFILES: Mapping[str, Mapping[str, Any]] = {
    "recommended": {
        "name": "recommended",
        "title": "",
        "description": "",
        "tags_off": ["c"],
        "platforms": ["linux/amd64"],
    },
    "strict": {
        "name": "strict",
        "title": "",
        "description": "",
        "extends": "recommended",
        "rules": {"base-not-allowed": "on", "first-word": "error", "word-allowed": {"params": {"limit": 9}}},
    },
}
