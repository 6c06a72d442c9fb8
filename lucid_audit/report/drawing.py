"""What pages draw: things of some size side by side, to scale."""

from __future__ import annotations

from collections.abc import Iterable

from lucid_audit.report.page import text
from lucid_audit.tuples import NamedTuple

PIECES = 200  # of one picture; more cannot be told apart
GAP = 1.5  # thousandths of a picture between two pieces
_THIN = 0.6  # thousandths: what is smaller keeps its size and loses the gap


class Piece(NamedTuple):
    """One rectangle: its size in any unit, what it is in words, a class of the style, and the id of what it leads to."""

    size: int
    title: str
    kind: str
    target: str = ""


def bar(pieces: Iterable[Piece], widest: int, label: str) -> str:
    """Draw pieces in a row. ``widest`` is the size that fills the picture; ``label`` is said instead of it, and is any text."""
    found, at = [], 0.0
    for piece in list(pieces)[:PIECES]:
        width = 1000 * piece.size / widest if widest else 0
        drawn = max(width - GAP, min(width, _THIN))
        one = f'<rect class="{piece.kind}" x="{at:.2f}" y="0" width="{drawn:.2f}" height="14"><title>{text(piece.title)}</title></rect>'
        found.append(f'<a href="#{piece.target}" tabindex="-1">{one}</a>' if piece.target else one)
        at += width
    return (
        f'<svg class="layers" viewBox="0 0 1000 14" preserveAspectRatio="none" role="img" aria-label="{text(label)}">'
        f"{''.join(found)}</svg>"
    )


def mb(size: int) -> str:
    """Return bytes as people read them."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"
