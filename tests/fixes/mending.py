"""Mends the Dockerfiles of sketches, judged by every rule of the strict profile or by some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from lucid_audit.checks import LINT
from lucid_audit.dockerfile.build import Build
from lucid_audit.engine.dockerfile import judge
from lucid_audit.finding import SubjectReport
from lucid_audit.mend import Look, Mended, mend
from lucid_audit.policy import Policy, select
from lucid_audit.rules import ActiveRule
from lucid_audit.ruleset import load
from lucid_audit.text import SourceText
from tests.sketch import sketch


@cache
def rules(only: tuple[str, ...] = (), profile: str = "recommended") -> tuple[ActiveRule, ...]:
    found = load("", "/")
    return select(found.rules, found.profiles, Policy(), profile=profile, only=only, subjects=LINT)


def looking(active: Sequence[ActiveRule], example: Mapping[str, Any] | None = None) -> Look:
    def look(source: SourceText) -> tuple[SubjectReport, list[Build]]:
        build = sketch(source.text, example)
        return judge(build, active), [build]

    return look


def mended(
    text: str, example: Mapping[str, Any] | None = None, *, unsafe: bool = False, only: tuple[str, ...] = ()
) -> Mended:
    """Mend what some rules find, or all; every rule watches."""
    return mend(
        SourceText("Dockerfile", text), looking(rules(profile="strict"), example), unsafe=unsafe, rules=only or None
    )
