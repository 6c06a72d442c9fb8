"""Judges what surrounds images: compose services and build commands, one report for each file that has any."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lucid_audit.around.call import BuildCall
from lucid_audit.around.comments import Comments, block, comments
from lucid_audit.around.service import Deployment
from lucid_audit.container.config import Place
from lucid_audit.dockerfile.suppressions import Silent
from lucid_audit.engine import Where, collect, part
from lucid_audit.finding import Finding, Location, Skipped, SubjectReport, Suppressed
from lucid_audit.rules import ActiveRule
from lucid_audit.text import SourceText, Span
from lucid_audit.tuples import NamedTuple

COMMENTS = ("suppression-malformed", "suppression-present", "suppression-unknown", "suppression-unused")
"""The checks that judge comments which silence findings."""


class Listening(NamedTuple):
    """How comments are listened to. ``whole``: files are judged by all that is asked, so that a comment may turn out to be unused."""

    listens: bool = True
    whole: bool = True
    known: frozenset[str] = frozenset()


EVERYTHING = Listening()


def judge(
    subjects: Iterable[Deployment | BuildCall], rules: Sequence[ActiveRule], how: Listening = EVERYTHING
) -> tuple[SubjectReport, ...]:
    """Judge every subject by the rules of its kind. Subjects of one file are one report, in the order of their files.

    Raises:
        InternalError: a check crashed; the message names the rule and the file.

    """
    files: dict[tuple[str, str], _File] = {}
    for one in subjects:
        kind = "compose" if isinstance(one, Deployment) else "build-command"
        source = one.standing
        named = one.service.name if isinstance(one, Deployment) else one.dockerfile
        file = files.setdefault((kind, source.path), _File(kind, source, {}, {}, []))
        found, skips = collect({kind: one}, rules, _where(source, named))
        file.findings.update(dict.fromkeys(found))
        file.skipped.update(dict.fromkeys(skips))
        if isinstance(one, Deployment) and one.deployed is None:
            file.undecided.append(one.service.place())
    return tuple(_report(file, rules, how) for file in files.values())


class _File(NamedTuple):
    """What is found in one file; ``undecided`` are the services that could not be judged."""

    kind: str
    source: SourceText
    findings: dict[Finding, None]
    skipped: dict[Skipped, None]
    undecided: list[Span]


def _where(source: SourceText, named: str) -> Where:
    def locate(place: Place) -> Location:
        if not isinstance(place, Span):
            return Location(source.path, field=part(place))
        start, end = source.position(place.start), source.position(max(place.end, place.start))
        return Location(source.path, start.line, start.column, end.line, end.column)

    return Where(source.path, locate, lambda place: (named, part(place) if not isinstance(place, Span) else ""))


def _report(file: _File, rules: Sequence[ActiveRule], how: Listening) -> SubjectReport:
    source, findings = file.source, list(file.findings)
    suppressed: tuple[Suppressed, ...] = ()
    written = comments(source) if how.listens else ()
    if written:
        from lucid_audit.engine.suppress import silence  # noqa: PLC0415  (few files have any)

        own = [active for active in rules if active.rule.subject == file.kind]
        findings, suppressed, silent = silence(written, source, findings, own)
        told = Comments(written, _told(silent, file) if how.whole else None, how.known)
        last = [active for active in rules if active.rule.check_name in COMMENTS]
        findings += collect({"dockerfile": told}, last, _where(source, ""))[0]
    ordered = tuple(sorted(findings, key=lambda f: (f.location.line, f.location.column, f.rule, f.message)))
    lines = sorted({f.location.line for f in ordered if f.location.line})
    shown = tuple((number, source.line(number)) for number in lines)
    return SubjectReport(file.kind, source.path, ordered, tuple(file.skipped), lines=shown, suppressed=suppressed)


def _told(silent: Silent, file: _File) -> Silent:
    """Take out what may silence something that is not known here: a rule that was skipped, a service that was not judged."""
    lines = file.source.text.split("\n")
    services = [block(file.source, lines, file.source.position(one.start).line) for one in file.undecided]
    skipped = {one.rule for one in file.skipped}
    unused = tuple(
        (one, name)
        for one, name in silent.unused
        if name not in skipped
        and not any(one.scope.start < service.end and service.start < one.scope.end for service in services)
    )
    return Silent(unused, silent.unasked)
