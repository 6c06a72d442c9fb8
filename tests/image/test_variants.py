"""Files that packages bring for several platforms side by side."""

from __future__ import annotations

import pytest

from lucid_audit.image.variants import group, package, plain

SAME = [
    ("/a/node_modules/@img/sharp-linux-x64/lib/sharp-linux-x64.node", "/a/node_modules/@img/sharp-linuxmusl-arm64/lib/sharp-linuxmusl-arm64.node"),
    ("/a/prebuilds/linux-x64/node.napi.glibc.node", "/a/prebuilds/android-arm64/node.napi.node"),
    ("/a/rollup.linux-x64-gnu.node", "/a/rollup.linux-x64-musl.node"),
    ("/usr/lib/x86_64-linux-gnu/libx.so.1", "/usr/lib/aarch64-linux-gnu/libx.so.1"),
    ("/s/_x.cpython-313-x86_64-linux-gnu.so", "/s/_x.cpython-313-aarch64-linux-gnu.so"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_variants_are_called_alike(one: str, other: str) -> None:
    assert plain(one) == plain(other)


@pytest.mark.parametrize(
    ("one", "other"), [("/a/armor.so", "/a/or.so"), ("/a/libx.so.1", "/a/libx.so.2"), ("/a/gnupg", "/a/pg")]
)
def test_words_within_words_are_no_platforms(one: str, other: str) -> None:
    assert plain(one) != plain(other)


def test_packages_and_folders() -> None:
    assert package("/a/node_modules/x/node_modules/@s/y/build/y.node") == "/a/node_modules/x/node_modules/@s/y"
    assert package("/v/lib/python3.11/site-packages/numpy.libs/libx.so") == "/v/lib/python3.11/site-packages/numpy"
    assert package("/v/lib/python3.11/site-packages/_one.so") == ""
    assert group("/v/lib/python3.11/site-packages/_one.so") == "/v/lib/python3.11/site-packages"
    assert (group("/usr/lib/libx.so"), group("/run")) == ("/usr/lib", "/")
