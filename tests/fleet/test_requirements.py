"""The columns: rules that answer them exist, and what is not known is no pass."""

from __future__ import annotations

from fnmatch import fnmatchcase

from lucid_audit.catalogue import compiled
from lucid_audit.finding import Finding, Location, Problem, Severity, Skipped, SubjectReport
from lucid_audit.fleet.requirements import REQUIREMENTS, Verdict, both, judge

AT = Location("Dockerfile", 1, 1)
ASKED = {rule["id"] for rule in compiled()["rules"]}


def report(rule: str = "", severity: Severity = Severity.error, skipped: str = "", problem: str = "") -> SubjectReport:
    findings = (Finding(rule, severity, "message", AT),) if rule else ()
    skips = (Skipped(skipped, "nobody knows", AT),) if skipped else ()
    return SubjectReport("image", "x", findings, skips, (Problem(problem, AT),) if problem else ())


def test_every_glob_is_of_a_rule() -> None:
    for one in REQUIREMENTS:
        for glob in one.rules:
            assert any(fnmatchcase(rule, glob) for rule in ASKED), glob


def test_verdicts() -> None:
    assert judge([report()], ASKED)["user"] == Verdict("pass")
    assert judge([report("final-user-root")], ASKED)["user"] == Verdict("fail", ("final-user-root: message",))
    assert judge([report("final-user-root"), report()], ASKED)["user"].verdict == "fail", "one platform is enough"
    assert judge([report("final-user-not-in-passwd", Severity.note)], ASKED)["user"].verdict == "pass"
    assert judge([report("health-check-missing", Severity.note)], ASKED)["health"].verdict == "fail"


def test_what_is_not_known_is_no_pass() -> None:
    assert judge([], ASKED)["user"].verdict == "unknown"
    assert judge([report(problem="gone")], ASKED)["user"] == Verdict("unknown", ("gone",))
    assert judge([report(skipped="final-user-root")], ASKED)["user"] == Verdict(
        "unknown", ("final-user-root: nobody knows",)
    )
    assert judge([report()], {"base-latest"})["user"].verdict == "unknown"
    assert judge([report("final-user-root", problem="layer gone")], ASKED)["user"].verdict == "fail", (
        "what is wrong is wrong"
    )


def test_measured_before_predicted() -> None:
    known, unknown = {"user": Verdict("pass")}, {"user": Verdict("unknown")}
    assert both({"user": Verdict("fail")}, known) == known
    assert both({"user": Verdict("pass")}, unknown) == unknown, "an image that was not read is not what its file says"
    assert both({"user": Verdict("fail", ("x",))}, unknown) == {"user": Verdict("fail", ("x",))}
