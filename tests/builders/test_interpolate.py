from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.builders.interpolate import interpolate, parse_env
from lucid_audit.values import Unknown

KNOWN = {"K": "v", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("$K/${K}", "v/v"),
        ("$$K", "$K"),
        ("${NONE:-d}", "d"),
        ("${NONE-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${A:-${B:-${K}x}}", "vx"),
        ("${K:?needed}", "v"),
        ("${K:+yes}${NONE:+no}${EMPTY+is}", "yesis"),
    ],
)
def test_a_variable_is_replaced(text: str, value: str) -> None:
    assert interpolate(text, KNOWN) == value


@pytest.mark.parametrize(
    "text", ["$NONE", "a${NONE}b", "${NONE:?needed}", "${NONE?}", "${", "${K", "$", "${1}", "${K/a/b}"]
)
def test_what_nobody_says_is_unknown(text: str) -> None:
    assert isinstance(interpolate(text, KNOWN), Unknown)


def test_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NONE", "x")
    assert isinstance(interpolate("$NONE", {}), Unknown)


def test_env_files() -> None:
    text = "A=1\nexport B='$A'\nC=\"x $A\" # c\n#D=1\nE=z # q\nF=\nG=$NONE\nH: colon\nno line\nURL=a#b\n"
    expected = {"A": "1", "B": "$A", "C": "x 1", "E": "z", "F": "", "H": "colon", "URL": "a#b"}
    assert parse_env(text) == expected


@given(st.text(alphabet="${}:-?+AB_ x'\"\n#=\\", max_size=60))
def test_nothing_crashes(text: str) -> None:
    interpolate(text, KNOWN)
    parse_env(text)


def test_depth_is_bounded() -> None:
    assert isinstance(interpolate("${A:-" * 500 + "x" + "}" * 500, {}), Unknown)
