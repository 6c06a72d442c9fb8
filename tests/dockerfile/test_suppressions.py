"""Comments that silence findings: what they say, and of which part of the file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.dockerfile.parser import parse
from lucid_audit.dockerfile.suppressions import Suppression, suppressions
from lucid_audit.text import SourceText

FILE = """# check=skip=StageNameCasing,WorkdirRelativePath;error=true
# lucid: ignore-file[a] everywhere
FROM one AS first
# lucid: ignore[b, c-d] the next
RUN x && \\
# hadolint ignore=DL3008,DL3009
    y
# lucid: ignore-stage[e] this stage
USER 2
# lucid: ignore-stage[f] the one below
FROM two
RUN <<EOF
# lucid: ignore[g] no comment of the file
EOF
# check=skip=all
USER 1
# lucid: ignore[h] nothing follows
"""


def found(text: str) -> list[Suppression]:
    return list(suppressions(parse(SourceText("Dockerfile", text))))


def scopes(text: str) -> list[tuple[tuple[str, ...], str]]:
    """Return names with the text of what they silence."""
    return [(one.names, text[one.scope.start : one.scope.end].strip()) for one in found(text)]


def test_what_each_silences() -> None:
    run = "RUN x && \\\n# hadolint ignore=DL3008,DL3009\n    y"
    stages = FILE.partition("FROM two")
    assert sorted(scopes(FILE)) == sorted([
        (("StageNameCasing", "WorkdirRelativePath"), FILE.strip()),
        (("a",), FILE.strip()),
        (("b", "c-d"), run),
        (("DL3008", "DL3009"), run),
        (("e",), stages[0][stages[0].index("FROM one") :].strip()),
        (("f",), "".join(stages[1:]).strip()),
        (("all",), "USER 1"),
        (("h",), ""),
    ])  # fmt: skip


def test_reasons_and_dialects() -> None:
    assert [(one.dialect, one.reason) for one in found("# lucid: ignore[a]  two words \nFROM x\n# hadolint ignore=DL1 # why\nRUN y\n")] == [
        ("lucid", "two words"), ("hadolint", "")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("comment", "problem"),
    [
        ("lucid: ignore", "it names no rule: ignore[rule-id] reason"),
        ("lucid: ignore[a", "it names no rule: ignore[rule-id] reason"),
        ("lucid:ignore-file[ , ] x", "it names no rule: ignore-file[rule-id] reason"),
        ("lucid: ignore[a]", "it gives no reason: write one behind the bracket"),
        ("lucid: ignore-all[a] x", "there is no ignore-all; there are ignore, ignore-stage, ignore-file"),
        ("lucid: ignore [a] x", ""),
        ("lucid : ignore[a]x", ""),
    ],
)
def test_what_is_malformed(comment: str, problem: str) -> None:
    (one,) = found(f"# {comment}\nFROM x\n")
    assert one.problem == problem


@pytest.mark.parametrize(
    "comment",
    ["lucid is ignored", "we ignore lucid: ignore[a] x", "hadolint shell=bash", "check=error=true", "ignore=DL1"],
)
def test_what_is_none(comment: str) -> None:
    assert found(f"#\n# {comment}\nFROM x\n") == []


@given(st.text("lucid: ignore-filestage[], abc#\\\n=hadolintcheckskipFROMRUNx<<E", max_size=80))
def test_nothing_crashes(text: str) -> None:
    found(text)
    found(f"# {text}\nFROM x\n")
