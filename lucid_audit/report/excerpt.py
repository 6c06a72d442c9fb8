"""The source line a finding points at, and the ``~~~^`` under the span, aligned for tabs, wide and escaped characters."""

from __future__ import annotations

from lucid_audit.report.escape import escaped

WIDTH = 110  # columns of the terminal that a source line may take
LEAD = 24  # characters kept before a span when the line has to be cut
TAB = 4
CUT = "..."


def excerpt(line: str, column: int, end_column: int, width: int = WIDTH) -> tuple[str, str]:
    """Return the line as shown and the marker below it.

    ``column`` and ``end_column`` count characters from 1, the end exclusive; 0 as the end means the end of the line. A
    line that does not fit is cut around the start of the span.
    """
    last = len(line.rstrip())
    start = min(max(column - 1, 0), len(line))
    end = min(end_column - 1, len(line)) if end_column else last
    end = max(end, start + 1)
    first = 0 if min(end, start + LEAD, len(line)) <= width - len(CUT) else max(0, start - LEAD)
    if not first and len(line) <= width and line.isascii() and line.isprintable():
        return line.rstrip(), _pointed(" " * start + "~" * (end - start))
    shown, marker = ([CUT], [" " * len(CUT)]) if first else ([], [])
    used = len(CUT) if first else 0
    for at in range(first, len(line)):
        text, cells = _cell(line[at], used)
        if used + cells > width:
            shown.append(CUT)
            break
        shown.append(text)
        marker.append(("~" if start <= at < end else " ") * cells)
        used += cells
    if start >= len(line):
        marker.append("~")
    return "".join(shown).rstrip(), _pointed("".join(marker).rstrip())


def _pointed(marker: str) -> str:
    return marker[:-1] + "^" if marker else marker


def _cell(char: str, used: int) -> tuple[str, int]:
    """Return how a character is shown at a column, and how many columns it takes."""
    if "\x20" <= char <= "\x7e":
        return char, 1
    if char == "\t":
        count = TAB - used % TAB
        return " " * count, count
    if not char.isprintable():
        text = escaped(char)
        return text, len(text)
    from unicodedata import category, east_asian_width  # noqa: PLC0415  (most Dockerfiles are ASCII)

    if category(char) in ("Mn", "Me"):
        return char, 0
    return char, 2 if east_asian_width(char) in "WF" else 1
