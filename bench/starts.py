"""Builds images that start and images that do not, starts each under a real engine, and compares with what the audit says.

``make startbench``; it writes the part "Starts" of ``RESULTS.md``. An argument names cases to run by their beginning, or an
architecture, and prints only. Needs root, Debian's engine, its compilers (gcc and its cross compiler, musl-tools, golang-go, rustc, a JDK) and, for arm64, its static qemu.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import start_runtimes
from results import publish
from start_case import Case, Put
from start_cases import cases
from start_programs import LOADERS, Programs
from start_python import packed

from lucid_audit.audit import Request, run
from lucid_audit.finding import Severity
from lucid_audit.ruleset import load
from tests.e2e import layout, libraries, servers, tools
from tests.e2e.emulator import emulate
from tests.e2e.servers import CLIENT

SECONDS = 90  # a program that only prints a word has ended long before, Java under an emulator too
RIGHT_TARGET = 0.95  # of the images that do not start


class Outcome(NamedTuple):
    """What the engine recorded of a start, and what the audit says of the image: rules about starting at error level."""

    case: Case
    starts: bool
    words: str
    errors: frozenset[str]
    told: frozenset[str]  # warnings and notes
    unknown: frozenset[str]

    @property
    def verdict(self) -> str:
        """What the audit says. Where files cannot tell, the right answer is to say so: not known, or no error but a warning or note."""
        if self.case.undecidable and not self.errors:
            said = self.unknown | self.told
            return "named undecidable" if said & set(self.case.rules or ("import-missing",)) else "nothing"
        if self.errors:
            return "right cause" if self.errors & set(self.case.rules) else "error"
        return "unknown" if self.unknown & set(self.case.rules) else "nothing"


class Bench:
    """One engine with all bases."""

    def __init__(self, engine: str, scratch: Path) -> None:
        self.engine, self.scratch = engine, scratch
        self.programs = Programs(_folder(scratch / "programs"))
        self.docker = [CLIENT, "-H", engine]
        self.about = {rule.id for rule in load("", "/").rules.values() if "runtime" in rule.tags}

    def bases(self, wanted: set[tuple[str, str]]) -> None:
        """Load the bases."""
        for family, architecture in sorted(wanted):
            name = f"start-base-{family}-{architecture}"
            image = start_runtimes.base(family, architecture)
            tools.load(self.engine, layout.single(self.scratch / name, image), f"{name}:latest")

    def build(self, case: Case) -> str:
        """Build a case with the engine's builder and return its name."""
        name = f"start-{case.name}-{case.architecture}"
        place = _folder(self.scratch / name)
        for path, put in case.files.items():
            self._put(_folder(place / "root") / path.strip("/"), put if isinstance(put, Put) else Put(put, 0o644), case)
        user = [] if any(line.startswith("USER") for line in case.lines) else ["USER 65532:65532"]
        lines = [f"FROM start-base-{case.base}-{case.architecture}", "COPY root/ /", *user, *case.lines]
        (place / "Dockerfile").write_text("".join(f"{line}\n" for line in lines))
        words = [
            *self.docker,
            "build",
            "-q",
            "--network=none",
            f"--platform=linux/{case.architecture}",
            "-t",
            name,
            str(place),
        ]
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, env={**os.environ, "DOCKER_BUILDKIT": "1"}
        )
        if done.returncode:
            sys.exit(f"{name} does not build: {done.stderr[-1000:]}")
        return name

    def _put(self, target: Path, put: Put, case: Case) -> None:
        if put.folder:
            _folder(target).chmod(put.mode)
            return
        _folder(target.parent)
        if put.link:
            target.symlink_to(put.link)
            return
        target.write_bytes(self._content(put, case))
        target.chmod(put.mode)

    def _content(self, put: Put, case: Case) -> bytes:
        if put.program:
            return self.programs.get(put.program, put.architecture or case.architecture)
        if put.archive:
            files = {path: one if isinstance(one, Put) else Put(one) for path, one in put.archive.items()}
            return packed({path: self._content(one, case) for path, one in files.items()})
        return put.content.encode() if isinstance(put.content, str) else put.content

    def start(self, case: Case, name: str) -> tuple[bool, str]:
        """Start it: whether it says that it is ready and ends well, and what else the engine says."""
        words = [*self.docker, "run", "--name", name, "--net=none", f"--platform=linux/{case.architecture}"]
        words += [*case.options, name]
        try:
            done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False, timeout=SECONDS)
            return done.returncode == 0 and "ready" in done.stdout, f"{done.returncode}: {done.stdout}{done.stderr}"
        except subprocess.TimeoutExpired:
            return False, "it does not end"
        finally:
            tools.run(*self.docker, "rm", "-f", name)

    def audit(self, case: Case, name: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
        """Return the rules about starting that have errors, those that say something less grave, and those whose answer is not known."""
        environ = {**os.environ, "DOCKER_HOST": self.engine, "XDG_CACHE_HOME": str(self.scratch / "cache")}
        request = Request(
            [f"docker-daemon:{name}"],
            datetime.now(UTC).date(),
            environ,
            profile="strict",
            platform=[f"linux/{case.architecture}"],
        )
        (subject,) = run(request).report.subjects
        assert not subject.problems, subject.problems
        errors = {one.rule for one in subject.findings if one.severity is Severity.error}
        told = {one.rule for one in subject.findings} - errors
        skipped = {one.rule for one in subject.skipped}
        return frozenset(errors & self.about), frozenset(told), frozenset(skipped & self.about)

    def outcome(self, case: Case) -> Outcome:
        """Build, start and audit one case."""
        name = self.build(case)
        starts, words = self.start(case, name)
        said = self.audit(case, name)
        tools.run(*self.docker, "rmi", "-f", name)
        outcome = Outcome(case, starts, words, *said)
        print(_line(outcome), file=sys.stderr, flush=True)
        return outcome


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _line(one: Outcome) -> str:
    """Tell one outcome while the others are still to come."""
    said = [sorted(rules) for rules in (one.errors, one.told, one.unknown)]
    return json.dumps([one.case.name, one.case.architecture, one.starts, one.verdict, *said, one.words[-300:]])


def report(outcomes: list[Outcome], left_out: int, rows_of_libraries: Sequence[str] = ()) -> str:
    """Return the part of ``RESULTS.md``."""
    healthy = [one for one in outcomes if one.starts]
    failed = [one for one in outcomes if not one.starts]
    decidable = [one for one in failed if not one.case.undecidable]
    right = [one for one in decidable if one.verdict == "right cause"]
    open_ = [one for one in outcomes if one.case.undecidable]
    named = [one for one in open_ if one.verdict == "named undecidable"]
    wrong = [one for one in healthy if one.errors]
    columns = ("right cause", "error", "named undecidable", "unknown", "nothing")
    rows = []
    for name, group in (("started", healthy), ("did not start", failed)):
        counted = Counter(one.verdict for one in group)
        rows.append(f"| {name} | {len(group)} | {' | '.join(str(counted[column]) for column in columns)} |")
    share = len(right) / len(decidable) if decidable else 1.0
    parts = [
        "# Starts",
        "Written by `make startbench`; no figure here is typed by hand.",
        "\n".join((
            "| what | reached | target | |", "|---|---|---|---|",
            f"| images that start and have an error about starting | {len(wrong)} of {len(healthy)} | 0 | {_verdict(not wrong)} |",
            f"| images whose files decide, that do not start and are told the right cause | {len(right)} of {len(decidable)}, {share:.0%} | at least {RIGHT_TARGET:.0%} | {_verdict(share >= RIGHT_TARGET)} |",
            f"| images whose files cannot tell whether they start, and the audit says so | {len(named)} of {len(open_)} | all | {_verdict(len(named) == len(open_))} |",
            *rows_of_libraries,
        )),
        "\n".join(("| the engine says | images | right cause | other error | named undecidable | unknown | nothing |", "|---|---|---|---|---|---|---|", *rows)),
        (f"Built and started with the engine, {_shares(outcomes)}; arm64 through qemu. {left_out} cases were not run."
        f" {datetime.now(UTC):%Y-%m-%d}, at {_commit()}. A case is a base of Debian's packages and a few files (`bench/start_cases.py`); what is wrong with"
        " it, and which rules may say so, was written down before the tool was asked."),
        "## Where the two differ",
        "\n".join(_differing(outcomes)) or "Nowhere.",
        "## By cause",
        "\n".join(("| what is wrong | amd64 | arm64 | rules |", "|---|---|---|---|", *_causes(outcomes))),
    ]  # fmt: skip
    return "\n\n".join(parts)


def _commit() -> str:
    """Return what is measured, with a mark where files were changed since."""
    return tools.run("git", "describe", "--always", "--dirty", "--exclude=*").strip()


def _verdict(reached: bool) -> str:
    return "reached" if reached else "**missed**"


def _shares(outcomes: list[Outcome]) -> str:
    counted = Counter(one.case.architecture for one in outcomes)
    return " and ".join(f"{count} for {architecture}" for architecture, count in sorted(counted.items()))


def _differing(outcomes: list[Outcome]) -> list[str]:
    """Tell every case in which the engine or the audit says something else than was expected."""
    lines = []
    for one in outcomes:
        name = f"`{one.case.name}` ({one.case.architecture})"
        if one.starts and (one.errors or one.case.broken):
            lines.append(f"- {name} starts; the audit: {', '.join(sorted(one.errors)) or 'no error'}.")
        if not one.starts and (one.verdict not in ("right cause", "named undecidable") or not one.case.broken):
            said = ", ".join(sorted(one.errors)) or ("not known" if one.verdict == "unknown" else "no error")
            last = (one.words.strip().splitlines() or [""])[-1][:100].replace("`", "'")
            lines.append(
                f"- {name} does not start ({one.case.broken or f'the engine says `{last}`'}); the audit: {said}."
            )
    return lines


def _causes(outcomes: list[Outcome]) -> list[str]:
    names = dict.fromkeys(one.case.name for one in outcomes if not one.starts)
    rows = []
    for name in names:
        group = {one.case.architecture: one for one in outcomes if one.case.name == name}
        told = ", ".join(sorted(set().union(*(one.errors for one in group.values())))) or "-"
        cells = [group[one].verdict if one in group else "-" for one in ("amd64", "arm64")]
        rows.append(f"| {next(iter(group.values())).case.broken or name} | {' | '.join(cells)} | {told} |")
    return rows


def libraries_of_debian(place: Path) -> list[str]:
    """Return what was seen of Debian's programs, whole and with each package of their libraries taken away."""
    system = libraries.system(_folder(place))
    whole = libraries.whole(system)
    without = list(libraries.without_each(system, whole))
    closed, named = sum(one.agrees for one in whole), sum(one.agrees for one in without)
    packages = len({one.package for one in without})
    return [
        f"| programs of Debian packages with all their libraries, and no finding | {closed} of {len(whole)} | all | {_verdict(closed == len(whole))} |",
        f"| programs of Debian packages without one package of libraries ({packages} packages), and exactly what that had is named | {named} of {len(without)} | all | {_verdict(named == len(without))} |",
    ]  # fmt: skip


def several(bench: Bench, chosen: Sequence[Case], architecture: str) -> list[Outcome]:
    """Run the cases of one architecture, none where its programs cannot be started; this machine's own with the emulator off."""
    emulated = architecture != "amd64"
    if not emulate(on=emulated):
        return []
    try:
        with ThreadPoolExecutor(3) as pool:
            return list(pool.map(bench.outcome, (case for case in chosen if case.architecture == architecture)))
    finally:
        emulate(on=False)


def main() -> None:
    """Run all cases, or those whose names begin as told."""
    only = sys.argv[1:]
    names = tuple(one for one in only if one not in LOADERS)
    machines = [one for one in only if one in LOADERS] or list(LOADERS)
    chosen = [one for one in cases() if one.architecture in machines and one.name.startswith(names or "")]
    with TemporaryDirectory(prefix="lucid-starts-") as name, servers.engine() as engine:
        bench = Bench(engine, Path(name))
        bench.bases({(case.base, case.architecture) for case in chosen})
        outcomes = [one for architecture in LOADERS for one in several(bench, chosen, architecture)]
        rows = [] if only else libraries_of_debian(Path(name) / "system")
    outcomes.sort(key=lambda one: (one.case.name, one.case.architecture))
    text = report(outcomes, len(chosen) - len(outcomes), rows)
    print(text)
    if not only:
        publish(text)


if __name__ == "__main__":
    main()
