"""What a fleet's report says beside its services: build commands and compose services judged, what nobody builds or uses."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from lucid_audit import audit, ruleset
from lucid_audit.around.call import BuildCall
from lucid_audit.around.service import Deployment
from lucid_audit.checks import AROUND
from lucid_audit.engine.around import COMMENTS, Listening, judge
from lucid_audit.errors import UsageError
from lucid_audit.finding import Location, Problem, SubjectReport
from lucid_audit.fleet.around import Builds, Measured, calls, deployments
from lucid_audit.fleet.changed import Change
from lucid_audit.fleet.complete import Completed
from lucid_audit.fleet.evidence import Repository
from lucid_audit.policy import Policy
from lucid_audit.report.json import subject_document
from lucid_audit.rules import ActiveRule
from lucid_audit.waived import waived


def judged(
    found: Repository,
    completed: Completed,
    ask: audit.Request,
    measured: Measured | None = None,
    change: Change | None = None,
) -> dict[str, Any]:
    """Judge what surrounds the images of a plan, as plain data for its report; ``change``: only what that concerns.

    Raises:
        UsageError: a rule or the policy is not valid.
        InternalError: a check crashed; the message names the rule and the file.

    """
    policy, active, known = _rules(ask, completed.plan.folder)
    builds = Builds(ask)
    subjects: list[Deployment | BuildCall] = [
        *deployments(found, completed.plan, builds, measured, change),
        *calls(found, completed.plan, builds, change),
    ]
    how = Listening(policy.suppressions, known=known)
    reports = [*judge(subjects, active, how), *_troubles(found, change)] if active else []
    return {
        "subjects": [
            subject_document(one)
            for one in waived(reports, policy, active, ask.as_of)
            if one.findings or one.skipped or one.problems or one.suppressed
        ],
        "unbuilt": [name for name in completed.unbuilt if change is None or name in change.services],
        "unused": [name for name in completed.unused if change is None or change.of(os.path.join(found.root, name))],
    }


def _rules(ask: audit.Request, folder: str) -> tuple[Policy, tuple[ActiveRule, ...], frozenset[str]]:
    """Return the policy, the rules about what surrounds images and about comments there, and the ids of all rules."""
    rules = ruleset.load(ask.policy, folder)
    known = frozenset(rules.rules)
    try:
        asked = rules.active(ask.profile, ask.select, ask.ignore, (*AROUND, "dockerfile"))
        meant = (one for one in asked if one.rule.subject in AROUND or one.rule.check_name in COMMENTS)
        return rules.policy, tuple(meant), known
    except UsageError as error:
        if "no rule is left" in str(error):  # a policy may be about Dockerfiles alone
            return rules.policy, (), known
        raise


def _troubles(found: Repository, change: Change | None) -> Iterator[SubjectReport]:
    for one in found.troubles:
        if one.lost is None and (change is None or change.of(one.file)):  # what is not there is a finding of its own
            yield SubjectReport(
                "build-command", one.file, problems=(Problem(one.said(), Location(one.file, one.line)),)
            )


def errors(document: Mapping[str, Any]) -> int:
    """Count the errors beside the services that are not silenced."""
    return sum(
        one["severity"] == "error" and one["suppressed"] is None
        for subject in document.get("around", {}).get("subjects", ())
        for one in subject["findings"]
    )


def sections(document: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield what a report says beside its services: a title and its lines, none for a part that has nothing to say."""
    around = document.get("around")
    if around is None:
        return
    found = [
        f"{subject['name']}:{one['location'].get('line', 1)}:{one['location'].get('column', 1)}: "
        f"{one['severity']}: {one['message']} [{one['rule']}]"
        for subject in around["subjects"]
        for one in subject["findings"]
        if one["suppressed"] is None
    ]
    problems = [problem["message"] for subject in around["subjects"] for problem in subject["problems"]]
    for title, lines in (
        ("Builds and deployments", found),
        ("Services whose image nothing here builds", around["unbuilt"]),
        ("Dockerfiles that no service of the plan uses", around["unused"]),
        ("Could not be read beside the services", problems),
    ):
        if lines:
            yield title, list(lines)
