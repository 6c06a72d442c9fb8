"""The build graph: scopes as BuildKit evaluates them, stages by name and number, what reaches the target."""

from __future__ import annotations

from typing import Any

import pytest

from lucid_audit.dockerfile.model import Plain
from lucid_audit.dockerfile.stages import Graph
from lucid_audit.values import Unknown, Value
from tests.sketch import sketch


def graph(text: str, **example: Any) -> Graph:
    return sketch(text, example).graph


def user(text: str, **example: Any) -> Value:
    """Return what the last USER of the target expands to."""
    target = graph(text, **example).target
    assert target is not None
    found = [step for step in target.all_steps() if step.instruction.keyword == "USER"][-1]
    assert isinstance(found.instruction, Plain)
    return found.scope.value(found.instruction.word)


SCOPES = [
    ("FROM scratch\nARG U=1\nUSER $U\n", {}, "1"),
    ("ARG U=1\nFROM scratch\nUSER x$U\n", {}, "x"),  # a global ARG is not seen without a declaration
    ("ARG U=1\nFROM scratch\nARG U\nUSER $U\n", {}, "1"),
    ("ARG U=1\nFROM scratch\nARG U=2\nUSER $U\n", {}, "2"),
    ("ARG U=1\nFROM scratch\nARG U=2\nUSER $U\n", {"build_args": {"U": "3"}}, "3"),
    ("FROM scratch\nENV U=1\nARG U=2\nUSER $U\n", {}, "2"),  # ENV and ARG write into one environment, in order
    ("FROM scratch\nARG U=2\nENV U=1\nUSER $U\n", {}, "1"),
    ("FROM scratch\nENV A=1\nENV A=2 B=$A\nUSER $B\n", {}, "1"),  # all pairs see the environment before the instruction
    ("FROM scratch AS a\nENV U=1\nFROM a\nUSER $U\n", {}, "1"),
    ("FROM scratch AS a\nARG U=1\nFROM a\nUSER $U\n", {}, "1"),  # the state of a stage is inherited, its ARGs too
    ("FROM scratch AS a\nENV U=1\nARG U=2\nFROM a\nUSER $U\n", {}, "1"),  # the image's ENV is set again at FROM
    ("FROM scratch AS a\nENV U=1\nFROM scratch\nUSER x$U\n", {}, "x"),
    ("FROM scratch\nARG TARGETARCH\nUSER $TARGETARCH\n", {"platform": "linux/arm64/v8"}, "arm64"),
    ("ARG TARGETARCH=amd64\nFROM scratch\nARG TARGETARCH\nUSER $TARGETARCH\n", {"platform": "linux/arm64"}, "amd64"),
    ("FROM scratch\nUSER x$TARGETARCH\n", {"platform": "linux/arm64"}, "x"),
    ("FROM gcr.io/distroless/static-debian13\nUSER ${PATH%%:*}\n", {}, "/usr/local/sbin"),
    ("ARG A=1\nARG B=$A$A\nFROM scratch\nARG B\nUSER $B\n", {}, "11"),
    ("# escape=`\nFROM scratch\nENV U=C:\\x\nUSER $U`$\n", {}, "C:\\x$"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "example", "value"), SCOPES, ids=[text for text, _, _ in SCOPES])
def test_scope(text: str, example: dict[str, Any], value: str) -> None:
    assert user(text, **example) == value


@pytest.mark.parametrize(
    "text",
    [
        "FROM scratch\nARG U\nUSER $U\n",
        "ARG U\nFROM scratch\nARG U\nUSER ${U:-1}\n",
        "FROM scratch\nARG TARGETARCH\nUSER $TARGETARCH\n",
        "FROM registry.example.com/team/base:1\nUSER $ANYTHING\n",
        "FROM scratch\nARG U\nENV V=$U\nUSER x$V\n",
    ],
)
def test_what_cannot_be_known_is_unknown(text: str) -> None:
    value = user(text)
    assert isinstance(value, Unknown)
    assert value.reason


def test_stages_by_name_in_any_case_and_by_number() -> None:
    found = graph(
        "FROM scratch AS Build\nFROM scratch AS build\nFROM scratch\nCOPY --from=BUILD a /\nCOPY --from=0 b /\n"
    )
    assert [(edge.kind, edge.stage) for edge in found.edges[2]] == [("base", None), ("copy", 1), ("copy", 0)]
    assert found.reached == {0, 1, 2}


def test_stages_that_do_not_reach_the_target() -> None:
    text = "FROM scratch AS a\nFROM a AS b\nFROM scratch AS c\nFROM scratch AS d\nCOPY --from=b x /\n"
    assert graph(text).reached == {0, 1, 3}
    assert graph(text, target="C").reached == {2}
    assert graph(text, target="nowhere").target is None


def test_mounts_need_stages() -> None:
    found = graph('FROM scratch AS a\nFROM scratch\nRUN --mount=type=bind,from=a,target=/x ["y"]\n')
    assert found.reached == {0, 1}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("FROM scratch AS a\nCOPY --from=a x /\n", "copies from itself"),
        ("FROM scratch AS a\nCOPY --from=b x /\nFROM scratch AS b\nCOPY --from=a x /\n", "need each other"),
        ("FROM scratch AS a\nCOPY --from=b x /\nFROM scratch AS b\n", "is defined after"),
    ],
)
def test_circles(text: str, problem: str) -> None:
    assert any(problem in found.message for found in graph(text).problems)


def test_triggers_of_a_stage_run_in_the_stage_that_is_from_it() -> None:
    found = graph("FROM scratch AS a\nONBUILD USER 1\nFROM a\nUSER 2\n")
    assert found.target is not None
    assert [(s.instruction.keyword, s.onbuild) for s in found.target.steps] == [("USER", True), ("USER", False)]


def test_a_long_chain_of_stages() -> None:
    text = "FROM scratch AS s0\n" + "".join(f"FROM s{n - 1} AS s{n}\n" for n in range(1, 2000))
    target = graph(text).target
    assert target is not None
    assert target.root.index == 0
    assert len(list(target.lineage())) == 2000
