"""Values BuildKit checks: times and numbers of HEALTHCHECK, ports of EXPOSE, the signal of STOPSIGNAL.

A value with a variable is judged once it is expanded, by the rules; here only what is written in full.
Sources: BuildKit ``instructions/parse.go``, ``dockerfile2llb/convert_expose.go``; Go ``time.ParseDuration``,
``strconv``, ``net.ParseIP``; moby/sys ``signal``.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lucid_audit.dockerfile.model import Word
    from lucid_audit.dockerfile.statement import Statement

# Compiled when they are needed first, by the re module; many files have no use for them.
_DURATION = r"[+-]?(?:0|(?:(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:ns|us|µs|μs|ms|s|m|h))++)"
_PART = r"([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)"
_NANOSECONDS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
}  # fmt: skip
_MINIMUM = 10**6  # 1 ms, in nanoseconds
_INTEGER = r"[+-]?0*([0-9]{1,12})"
_SIGNALS = (
    " ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP "
    "TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX "
)
_REAL_TIME = r"RTMIN\+([1-9]|1[0-5])|RTMAX-([1-9]|1[0-4])"
_PROTOCOLS = ("", "tcp", "udp", "sctp")


def check_times(statement: Statement) -> None:
    """Note intervals and retries of HEALTHCHECK that are no duration or no number, negative or too short."""
    for flag in statement.flags:
        if flag.value is None or not flag.value.raw:
            continue
        text, span = flag.value.raw, flag.value.span
        if flag.name == "retries":
            match = re.fullmatch(_INTEGER, text)
            if match is None or int(match[1]) > 2**31 - 1:
                statement.problem(f"--retries is a number, not {text}", span)
            elif text.startswith("-") and int(match[1]):
                statement.problem("--retries cannot be negative", span)
        elif flag.name in ("interval", "timeout", "start-period", "start-interval"):
            value = nanoseconds(text)
            if value is None:
                statement.problem(f"--{flag.name} is a duration such as 30s or 1m30s, not {text}", span)
            elif value < _MINIMUM and value != 0:
                statement.problem(f"--{flag.name} cannot be less than 1ms", span)


def nanoseconds(text: str) -> int | None:
    """Return a Go duration in nanoseconds, or None when it is none or passes 2**63 ns (about 292 years)."""
    if len(text) > 200 or not re.fullmatch(_DURATION, text):
        return None
    total = 0
    for whole, fraction, unit in re.findall(_PART, text):
        scale = _NANOSECONDS[unit]
        total += int(whole or 0) * scale + int(fraction or 0) * scale // 10 ** len(fraction)
    if total >= 2**63:
        return None
    return -total if text.startswith("-") else total


def check_signal(statement: Statement, word: Word) -> None:
    """Note a constant that is no signal of Linux, by name (with or without SIG) or number."""
    text = constant(word.raw)
    if text is None:
        return
    name = text.upper().removeprefix("SIG")
    number = re.fullmatch(r"[+-]?([0-9]{1,18})", text)
    if not (int(number[1]) if number else f" {name} " in _SIGNALS or re.fullmatch(_REAL_TIME, name)):
        statement.problem(f"{text or 'an empty word'} is no signal", word.span)


def check_port(statement: Statement, word: Word) -> None:
    """Note a constant that is no port, range of ports or mapping, each perhaps with a protocol."""
    text = constant(word.raw)
    if text is None:
        return
    message = _port_problem(text)
    if message:
        statement.problem(message, word.span)


def constant(raw: str) -> str | None:
    """Return a word's value when it needs no expansion: no variable, no escape, no quotes but around all of it."""
    if len(raw) > 1 and raw[0] == raw[-1] and raw[0] in "'\"":
        raw = raw[1:-1]
    return None if any(char in raw for char in "$\\`'\"") else raw


def _port_problem(text: str) -> str:
    address, host, rest = _parts(text)
    port, _, protocol = rest.partition("/")
    if protocol.lower() not in _PROTOCOLS:
        return f"EXPOSE knows tcp, udp and sctp, not {protocol}"
    ports = _range(port)
    if ports is None:
        return f"{port or text} is no port: a number up to 65535, or a range such as 8000-8010"
    if address and not _is_address(address):
        return f"{address} is no IP address"
    if not host:
        return ""
    hosts = _range(host)
    if hosts is None:
        return f"{host} is no port: a number up to 65535, or a range such as 8000-8010"
    if hosts[1] - hosts[0] != ports[1] - ports[0] and ports[0] != ports[1]:
        return f"the ranges {host} and {port} differ in length"
    return ""


def _parts(text: str) -> tuple[str, str, str]:
    """Split ``[address:][host:]container`` at the last two colons."""
    head, _, container = text.rpartition(":")
    address, _, host = head.rpartition(":")
    return address, host, container


def _range(text: str) -> tuple[int, int] | None:
    first, dash, last = text.partition("-")
    start, end = _port(first), _port(last) if dash else _port(first)
    return (start, end) if start is not None and end is not None and start <= end else None


def _port(text: str) -> int | None:
    """Read a number up to 65535: digits only, as Go does."""
    if not (text.isascii() and text.isdigit()) or len(text.lstrip("0")) > 5 or int(text[-5:]) > 65_535:
        return None
    return int(text[-5:])


def _is_address(text: str) -> bool:
    from ipaddress import ip_address  # noqa: PLC0415  (nearly no EXPOSE has an address)

    if text.startswith("["):
        text = text[1:-1] if text.endswith("]") else "?"
    try:
        return not hasattr(ip_address(text), "scope_id") or "%" not in text
    except ValueError:
        return False
