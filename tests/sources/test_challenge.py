"""Challenges of WWW-Authenticate, good, odd and hostile."""

from __future__ import annotations

import re
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.sources.challenge import Challenge, parse

TOKEN = st.from_regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}", fullmatch=True)
VALUE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
SCHEME = st.sampled_from(["Basic", "bearer", "BEARER", "Negotiate", "Digest"])
CHALLENGE = st.tuples(SCHEME, st.dictionaries(TOKEN.map(str.lower), VALUE, max_size=4))


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ([], []),
        (["Basic"], [("basic", {})]),
        (['Basic realm="a b"'], [("basic", {"realm": "a b"})]),
        (["bearer realm=https://a/t,service=s"], [("bearer", {"realm": "https://a/t", "service": "s"})]),
        (['BEARER Realm = "a" , Scope="x,y z"'], [("bearer", {"realm": "a", "scope": "x,y z"})]),
        (['Basic realm="a", Bearer realm="b"'], [("basic", {"realm": "a"}), ("bearer", {"realm": "b"})]),
        (["Negotiate", 'Basic realm="a"'], [("negotiate", {}), ("basic", {"realm": "a"})]),
        (['Negotiate, Basic realm="a"'], [("negotiate", {}), ("basic", {"realm": "a"})]),
        (['Negotiate YII/+a==, Basic realm="a"'], [("negotiate", {}), ("basic", {"realm": "a"})]),
        ([r'Basic realm="a\"b\\c"'], [("basic", {"realm": 'a"b\\c'})]),
        (['Basic realm="a", realm="b"'], [("basic", {"realm": "a"})]),
        (['Bearer realm="a",,, service=""'], [("bearer", {"realm": "a", "service": ""})]),
        (['"nonsense', 'Basic realm="a"'], [("basic", {"realm": "a"})]),
    ],
)
def test_read(headers: list[str], wanted: list[tuple[str, dict[str, str]]]) -> None:
    assert [(one.scheme, one.parameters) for one in parse(headers)] == wanted


def escaped(value: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", value)


@given(st.lists(CHALLENGE, max_size=4), st.booleans())
def test_what_is_written_is_read(challenges: list[tuple[str, dict[str, str]]], together: bool) -> None:
    written = []
    for scheme, parameters in challenges:
        quoted = (f'{name}="{escaped(value)}"' for name, value in parameters.items())
        written.append(f"{scheme} {', '.join(quoted)}".strip())
    found = parse([", ".join(written)] if together else written)
    assert found == [Challenge(scheme.lower(), parameters) for scheme, parameters in challenges]


@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=80), max_size=3))
def test_anything_is_read_without_an_error(headers: list[str]) -> None:
    for one in parse(headers):
        assert one.scheme == one.scheme.lower()


@pytest.mark.parametrize("unit", [",", " ", "a", "a ", "a=", 'a="', "\\", '"\\', "a=a,", "=", "a,", "~ ="])
def test_long_headers_take_no_time(unit: str) -> None:
    start = process_time()
    parse([unit * (65536 // len(unit)), f"Basic {unit * 20000}"])
    assert process_time() - start < 2
