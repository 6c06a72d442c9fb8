"""Where a report goes: standard output, files, and for what could not be read always standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from lucid_audit.errors import UsageError
from lucid_audit.finding import Report
from lucid_audit.report import FOR_PEOPLE, render
from lucid_audit.report.style import Style
from lucid_audit.tuples import NamedTuple


class Look(NamedTuple):
    """How a report is wanted. ``outputs`` are (format, file), the format "" for the one that is printed.

    ``color`` None: on a terminal, unless NO_COLOR is set.
    """

    format_: str = "text"
    outputs: Sequence[tuple[str, str]] = ()
    color: bool | None = None
    quiet: bool = False
    show_skipped: bool = False


def deliver(report: Report, look: Look) -> None:
    """Write the report to every place asked for; what could not be read is always said to a person."""
    plain = Style(quiet=look.quiet, show_skipped=look.show_skipped)
    printed = True
    for name, file in look.outputs:
        printed = printed and bool(name)
        _save(render(report, name or look.format_, plain), file)
    if printed:
        write(render(report, look.format_, plain._replace(colour=coloured(look.color))))
    if report.problems and (look.format_ not in FOR_PEOPLE or not printed):
        from lucid_audit.report.text import problems  # noqa: PLC0415

        sys.stderr.write(problems(report))


def _save(text: str, file: str) -> None:
    try:
        with open(file, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise UsageError(f"--output {file}: {error.strerror}") from None


def write(text: str) -> None:
    """Write to standard output. A reader that went away is no reason to fail: the exit code is the answer."""
    stream = sys.stdout
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # so that Python's own flush at exit is quiet too


def coloured(asked: bool | None) -> bool:
    """Whether to colour what is printed."""
    if asked is not None:
        return asked
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
