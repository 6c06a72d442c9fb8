from __future__ import annotations

import pytest

from lucid_audit.errors import UsageError
from lucid_audit.yamlsource import load, too_deep


@pytest.mark.parametrize(
    "text", ["[" * 5000, "{a: " * 5000, "- " * 5000, "\n".join(" " * n + "a:" for n in range(500)), "? " * 5000]
)
def test_what_is_nested_too_deeply_is_refused(text: str) -> None:
    assert too_deep(text)
    with pytest.raises(UsageError, match="nested too deeply"):
        load("policy.yaml", text)


@pytest.mark.parametrize("text", ["a: 1", "- a\n" * 500, "a: [" + "1, " * 500 + "1]", "key: value\n" * 300, "%", ""])
def test_what_is_long_is_not_deep(text: str) -> None:
    assert not too_deep(text)


@pytest.mark.parametrize("text", ["2026-02-30", "2026-11-23", "2026-11-23T25:00:00Z"])
def test_a_date_is_the_text_that_is_written(text: str) -> None:
    assert load("x.yaml", f"day: {text}\n").data == {"day": text}
