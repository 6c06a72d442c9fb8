"""JSON Schemas of check parameters, derived from their records; and validation with lines in the messages."""

from __future__ import annotations

from collections.abc import Iterable
from types import UnionType

from lucid_audit.errors import UsageError
from lucid_audit.record import REQUIRED, fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lucid_audit.yamlsource import Document

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_PLAIN = {str: "string", int: "integer", bool: "boolean", float: "number"}


def params_schema(params: type[Any] | None) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a record of parameters: fields of str, int, bool, float, tuples and mappings."""
    if params is None:
        return {"type": "object", "additionalProperties": False}
    from typing import get_type_hints  # noqa: PLC0415  (only for who writes rules or a policy)

    hints = get_type_hints(params)
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {field.name: _type(hints[field.name]) for field in fields(params)},
        "required": [field.name for field in fields(params) if field.default is REQUIRED],
    }


def _type(hint: Any) -> dict[str, Any]:
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    from typing import get_args, get_origin  # noqa: PLC0415

    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        return {"type": "array", "items": _type(arguments[0])}
    if isinstance(hint, UnionType) or origin is UnionType:
        return {"anyOf": [_type(argument) for argument in arguments if argument is not type(None)]}
    if origin is not None and len(arguments) == 2:
        return {"type": "object", "additionalProperties": _type(arguments[1])}
    raise TypeError(f"a check parameter cannot be a {hint}")


def convert(params: type[Any] | None, values: dict[str, Any]) -> Any:
    """Build the parameters of a check from plain data: lists become tuples. None when the check takes none.

    Raises:
        TypeError: a name is not a parameter or a required one is missing.

    """
    if params is None:
        if values:
            raise TypeError(f"the check takes no parameters, not {', '.join(sorted(values))}")
        return None
    return params(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def validate(document: Document, schema: dict[str, Any], what: str) -> None:
    """Check a document against a JSON Schema.

    Raises:
        UsageError: the first and most telling mismatch, with file, line, the place in the document and what was expected.

    """
    if fits(document.data, schema, schema):
        return
    from jsonschema import Draft202012Validator  # noqa: PLC0415  (70 ms to import; only people with a mistake pay)
    from jsonschema.exceptions import best_match  # noqa: PLC0415

    error = best_match(Draft202012Validator(schema).iter_errors(document.data))
    if error is None:
        return
    at, message = tuple(error.absolute_path), error.message
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = list(error.schema.get("properties", ()))
        for key in error.instance:
            if key not in known:
                at, message = (*at, key), "there is no such key" + nearest(key, known)
                break
    place = ".".join(str(part) for part in at) or what
    raise UsageError(f"{document.path}:{document.line(at)}: {place}: {message}")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean ...?`` with the known word that is most like ``word``, or "" when none is."""
    from difflib import get_close_matches  # noqa: PLC0415  (only for people who mistype)

    near = get_close_matches(word, list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""


def fits(data: Any, schema: Any, root: dict[str, Any]) -> bool:
    """Whether ``data`` surely fits a schema; a keyword not known here makes it unsure.

    ``jsonschema`` stays the judge: it is asked whenever this says no, so that a valid file costs no import.
    """
    if isinstance(schema, bool):
        return schema
    return all(_keyword(name, value, data, schema, root) for name, value in schema.items())


def _keyword(name: str, value: Any, data: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    match name:
        case "$schema" | "$defs" | "title" | "description" | "then" | "else":
            return True
        case "$ref":
            return value.startswith("#/$defs/") and fits(data, root["$defs"][value[8:]], root)
        case "type":
            return type(data) in _TYPES.get(value, ()) if isinstance(value, str) else False
        case "enum":
            return any(type(data) is type(word) and data == word for word in value)
        case "anyOf":
            return any(fits(data, choice, root) for choice in value)
        case "if":
            # Only a condition on the type is decided here: the rest may say no without being sure.
            if set(value) != {"type"}:
                return False
            return fits(data, schema.get("then" if fits(data, value, root) else "else", True), root)
        case "required":
            return not isinstance(data, dict) or all(key in data for key in value)
        case "properties":
            return not isinstance(data, dict) or all(fits(data[k], s, root) for k, s in value.items() if k in data)
        case "additionalProperties":
            known = schema.get("properties", {})
            return not isinstance(data, dict) or all(fits(v, value, root) for k, v in data.items() if k not in known)
        case "items":
            return not isinstance(data, list) or all(fits(item, value, root) for item in data)
    return False
