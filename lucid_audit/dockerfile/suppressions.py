"""Comments that silence findings: lucid-audit's own, hadolint's, ShellCheck's, and BuildKit's ``check`` directive.

``# lucid: ignore[rule-id, rule-id] reason`` silences the next instruction, or the one that it stands in; ``ignore-stage`` the stage
that it stands in or above, for what is missing and so has no line; ``ignore-file`` everything.

Facts: hadolint's README ("Inline ignores"); ShellCheck's wiki, "Ignore" (codes, ``SC3000-SC4000``, ``all``); Dockerfile reference, "check" directive (``skip=all``; above an instruction it is BuildKit's
own way of silencing that instruction).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from sys import maxsize

from lucid_audit.dockerfile.model import Comment, Dockerfile
from lucid_audit.regex import regex
from lucid_audit.text import Span
from lucid_audit.tuples import NamedTuple

EVERY = "all"
_LUCID = regex(r"lucid\s*:\s*(ignore\S*)\s*(.*)")
_IDS = regex(r"\[([^\]]*)\]\s*(.*)")
_HADOLINT = regex(r"hadolint\s+(?:(global|stage)\s+)?ignore\s*=\s*([\w ,-]*).*")
_SHELLCHECK = regex(r"shellcheck\s+(?:\S+\s+)*?disable=(\S+).*")
_CHECK = regex(r"(?i)skip\s*=\s*([\w,\s]*)")
_DIRECTIVE = regex(r"(?i)check\s*=\s*(.*)")
_KINDS = {"ignore": "instruction", "ignore-stage": "stage", "ignore-file": "file"}


class Suppression(NamedTuple):
    """One comment. ``dialect``: ``lucid``, ``hadolint``, ``shellcheck`` or ``buildkit``, in which ``names`` are. ``scope``: what it silences.

    ``problem`` says why a comment that is meant as one is none, "" when it is.
    """

    dialect: str
    names: tuple[str, ...]
    reason: str
    span: Span
    scope: Span
    problem: str = ""


class Silent(NamedTuple):
    """Own suppressions that silence nothing: of rules that were asked, and names of rules that were not."""

    unused: tuple[tuple[Suppression, str], ...] = ()
    unasked: tuple[tuple[Suppression, str], ...] = ()


def suppressions(dockerfile: Dockerfile) -> Iterator[Suppression]:
    """Yield every suppression in the order of the file, malformed ones of our own too."""
    for directive in dockerfile.directives:
        if directive.name == "check":
            yield from _skips(directive.value, directive.span, Span(0, maxsize))
    for comment in dockerfile.comments:
        yield from _read(dockerfile, comment)


def _read(dockerfile: Dockerfile, comment: Comment) -> Iterator[Suppression]:
    text, span = comment.text, comment.span
    scopes: Mapping[str, Callable[[Span], Span]] = {
        "instruction": partial(_instruction, dockerfile),
        "stage": partial(_stage, dockerfile),
        "file": _file,
    }
    mine = own(text, span, scopes)
    if mine is not None:
        yield mine
    foreign = _HADOLINT.fullmatch(text)
    if foreign is not None:
        scope = scopes[{"global": "file", "stage": "stage", None: "instruction"}[foreign[1]]]
        yield Suppression("hadolint", _split(foreign[2]), "", span, scope(span))
    shell = _SHELLCHECK.fullmatch(text)
    if shell is not None:
        yield Suppression("shellcheck", _split(shell[1]), "", span, _instruction(dockerfile, span))
    check = _DIRECTIVE.fullmatch(text)
    if check is not None:
        yield from _skips(check[1], span, _instruction(dockerfile, span))


def covers(name: str, code: str) -> bool:
    """Whether a name of ShellCheck's comments means a code: the code itself, a range that it lies in, or all."""
    first, dash, last = name.upper().partition("-")
    if not dash:
        return first in (code, code.removeprefix("SC"), EVERY.upper())
    ends = [one.removeprefix("SC") for one in (first, last)]
    return all(one.isdecimal() for one in ends) and int(ends[0]) <= int(code.removeprefix("SC")) <= int(ends[1])


def own(text: str, span: Span, scopes: Mapping[str, Callable[[Span], Span]]) -> Suppression | None:
    """Read a comment of our own, None when it is none. ``scopes``: what each kind silences that there is in this file."""
    found = _LUCID.fullmatch(text)
    if found is None:
        return None
    word, rest = found[1], found[2]
    name, bracket, more = word.partition("[")
    kind, match = _KINDS.get(name), _IDS.fullmatch(f"{bracket}{more} {rest}".strip())
    names = _split(match[1]) if match is not None else ()
    reason = match[2].strip() if match is not None else ""
    problem = ""
    if kind not in scopes:
        problem = f"there is no {name}; there are {', '.join(name for name, kind in _KINDS.items() if kind in scopes)}"
    elif not names:
        problem = f"it names no rule: {name}[rule-id] reason"
    elif not reason:
        problem = "it gives no reason: write one behind the bracket"
    return Suppression("lucid", names, reason, span, scopes.get(kind or "", _file)(span), problem)


def _file(_: Span) -> Span:
    return Span(0, maxsize)


def _skips(value: str, span: Span, scope: Span) -> Iterator[Suppression]:
    """Yield what BuildKit skips; its other settings are no suppression."""
    for part in value.split(";"):
        match = _CHECK.fullmatch(part.strip())
        if match is not None:
            yield Suppression("buildkit", _split(match[1]), "", span, scope)


def _split(names: str) -> tuple[str, ...]:
    return tuple(name for name in names.replace(",", " ").split() if name)


def _instruction(dockerfile: Dockerfile, span: Span) -> Span:
    """Return the instruction that a comment stands in, or the next one."""
    found = dockerfile.instructions
    at = bisect_right(found, span.start, key=lambda one: one.span.start)
    if at and found[at - 1].span.end > span.start:
        return found[at - 1].span
    return found[at].span if at < len(found) else Span(maxsize, maxsize)


def _stage(dockerfile: Dockerfile, span: Span) -> Span:
    """Return the stage that a comment stands in; directly above FROM it is the one that begins there."""
    starts = [one.span.start for one in dockerfile.instructions if one.keyword == "FROM"]
    following = _instruction(dockerfile, span)
    at = bisect_right(starts, following.start if following.start in starts else span.start)
    return Span(starts[at - 1] if at else 0, starts[at] if at < len(starts) else maxsize)
