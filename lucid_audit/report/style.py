"""How a report for people looks: what is shown, and colour by the few SGR codes that every terminal knows."""

from __future__ import annotations

from lucid_audit.finding import Severity
from lucid_audit.tuples import NamedTuple

BOLD, DIM, RED, YELLOW, CYAN, GREEN = "1", "2", "1;31", "1;33", "1;36", "32"
BY_SEVERITY = {Severity.error: RED, Severity.warning: YELLOW, Severity.note: CYAN}


class Style(NamedTuple):
    """``colour``: use SGR codes; ``quiet``: findings only, one line each; ``show_skipped``: also what was not judged, and why."""

    colour: bool = False
    quiet: bool = False
    show_skipped: bool = False

    def paint(self, text: str, code: str) -> str:
        """Return ``text`` in a colour, or as it is when colour is off. ``text`` must already be harmless."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text


PLAIN = Style()
