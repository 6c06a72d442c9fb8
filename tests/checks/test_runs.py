"""What a RUN calls, as the rules about calls see it."""

from __future__ import annotations

import pytest

from lucid_audit.checks.runs import runs
from tests.sketch import sketch


def called(text: str) -> list[tuple[str, tuple[str | None, ...], str]]:
    build = sketch(f"FROM debian:13\n{text}\n")
    source = build.dockerfile.source
    return [(ran.call.name, ran.call.words, source.slice(ran.span)) for run in runs(build) for ran in run.calls]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RUN a b && c", [("a", ("b",), "a b"), ("c", (), "c")]),
        ("RUN echo 'a && b'", [("echo", ("a && b",), "echo 'a && b'")]),
        ('RUN ["/usr/bin/a", "b"]', [("a", ("b",), '["/usr/bin/a", "b"]')]),
        ("RUN sudo a b", [("a", ("b",), "a b")]),
        ("RUN sudo -u x a", [("sudo", ("-u", "x", "a"), "sudo -u x a")]),
        ("RUN python3 -m pip install x", [("pip", ("install", "x"), "pip install x")]),
        ("RUN a \\\n # words\n  b", [("a", ("b",), "a \\\n # words\n  b")]),
        ("RUN <<E\na b\nc\nE", [("a", ("b",), "a b"), ("c", (), "c")]),
        ("RUN <<-E\n\ta b\nE", [("a", ("b",), "a b")]),
        ("RUN <<E\n#!/usr/bin/env python3\nimport os\nE", []),
        ("ARG X\nRUN a $X", [("a", (None,), "a $X")]),
        ("ENV X=b\nRUN a $X", [("a", ("b",), "a $X")]),
        ("RUN a 'b", []),
    ],
)
def test_calls(text: str, expected: list[tuple[str, tuple[str | None, ...], str]]) -> None:
    assert called(text) == expected


def test_mounts_and_pipes() -> None:
    (run,) = runs(sketch("FROM debian:13\nRUN --mount=type=cache,target=/var/cache/ a | b; c\n"))
    assert run.mounted("/var/cache/apt")
    assert not run.mounted("/var/cached")
    assert [ran.piped for ran in run.calls] == [True, False, False]
