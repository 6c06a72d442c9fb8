"""Addresses that others hand us: in a challenge, in a redirect. One reading of them, so that what is checked is what is asked.

A URL that two parsers could read in two ways (a backslash, a control character, an account before the host) is refused.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from socket import inet_aton
from urllib.parse import urljoin

from lucid_audit.image.source import SourceError
from lucid_audit.tuples import NamedTuple

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*)|\[[0-9A-Fa-f:.]+\]"
_URL = re.compile(rf"(https?)://((?:{_HOST}))(?::([0-9]{{1,5}}))?([/?][!-\[\]-~]*)?", re.IGNORECASE)
_PLACE = re.compile(rf"((?:{_HOST}))(?::([0-9]{{1,5}}))?")
_NUMBERS = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}")
_PORTS = {"http": 80, "https": 443}
_SHOWN = 200  # characters of somebody else's text


class Url(NamedTuple):
    """An http or https URL. ``place`` is host and port as written, ``host`` in lower case without port and brackets."""

    text: str
    scheme: str
    place: str
    host: str
    port: int

    @property
    def origin(self) -> tuple[str, str, int]:
        """What credentials belong to."""
        return self.scheme, self.host, self.port


def read_url(text: str, who: str) -> Url:
    """Read a URL; ``who`` gave it.

    Raises:
        SourceError: it is none, or not one that may be used. It is not shown: it may hold a signature or a password.

    """
    bare = text.partition("#")[0]
    match = _URL.fullmatch(bare)
    if match is None or int(match[3] or 0) > 65535:
        raise SourceError(f"{who} names an address that is no plain http or https URL")
    scheme = match[1].lower()
    place = match[2] + (f":{match[3]}" if match[3] else "")
    return Url(bare, scheme, place, match[2].strip("[]").lower(), int(match[3] or _PORTS[scheme]))


def join(base: Url, target: str) -> Url:
    """Return where a redirect leads.

    Raises:
        SourceError: it leads to what is no URL.

    """
    try:
        joined = urljoin(base.text, target)
    except ValueError:
        joined = ""
    return read_url(joined, f"a redirect of {base.place}")


def is_place(text: str) -> bool:
    """Whether a text is a host, with a port or without."""
    match = _PLACE.fullmatch(text)
    return match is not None and int(match[2] or 0) <= 65535


def bare(place: str) -> str:
    """Return a host without port and brackets, in lower case."""
    match = _PLACE.fullmatch(place)
    return match[1].strip("[]").lower() if match is not None else ""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: ``localhost``, names below it (RFC 6761, section 6.3), or a loopback address."""
    found = _address(host)
    return _is_localhost(host) if found is None else found.is_loopback


def is_private(host: str) -> bool:
    """Whether a host is written as something that is not public: this machine, link-local, a private network."""
    found = _address(host)
    return _is_localhost(host) if found is None else not found.is_global


def shown(text: str) -> str:
    """Return somebody else's text on one line, short and without what a terminal would obey."""
    return " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * _SHOWN]).split())[:_SHOWN]


def _is_localhost(host: str) -> bool:
    return host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost")


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a host is written as, in any of the forms that resolvers take: ``127.1``, ``0x7f000001``."""
    text = host.rstrip(".")
    try:
        found = ip_address(text)
    except ValueError:
        if not _NUMBERS.fullmatch(text):
            return None
        try:
            return IPv4Address(inet_aton(text))
        except OSError:
            return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
