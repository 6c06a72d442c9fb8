"""The report for a comment on a pull request: a table that sums up, then the findings of each file or image.

Nothing that was read can become markup, a link, a mention or a reference: words of letters and figures stay as they are,
everything else stands in code spans.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lucid_audit.finding import Finding, Location, Report, Severity, SubjectReport
from lucid_audit.report.entries import label, part
from lucid_audit.report.escape import visible
from lucid_audit.report.style import Style
from lucid_audit.report.summary import plural, summary
from lucid_audit.report.text import first_sentence

MARK = "<!-- lucid-audit -->"  # by which a bot finds the comment it wrote before
LIMIT = 60_000  # characters; GitHub takes 65,536 in one comment
_WORD = re.compile(r"\(?(?:[^\W\d_]+(?:['-][^\W\d_]+)*|\d{1,6}%?)\)?[.,;:?]*|[-.,;:?()]")
_COMMIT = re.compile(r"\b[0-9a-fA-F]{7,40}\b")  # platforms link what looks like one


def render(report: Report) -> str:
    """Return the report as Markdown of GitHub's and GitLab's kind; what does not fit in one comment is counted."""
    head = [MARK, f"### lucid-audit: {summary(report, Style(show_skipped=True))}", ""]
    rest: list[tuple[str, int]] = [*_table(report.subjects), *_details(report.subjects)]
    used, left = sum(len(line) + 1 for line in head), 0
    for line, weight in rest:
        if left or used + len(line) + 1 > LIMIT:
            left += weight
        else:
            head.append(line)
            used += len(line) + 1
    if left:
        head += ["", f"**{plural(left, 'finding')} more did not fit in a comment.**"]
    return "\n".join(head).rstrip("\n") + "\n"


def _table(subjects: Iterable[SubjectReport]) -> list[tuple[str, int]]:
    """Return the lines of the table; subjects without anything to say are not in it."""
    rows = []
    for subject in subjects:
        counts = [sum(f.severity is severity for f in subject.findings) for severity in sorted(Severity, reverse=True)]
        counts += [len(subject.skipped), len(subject.problems)]
        if any(counts):
            name = code(label(subject).replace("|", "\\x7c"))  # a bar ends a cell, in code too
            rows.append((f"| {name} | {' | '.join(str(count or '') for count in counts)} |", 0))
    head = ("| | errors | warnings | notes | skipped | unreadable |", "| --- | --: | --: | --: | --: | --: |")
    return [*((line, 0) for line in head), *rows] if rows else []


def _details(subjects: Iterable[SubjectReport]) -> Iterator[tuple[str, int]]:
    """Yield the lines of all findings, each with the number of findings or problems in it."""
    explained: set[str] = set()
    for subject in subjects:
        if not subject.findings and not subject.problems:
            continue
        yield from (("", 0), (f"#### {code(label(subject))}", 0), ("", 0))
        for problem in subject.problems:
            yield f"- **unreadable** {_place(problem.location)}{prose(problem.message)}", 1
        for finding in subject.findings:
            yield _finding(finding, explained), 1


def _finding(finding: Finding, explained: set[str]) -> str:
    line = f"- **{finding.severity.name}** {_place(finding.location)}{prose(finding.message)} ({code(finding.rule)})"
    remedy = "" if finding.rule in explained else first_sentence(finding.remediation)
    explained.add(finding.rule)
    return f"{line}<br>{prose(remedy)}" if remedy else line


def _place(location: Location) -> str:
    if name := part(location):
        return f"{code(name)}: "
    return f"line {location.line}: " if location.line else ""


def prose(text: str) -> str:
    """Return text in which plain words are words and all else is code. Backquotes in pairs are code as they are."""
    pieces: list[tuple[bool, str]] = []
    for number, piece in enumerate(re.split(r"`([^`]+)`", visible(text))):
        if number % 2:
            _add(pieces, True, piece)
            continue
        for token in re.findall(r" +|[^ ]+", piece):
            word = token if _plain(token) else token.rstrip(".,;:")
            _add(pieces, not _plain(word), word)
            _add(pieces, False, token[len(word) :])
    return "".join(code(token) if marked else token for marked, token in pieces)


def _plain(token: str) -> bool:
    return not token.strip() or (bool(_WORD.fullmatch(token)) and not _COMMIT.search(token))


def _add(pieces: list[tuple[bool, str]], marked: bool, token: str) -> None:
    """Add a piece; code that follows code goes into one span, for two spans cannot touch."""
    if not token:
        return
    if marked and pieces and pieces[-1][0]:
        pieces[-1] = True, pieces[-1][1] + token
    elif marked and len(pieces) > 1 and not pieces[-1][1].strip() and pieces[-2][0]:
        blank = pieces.pop()[1]
        pieces[-1] = True, pieces[-1][1] + blank + token
    else:
        pieces.append((marked, token))


def code(text: str) -> str:
    """Return text as a code span (CommonMark, section 6.1): fenced by more backquotes than it has in a row."""
    shown = visible(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    pad = " " if not shown.strip(" ") or shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"
