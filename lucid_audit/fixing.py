"""What ``--diff`` and ``--fix`` do: the differences on standard output, or the files written and a line about each."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable

from lucid_audit import errors, repair
from lucid_audit.deliver import write
from lucid_audit.items import STDIN
from lucid_audit.lint import Request
from lucid_audit.report.escape import visible
from lucid_audit.report.summary import plural


def differences(request: Request, *, unsafe: bool) -> int:
    """Print what fixes would change; return 1 when that is anything. A terminal gets no character that it would obey."""
    terminal = sys.stdout.isatty()
    found: list[repair.Repair] = []
    for one in repair.run(request, unsafe=unsafe):
        found.append(one)
        lines = repair.diff(one)
        text = "".join(f"{visible(line.rstrip(chr(10)))}\n" for line in lines) if terminal else "".join(lines)
        _raw(text)
    sys.stderr.write(f"{_counted(found, 'can be fixed')}\n")
    return errors.FINDINGS if found else errors.OK


def fix(request: Request, *, unsafe: bool) -> None:
    """Write the files and say what was done to each.

    Raises:
        UsageError: standard input is to be fixed in place.
        InputError: a file cannot be written; those before it are.

    """
    if STDIN in request.paths:
        raise errors.UsageError("standard input cannot be fixed in place; --diff prints what would change")
    found = []
    for one in repair.write(repair.run(request, unsafe=unsafe)):
        found.append(one)
        rules = Counter(finding.rule for finding in one.fixed)
        said = ", ".join(rule if count == 1 else f"{rule} ({count})" for rule, count in sorted(rules.items()))
        sys.stderr.write(f"{visible(one.name)}: fixed {said}\n")
    sys.stderr.write(f"{_counted(found, 'fixed')}\n")


def _counted(repairs: Iterable[repair.Repair], done: str) -> str:
    found = list(repairs)
    count = sum(len(one.fixed) for one in found)
    return f"{plural(count, 'finding')} {done} in {plural(len(found), 'file')}" if found else f"nothing {done}"


def _raw(text: str) -> None:
    """Write a patch as the bytes that the file has, whatever the encoding of standard output is."""
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        write(text)
        return
    sys.stdout.flush()
    try:
        buffer.write(text.encode("utf-8", "surrogateescape"))
        buffer.flush()
    except BrokenPipeError:
        write("")  # which makes Python's own flush at exit quiet
