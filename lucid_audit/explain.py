"""Rules for readers: the list of all, one in full for a terminal, one in full as a page of the documentation."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from textwrap import fill, indent
from typing import Any

from lucid_audit import fixes, ruleset
from lucid_audit.catalogue import rule_file
from lucid_audit.errors import UsageError
from lucid_audit.record import REQUIRED, fields
from lucid_audit.report.escape import visible
from lucid_audit.report.style import BOLD, BY_SEVERITY, DIM, PLAIN, Style
from lucid_audit.rules import Rule
from lucid_audit.ruleset import RuleSet
from lucid_audit.schema import nearest
from lucid_audit.tuples import NamedTuple

WIDTH = 96
EXAMPLE_TITLES = {"good": "Good", "bad": "Bad", "unknown": "Cannot be judged"}


class Parameter(NamedTuple):
    """One parameter of a rule: its name and the value the rule gives it, as JSON."""

    name: str
    value: str


class Entry(NamedTuple):
    """A rule with everything its file says, and the severity that each profile which judges by it gives it."""

    rule: Rule
    raw: Mapping[str, Any]
    profiles: Mapping[str, str]


def rules(policy: str = "") -> RuleSet:
    """Load all rules: the built-in ones and those of the policy, by default the nearest to the current folder.

    Raises:
        UsageError: the policy is not valid.

    """
    return ruleset.load(policy, os.getcwd())


def listing(known: RuleSet, name: str) -> str:
    """Return all rules in the format ``name``: text, table or json."""
    profiles = _profiles(known)
    rows = [
        (rule.id, rule.severity.name, rule.title, [profile for profile, on in profiles.items() if rule.id in on])
        for rule in sorted(known.rules.values(), key=lambda rule: rule.id)
    ]
    if name == "json":
        keys = ("id", "severity", "title", "profiles")
        return json.dumps({"version": 1, "rules": [dict(zip(keys, row, strict=True)) for row in rows]}, indent=2) + "\n"
    shown = [(visible(i), severity, visible(title), ", ".join(on) or "none") for i, severity, title, on in rows]
    if name == "table":
        from tabulate import tabulate  # noqa: PLC0415  (only for this format)

        return tabulate(shown, ("Rule", "Severity", "Title", "Profiles"), "simple", disable_numparse=True) + "\n"
    wide = max((len(row[0]) for row in shown), default=0)
    return "".join(f"{i:<{wide}}  {severity:<7}  {title} ({on})\n" for i, severity, title, on in shown)


def entry(known: RuleSet, rule_id: str) -> Entry:
    """Return one rule with all that its file says.

    Raises:
        UsageError: there is no such rule; the message suggests one.

    """
    rule = known.rules.get(rule_id)
    if rule is None:
        raise UsageError(f"there is no rule {rule_id!r}{nearest(rule_id, known.rules)}")
    raw, file = rule.raw, rule_file(rule_id)
    if "examples" not in raw and file is not None:
        from lucid_audit.yamlsource import load as load_yaml  # noqa: PLC0415  (the compiled rules leave it out)

        raw = load_yaml(str(file), file.read_text("utf-8")).data
    on = {name: found[rule_id] for name, found in _profiles(known).items() if rule_id in found}
    return Entry(rule, raw, on)


def text(found: Entry, style: Style = PLAIN) -> str:
    """Return a rule in full for a terminal."""
    rule = found.rule
    severity = style.paint(rule.severity.name, BY_SEVERITY[rule.severity])
    parts = [
        f"{style.paint(rule.id, BOLD)}: {visible(rule.title)}\n{severity}; {_where(found)}\n",
        fill(visible(_flat(found.raw.get("rationale", ""))), WIDTH),
        _section("Remedy", fill(visible(" ".join(filter(None, (rule.remediation, _fix(rule))))), WIDTH), style),
        _section("Message", visible(rule.message), style),
    ]
    if given := parameters(rule):
        parts.append(_section("Parameters", "\n".join(f"{p.name}: {visible(p.value)}" for p in given), style))
    for example in found.raw.get("examples", ()):
        kind, source, expected = _example(example)
        shown = "\n".join(visible(line.expandtabs(4)) for line in source.splitlines())
        notes = "".join(f"\n# {visible(note)}" for note in expected)
        parts.append(_section(EXAMPLE_TITLES[kind], indent(shown + style.paint(notes, DIM), "    "), style))
    if others := _equivalents(found.raw):
        parts.append(_section("Elsewhere", visible(others), style))
    if references := found.raw.get("references"):
        parts.append(_section("References", visible_lines(references), style))
    return "\n".join(parts) + "\n"


def markdown(found: Entry) -> str:
    """Return a rule in full as a page of ``docs/rules``."""
    rule, raw = found.rule, found.raw
    parts = [
        f"# {rule.id}",
        f"{rule.title}.",
        f"**{rule.severity.name}**; {_where(found)}; tags: {', '.join(rule.tags)}; since {raw['since']}.",
        raw["rationale"].strip(),
        f"## Remedy\n\n{' '.join(filter(None, (raw['remediation'].strip(), _fix(rule))))}",
        f"## Message\n\n{_fenced(rule.message, 'text')}",
    ]
    if given := parameters(rule):
        about = _flat(rule.check.params.__doc__ or "") if rule.check.params else ""
        rows = "".join(f"| `{p.name}` | `{_cell(p.value)}` |\n" for p in given)
        parts.append(f"## Parameters\n\n{about}\n\n| parameter | value |\n| --- | --- |\n{rows}".rstrip())
    parts.append(f"## Configure\n\n{_fenced(_policy_sample(rule), 'yaml')}")
    parts.append("## Examples")
    parts.extend(_markdown_example(example) for example in raw["examples"])
    if others := _equivalents(raw):
        parts.append(f"## Elsewhere\n\n{others}.")
    if references := raw.get("references"):
        parts.append(
            "## References\n\n" + "\n".join(f"- <{url}>" if "://" in url else f"- {url}" for url in references)
        )
    return "\n\n".join(parts) + "\n"


def overview(known: RuleSet) -> str:
    """Return the page that lists all rules."""
    profiles = _profiles(known)
    head = f"| rule | what it reports | severity | {' | '.join(profiles)} |\n|{' --- |' * (3 + len(profiles))}\n"
    rows = "".join(
        f"| [{rule.id}]({rule.id}.md) | {_cell(rule.title)} | {rule.severity.name} | "
        f"{' | '.join(on.get(rule.id, '') for on in profiles.values())} |\n"
        for rule in sorted(known.rules.values(), key=lambda rule: rule.id)
    )
    about = "".join(f"- `{name}`: {_flat(profile['description'])}\n" for name, profile in known.profiles.items())
    return (
        f"# Rules\n\n{len(known.rules)} rules. The columns on the right say which profile judges by a rule, and how "
        f"severely.\n\n{about}\n{head}{rows}"
    )


def parameters(rule: Rule) -> list[Parameter]:
    """Return the parameters that a rule can be given, with its own values."""
    if rule.check.params is None:
        return []
    found = []
    for field in fields(rule.check.params):
        value = rule.params.get(field.name, None if field.default is REQUIRED else field.default)
        found.append(Parameter(field.name, json.dumps(value, ensure_ascii=False, default=str)))
    return found


def visible_lines(lines: list[str]) -> str:
    """Return lines made harmless one by one."""
    return "\n".join(visible(line) for line in lines)


def _fix(rule: Rule) -> str:
    """Say whether a fix may do it."""
    found = fixes.load().get(rule.id, ())
    if not found:
        return ""
    how = "`lint --fix`" if not found[0].unsafe else "`lint --fix --unsafe-fixes`"
    return f"{how} does it where only one repair can be meant."


def _profiles(known: RuleSet) -> dict[str, dict[str, str]]:
    return {name: known.severities(name) for name in known.profiles}


def _where(found: Entry) -> str:
    if not found.profiles:
        return "off in every profile: turn it on in the policy"
    own = found.rule.severity.name
    names = [name if severity == own else f"{name} ({severity})" for name, severity in found.profiles.items()]
    return f"profiles: {', '.join(names)}"


def _example(example: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    """Return an example's kind, its Dockerfile or the sketch of its image, and what the rule says of it."""
    kind = next(word for word in EXAMPLE_TITLES if word in example)
    expected = [
        f"line {line}: {message}" if str(line).isdigit() else f"{line}: {message}"
        for line, messages in example.get("at", {}).items()
        for message in ([messages] if isinstance(messages, str) else messages)
    ]
    return kind, _shown(example[kind]), expected


