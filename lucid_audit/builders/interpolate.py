"""Variables in compose files: the ``.env`` beside the file, and ``${NAME:-default}`` and its kin.

Source: compose specification, chapter interpolation, and compose-spec/compose-go ``template/template.go``,
``dotenv/parser.go``. The environment of this process is never asked: what is judged must not depend on who judges.
"""

from __future__ import annotations

import re

from lucid_audit.values import Unknown, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

DEPTH = 20  # defaults in defaults
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*[=:]\s*(.*)")


def interpolate(text: str, known: Mapping[str, str], depth: int = 0) -> Value:
    """Return a text with its variables replaced. A variable that is neither known nor has a default makes it unknown."""
    if "$" not in text:
        return text
    if depth > DEPTH:
        return Unknown("its variables are nested too deeply")
    found: list[str] = []
    at = 0
    while (dollar := text.find("$", at)) >= 0:
        found.append(text[at:dollar])
        if text.startswith("$$", dollar):
            found.append("$")
            at = dollar + 2
            continue
        value, at = _variable(text, dollar, known, depth)
        if isinstance(value, Unknown):
            return value
        found.append(value)
    return "".join(found) + text[at:]


def _variable(text: str, dollar: int, known: Mapping[str, str], depth: int) -> tuple[Value, int]:
    """Return the value of the variable at ``$`` and where the text goes on."""
    braced = text.startswith("${", dollar)
    name = _NAME.match(text, dollar + 1 + braced)
    if name is None:
        return Unknown(f"{text[dollar : dollar + 12]!r} is no variable"), dollar
    if not braced:
        return _value(name[0], known), name.end()
    end = _closing(text, dollar + 2)
    if end < 0:
        return Unknown(f"a brace is not closed after ${{{name[0]}"), dollar
    if end == name.end():
        return _value(name[0], known), end + 1
    operator = _OPERATOR.match(text, name.end())
    if operator is None:
        return Unknown(f"{text[dollar : end + 1]!r} is no variable"), dollar
    given = known.get(name[0])
    present = bool(given) if operator[0].startswith(":") else given is not None
    word = text[operator.end() : end]
    if operator[0].endswith("+"):
        return interpolate(word, known, depth + 1) if present else "", end + 1
    if present and given is not None:
        return given, end + 1
    if operator[0].endswith("?"):
        return _value(name[0], {}), end + 1
    return interpolate(word, known, depth + 1), end + 1


def _value(name: str, known: Mapping[str, str]) -> Value:
    given = known.get(name)
    return given if given is not None else Unknown(f"${{{name}}} has no value in .env and no default")


def _closing(text: str, start: int) -> int:
    """Return where the brace that was opened before ``start`` closes, -1 when it does not."""
    depth, at = 1, start
    while at < len(text):
        if text.startswith("${", at):
            depth += 1
            at += 1
        elif text[at] == "}":
            depth -= 1
            if not depth:
                return at
        at += 1
    return -1


def parse_env(text: str) -> dict[str, str]:
    """Return the variables of an ``.env`` file; lines that are none, and values that are not known, are left out."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None or line.lstrip().startswith("#"):
            continue
        value, literal = _unquoted(match[2])
        read = value if literal else interpolate(value, found)
        if isinstance(read, str):
            found[match[1]] = read
        else:
            found.pop(match[1], None)
    return found


def _unquoted(raw: str) -> tuple[str, bool]:
    """Return a value without quotes or the comment behind it, and whether it is to be taken as it stands."""
    quote = raw[:1]
    if quote in ("'", '"') and (end := raw.find(quote, 1)) > 0:
        return raw[1:end], quote == "'"
    comment = re.search(r"(?:^|\s)#", raw)
    return (raw[: comment.start()] if comment else raw).strip(), False
