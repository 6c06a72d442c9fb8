"""Addresses that others hand us."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.image.source import SourceError
from lucid_audit.sources.urls import bare, is_loopback, is_place, is_private, join, read_url, shown


@pytest.mark.parametrize(
    ("text", "place", "host", "port"),
    [
        ("https://a.test/x?y#z", "a.test", "a.test", 443),
        ("HTTP://A.Test:80", "A.Test:80", "a.test", 80),
        ("https://[::1]:5000/v2/", "[::1]:5000", "::1", 5000),
        ("https://a.test?x=1", "a.test", "a.test", 443),
    ],
)
def test_read(text: str, place: str, host: str, port: int) -> None:
    url = read_url(text, "it")
    assert (url.place, url.host, url.port) == (place, host, port)
    assert "#" not in url.text


@pytest.mark.parametrize(
    "text",
    ["", "a.test", "//a.test", "ftp://a.test", "file:///etc/passwd", "https://", "https:///x", "https://[", "https://a b/",
     "https://me:pass@a.test/", "https://a.test\\@b.test/", "https://a.test/\r\nX: y", "https://a.test/\x00", "https://a:99999/",
     "https://a:b/", "https://../x", "https://é.test/", "https://a.test/é", "https://a.test/\\x", "http://[::1%25eth0]/"],
)  # fmt: skip
def test_refused_and_not_shown(text: str) -> None:
    with pytest.raises(SourceError, match="no plain http or https URL") as caught:
        read_url(text, "it")
    assert "pass" not in str(caught.value)


@given(st.text(max_size=40), st.sampled_from(["", "http://", "https://", "https://a.test", "https://["]))
def test_anything_is_read_or_refused(text: str, start: str) -> None:
    for base in (None, read_url("https://b.test/x", "it")):
        try:
            url = read_url(start + text, "it") if base is None else join(base, start + text)
        except SourceError:
            continue
        assert url.scheme in ("http", "https")
        assert is_place(url.place)
        is_private(url.host)


def test_join() -> None:
    base = read_url("https://a.test/v2/x", "it")
    assert join(base, "/y").text == "https://a.test/y"
    assert join(base, "//b.test/y").host == "b.test"
    assert join(base, "https://a.test:443/").origin == base.origin


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost.", "x.localhost", "127.0.0.1", "127.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.1",
     "0177.0.0.1", "127.0.0.1.", "::1", "::ffff:127.0.0.1"],
)  # fmt: skip
def test_this_machine(host: str) -> None:
    assert is_loopback(host)
    assert is_private(host)


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "0", "fe80::1", "fd00::1", "10.1",
     "2852039166", "::ffff:10.0.0.1"],
)  # fmt: skip
def test_private_addresses(host: str) -> None:
    assert is_private(host)
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "host", ["a.test", "8.8.8.8", "2001:4860:4860::8888", "localhost.test", "notlocalhost", "", "1.2.3.4.5", "deadbeef"]
)
def test_public_names(host: str) -> None:
    assert not is_private(host)
    assert not is_loopback(host)


def test_bare() -> None:
    assert [bare(place) for place in ("A.test:5", "[::1]:5", "a.test", "a b")] == ["a.test", "::1", "a.test", ""]


def test_shown() -> None:
    assert shown("a\x1b[1m\r\n b\u202e" + "x" * 1000) == ("a [1m b " + "x" * 1000)[:200]
