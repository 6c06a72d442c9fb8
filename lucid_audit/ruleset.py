"""What one run judges by: the built-in rules and profiles, the team's policy, and the rules that policy brings along."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from lucid_audit import checks, policy_file
from lucid_audit.catalogue import compiled
from lucid_audit.checks import AROUND, AUDIT, LINT
from lucid_audit.errors import UsageError
from lucid_audit.policy import Policy
from lucid_audit.policy import select as select_rules
from lucid_audit.rules import ActiveRule, Rule, bind, index
from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class RuleSet(NamedTuple):
    """All rules by id, active or not; all profiles by name; the policy, empty when there is none."""

    rules: Mapping[str, Rule]
    profiles: Mapping[str, Mapping[str, Any]]
    policy: Policy

    def severities(self, profile: str) -> dict[str, str]:
        """Return the rules that a profile turns on, with the severity it gives them."""
        every = (*LINT, *AUDIT, *AROUND)
        active = select_rules(self.rules, self.profiles, Policy(), profile=profile, subjects=every)
        return {rule.rule.id: rule.severity.name for rule in active}

    def active(
        self,
        profile: str,
        only: Iterable[str],
        without: Iterable[str],
        subjects: Iterable[str],
        also: Iterable[str] = (),
    ) -> tuple[ActiveRule, ...]:
        """Return the rules of one run; see ``policy.select``.

        Raises:
            UsageError: a profile, rule, tag or parameter does not exist, or no rule is left.

        """
        found = select_rules(
            self.rules,
            self.profiles,
            self.policy,
            profile=profile,
            only=only,
            without=without,
            also=also,
            subjects=subjects,
        )
        if not found:
            raise UsageError("no rule is left to judge by")
        return found


def load(policy: str, start: str) -> RuleSet:
    """Load everything. ``policy`` is a file, or "" to look for one in ``start`` and the folders above it.

    Raises:
        UsageError: a rule or the policy cannot be read or is not valid.

    """
    builtin = index(bind(raw, checks.find, f"rule {raw['id']}") for raw in compiled()["rules"])
    name = policy or _shown(policy_file.find(start))
    if name is None:
        return RuleSet(builtin, compiled()["profiles"], Policy())
    from pathlib import Path  # noqa: PLC0415  (its import costs as much as linting a short file)

    file = Path(name)
    if not file.is_file():
        raise UsageError(f"{file}: there is no such policy file")
    found, rules = policy_file.read(file, builtin, checks.plugins)
    return RuleSet(rules, compiled()["profiles"], found)


def _shown(file: str | None) -> str | None:
    """Return a path as people know it: from the current folder when it lies below."""
    return file.removeprefix(os.path.join(os.getcwd(), "")) if file is not None else None
