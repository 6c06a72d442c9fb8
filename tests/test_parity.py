"""The table of other linters' rules is complete: each is said by a rule of ours, or there is a reason why not."""

from __future__ import annotations

import re

import pytest

from lucid_audit import ruleset
from tools.parity import DECISIONS, IDS, NOT_HERE, TOOLS, page, table

RULES = ruleset.load("", "/").rules


@pytest.mark.parametrize("tool", IDS)
def test_every_rule_of_another_tool_is_said_or_left_out_with_a_reason(tool: str) -> None:
    found = table(RULES)[tool]
    assert list(found) == IDS[tool], "equivalents name what the tool does not have"
    without = {name for name, ours in found.items() if not ours}
    assert without == set(NOT_HERE.get(tool, {}))


def test_counts_are_the_tools_own() -> None:
    # hadolint's README, BuildKit's ruleset.go, trivy-checks' and Checkov's folders; ShellCheck's codes are one entry here.
    counts = {"hadolint": 71 + 2, "buildkit": 22, "trivy": 28, "checkov": 28, "dockle": 20}
    assert {tool: len(ids) for tool, ids in IDS.items()} == counts
    assert set(TOOLS) == set(IDS)


def test_decisions_name_rules_that_exist() -> None:
    for name, text in DECISIONS:
        named = set(re.findall(r"[a-z]+(?:-[a-z]+)+", name))
        assert named <= set(RULES), name
        assert text.endswith(".")


def test_every_id_is_on_the_page() -> None:
    text = page(RULES)
    for ids in IDS.values():
        for name in ids:
            assert f"| {name} |" in text or name == "SC"
