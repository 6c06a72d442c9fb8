"""Native libraries in jars."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.container.jar_natives import natives
from tests.image_sketch import zipped

ARM: dict[str, str] = {"elf": "arm64", "soname": "x"}
AMD: dict[str, str] = {"elf": "amd64", "soname": "x"}


def test_each_machine_once() -> None:
    files = {
        "n/x64/a.so": AMD,
        "n/x64/b.so.1": AMD,
        "n/aarch64/a.so": ARM,
        "n/a.dll": "MZ",
        "n/text.so": "text",
        "n/a.class": "x",
    }
    assert natives(zipped(files)) == [["", "n/aarch64/a.so", "amd64", "arm64"]]


def test_other_systems_do_not_count() -> None:
    files = {
        "native/FreeBSD/x86_64/a.so": AMD,
        "native/Linux-Android/aarch64/a.so": ARM,
        "META-INF/native/sunos64/a.so": AMD,
    }
    assert natives(zipped(files)) == []
    assert natives(zipped({"darling/a.so": AMD, "x/window/a.so": ARM})) != []


def test_archives_within() -> None:
    inner = zipped({"META-INF/native/a.so": AMD})
    deeper = zipped({"c.jar": {"bytes": inner}})
    outer = zipped(
        {"BOOT-INF/lib/a.jar": {"bytes": inner}, "BOOT-INF/lib/b.jar": {"bytes": deeper}, "BOOT-INF/lib/t.jar": "no"}
    )
    assert natives(outer) == [["BOOT-INF/lib/a.jar", "META-INF/native/a.so", "amd64"]]


@given(st.binary(max_size=400), st.integers(0, 300))
def test_hostile_archives(data: bytes, at: int) -> None:
    whole = zipped({"a/x.so": AMD, "b.jar": {"bytes": zipped({"x.so": ARM})}})
    for one in (data, whole[:at] + data + whole[at:], whole[: -at or None] + data):
        assert isinstance(natives(one), list)
