"""The values of ``RUN --mount`` and ``RUN --device``: fields of one CSV record.

Source: BuildKit ``instructions/commands_runmount.go`` and ``commands_rundevice.go``.
"""

from __future__ import annotations

import re

from lucid_audit.text import Span
from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lucid_audit.dockerfile.model import Word
    from lucid_audit.dockerfile.statement import Statement

_FIELD = r'"((?:[^"]++|"")*+)"(?=,|\Z)|([^",]*)(?=,|\Z)'
_NAMES = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly", "rw": "readwrite"}
_BARE = frozenset({"readonly", "readwrite", "required"})
_KEYS = frozenset(
    {"type", "from", "source", "target", "readonly", "readwrite", "required", "id", "sharing", "size", "mode", "uid", "gid", "env"}
)  # fmt: skip
_TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
_SHARING = ("shared", "private", "locked")
_TRUTH = frozenset(
    {"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"}
)  # strconv.ParseBool
_ONLY: dict[str, tuple[str, ...]] = {
    "size": ("tmpfs",),
    "required": ("secret", "ssh"),
    "sharing": ("cache",),
    "mode": ("secret", "ssh", "cache"),
    "uid": ("secret", "ssh", "cache"),
    "gid": ("secret", "ssh", "cache"),
}  # the types of mount that take an option


class Mount(NamedTuple):
    """One ``--mount`` as written, nothing expanded. ``type`` is "bind" when it is not given.

    ``options`` has the other fields: key in lower case and long form, value ("" for a key alone).
    """

    type: str
    from_: str
    source: str
    target: str
    options: tuple[tuple[str, str], ...]


class Field(NamedTuple):
    """One field of the record: key in lower case and long form, value (None for a key alone), offsets in the text."""

    key: str
    value: str | None
    start: int
    end: int


def parse_mount(text: str) -> Mount:
    """Read the value of a ``--mount`` flag. Never raises: what cannot be read is left out."""
    found = {field.key: field.value or "" for field in fields(text) or ()}
    kind = found.pop("type", "bind")
    kind = kind if "$" in kind else kind.lower()
    stage, source, target = (found.pop(key, "") for key in ("from", "source", "target"))
    return Mount(kind, stage, source, target, tuple(found.items()))


def fields(text: str) -> list[Field] | None:
    """Split a value into its fields; None when it is no CSV record."""
    found: list[Field] = []
    pattern, at = re.compile(_FIELD), 0  # compiled once, by the re module, in files that have a mount
    while True:
        match = pattern.match(text, at)
        if match is None or not text:
            return None
        field = match[1].replace('""', '"') if match[1] is not None else match[2]
        key, equals, value = field.partition("=")
        key = key.lower()
        found.append(Field(_NAMES.get(key, key), value if equals else None, match.start(), match.end()))
        at = match.end() + 1
        if at > len(text):
            return found


def check_mount(statement: Statement, value: Word) -> None:
    """Note what BuildKit refuses in a ``--mount``; values with variables are left for later."""
    record = fields(value.raw)
    if record is None:
        statement.problem("--mount needs fields such as type=cache,target=/path", value.span)
        return
    for field in record:
        message = _mount_field(field)
        if message:
            statement.problem(f"--mount: {message}", _field_span(value, field))
    given = {field.key: field for field in record}
    kind = (given["type"].value or "").lower() if "type" in given else "bind"
    if kind not in _TYPES:
        return
    for key, kinds in _ONLY.items():
        if key in given and kind not in kinds and given[key].value != "":
            message = f"--mount: {key} has no meaning for type={kind}, only for {either(kinds)}"
            statement.problem(message, _field_span(value, given[key]))
    if kind == "secret":
        for message in _secret(given):
            statement.problem(f"--mount: {message}", value.span)


def _mount_field(field: Field) -> str:
    """Say what is wrong with one field; "" when nothing is."""
    key, value = field.key, field.value
    if key not in _KEYS:
        return f"there is no option {key}{did_you_mean(key, sorted(_KEYS))}" if key else "a field is empty"
    if value is None:
        return "" if key in _BARE else f"{key} needs a value: {key}=..."
    if key == "from":
        # A dollar sign at the very end is none of a variable.
        return "from cannot contain a variable; name a stage for it: FROM image AS name" if "$" in value[:-1] else ""
    if "$" in value:
        return ""
    if key == "type" and value.lower() not in _TYPES:
        return f"there is no type {value}{did_you_mean(value, _TYPES)}"
    if key == "sharing" and value.lower() not in _SHARING:
        return f"sharing is {either(_SHARING)}, not {value}"
    if key in _BARE and value not in _TRUTH:
        return f"{key} is true or false, not {value}"
    if key in ("uid", "gid") and not _number(value, 10):
        return f"{key} is a number, not {value}"
    if key == "mode" and not _number(value, 8):
        return f"mode is an octal number such as 0400, not {value}"
    return ""


def _number(value: str, base: int) -> bool:
    """Whether Go reads ``value`` as an unsigned 32-bit number."""
    digits = value.lstrip("0") or value[:1]
    if len(digits) > 11 or not re.fullmatch("[0-7]+" if base == 8 else "[0-9]+", digits):
        return False
    return int(digits, base) < 2**32


def _secret(given: dict[str, Field]) -> Iterator[str]:
    value = {key: field.value or "" for key, field in given.items()}
    if value.get("from"):
        yield "type=secret takes no from"
    if not (value.get("source") or value.get("target") or value.get("id") or value.get("env")):
        yield "type=secret needs an id, a source or a target"
    if value.get("source") and value.get("id"):
        yield "type=secret takes an id or a source, not both"


def check_device(statement: Statement, value: Word) -> None:
    """Note what BuildKit refuses in a ``--device``: one name, and perhaps ``required``."""
    record = fields(value.raw)
    if record is None:
        statement.problem("--device needs the name of a device", value.span)
        return
    name = ""
    for field in record:
        written = value.raw[field.start : field.end]
        if field.key == "required":
            if field.value is not None and field.value not in _TRUTH:
                message = f"--device: required is true or false, not {field.value}"
                statement.problem(message, _field_span(value, field))
        elif not name:
            name = field.value or "" if field.key == "name" else written
        else:
            message = f"--device: {written} is neither the name, which is {name}, nor required"
            statement.problem(message, _field_span(value, field))


def either(words: tuple[str, ...]) -> str:
    """Return "a", "a or b", "a, b or c"."""
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean ...?`` with the known word nearest to ``word``, or "" when none is near."""
    from lucid_audit.schema import nearest  # noqa: PLC0415  (only for people who mistype)

    return nearest(word, known)


def _field_span(value: Word, field: Field) -> Span:
    """Return the place of a field; the place of the whole value when quotes moved its characters."""
    if value.span.end - value.span.start != len(value.raw):
        return value.span
    return Span(value.span.start + field.start, value.span.start + field.end)
