"""The small parts of the page: escaped text, signs, bars and what can be folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lucid_audit.fleet.requirements import FAIL, PASS, UNKNOWN
from lucid_audit.fleet.words import MARKS
from lucid_audit.report.page import text

_SHAPES = {PASS: "✓", FAIL: "✗", UNKNOWN: "?"}
SIGNS = {
    verdict: f'<span aria-hidden="true">{shape}</span> {MARKS[verdict] if verdict != UNKNOWN else "unknown"}'
    for verdict, shape in _SHAPES.items()
}


def meter(part: int, whole: int) -> str:
    """Draw a part of a whole; it is said in words beside it."""
    width = 100 * part / whole if whole else 0
    return (
        '<svg class="meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="rest" width="100" height="4"/><rect class="part" width="{width:.1f}" height="4"/></svg>'
    )


def definitions(pairs: Iterable[tuple[str, object]]) -> str:
    """Return names with what they stand for; a name that is "" goes on with the one above it."""
    return "<dl>" + "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in pairs) + "</dl>"


def listed(lines: Iterable[str]) -> Iterator[str]:
    """Yield a list of texts; nothing for none."""
    items = [f"<li>{text(line)}</li>" for line in lines]
    if items:
        yield f"<ul>{''.join(items)}</ul>"
