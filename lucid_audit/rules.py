"""Rules: data that names, explains and parameterises a check. Pure: ``catalogue`` reads the files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lucid_audit.checks import Check
from lucid_audit.errors import UsageError
from lucid_audit.finding import Severity
from lucid_audit.record import record
from lucid_audit.regex import regex
from lucid_audit.schema import convert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ID = regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@record(eq=False)
class Rule:
    """One rule. ``raw`` is its file as plain data: rationale, references, equivalents, examples."""

    id: str
    title: str
    severity: Severity
    tags: tuple[str, ...]
    check: Check
    params: Mapping[str, Any]
    message: str
    remediation: str
    raw: Mapping[str, Any]


@record(eq=False)
class ActiveRule:
    """A rule as one run judges by it: severity and parameters after profile and policy."""

    rule: Rule
    severity: Severity
    params: Any


def bind(raw: Mapping[str, Any], checks: Mapping[str, Check], where: str) -> Rule:
    """Bind one rule file to its check.

    Raises:
        UsageError: the check does not exist, or its parameters do not fit; ``where`` starts the message.

    """
    check = checks.get(raw["check"])
    if check is None:
        raise UsageError(f"{where}: there is no check {raw['check']!r}; known: {', '.join(sorted(checks))}")
    return Rule(
        raw["id"],
        raw["title"],
        Severity[raw["severity"]],
        tuple(raw.get("tags", ())),
        check,
        raw.get("params", {}),
        raw["message"].strip(),
        " ".join(raw.get("remediation", "").split()),
        raw,
    )


def activate(rule: Rule, severity: str | None, params: Mapping[str, Any], where: str) -> ActiveRule:
    """Apply a profile's or policy's severity and parameters over the rule's own; each parameter replaces one.

    Raises:
        UsageError: a parameter does not exist.

    """
    try:
        bound = convert(rule.check.params, {**rule.params, **params})
    except TypeError as error:
        raise UsageError(f"{where}: rule {rule.id}: {error}") from None
    return ActiveRule(rule, Severity[severity] if severity else rule.severity, bound)


def index(rules: Iterable[Rule]) -> dict[str, Rule]:
    """Return rules by id.

    Raises:
        UsageError: two rules have one id.

    """
    found: dict[str, Rule] = {}
    for rule in rules:
        if rule.id in found:
            raise UsageError(f"two rules are called {rule.id}")
        found[rule.id] = rule
    return found
