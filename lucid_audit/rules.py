"""Rules: data that names, explains and parameterises a check. Pure: ``catalogue`` reads the files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from lucid_audit.checks import Check
from lucid_audit.errors import UsageError
from lucid_audit.finding import About, Severity
from lucid_audit.record import record
from lucid_audit.regex import regex
from lucid_audit.schema import convert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ID = regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@record(eq=False)
class Rule:
    """One rule. ``raw`` is its file as plain data: rationale, references, equivalents, examples.

    ``subject`` is what it judges. The check itself is looked up with ``find`` when it is needed: a rule about images costs
    no import where a Dockerfile is linted.
    """

    id: str
    title: str
    severity: Severity
    tags: tuple[str, ...]
    subject: str
    check_name: str
    find: Callable[[str], Check | None]
    params: Mapping[str, Any]
    message: str
    remediation: str
    raw: Mapping[str, Any]

    @property
    def check(self) -> Check:
        """The check.

        Raises:
            UsageError: there is none of that name.

        """
        found = self.find(self.check_name)
        if found is None:
            raise UsageError(f"rule {self.id}: there is no check {self.check_name!r}")
        return found


@record(eq=False)
class ActiveRule:
    """A rule as one run judges by it: severity and parameters after profile and policy."""

    rule: Rule
    severity: Severity
    params: Any
    check: Check


def bind(raw: Mapping[str, Any], find: Callable[[str], Check | None], where: str) -> Rule:
    """Bind one rule to its check. ``raw["subject"]``, where it is given, spares looking at the check now.

    Raises:
        UsageError: the check does not exist; ``where`` starts the message.

    """
    subject = raw.get("subject")
    if subject is None:
        check = find(raw["check"])
        if check is None:
            raise UsageError(f"{where}: there is no check {raw['check']!r}")
        subject = check.subject
    return Rule(
        raw["id"],
        raw["title"],
        Severity[raw["severity"]],
        tuple(raw.get("tags", ())),
        subject,
        raw["check"],
        find,
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
        check = rule.check
        bound = convert(check.params, {**rule.params, **params})
    except TypeError as error:
        raise UsageError(f"{where}: rule {rule.id}: {error}") from None
    return ActiveRule(rule, Severity[severity] if severity else rule.severity, bound, check)


def about(active: Iterable[ActiveRule]) -> tuple[About, ...]:
    """Describe the rules of a run for its report."""
    return tuple(
        About(one.rule.id, one.rule.title, one.severity, one.rule.remediation, one.rule.tags) for one in active
    )


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
