"""Shell text in Markdown and in Makefiles.

Source: CommonMark 0.31, sections 4.4 and 4.5 (code blocks); GNU make manual, chapters 5 (recipes) and 6 (variables).
"""

from __future__ import annotations

import re

from lucid_audit.builders.pieces import Piece
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SHELLS = frozenset(
    (
        "",
        "sh",
        "bash",
        "shell",
        "console",
        "shell-session",
        "shellsession",
        "zsh",
        "terminal",
        "text",
        "txt",
        "cmd",
        "sh-session",
        "bash-session",
    )
)
DEPTH = 20  # of make variables in make variables
_FENCE = re.compile(r"^( {0,3}(?:[-*+>] {1,3}|\d+[.)] {1,3})?[ \t]*)(`{3,}|~{3,})[ \t]*\{?\.?([\w+#-]*)[^\n`]*$")
_PROMPT = re.compile(r"^([ \t]*)(?:\S*[@:]\S*)?([$#%>]|PS>) (?=\S)")
_PLACEHOLDER = re.compile(r"<[A-Za-z][\w ./:-]*>|\{\{[^{}\n]*\}\}")
_MAKE_VARIABLE = re.compile(r"^(?:export[ \t]+|override[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*(\+|\?|:{1,3}|!)?=[ \t]*(.*)$")
_TARGET = re.compile(r"^([^\s#:=][^:=#]*?)[ \t]*::?(?!=)([^=]|$)")
_MAKE_USE = re.compile(r"\$\$|\$\(([\w.@<^*?+%-]+)\)|\$\{([\w.@<^*?+%-]+)\}|\$([@<^*?+%])")
MADE_PATTERN = "%"


def markdown(text: str) -> Iterator[Piece]:
    """Yield the code blocks of a Markdown text that may be for a shell, each as long as in the file."""
    lines = text.splitlines(keepends=True)
    at = number = 0
    blank = True
    while number < len(lines):
        fence = _FENCE.match(lines[number].rstrip("\r\n"))
        if fence is not None:
            start = at + len(lines[number])
            end, after = _closing(lines, number + 1, fence[2])
            body = lines[number + 1 : end]
            if fence[3].lower() in SHELLS and any("build" in line or "bud" in line for line in body):
                yield Piece(_commands(body), start)
            at += sum(map(len, lines[number:after]))
            number, blank = after, True
            continue
        if blank and lines[number].startswith(("    ", "\t")) and lines[number].strip():
            end = number
            while end < len(lines) and (lines[end].startswith(("    ", "\t")) or not lines[end].strip()):
                end += 1
            body = lines[number:end]
            if any(re.match(r"\s+(?:[$#>] )?(?:sudo )?(?:docker|podman|buildah|nerdctl) ", line) for line in body):
                yield Piece(_commands(body), at)
            at += sum(map(len, body))
            number, blank = end, True
            continue
        blank = not lines[number].strip()
        at += len(lines[number])
        number += 1


def _closing(lines: list[str], number: int, mark: str) -> tuple[int, int]:
    """Return the line that closes a fence and the one after it."""
    for end in range(number, len(lines)):
        bare = lines[end].strip().lstrip("> ")
        if bare and set(bare) == {mark[0]} and len(bare) >= len(mark):
            return end, end + 1
    return len(lines), len(lines)


def _commands(lines: list[str]) -> str:
    """Return a block's commands at the columns where they are: no prompts, and no output where there are prompts.

    What stands for something, such as ``<version>``, becomes a variable that nothing sets.
    """
    prompted = any(_PROMPT.match(line) and not line.lstrip().startswith("#") for line in lines)
    kept: list[str] = []
    goes_on = False
    for line in lines:
        prompt = _PROMPT.match(line)
        if prompted and prompt is None and not goes_on:
            line = "\n" if line.endswith("\n") else ""  # noqa: PLW2901  (what a command has printed)
            kept.append(line.rjust(len(lines[len(kept)])))
            continue
        if prompt is not None and (prompted or prompt[2] != "#"):
            line = " " * prompt.end() + line[prompt.end() :]  # noqa: PLW2901
        goes_on = line.rstrip().endswith("\\")
        kept.append(_PLACEHOLDER.sub(lambda match: "$" + "x" * (len(match[0]) - 1), line))
    return "".join(kept)


class Recipe(NamedTuple):
    """The lines of one target that make hands to shells, one each."""

    pieces: tuple[Piece, ...]
    known: dict[str, Value]


def makefile(text: str, folder: str) -> Iterator[Recipe]:
    """Yield the recipes of a Makefile with its variables put in. ``folder`` is where it stands: CURDIR."""
    variables = _variables(text)
    variables.setdefault("CURDIR", folder)
    variables.setdefault("MAKE", "make")
    target, at = "", 0
    pieces: list[Piece] = []
    lines = text.splitlines(keepends=True)
    number = 0
    while number < len(lines):
        start, joined = at, lines[number]
        at += len(lines[number])
        number += 1
        while joined.rstrip("\r\n").endswith("\\") and number < len(lines):
            joined += lines[number]
            at += len(lines[number])
            number += 1
        if joined.startswith("\t"):
            if "build" in joined or "bud" in joined or "$(" in joined or "${" in joined:
                body = joined.lstrip("\t").lstrip("@-+ ")
                first = start + len(joined) - len(joined.lstrip("\t@-+ "))
                shell = _expanded(body, variables, target, 0)
                pieces.append(Piece(shell, first, exact=False, end=start + len(joined.rstrip())))
            continue
        named = _TARGET.match(joined)
        if named is not None:
            if pieces:
                yield Recipe(tuple(pieces), {})
            pieces, target = [], named[1].split()[0]
    if pieces:
        yield Recipe(tuple(pieces), {})


def _variables(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        match = _MAKE_VARIABLE.match(line)
        if match is None or line.startswith("\t"):
            continue
        name, sign, value = match[1], match[2], re.sub(r"(?:^|\s)#.*", "", match[3]).strip()
        if sign == "!":
            value = f"$(shell {value})"
        if sign == "+" and name in found:
            found[name] += f" {value}"
        elif sign != "?" or name not in found:
            found[name] = value
    return found


def _expanded(text: str, variables: dict[str, str], target: str, depth: int) -> str:
    """Put make's variables in; what only make can work out becomes a variable of the shell that nothing sets."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        name = match[1] or match[2] or match[3]
        if name == "@":
            return target if target and MADE_PATTERN not in target and "$" not in target else "${make_target}"
        if name in variables and depth < DEPTH:
            return _expanded(variables[name], variables, target, depth + 1)
        return (
            "${" + re.sub(r"\W", "_", name).lstrip("0123456789") + "}"
            if name[0].isalpha() or name[0] == "_"
            else "${make_names}"
        )

    return _MAKE_USE.sub(value, text)
