"""Values of ``RUN --mount``, read without judging."""

from __future__ import annotations

import pytest

from lucid_audit.dockerfile.mounts import Mount, parse_mount


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("target=/x", Mount("bind", "", "", "/x", ())),
        ("type=cache,dst=/x,sharing=locked", Mount("cache", "", "", "/x", (("sharing", "locked"),))),
        ("TYPE=Bind,From=b,src=/a,destination=/b,rw", Mount("bind", "b", "/a", "/b", (("readwrite", ""),))),
        ("type=secret,id=a,required", Mount("secret", "", "", "", (("id", "a"), ("required", "")))),
        ('"source=a,b","target=c""d"', Mount("bind", "", "a,b", 'c"d', ())),
        ("type=$T,target=${X}", Mount("$T", "", "", "${X}", ())),
        ("source=a,source=b", Mount("bind", "", "b", "", ())),
        ("", Mount("bind", "", "", "", ())),
        ('a"b', Mount("bind", "", "", "", ())),
        (",=", Mount("bind", "", "", "", (("", ""),))),
    ],
)
def test_parse_mount(text: str, expected: Mount) -> None:
    assert parse_mount(text) == expected
