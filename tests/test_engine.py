from __future__ import annotations

import pytest

from lucid_audit.catalogue import folder
from lucid_audit.checks import Answers, Check, load
from lucid_audit.container.config import Container, Field
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.stages import Settings
from lucid_audit.engine.dockerfile import judge
from lucid_audit.errors import InternalError
from lucid_audit.finding import Hit, Location, Severity, Skip, Skipped, SubjectReport
from lucid_audit.policy_file import read_rule
from lucid_audit.rules import activate, bind
from lucid_audit.text import Span
from tests.rulebook import CHECKS, raw
from tests.sketch import AS_OF, bases, sketch

TEXT = "FROM scratch AS one\nLABEL a=b\nFROM scratch\nLABEL \\\n  c=d\n"


def by(check: Check, text: str = TEXT, **more: object) -> SubjectReport:
    rule = bind(raw("the-rule", check.name, **more), {check.name: check}.get, "test")  # type: ignore[arg-type]
    return judge(sketch(text), [activate(rule, "note", {}, "test")])


def of(*answers: Hit | Skip) -> Check:
    def run(_build: Build) -> Answers:
        yield from answers

    return Check("of", run, "dockerfile", None)


def test_a_hit_becomes_a_finding_with_rule_severity_place_and_identity() -> None:
    start = TEXT.index("c=d")
    (finding,) = by(of(Hit(Span(start, start + 3), word="c=d"))).findings
    assert (finding.rule, finding.severity, finding.message) == ("the-rule", Severity.note, "c=d is here")
    assert finding.location == Location("Dockerfile", 5, 3, 5, 6)
    assert (finding.stage, finding.instruction) == ("stage 1", "LABEL \\ c=d")
    assert finding.remediation == "Take it away. There is no more to it."


def test_findings_are_ordered_and_equal_ones_are_one() -> None:
    later, earlier = Hit(Span(20, 29), word="x"), Hit(Span(0, 4), word="x")
    report = by(of(later, earlier, later))
    assert [finding.location.line for finding in report.findings] == [1, 2]
    assert report.lines == ((1, "FROM scratch AS one"), (2, "LABEL a=b"))


def test_a_skip_is_neither_a_pass_nor_a_finding() -> None:
    report = by(of(Skip(Span(0, 4), "nobody knows"), Skip(Span(0, 4), "nobody knows")))
    assert not report.findings
    assert report.skipped == (Skipped("the-rule", "nobody knows", Location("Dockerfile", 1, 1, 1, 5)),)


def test_a_field_is_a_place() -> None:
    (finding,) = by(of(Hit(Field("config.User"), word="x"))).findings
    assert finding.location == Location(field="config.User")
    assert (finding.stage, finding.instruction) == ("", "config.User")


def test_a_container_check_gets_the_predicted_container() -> None:
    def run(container: Container) -> Answers:
        yield Hit(container.user.place, word=container.user.known())

    assert (
        by(Check("user", run, "container", None), "FROM scratch\nUSER 65532\n").findings[0].message == "65532 is here"
    )


def test_what_buildkit_refuses_is_a_problem_and_is_not_judged() -> None:
    report = by(CHECKS["first"], "FROM scratch\nFORM x\n")
    assert not report.findings
    assert report.problems[0].location[:3] == ("Dockerfile", 2, 1)
    assert report.lines == ((2, "FORM x"),)


def test_a_target_that_is_not_there_is_a_problem() -> None:
    build = Build(sketch(TEXT).dockerfile, Settings(bases(), AS_OF, target="tow"))
    report = judge(build, [])
    assert [problem.message for problem in report.problems] == ["target stage tow is not in this file"]


def test_a_check_that_crashes_names_rule_and_file() -> None:
    with pytest.raises(InternalError, match="rule the-rule failed on Dockerfile: IndexError: "):
        by(CHECKS["crash"])


def test_a_message_that_the_check_does_not_fill_names_the_rule() -> None:
    with pytest.raises(InternalError, match="rule the-rule: its message needs 'word'"):
        by(of(Hit(Span(0, 4))))


def test_an_ending_generator_that_crashes_after_a_hit_is_a_crash_all_the_same() -> None:
    def run(_build: Build) -> Answers:
        yield Hit(Span(0, 4), word="x")
        raise ZeroDivisionError

    with pytest.raises(InternalError, match="ZeroDivisionError"):
        by(Check("late", run, "dockerfile", None))


def test_a_secret_is_not_quoted() -> None:
    text = "FROM gcr.io/distroless/static-debian13\nENV A=1 DB_PASSWORD=hunter2pass B=2\n"
    rules = [activate(read_rule(folder() / "dockerfile" / "secret-in-env.yaml", load()), None, {}, "test")]
    report = judge(sketch(text), rules)
    assert [finding.location.line for finding in report.findings] == [2]
    assert report.lines == ((2, "ENV A=1 DB_PASSWORD=***"),)
