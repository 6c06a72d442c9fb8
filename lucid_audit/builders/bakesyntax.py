"""Bake files as blocks with expressions that are not evaluated yet: HCL through python-hcl2, JSON through the same.

Source: docker/buildx bake file reference; in JSON every text is a template (HCL JSON syntax specification).
"""

from __future__ import annotations

import json
import re
from typing import Any

from lucid_audit.tuples import NamedTuple

KINDS = ("variable", "target", "group", "function")
DEPTH = 60
BLANKS = 500  # in a row: python-hcl2's pattern for here-documents takes time by their square


class BakeSyntaxError(Exception):
    """The file cannot be read; the message says why."""


class Block(NamedTuple):
    """A block with its label. ``attributes`` are trees of HCL, or plain data of JSON."""

    kind: str
    name: str
    line: int
    attributes: dict[str, Any]


class Parsed(NamedTuple):
    """What a file declares. ``attributes`` at the top of a file are variables, too."""

    blocks: list[Block]
    attributes: dict[str, Any]


def parse_hcl(text: str) -> Parsed:
    """Read HCL.

    Raises:
        BakeSyntaxError: it cannot be read.

    """
    import hcl2  # noqa: PLC0415  (slow to import; few repositories have such a file)
    from lark import Tree  # noqa: PLC0415
    from lark.exceptions import LarkError, UnexpectedInput  # noqa: PLC0415

    if _depth(text) > DEPTH:
        raise BakeSyntaxError("it is nested too deeply")
    if any(len(run[0]) > BLANKS for run in re.finditer(r"\s+", text)):
        raise BakeSyntaxError("it has too many blank lines or blanks in a row")
    try:
        tree: Any = hcl2.parses_to_tree(text + "\n")
    except UnexpectedInput as error:
        raise BakeSyntaxError(f"line {error.line}: not valid HCL") from None
    except (LarkError, RecursionError, ValueError):
        raise BakeSyntaxError("not valid HCL") from None
    parsed = Parsed([], {})
    for child in tree.children[0].children if tree.children else ():
        if isinstance(child, Tree) and child.data == "attribute":
            parsed.attributes[_name(child.children[0])] = child.children[-1]
        elif isinstance(child, Tree) and child.data == "block":
            words = [one for one in child.children if isinstance(one, Tree) and one.data in ("identifier", "string")]
            body = next(one for one in child.children if isinstance(one, Tree) and one.data == "body")
            if len(words) == 2 and _name(words[0]) in KINDS:
                attributes = {
                    _name(one.children[0]): one.children[-1]
                    for one in body.children
                    if isinstance(one, Tree) and one.data == "attribute"
                }
                parsed.blocks.append(Block(_name(words[0]), _name(words[1]), int(child.meta.line), attributes))
    return parsed


def parse_expression(text: str) -> Any:
    """Return the tree of a template's text, as JSON has it.

    Raises:
        BakeSyntaxError: it cannot be read.

    """
    (tree,) = parse_hcl(f"x = {json.dumps(text, ensure_ascii=False)}").attributes.values()
    return tree


def _name(tree: Any) -> str:
    """Return a name, or a label without its quotes."""
    if tree.data == "string":
        return "".join(str(part.children[0]) for part in tree.children if hasattr(part, "data"))
    return str(tree.children[0])


def _depth(text: str) -> int:
    """Count open brackets: the deepest nesting that a text can have, whatever stands in its strings."""
    deepest = depth = 0
    for match in re.finditer(r"[\[({})\]]", text):
        depth = depth + 1 if match[0] in "[({" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return deepest


def parse_json(text: str) -> Parsed:
    """Read JSON.

    Raises:
        BakeSyntaxError: it cannot be read.

    """
    try:
        data = json.loads(text)
    except RecursionError:
        raise BakeSyntaxError("it is nested too deeply") from None
    except ValueError as error:
        line = getattr(error, "lineno", 0)
        raise BakeSyntaxError(f"line {line}: not valid JSON" if line else "not valid JSON") from None
    if not isinstance(data, dict):
        raise BakeSyntaxError("it is no JSON object")
    parsed = Parsed([], {})
    for kind, named in data.items():
        if kind not in KINDS:
            parsed.attributes[kind] = named
            continue
        for name, attributes in named.items() if isinstance(named, dict) else ():
            if isinstance(attributes, dict):
                parsed.blocks.append(Block(kind, name, _line(text, kind, name), attributes))
    return parsed


def _line(text: str, kind: str, name: str) -> int:
    """Return the line of a name that is a key, after the key of its kind; 1 when it is spelt with escapes."""
    start = text.find(f'"{kind}"')
    found = re.compile(re.escape(json.dumps(name, ensure_ascii=False)) + r"\s*:").search(text, max(start, 0))
    return text.count("\n", 0, found.start()) + 1 if found else 1
