from __future__ import annotations

from lucid_audit.finding import Location, Problem, Report, Severity, Skipped, SubjectReport
from lucid_audit.report import render
from lucid_audit.report.style import Style
from lucid_audit.report.text import first_sentence
from tests.report.samples import EOL, finding, report

SKIPPED = SubjectReport(
    "dockerfile",
    "api/Dockerfile",
    skipped=(Skipped("base-eol", "ARG TAG has no value", Location("api/Dockerfile", 2, 1, 2, 9)),),
    note="judged with . as build context",
)
BROKEN = SubjectReport(
    "dockerfile",
    "web/Dockerfile",
    problems=(Problem("unknown instruction: FORM", Location("web/Dockerfile", 1, 1, 1, 5)),),
    lines=((1, "FORM scratch"),),
)


def test_a_finding_shows_place_message_source_and_remedy() -> None:
    assert render(report(finding()), "text") == (
        f"api/Dockerfile:3:6: error: {EOL} [base-eol]\n"
        "   3 | FROM python:3 AS build\n"
        "     |      ~~~~~^\n"
        "     = Move to python3-debian13.\n"
        "\n"
        "1 error in 1 of 1 file\n"
    )


def test_the_remedy_is_shown_once_per_run() -> None:
    shown = render(report(finding(), finding(), finding(rule="other")), "text")
    assert shown.count("Move to python3-debian13.") == 2


def test_a_span_of_several_lines_is_marked_to_the_end_of_its_first() -> None:
    found = finding()
    multi = found.location._replace(column=1, end_line=5, end_column=2)
    shown = render(report(type(found)("a", Severity.note, "m", multi), lines={3: "RUN a \\"}), "text")
    assert "     | ~~~~~~^\n" in shown


def test_quiet_gives_one_line_per_finding() -> None:
    subjects = (*report(finding(), finding()).subjects, BROKEN)
    lines = render(Report(subjects), "text", Style(quiet=True)).splitlines()
    assert lines == [f"api/Dockerfile:3:6: error: {EOL} [base-eol]"] * 2 + [
        "web/Dockerfile:1:1: unknown instruction: FORM"
    ]


def test_a_clean_run_is_one_line() -> None:
    assert render(report(), "text") == "No findings in 1 file (62 rules)\n"


def test_what_was_skipped_is_counted_and_can_be_seen() -> None:
    run = Report((SKIPPED,), 62)
    assert render(run, "text") == "No findings in 1 file (62 rules); 1 check skipped (--show-skipped says why)\n"
    assert render(run, "text", Style(show_skipped=True)) == (
        "api/Dockerfile: judged with . as build context\n"
        "api/Dockerfile:2:1: skipped: ARG TAG has no value [base-eol]\n"
        "\n"
        "No findings in 1 file (62 rules); 1 check skipped\n"
    )


def test_a_syntax_problem_is_one_clear_line_with_a_marker() -> None:
    assert render(Report((BROKEN,), 62), "text") == (
        "web/Dockerfile:1:1: unknown instruction: FORM\n"
        "   1 | FORM scratch\n"
        "     | ~~~^\n"
        "\n"
        "No file was judged; 1 file is unreadable or invalid\n"
    )


def test_an_unreadable_file_is_never_part_of_a_clean_verdict() -> None:
    shown = render(Report((*report().subjects, BROKEN), 62), "text")
    assert shown.endswith("No findings in 1 file (62 rules); 1 file is unreadable or invalid\n")


def test_severities_are_counted_apart() -> None:
    found = [
        finding(severity=severity) for severity in (Severity.note, Severity.error, Severity.note, Severity.warning)
    ]
    assert render(report(*found), "text").endswith("\n1 error, 1 warning, 2 notes in 1 of 1 file\n")


def test_a_field_of_an_image_is_a_place() -> None:
    found = type(finding())("user", Severity.error, "root", Location(field="config.User"))
    assert render(report(found), "text", Style(quiet=True)) == "api/Dockerfile: config.User: error: root [user]\n"


def test_the_history_line_of_a_layer_is_told_once() -> None:
    made = "layer 2: COPY app (the app) /app"
    steps = (f"→ /app/run (program, {made})", f"→ /app/lib.so (library lib.so, {made})", "→ /a (link, layer 3: RUN a)")
    facts = tuple(zip(("starts", "", ""), steps, strict=True))
    shown = render(Report((SubjectReport("image", "app:1", facts=facts),)), "text")
    assert shown.count("the app") == 1
    assert "(library lib.so, layer 2)\n" in shown
    assert "(link, layer 3: RUN a)\n" in shown


def test_colour_is_ours_alone() -> None:
    assert "\x1b" not in render(report(finding()), "text")
    assert "\x1b[1;31merror\x1b[0m" in render(report(finding()), "text", Style(colour=True))


def test_first_sentence() -> None:
    assert first_sentence("Use 1.2 of\n x, e.g. this. Then rest.") == "Use 1.2 of x, e.g. this."
    assert first_sentence("") == ""
