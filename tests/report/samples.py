"""Reports to render: a plain one, and arbitrary hostile ones."""

from __future__ import annotations

from hypothesis import strategies as st

from lucid_audit.finding import About, Finding, Location, Problem, Report, Severity, Skipped, SubjectReport

EOL = "gcr.io/distroless/python3-debian12 is not supported since 2026-05-01"
REMEDY = "Move to python3-debian13. The interpreter there is Python 3.13."


def finding(
    line: int = 3, column: int = 6, end: int = 12, rule: str = "base-eol", severity: Severity = Severity.error
) -> Finding:
    return Finding(
        rule, severity, EOL, Location("api/Dockerfile", line, column, line, end), REMEDY, "stage 0", "FROM x"
    )


def report(*findings: Finding, lines: dict[int, str] | None = None) -> Report:
    source = tuple((lines or {3: "FROM python:3 AS build"}).items())
    return Report((SubjectReport("dockerfile", "api/Dockerfile", findings, lines=source),), rules=62)


NASTY = st.one_of(
    st.text(max_size=30),
    st.text(
        st.sampled_from("\x1b[31m\x07\r\n\t\x00\x9b\u202e\u2066\u2028\u200b\ufeff\udcff\ud800\U000e0041 ax"),
        max_size=30,
    ),
    st.lists(
        st.sampled_from(
            [
                *"`|<>&[]()!*_~\\#@:,%\"'/$-+= ax1\ufffe\uffff\x0b",
                "]]>",
                "<!--",
                "-->",
                "::error ::",
                "##[x]",
                "](1)",
                "http://x.y",
                "www.x.y",
                "@me",
                "&lt;",
                "<b>",
                "`x`",
                "``",
                "../",
                "images/",
                "%0A",
                "word ",
                "deadbeef",
            ]
        ),
        max_size=12,
    ).map("".join),
    st.binary(max_size=20).map(lambda data: data.decode("utf-8", "surrogateescape")),
)
LINE = st.integers(1, 9)
LOCATIONS = st.one_of(
    st.builds(Location, NASTY, LINE, st.integers(1, 40), LINE, st.integers(1, 40)),
    st.builds(lambda field: Location(field=field), NASTY.filter(bool)),
    st.builds(
        lambda path, layer, line: Location(path=path, layer=layer, created_by=line),
        NASTY.filter(bool),
        st.integers(0, 3),
        NASTY,
    ),
    st.just(Location()),
)
RULE = st.sampled_from(["base-eol", "final-user-root", "a1"])
WORDS = NASTY.filter(bool)
SUBJECTS = st.builds(
    SubjectReport,
    st.sampled_from(["dockerfile", "image"]),
    NASTY,
    st.lists(
        st.builds(
            Finding,
            RULE,
            st.sampled_from(Severity),
            WORDS,
            LOCATIONS.filter(lambda x: x != Location()),
            NASTY,
            NASTY,
            NASTY,
        ),
        max_size=3,
    ).map(tuple),
    st.lists(st.builds(Skipped, RULE, WORDS, LOCATIONS), max_size=2).map(tuple),
    st.lists(st.builds(Problem, WORDS, LOCATIONS), max_size=2).map(tuple),
    st.dictionaries(LINE, NASTY).map(lambda lines: tuple(lines.items())),
    NASTY,
    NASTY,
    st.sampled_from(["", "linux/arm64"]),
    dockerfile=NASTY,
)
ABOUT = st.builds(About, RULE, WORDS, st.sampled_from(Severity), NASTY, st.lists(RULE, max_size=30).map(tuple))
REPORTS = st.builds(
    Report,
    st.lists(SUBJECTS, max_size=3).map(tuple),
    st.integers(0, 99),
    st.lists(ABOUT, max_size=3, unique_by=lambda about: about.id).map(tuple),
)
