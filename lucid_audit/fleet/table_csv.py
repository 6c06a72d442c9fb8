"""The matrix of a fleet as comma-separated values (RFC 4180), for spreadsheets: no cell is taken for a formula."""

from __future__ import annotations

import csv
import io

from lucid_audit.fleet.words import TITLES, Document, cell
from lucid_audit.report.escape import visible

_FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
)  # what spreadsheets compute when a cell begins with it (OWASP, "CSV Injection")


def render(document: Document, _earlier: Document | None = None) -> str:
    """Return one line for each service, then one for each Dockerfile that no service uses."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(["service", "image", "dockerfile", "phase", "platforms", *TITLES, "drift", "judged by"])
    for one in document["services"]:
        plain = [one["name"], one["image"], one["file"], one["phase"], " ".join(one["platforms"])]
        row = [*plain, *(cell(one, name) for name in TITLES), str(len(one["drift"])), one["judged"]]
        unbuilt = one["name"] in document.get("around", {}).get("unbuilt", ())
        row[-1] += ", nothing here builds its image" if unbuilt else ""
        writer.writerow([_inert(str(value)) for value in row])
    unused = document.get("around", {}).get("unused", ())
    for file in unused:  # a row without a service: nobody uses this Dockerfile
        writer.writerow(["", "", _inert(file), "", "", *("" for _ in TITLES), "", "no service uses it"])
    return stream.getvalue()


def _inert(value: str) -> str:
    shown = visible(value)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
