"""Challenges of ``WWW-Authenticate``: RFC 9110, section 11.6.1. One header may hold several, and there may be several."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from lucid_audit.tuples import NamedTuple

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_SCHEME = re.compile(rf"[,\s]*({_TOKEN})(?=\s|,|$)(?!\s*=)")
_PARAMETER = re.compile(rf"[,\s]*({_TOKEN})\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s,\"]*))")
_TOKEN68 = re.compile(r"\s+[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))")


class Challenge(NamedTuple):
    """One way to authenticate. ``scheme`` and the names of parameters are in lower case."""

    scheme: str
    parameters: Mapping[str, str]


def parse(headers: Iterable[str]) -> list[Challenge]:
    """Read all challenges; what cannot be read is passed over."""
    found = []
    for header in headers:
        at = 0
        while (scheme := _SCHEME.match(header, at)) is not None:
            at = scheme.end()
            parameters: dict[str, str] = {}
            while (parameter := _PARAMETER.match(header, at)) is not None:
                quoted, plain = parameter[2], parameter[3]
                value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain
                parameters.setdefault(parameter[1].lower(), value)
                at = parameter.end()
            if not parameters and (token := _TOKEN68.match(header, at)) is not None:
                at = token.end()
            found.append(Challenge(scheme[1].lower(), parameters))
    return found
