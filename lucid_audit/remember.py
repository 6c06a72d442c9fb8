"""Reports of earlier runs, used again for files about which everything is as it was.

One file holds what runs with the same options, rules, policy and program in the same folder have found. A report is used
again when the Dockerfile's bytes are the same, who builds it and in which contexts, and when every question that was asked
of those contexts has the same answer now (``dockerfile/disk.py``): which files there are, and what those hold that were read.
Nothing is remembered of a file whose comments say how it is built, and nothing where checks of other packages judge.

The file is never believed: what cannot be read, or has another shape, is judged anew.
"""

from __future__ import annotations

import os
from hashlib import blake2b

from lucid_audit import __version__
from lucid_audit.catalogue import PACKAGE, folder
from lucid_audit.dockerfile.disk import Disk
from lucid_audit.finding import Finding, Location, Problem, Severity, Skipped, SubjectReport, Suppressed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from lucid_audit.dockerfile.disk import Notes, Question

    Judged = tuple[SubjectReport, tuple[str, ...] | None, Notes]
    from lucid_audit.rules import ActiveRule

FOLDER = "reports"
FILES = 5_000  # whose reports one file holds
SIZE_LIMIT = 64 << 20  # bytes of that file
_SHAPE = 1  # of what is written


class Past:
    """What earlier runs have found of some files. ``known`` are digests of all that is known of each without asking its contexts."""

    def __init__(self, memory: Memory, names: Sequence[str], known: Sequence[str]) -> None:
        self._memory, self._names, self._known = memory, names, known

    def find(self, at: int) -> SubjectReport | None:
        """Return the report of the file at this index, when all that it rests on is as it was."""
        return self._memory.find(self._names[at], self._known[at])

    def keep(self, indices: Iterable[int], judged: Iterable[Judged]) -> None:
        """Remember new reports."""
        for at, (report, contexts, notes) in zip(indices, judged, strict=True):
            if contexts is None:
                self._memory.note(notes)
            else:
                self._memory.keep(self._names[at], self._known[at], report, contexts, notes)
        self._memory.save()


class Memory:
    """What one file of reports holds. ``key`` names everything that all of these reports depend on."""

    def __init__(self, cache: str, key: str) -> None:
        self._file = os.path.join(cache, FOLDER, f"{key}.json")
        self._reports: dict[str, tuple[str, tuple[str, ...], Any]] = {}
        self._notes: dict[str, dict[Question, Any]] = {}
        self._same: dict[str, bool] = {}
        self._new = False
        self._load()

    def find(self, name: str, digest: str) -> SubjectReport | None:
        """Return the report of a file, when what it depends on is as it was. ``digest`` is of what is known without asking."""
        was, contexts, report = self._reports.get(name, ("", (), None))
        if was != digest or not all(self._holds(context) for context in contexts):
            return None
        try:
            return _report(report)
        except (TypeError, ValueError, IndexError):
            return None

    def keep(self, name: str, digest: str, report: SubjectReport, contexts: tuple[str, ...], notes: Notes) -> None:
        """Remember a report, the contexts that it depends on, by their folders, and what was asked of contexts on the way."""
        for context in contexts:
            self._begin(context)
        self.note(notes)
        self._reports[name] = (digest, contexts, _plain(report))
        self._new = True

    def note(self, notes: Notes) -> None:
        """Remember what was asked of contexts."""
        for (root, question), answer in notes.items():
            self._begin(root)
            self._notes[root][question] = answer

    def _begin(self, context: str) -> None:
        """Begin anew with a context that has changed, or was not looked at in this run: what rested on the old answers goes."""
        if self._same.get(context, False):
            return
        self._same[context] = True
        if self._notes.get(context):
            self._reports = {name: one for name, one in self._reports.items() if context not in one[1]}
        self._notes[context] = {}

    def save(self) -> None:
        """Write what is new. A folder that cannot be written to is no trouble: then nothing is remembered."""
        if not self._new:
            return
        import json  # noqa: PLC0415  (only in runs of many files)
        from tempfile import NamedTemporaryFile  # noqa: PLC0415

        kept = dict(list(self._reports.items())[-FILES:])
        used = {context for _, contexts, _ in kept.values() for context in contexts}
        notes = {root: [[*question, was] for question, was in self._notes.get(root, {}).items()] for root in used}
        folder_ = os.path.dirname(self._file)
        try:
            os.makedirs(folder_, mode=0o700, exist_ok=True)
            with NamedTemporaryFile("w", dir=folder_, delete=False, encoding="ascii") as stream:
                stream.write(
                    json.dumps({"shape": _SHAPE, "notes": notes, "reports": kept})
                )  # at once: ten times as fast
            os.replace(stream.name, self._file)
        except OSError:
            return

    def _holds(self, context: str) -> bool:
        if context not in self._same:
            notes = self._notes.get(context)
            self._same[context] = notes is not None and Disk(context).same(notes)
        return self._same[context]

    def _load(self) -> None:
        import json  # noqa: PLC0415  (only in runs of many files)

        try:
            with open(self._file, "rb") as stream:
                found = json.loads(stream.read(SIZE_LIMIT))
            if found["shape"] == _SHAPE:
                notes = {root: {(w, p, n): was for w, p, n, was in listed} for root, listed in found["notes"].items()}
                self._reports = {name: (one[0], tuple(one[1]), one[2]) for name, one in found["reports"].items()}
                self._notes = notes
        except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            self._reports, self._notes = {}, {}


