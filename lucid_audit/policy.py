"""Which rules judge, how severely, and with which parameters: a profile, then the team's policy, then the command line.

Pure: ``policy_file`` finds and reads the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lucid_audit.checks import LINT
from lucid_audit.errors import UsageError
from lucid_audit.finding import Severity
from lucid_audit.record import record
from lucid_audit.rules import ActiveRule, Rule, activate
from lucid_audit.schema import nearest
from lucid_audit.waiver import Waiver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEFAULT_PROFILE = "recommended"


@record(eq=False)
class Policy:
    """What a team decided. ``path`` is the file it was read from ("" when there is none), ``folder`` where it stands."""

    path: str = ""
    folder: str = "."
    profile: str = ""
    fail_on: str = ""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    rules: Mapping[str, Any] = {}
    allowed_bases: tuple[str, ...] = ()
    contexts: Mapping[str, str] = {}
    platforms: tuple[str, ...] = ()
    build_args: Mapping[str, str] = {}
    rule_folders: tuple[str, ...] = ()
    bases: Mapping[str, Any] = {}
    mirrors: Mapping[str, str] = {}
    limits: Mapping[str, int] = {}
    dockerfiles: Mapping[str, str] = {}
    waivers: tuple[Waiver, ...] = ()
    suppressions: bool = True


class _Setting:
    """What profile and policy said of one rule so far."""

    def __init__(self, on: bool) -> None:
        self.on = on
        self.severity: str | None = None
        self.params: dict[str, Any] = {}

    def apply(self, value: Any) -> None:
        """Apply one entry of a ``rules`` mapping: on, off, a severity, or severity and parameters."""
        if value in ("off", False):
            self.on = False
        elif value in ("on", True):
            self.on = True
        elif isinstance(value, str):
            self.on, self.severity = True, value
        else:
            self.on = True
            self.severity = value.get("severity", self.severity)
            self.params.update(value.get("params", {}))


def select(
    rules: Mapping[str, Rule],
    profiles: Mapping[str, Mapping[str, Any]],
    policy: Policy,
    *,
    profile: str = "",
    only: Iterable[str] = (),
    without: Iterable[str] = (),
    also: Iterable[str] = (),
    subjects: Iterable[str] = LINT,
) -> tuple[ActiveRule, ...]:
    """Return the rules of one run in order of their ids. ``only`` and ``without`` are the command line's.

    ``only`` (or else the policy's ``select``) narrows the run to those rules and turns them on; an entry is a rule id
    or ``tag:NAME``. ``also`` are on beside those. What is ignored anywhere is off. Rules about other ``subjects`` are left out.

    Raises:
        UsageError: a profile, rule, tag or parameter does not exist.

    """
    where = policy.path or "policy"
    name = profile or policy.profile or DEFAULT_PROFILE
    settings = _profile(rules, profiles, name)
    for rule_id, value in policy.rules.items():
        _known(rule_id, rules, f"{where}: rules")
        settings[rule_id].apply(value)
    if policy.allowed_bases:
        _allow_bases(rules, settings, policy.allowed_bases)
    chosen = tuple(only) or policy.select
    if chosen:
        wanted = expand(chosen, rules, "--select" if only else f"{where}: select")
        for rule_id, setting in settings.items():
            setting.on = rule_id in wanted
    _turn(settings, expand(also, rules, "also"), on=True)
    _turn(settings, expand(policy.ignore, rules, f"{where}: ignore") | expand(without, rules, "--ignore"), on=False)
    return tuple(
        activate(rules[rule_id], setting.severity, setting.params, where)
        for rule_id, setting in sorted(settings.items())
        if setting.on and rules[rule_id].subject in subjects
    )


def _turn(settings: Mapping[str, _Setting], names: Iterable[str], *, on: bool) -> None:
    for name in names:
        settings[name].on = on


def _allow_bases(rules: Mapping[str, Rule], settings: Mapping[str, _Setting], allowed: Iterable[str]) -> None:
    """Hand the policy's own list of bases to the rules that judge by such a list."""
    for rule in rules.values():
        if rule.check_name == "base-allowed":
            settings[rule.id].apply({"params": {"allowed": list(allowed)}})


def _profile(rules: Mapping[str, Rule], profiles: Mapping[str, Mapping[str, Any]], name: str) -> dict[str, _Setting]:
    """Return the settings of a profile over the one it extends: on, unless a tag or an entry turns a rule off."""
    profile = profiles.get(name)
    if profile is None:
        known = ", ".join(sorted(profiles))
        raise UsageError(f"there is no profile {name!r}{nearest(name, profiles) or '.'} Known: {known}")
    parent = profile.get("extends")
    settings = _profile(rules, profiles, parent) if parent else {rule_id: _Setting(on=True) for rule_id in rules}
    tags_off = profile.get("tags_off")
    if tags_off is not None:
        off = set(tags_off)
        for rule_id, rule in rules.items():
            settings[rule_id].on = off.isdisjoint(rule.tags)
    for rule_id, value in profile.get("rules", {}).items():
        _known(rule_id, rules, f"profile {name}")
        settings[rule_id].apply(value)
    return settings


def expand(names: Iterable[str], rules: Mapping[str, Rule], where: str) -> set[str]:
    """Return the ids that names mean: ids, or ``tag:NAME`` for all rules with a tag.

    Raises:
        UsageError: there is no such rule or tag; ``where`` starts the message.

    """
    found: set[str] = set()
    for name in names:
        if name.startswith("tag:"):
            tagged = {rule.id for rule in rules.values() if name[4:] in rule.tags}
            if not tagged:
                raise UsageError(f"{where}: no rule has the tag {name[4:]!r}")
            found |= tagged
        else:
            _known(name, rules, where)
            found.add(name)
    return found


def _known(rule_id: str, rules: Mapping[str, Rule], where: str) -> None:
    if rule_id not in rules:
        raise UsageError(f"{where}: there is no rule {rule_id!r}{nearest(rule_id, rules)}")


def platforms(policy: Policy, profiles: Mapping[str, Mapping[str, Any]], profile: str = "") -> tuple[str, ...]:
    """Return the platforms that images are declared to be built for: the policy's, else the profile's."""
    name: str | None = profile or policy.profile or DEFAULT_PROFILE
    found = policy.platforms
    while not found and name is not None and name in profiles:
        found = tuple(profiles[name].get("platforms", ()))
        name = profiles[name].get("extends")
    return found


def severity(name: str) -> Severity:
    """Return a severity by its name."""
    return Severity[name]
