"""Every fix against the examples of its rules and every fixture: it helps, it is a fixed point, it touches only its bytes."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit import lint, repair
from lucid_audit.catalogue import KINDS, folder
from lucid_audit.checks import LINT
from lucid_audit.fixes import Edit, load
from lucid_audit.mend import applied, mend
from lucid_audit.policy import Policy, select
from lucid_audit.ruleset import load as load_rules
from lucid_audit.text import SourceText
from lucid_audit.yamlsource import load as load_yaml
from tests.dockerfile.generate import dockerfiles
from tests.fixes.mending import looking, mended, rules

FIXTURES = Path(__file__).parents[2] / "fixtures" / "dockerfiles"


def bad_examples(rule: str) -> list[dict[str, Any]]:
    file = next(folder() / kind / f"{rule}.yaml" for kind in KINDS if (folder() / kind / f"{rule}.yaml").is_file())
    return [
        one for one in load_yaml(str(file), file.read_text("utf-8")).data["examples"] if isinstance(one.get("bad"), str)
    ]


@pytest.mark.parametrize("rule", sorted(load()))
def test_examples_of_the_rule(rule: str) -> None:
    examples = bad_examples(rule)
    assert examples, "a fix is for a rule that exists"
    found = load_rules("", "/")
    repaired = 0
    for example in examples:
        active = select(
            found.rules,
            found.profiles,
            Policy(rules={rule: {"params": example.get("params", {})}}),
            only=[rule],
            subjects=LINT,
        )
        look = looking(active, example)
        source = SourceText("Dockerfile", example["bad"])
        once = mend(source, look, unsafe=True)
        before, after = look(source)[0], look(once.source)[0]
        assert len(after.findings) == len(before.findings) - len(once.fixed)
        repaired += len(once.fixed)
        assert not mend(once.source, look, unsafe=True).fixed
    assert repaired


def test_fixtures(tmp_path: Path) -> None:
    request = lint.Request((str(FIXTURES),), date(2026, 11, 23), profile="strict")
    changed = list(repair.run(request, unsafe=True))
    assert len(changed) > 20  # many of them are wrong in a way that can be repaired
    for one in changed:
        assert one.fixed
        assert one.before != one.after


@given(dockerfiles())
def test_fixed_point(text: str) -> None:
    look = looking(rules(profile="strict"))
    source = SourceText("Dockerfile", text)
    once = mend(source, look, unsafe=True)
    before, after = look(source)[0], look(once.source)[0]
    assert not after.problems or before.problems
    assert not Counter(f.rule for f in after.findings) - Counter(f.rule for f in before.findings)
    again = mend(once.source, look, unsafe=True)
    assert again.source.text == once.source.text
    assert not again.fixed


@given(
    st.text(max_size=20), st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.text(max_size=3)), max_size=4)
)
def test_edits_touch_only_their_characters(text: str, raw: list[tuple[int, int, str]]) -> None:
    edits = [Edit(min(a, b, len(text)), min(max(a, b), len(text)), new) for a, b, new in raw]
    found = applied(text, edits)
    overlap = any(one.end > other.start for one, other in zip(sorted(edits), sorted(edits)[1:], strict=False))
    assert (found is None) == (not edits or overlap)
    if found is not None:
        assert len(found) == len(text) + sum(len(edit.text) - (edit.end - edit.start) for edit in edits)


def test_suppressed_findings_are_left_alone() -> None:
    text = "FROM gcr.io/distroless/python3-debian13:nonroot\n# lucid: ignore[expose-protocol-casing] the tool reads it so\nEXPOSE 80/TCP\n"
    assert mended(text).source.text == text