def key(rules: Sequence[ActiveRule], *parts: object) -> str:
    """Name everything that all reports of a run depend on; "" when checks of other packages judge, whose versions nobody knows."""
    if any(not active.check.run.__module__.startswith("lucid_audit.") for active in rules):
        return ""
    told = [repr((one.rule.id, one.severity, one.params, one.rule.message, one.rule.remediation)) for one in rules]
    return digest(__version__, _program(), os.getcwd(), *told, *map(repr, parts))


def digest(*parts: str | bytes) -> str:
    """Return a name for some texts, each with its length."""
    hashed = blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        hashed.update(b"%d:" % len(data))
        hashed.update(data)
    return hashed.hexdigest()


def clear(cache: str) -> int:
    """Remove all files of reports and return how many there were."""
    found = list(files(cache))
    for file in found:
        os.unlink(file)
    return len(found)


def files(cache: str) -> Iterator[str]:
    """Yield the files of reports."""
    place = os.path.join(cache, FOLDER)
    for name in sorted(os.listdir(place)) if cache and os.path.isdir(place) else ():
        if name.endswith(".json"):
            yield os.path.join(place, name)


def _program() -> str:
    """Name this program's files: a wheel's change when it is installed anew, those of a checkout whenever somebody edits one."""
    made = os.path.join(PACKAGE, "compiled.py")
    if os.path.exists(made):
        return repr(os.stat(made).st_mtime_ns)
    newest = [
        f"{file}:{os.stat(os.path.join(above, file)).st_mtime_ns}"
        for top in (PACKAGE, str(folder()))
        for above, _, names in os.walk(top)
        for file in names
        if file.endswith((".py", ".yaml"))
    ]
    return digest(*newest)


def _plain(report: SubjectReport) -> list[Any]:
    return [
        report.kind, report.name, [_listed(one) for one in report.findings], report.skipped, report.problems, report.lines,
        report.note, report.path, report.platform, report.digest, report.facts, report.dockerfile,
        [[_listed(one.finding), *one[1:]] for one in report.suppressed],
    ]  # fmt: skip


def _listed(one: Finding) -> list[Any]:
    return [one.rule, int(one.severity), one.message, one.location, one.remediation, one.stage, one.instruction]


def _report(plain: Any) -> SubjectReport:
    kind, name, findings, skipped, problems, lines, note, path, platform, hashed, facts, dockerfile, suppressed = plain
    return SubjectReport(
        kind,
        name,
        tuple(_finding(one) for one in findings),
        tuple(Skipped(rule, reason, Location(*place)) for rule, reason, place in skipped),
        tuple(Problem(message, Location(*place)) for message, place in problems),
        tuple((number, text) for number, text in lines),
        note, path, platform, hashed,
        tuple((fact, value) for fact, value in facts),
        dockerfile,
        tuple(Suppressed(_finding(one), reason, by, line) for one, reason, by, line in suppressed),
    )  # fmt: skip


def _finding(plain: Any) -> Finding:
    rule, severity, message, place, remediation, stage, instruction = plain
    return Finding(rule, Severity(severity), message, Location(*place), remediation, stage, instruction)
