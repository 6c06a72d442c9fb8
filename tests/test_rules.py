"""Every example of every rule is run; every rule is complete; every check is used."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from lucid_audit.catalogue import KINDS, compiled, folder, schema
from lucid_audit.checks import load_all as load_checks
from lucid_audit.engine.around import judge as judge_around
from lucid_audit.engine.dockerfile import judge
from lucid_audit.engine.image import judge as judge_image
from lucid_audit.engine.waive import judge as judge_waivers
from lucid_audit.engine.waive import waive
from lucid_audit.finding import Finding, Location, Severity, Skipped, SubjectReport
from lucid_audit.policy_file import read_rule
from lucid_audit.rules import ActiveRule, Rule, activate
from lucid_audit.waiver import Waiver
from lucid_audit.yamlsource import load
from tests.around_sketch import surrounded
from tests.image_sketch import publication
from tests.sketch import AS_OF, sketch

FILES = [file for kind in KINDS for file in sorted((folder() / kind).glob("*.yaml"))]
RULES: dict[str, Rule] = {}


def rule(name: str) -> Rule:
    if name not in RULES:
        RULES[name] = read_rule(next(file for file in FILES if file.stem == name), load_checks())
    return RULES[name]


def cases() -> list[Any]:
    found = []
    for file in FILES:
        for number, example in enumerate(load(str(file), file.read_text("utf-8")).data["examples"]):
            kind = next(word for word in ("good", "bad", "unknown") if word in example)
            found.append(pytest.param(file.stem, kind, example, id=f"{file.stem}-{number}-{kind}"))
    return found


def of_waivers(raw: list[dict[str, Any]], found: list[str], active: list[ActiveRule]) -> SubjectReport:
    """Judge waivers by what they do to a report with findings of these rules."""
    waivers = [
        Waiver(
            {name: [name] for name in one["rules"]},
            one["reason"],
            tuple(one.get("files", ())),
            until=date.fromisoformat(one["until"]) if "until" in one else None,
            line=number,
        )
        for number, one in enumerate(raw, 1)
    ]
    asked = [activate(rule(name), None, {}, "example") for one in raw for name in one["rules"]]
    findings = tuple(Finding(name, Severity.error, "found", Location("Dockerfile")) for name in found)
    report = SubjectReport("dockerfile", "Dockerfile", findings)
    return judge_waivers(waive([report], waivers, asked, AS_OF, lambda subject: [subject.name])[1], active, "policy")


def judged(subject: Any, example: dict[str, Any], active: list[ActiveRule]) -> tuple[list[Finding], list[Skipped]]:
    """Judge an example by one rule: a Dockerfile, or the sketch of an image."""
    reports: tuple[SubjectReport, ...]
    if isinstance(subject, str):
        reports = (judge(sketch(subject, example), active),)
    elif "compose" in subject or "repository" in subject:
        reports = judge_around(surrounded(subject), active)
    elif "waivers" in subject:
        reports = (of_waivers(subject["waivers"], subject["found"], active),)
    else:
        as_of = date.fromisoformat(example["as_of"]) if "as_of" in example else AS_OF
        reports = judge_image(publication(subject, as_of, tuple(example.get("platforms", ()))), active)
    assert not any(report.problems for report in reports)
    return [f for report in reports for f in report.findings], [s for report in reports for s in report.skipped]


@pytest.mark.parametrize(("name", "kind", "example"), cases())
def test_example(name: str, kind: str, example: dict[str, Any]) -> None:
    active = [activate(rule(name), None, example.get("params", {}), "example")]
    active += [activate(rule(other), None, {}, "example") for other in example.get("beside", ())]
    findings, skips = judged(example[kind], example, active)
    findings = [finding for finding in findings if finding.rule == name]
    found: dict[str, list[str]] = {}
    for finding in findings:
        at = finding.location
        found.setdefault(str(at.line or at.field or at.path), []).append(finding.message)
    expected = {
        str(line): sorted([text] if isinstance(text, str) else text) for line, text in example.get("at", {}).items()
    }
    assert {line: sorted(messages) for line, messages in found.items()} == expected
    if kind == "good":
        assert not skips
    if kind == "unknown":
        assert skips
        assert all(skipped.reason for skipped in skips)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_rule_is_well_formed(file: Any) -> None:
    found = rule(file.stem)
    assert found.subject == found.check.subject == file.parent.name, "the rule's folder names its subject"
    for part in (found.message, found.title):
        assert not part.endswith("."), "messages and titles are not sentences with a full stop"
    placeholders = set(re.findall(r"{(\w+)}", found.message))
    assert placeholders or found.message


def test_every_check_is_used() -> None:
    assert {rule(file.stem).check.name for file in FILES} == set(load_checks())


def test_profiles_name_only_rules_that_exist() -> None:
    for profile in compiled()["profiles"].values():
        assert set(profile.get("rules", {})) <= {file.stem for file in FILES}, profile["name"]


def test_schemas_are_schemas() -> None:
    from jsonschema import Draft202012Validator

    for name in ("rule", "profile", "policy", "bases"):
        Draft202012Validator.check_schema(schema(name))
