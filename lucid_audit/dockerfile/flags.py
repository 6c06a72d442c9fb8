r"""Flags of instructions: ``--name=value`` before the arguments.

Sources: BuildKit ``parser/split_command.go`` (how they are read: quotes and ``\`` are taken off here, whatever the
``escape`` directive says), ``instructions/bflag.go`` and ``parse.go`` (which there are and what they take).
"""

from __future__ import annotations

from lucid_audit.dockerfile.lexer import ASCII_SPACE
from lucid_audit.dockerfile.model import Flag, SourceMap, Word
from lucid_audit.dockerfile.mounts import check_device, check_mount, did_you_mean, either
from lucid_audit.regex import regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lucid_audit.dockerfile.statement import Statement

# A flag of ASCII characters without quotes and backslashes, which is nearly every flag.
_PLAIN = regex(r"--([!#-&(-<>-\[\]-~]*)(?:=([!#-&(-\[\]-~]*))?(?=[\t\v\f\r ]|\Z)")

_TRANSFER = {"chown": "text", "chmod": "text", "link": "bool", "exclude": "list"}
KINDS: dict[str, dict[str, str]] = {
    "FROM": {"platform": "text"},
    "RUN": {"mount": "list", "device": "list", "network": "text", "security": "text"},
    "COPY": {**_TRANSFER, "from": "text", "parents": "bool"},
    "ADD": {**_TRANSFER, "checksum": "text", "keep-git-dir": "bool", "unpack": "bool"},
    "HEALTHCHECK": dict.fromkeys(("interval", "timeout", "start-period", "start-interval", "retries"), "text"),
}
"""What the flags of an instruction take: "text" once, "list" any number of times, "bool" a truth value or nothing."""

_UNCHECKED = frozenset({"ARG", "STOPSIGNAL"})  # BuildKit reads their flags and looks at none
_CHOICES = {"network": ("default", "none", "host"), "security": ("sandbox", "insecure")}


def read_flags(source: SourceMap, at: int, end: int) -> tuple[tuple[Flag, ...], int]:
    """Read the flags that start at ``at``; return them and the offset of what follows. ``--`` alone ends them."""
    text = source.text
    flags: list[Flag] = []
    while text.startswith("--", at, end):
        match = _PLAIN.match(text, at, end)
        stop = match.end() if match is not None else at
        if match is None:
            word, places, stop = _cooked(text, at, end)
            if word == "--" and not (stop < end and text[stop] > "\x7f"):  # of such a letter a byte belongs to the flag
                return tuple(flags), stop
            name, sign, value = word[2:].partition("=")
            equals, start = bool(sign), places[len(name) + 2] + 1 if sign else stop
        elif stop == at + 2:
            return tuple(flags), stop
        else:
            name, value, equals = match[1], match[2] or "", match[2] is not None
            start = match.start(2)
        flags.append(Flag(name, Word(value, source.span(start, stop)) if equals else None, source.span(at, stop)))
        at = stop + 1 if stop < end and text[stop] > "\x7f" else stop  # such a letter is a space here, see below
        while at < end and text[at] in ASCII_SPACE:
            at += 1
    return tuple(flags), at


def _cooked(text: str, at: int, end: int) -> tuple[str, list[int], int]:
    """Read one flag with quotes or escapes: its text without them, the offset of every character, where it ends."""
    chars: list[str] = []
    places: list[int] = []
    quote = ""
    while at < end:
        char = text[at]
        if not quote and _ends_flag(char):
            break
        if quote and char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        else:
            if char == "\\":
                at += 1
                if at == end or (not quote and _is_space(text[at].encode("utf-8", "surrogateescape")[1:])):
                    break  # it escapes one byte alone
            chars.append(text[at])
            places.append(at)
        at += 1
    return "".join(chars), places, at


def _ends_flag(char: str) -> bool:
    """Whether a flag ends here. BuildKit looks at bytes: a letter such as ``à`` holds 0xA0, which it takes for a space."""
    if char < "\x80":
        return char in ASCII_SPACE
    return _is_space(char.encode("utf-8", "surrogateescape"))


def _is_space(data: bytes) -> bool:
    return b"\x85" in data or b"\xa0" in data


def check_flags(statement: Statement) -> None:
    """Note every flag that the instruction does not know, that is doubled or whose value is missing or impossible."""
    keyword = statement.keyword
    if keyword in _UNCHECKED:
        return
    kinds = KINDS.get(keyword, {})
    seen: set[str] = set()
    for flag in statement.flags:
        name, kind = flag.name, kinds.get(flag.name)
        if kind is None:
            statement.problem(f"{keyword} has no flag --{name}{_hint(name, kinds)}", flag.span)
            continue
        if name in seen and kind != "list":
            statement.problem(f"--{name} is given twice", flag.span)
        seen.add(name)
        _check_value(statement, flag, kind)


def _check_value(statement: Statement, flag: Flag, kind: str) -> None:
    name, value = flag.name, flag.value
    if value is None:
        if kind != "bool":
            statement.problem(f"--{name} needs a value: --{name}=...", flag.span)
    elif kind == "bool":
        if not value.raw:
            statement.problem(f"--{name}= has no value; write true or false, or --{name} alone", flag.span)
        elif value.raw.lower() not in ("true", "false"):
            statement.problem(f"--{name} is true or false, not {value.raw}", value.span)
    elif name == "mount":
        check_mount(statement, value)
    elif name == "device":
        check_device(statement, value)
    elif name == "from" and "$" in value.raw:
        statement.problem("--from cannot contain a variable; name a stage for it: FROM image AS name", value.span)
    elif name in _CHOICES and value.raw not in _CHOICES[name]:
        statement.problem(f"--{name} is {either(_CHOICES[name])}, not {value.raw or 'empty'}", value.span)


def _hint(name: str, kinds: dict[str, str]) -> str:
    return did_you_mean(name, kinds).replace("mean ", "mean --") if kinds else ""
