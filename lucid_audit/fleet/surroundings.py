"""What a fleet's report says beside its services: build commands and compose services judged, what nobody builds or uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lucid_audit import audit, ruleset
from lucid_audit.around.call import BuildCall
from lucid_audit.around.service import Deployment
from lucid_audit.checks import AROUND
from lucid_audit.engine.around import judge
from lucid_audit.errors import UsageError
from lucid_audit.finding import Location, Problem, SubjectReport
from lucid_audit.fleet.around import Builds, Measured, calls, deployments
from lucid_audit.fleet.complete import Completed
from lucid_audit.fleet.evidence import Repository
from lucid_audit.policy import Policy
from lucid_audit.report.json import subject_document
from lucid_audit.rules import ActiveRule
from lucid_audit.waived import waived


def judged(
    found: Repository, completed: Completed, ask: audit.Request, measured: Measured | None = None
) -> dict[str, Any]:
    """Judge what surrounds the images of a plan, as plain data for its report.

    Raises:
        UsageError: a rule or the policy is not valid.
        InternalError: a check crashed; the message names the rule and the file.

    """
    policy, active = _rules(ask, completed.plan.folder)
    builds = Builds(ask)
    subjects: list[Deployment | BuildCall] = [
        *deployments(found, completed.plan, builds, measured),
        *calls(found, completed.plan, builds),
    ]
    reports = [*judge(subjects, active), *_troubles(found)] if active else []
    return {
        "subjects": [
            subject_document(one)
            for one in waived(reports, policy, active, ask.as_of)
            if one.findings or one.skipped or one.problems or one.suppressed
        ],
        "unbuilt": list(completed.unbuilt),
        "unused": list(completed.unused),
    }


def _rules(ask: audit.Request, folder: str) -> tuple[Policy, tuple[ActiveRule, ...]]:
    rules = ruleset.load(ask.policy, folder)
    try:
        return rules.policy, rules.active(ask.profile, ask.select, ask.ignore, AROUND)
    except UsageError as error:
        if "no rule is left" in str(error):  # a policy may be about Dockerfiles alone
            return rules.policy, ()
        raise


def _troubles(found: Repository) -> Iterator[SubjectReport]:
    for one in found.troubles:
        yield SubjectReport("build-command", one.file, problems=(Problem(one.said(), Location(one.file, one.line)),))


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
