"""Which addresses a health check asks, as far as its text and the known variables tell. Nothing is executed."""

from __future__ import annotations

import re

from lucid_audit.container.config import Argv, Container
from lucid_audit.regex import rx
from lucid_audit.tuples import NamedTuple

LOCAL = frozenset(("localhost", "127.0.0.1", "0.0.0.0", "[::1]", "::1"))
_OPEN = "\0"  # stands for a number that is not known
_PORT = rf"([\d{_OPEN}]+)"
# How Python, JavaScript and the shell read a variable, with a default if there is one.
_VARIABLE = (
    r"(?:os\.)?(?:environ\.get|getenv)\(\s*['\"](?P<get>\w+)['\"]\s*(?:,\s*['\"]?(?P<or>\d*)[^()]*)?\)"
    r"|(?:os\.)?environ\[\s*['\"](?P<item>\w+)['\"]\s*\]"
    r"|\(?process\.env\.(?P<js>\w+)(?:\s*(?:\|\||\?\?)\s*['\"]?(?P<jsor>\d+)['\"]?)?\)?"
    r"|\$\{(?P<sh>\w+)(?::?-(?P<shor>\d+))?\}|\$(?P<bare>[A-Z]\w*)"
)
_URL = rf"https?://(\[[0-9a-fA-F:]+\]|[\w.-]+)(:[\d{_OPEN}]*)?(/[^\s'\"`;){{%{_OPEN}]*)?"
_SOCKET = rf"\(\s*\(?\s*['\"]([\w.:\[\]-]+)['\"]\s*,\s*{_PORT}"
_NODE_SOCKET = rf"\b(?:connect|createConnection)\(\s*{_PORT}(?:\s*,\s*['\"]([\w.]+)['\"])?"
_NODE_OPTIONS = rf"\bport['\"]?\s*:\s*['\"]?{_PORT}"
_PLAIN = rf"(?<![\w/@.:])(localhost|127\.0\.0\.1)[: ]{_PORT}(/[^\s'\"`;)]*)?"


class Asked(NamedTuple):
    """One address a probe asks. ``port`` is None when it is not known; ``path`` is "" for a bare socket."""

    host: str
    port: int | None
    path: str


def asks(argv: Argv, container: Container) -> list[Asked]:
    """Return the addresses that a probe asks, variables of the environment filled in where they are known."""
    text = _joined(" ".join(word for word in argv.args if isinstance(word, str)), container)
    # Each pattern is only compiled for texts that may match: compiling all takes longer than reading most files.
    if "://" in text:
        found = [Asked(match[1], _url_port(match, text), match[3] or "/") for match in rx(_URL).finditer(text)]
    else:
        found = [Asked(match[1], _number(match[2]), match[3] or "") for match in rx(_PLAIN).finditer(text)]
    if "onnect" in text:
        found += [Asked(match[1], _number(match[2]), "") for match in rx(_SOCKET).finditer(text)]
        found += [Asked(match[2] or "localhost", _number(match[1]), "") for match in rx(_NODE_SOCKET).finditer(text)]
    option = rx(_NODE_OPTIONS).search(text) if any(key in text for key in ("port:", "port':", 'port":')) else None
    if option is not None:
        host = rx(r"\bhost(?:name)?['\"]?\s*:\s*['\"]([\w.:-]+)").search(text)
        path = rx(r"\bpath['\"]?\s*:\s*['\"](/[^'\"]*)").search(text)
        found.append(Asked(host[1] if host else "localhost", _number(option[1]), path[1] if path else ""))
    return found


def _joined(text: str, container: Container) -> str:
    """Fill in variables, and put addresses together that the text builds from pieces."""
    if "env" in text or "$" in text:
        text = rx(_VARIABLE).sub(lambda match: _filled(match, container), text)
    number = rf"['\"]?{_PORT}['\"]?"
    if any(call in text for call in ("int(", "Int(", "str(", "String(", "Number(")):
        text = rx(rf"\b(?:int|str|String|Number|parseInt)\(\s*{number}\s*(?:,\s*10\s*)?\)").sub(r"\1", text)
    if "=" in text and any(char in text for char in ";\n"):
        text = _assigned(text, number)
    if "{" in text:
        text = rx(rf"\$?\{{\s*{_PORT}\s*\}}").sub(r"\1", text)
    if "+" in text:
        text = rx(rf"(?<=:)['\"]\s*\+\s*{number}\s*(?:\+\s*['\"])?").sub(r"\1", text)
    return text


def _assigned(text: str, number: str) -> str:
    """Put the numbers that a probe gives to its own variables where these go into a text or an address."""
    for name, value in rx(rf"(?:^|[;\n ])([A-Za-z_]\w*)\s*=\s*{number}\s*(?=[;\n]|$)").findall(text):
        text = rx(rf"\{{\s*{name}\s*\}}").sub(value, text)
        text = rx(rf"(,\s*|\+\s*(?:str\()?){name}\b\)?(?=\s*[+),]|$)").sub(rf"\g<1>{value}", text)
    return text


def _filled(match: re.Match[str], container: Container) -> str:
    """Return the value of a variable for a probe's text: a number, or the sign for one that is not known."""
    name = match["get"] or match["item"] or match["js"] or match["sh"] or match["bare"]
    default = match["or"] or match["jsor"] or match["shor"] or ""
    traced = container.env.get(name)
    value = default if traced is None and not container.env_open else traced.known() if traced is not None else None
    return value if value is not None and value.isdigit() else _OPEN


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() and len(text) < 6 else None


def _url_port(match: re.Match[str], text: str) -> int | None:
    """Return the port of a URL, the scheme's when it names none; None when it is put together elsewhere."""
    if match[2] is not None:
        return _number(match[2][1:])
    if match[3] is None and rx(r"['\"]?\s*[+{%$\0]").match(text, match.end()):
        return None
    return 443 if match[0].startswith("https") else 80
