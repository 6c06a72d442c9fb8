"""Challenges of WWW-Authenticate, in one header and in several."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.sources.challenge import Challenge, choose, parse

NAME = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)
VALUE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


@given(st.lists(st.text(max_size=60), max_size=3))
def test_nothing_breaks_it(headers: list[str]) -> None:
    parse(headers)


@given(st.lists(st.tuples(NAME, st.dictionaries(NAME, VALUE, max_size=3)), min_size=1, max_size=3), st.booleans())
def test_what_is_written_is_read(challenges: list[tuple[str, dict[str, str]]], together: bool) -> None:
    def quoted(value: str) -> str:
        return value.replace("\\", "\\\\").replace('"', '\\"')

    written = [
        f"{scheme} " + ", ".join(f'{name}="{quoted(value)}"' for name, value in parameters.items())
        for scheme, parameters in challenges
    ]
    headers = [", ".join(text.strip() for text in written)] if together else written
    assert parse(headers) == [Challenge(scheme, parameters) for scheme, parameters in challenges]


def test_real_ones() -> None:
    (one,) = parse(['Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull,push"'])
    assert one == (
        "bearer",
        {"realm": "https://auth.example/token", "service": "registry", "scope": "repository:a/b:pull,push"},
    )
    assert [c.scheme for c in parse(["Negotiate", 'NTLM, Basic realm="x"'])] == ["negotiate", "ntlm", "basic"]
    assert [c.scheme for c in parse(["Negotiate YII=, Bearer realm=x"])] == ["negotiate", "bearer"]
    assert parse(["BEARER realm=unquoted, service = spaced"]) == [
        ("bearer", {"realm": "unquoted", "service": "spaced"})
    ]


def test_the_first_that_can_be_answered() -> None:
    assert choose(parse(["Negotiate", "Digest qop=auth"])) is None
    found = choose(parse(['Digest qop=auth, Basic realm="a", Bearer realm="b"']))
    assert found is not None
    assert found.scheme == "basic"
