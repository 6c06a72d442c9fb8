"""Renderers: a report in, text out, one format per module. They are pure and never print."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # the command line needs the names of the formats to say --help, and nothing more
    from lucid_audit.finding import Report
    from lucid_audit.report.style import Style

FORMATS = ("text", "table", "json", "sarif")


def render(report: Report, name: str, style: Style | None = None) -> str:
    """Return the report in the format ``name``, one of ``FORMATS``. ``style`` is for people's formats only."""
    # One format is used per run; the others are not worth their import.
    if name == "json":
        from lucid_audit.report import json  # noqa: PLC0415

        return json.render(report)
    if name == "sarif":
        from lucid_audit.report import sarif  # noqa: PLC0415

        return sarif.render(report)
    from lucid_audit.report.style import PLAIN  # noqa: PLC0415

    if name == "table":
        from lucid_audit.report import table  # noqa: PLC0415

        return table.render(report, style or PLAIN)
    from lucid_audit.report import text  # noqa: PLC0415

    return text.render(report, style or PLAIN)