def _shown(subject: Any) -> str:
    """Return the text of an example: a Dockerfile as it is, the sketch of an image as YAML."""
    if isinstance(subject, str):
        return subject.rstrip("\n")
    import yaml  # noqa: PLC0415  (only for people who read about an image rule)

    class Dumper(yaml.SafeDumper):
        """Writes text of several lines as a block."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, "|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return yaml.dump(subject, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100).rstrip("\n")


def _markdown_example(example: Mapping[str, Any]) -> str:
    kind, source, expected = _example(example)
    parts = [f"### {EXAMPLE_TITLES[kind]}", _fenced(source, "dockerfile" if isinstance(example[kind], str) else "yaml")]
    if files := example.get("context"):
        parts.append("In the repository: " + ", ".join(f"`{name}`" for name in files) + ".")
    if params := example.get("params"):
        parts.append(f"With the parameters `{json.dumps(params, ensure_ascii=False)}`.")
    if expected:
        parts.append("\n".join(f"- {note}" for note in expected))
    return "\n\n".join(parts)


def _policy_sample(rule: Rule) -> str:
    lines = ["# lucid-audit.yaml", "rules:", f'  {rule.id}: "off"  # or error, warning, note']
    for parameter in parameters(rule)[:1]:
        lines += ["# or", "rules:", f"  {rule.id}:", "    params:", f"      {parameter.name}: {parameter.value}"]
    return "\n".join(lines)


def _equivalents(raw: Mapping[str, Any]) -> str:
    return "; ".join(f"{tool}: {', '.join(names)}" for tool, names in raw.get("equivalents", {}).items() if names)


def _section(title: str, body: str, style: Style) -> str:
    return f"\n{style.paint(title, BOLD)}\n{body}"


def _fenced(body: str, language: str) -> str:
    fence = "```"
    while fence in body:
        fence += "`"
    return f"{fence}{language}\n{body}\n{fence}"


def _cell(words: str) -> str:
    """Return text that does not end its cell of a Markdown table."""
    return words.replace("|", "\\|")


def _flat(words: str) -> str:
    return " ".join(words.split())
