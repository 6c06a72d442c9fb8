"""Renderers: a report in, text out, one format per module. They are pure and never print."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # the command line needs the names of the formats to say --help, and nothing more
    from lucid_audit.finding import Report
    from lucid_audit.report.style import Style

FORMATS = ("text", "table", "json", "sarif", "junit", "github", "gitlab", "checkstyle", "rdjson", "markdown", "html")
FOR_PEOPLE = ("text", "table", "github", "markdown")  # the others leave it to standard error what could not be read
LISTS = ("text", "table", "json")  # in which the rules can be listed


def render(report: Report, name: str, style: Style | None = None) -> str:
    """Return the report in the format ``name``, one of ``FORMATS``. ``style`` is for people's formats only."""
    # One format is used per run; the others are not worth their import.
    if name in ("text", "table"):
        from lucid_audit.report.style import PLAIN  # noqa: PLC0415

        if name == "table":
            from lucid_audit.report import table  # noqa: PLC0415

            return table.render(report, style or PLAIN)
        from lucid_audit.report import text  # noqa: PLC0415

        return text.render(report, style or PLAIN)
    from importlib import import_module  # noqa: PLC0415

    rendered: str = import_module(f"lucid_audit.report.{name}").render(report)
    return rendered
