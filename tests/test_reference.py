from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid_audit.reference import parse

SHA = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "name", "tag", "digest", "familiar"),
    [
        ("python", "docker.io/library/python", None, None, "python"),
        ("python:3.11", "docker.io/library/python", "3.11", None, "python:3.11"),
        ("docker.io/python", "docker.io/library/python", None, None, "python"),
        ("docker.io/library/python:3", "docker.io/library/python", "3", None, "python:3"),
        ("index.docker.io/library/python", "docker.io/library/python", None, None, "python"),
        ("index.docker.io/python", "docker.io/library/python", None, None, "python"),
        ("pickme/x", "docker.io/pickme/x", None, None, "pickme/x"),
        ("pickme/lucid:base-arm64", "docker.io/pickme/lucid", "base-arm64", None, "pickme/lucid:base-arm64"),
        ("library/a/b", "docker.io/library/a/b", None, None, "library/a/b"),
        ("localhost/x", "localhost/x", None, None, "localhost/x"),
        ("localhost:5000/x", "localhost:5000/x", None, None, "localhost:5000/x"),
        ("localhost:5000/x:1", "localhost:5000/x", "1", None, "localhost:5000/x:1"),
        ("[2001:db8::1]:5000/x:1", "[2001:db8::1]:5000/x", "1", None, "[2001:db8::1]:5000/x:1"),
        ("Registry/x", "Registry/x", None, None, "Registry/x"),
        (
            "gcr.io/distroless/static-debian12:nonroot",
            "gcr.io/distroless/static-debian12",
            "nonroot",
            None,
            "gcr.io/distroless/static-debian12:nonroot",
        ),
        (f"python:3.11@{SHA}", "docker.io/library/python", "3.11", SHA, f"python:3.11@{SHA}"),
        (f"python@{SHA}", "docker.io/library/python", None, SHA, f"python@{SHA}"),
        ("docker.io/a.b/c", "docker.io/a.b/c", None, None, "docker.io/a.b/c"),
        ("x/a__b-c---d.e/f", "docker.io/x/a__b-c---d.e/f", None, None, "x/a__b-c---d.e/f"),
        ("x:_Tag.1-2", "docker.io/library/x", "_Tag.1-2", None, "x:_Tag.1-2"),
        ("localhost:5000", "docker.io/library/localhost", "5000", None, "localhost:5000"),
    ],
)
def test_normalised(text: str, name: str, tag: str | None, digest: str | None, familiar: str) -> None:
    ref = parse(text)
    assert ref is not None
    assert (ref.name, ref.tag, ref.digest, ref.familiar) == (name, tag, digest, familiar)
    assert ref.original == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "Python:3.11",
        "pickme/X",
        "python:",
        ":3.11",
        "python@",
        "python@sha256:abc",
        f"python@{SHA.upper()}",
        "python@md5:" + "0" * 32,
        f"python@{SHA}:3.11",
        "python:3.11:4",
        "python:-1",
        "python:" + "x" * 129,
        "a//b",
        "/a",
        "a/",
        "-a",
        "a-",
        "a..b",
        "a___b",
        "https://gcr.io/x",
        "python:3.11 ",
        "python\n",
        "python:1\n",
        "py\u0660",
        "${BASE}",
        "0123456789abcdef" * 4,
        "gcr.io:port/x",
        "a/" * 127 + "ab",
    ],
)
def test_refused(text: str) -> None:
    assert parse(text) is None


def test_the_longest_names() -> None:
    assert parse("registry.example/" + "a" * 255) is not None
    assert parse("registry.example/" + "a" * 256) is None
    assert parse("x:" + "y" * 128) is not None


COMPONENT = st.from_regex(r"[a-z0-9]{1,4}(?:(?:[._]|__|-{1,3})[a-z0-9]{1,3}){0,2}", fullmatch=True)
REFERENCES = st.builds(
    lambda host, path, tag, digest: host + "/".join(path) + tag + digest,
    st.sampled_from(["", "docker.io/", "index.docker.io/", "localhost/", "localhost:5000/", "gcr.io/", "r.example:1/"]),
    st.lists(COMPONENT, min_size=1, max_size=3),
    st.one_of(st.just(""), st.from_regex(r":[A-Za-z0-9_][A-Za-z0-9_.-]{0,8}", fullmatch=True)),
    st.sampled_from(["", f"@{SHA}"]),
)


@settings(max_examples=200, deadline=None)
@given(REFERENCES)
def test_round_trip(text: str) -> None:
    ref = parse(text)
    if ref is None:  # only a bare first component that reads as a host, like ``a_b.c/d``
        assert "_" in text
        return
    for form in (str(ref), ref.familiar):
        again = parse(form)
        assert again is not None
        assert again[:4] == ref[:4]


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=40), st.text(alphabet="aZ0.:/@-_[]", max_size=20)))
def test_never_raises(text: str) -> None:
    ref = parse(text)
    if ref is not None:
        assert parse(str(ref)) is not None
