"""The use case "lint": find the files, read them, judge each in its build context, collect one report.

This is where input happens; rules, parser and renderers see only what they are handed.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping, Sequence

from lucid_audit import discover, parallel, ruleset
from lucid_audit.bases import Bases
from lucid_audit.catalogue import compiled
from lucid_audit.checks import LINT
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.parser import parse
from lucid_audit.dockerfile.stages import Settings
from lucid_audit.engine.dockerfile import judge
from lucid_audit.errors import InternalError, LucidError
from lucid_audit.finding import Location, Problem, SubjectReport
from lucid_audit.outcome import Outcome, finished
from lucid_audit.plans import merged, plans
from lucid_audit.policy import Policy, platforms
from lucid_audit.record import replace
from lucid_audit.rules import ActiveRule
from lucid_audit.ruleset import RuleSet
from lucid_audit.surroundings import Surroundings
from lucid_audit.text import SourceText
from lucid_audit.tuples import NamedTuple
from lucid_audit.waived import waived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import date
    from typing import IO

    from lucid_audit.dockerfile.scripts import Examiner

SIZE_LIMIT = 10 << 20  # bytes of one Dockerfile
SHELL = "tag:shell"  # the rules that want ShellCheck
PARALLEL_FROM = 60  # files; below that, forking costs more than it saves
STDIN = "-"


class Request(NamedTuple):
    """What one run was asked for; empty strings and tuples mean "not given".

    ``jobs`` is the number of processes, 0 to choose. ``stdin`` is read when one of ``paths`` is ``-``.
    """

    paths: Sequence[str]
    as_of: date
    stdin: IO[bytes] | None = None
    stdin_name: str = "Dockerfile"
    context: str = ""
    target: str = ""
    build_args: Mapping[str, str] = {}
    platform: str = ""
    profile: str = ""
    policy: str = ""
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    fail_on: str = ""
    jobs: int = 0
    why: bool = False  # also say what container is predicted
    suppressions: bool = True  # comments silence findings
    changed_since: str = ""  # a revision: only Dockerfiles that differ from it
    shellcheck: bool | None = None  # examine scripts in RUN; None: where the rules of the run ask for it


class Item(NamedTuple):
    """One thing to judge: a file by its name, or data that was read already, or a problem."""

    name: str
    data: bytes | None = None
    problem: str = ""


class Prepared(NamedTuple):
    """What all files of a run share, and the files."""

    policy: Policy
    rules: Sequence[ActiveRule]
    settings: Settings
    places: Surroundings
    items: Sequence[Item]
    examiner: Examiner | None = None  # of shell scripts, where a rule asks for one


def run(request: Request) -> Outcome:
    """Lint everything that was asked for. Files that cannot be read are part of the report; the others are judged.

    Raises:
        UsageError: an option, a rule or the policy is not valid.
        InternalError: a check crashed; the message names the rule and the file.

    """
    prepared = prepare(request)
    items = prepared.items
    many = len(items) > PARALLEL_FROM
    jobs = request.jobs or (parallel.available() if many else 1)
    if prepared.examiner is not None and len(items) > 1:
        _examine(prepared, jobs)
    if many and not gc.isenabled():  # the program starts without: see __main__
        gc.freeze()  # what is loaded now stays; what every file leaves behind does not
        gc.set_threshold(100_000)  # and nearly all of that goes without the collector
        gc.enable()
    subjects = parallel.ordered(lambda at: _judge(items[at], prepared, request), [item.name for item in items], jobs)
    policy, active = prepared.policy, prepared.rules
    found = waived(subjects, policy, active, request.as_of)
    return finished(found, active, request.fail_on or policy.fail_on, nothing_is_fine=bool(request.changed_since))


def prepare(request: Request) -> Prepared:
    """Find the rules and the files of a run.

    Raises:
        UsageError: an option, a rule or the policy is not valid.

    """
    rules = ruleset.load(request.policy, _start(request.paths))
    shell = {True: ((SHELL,), ()), False: ((), (SHELL,)), None: ((), ())}[request.shellcheck]
    active = rules.active(request.profile, request.select, (*request.ignore, *shell[1]), LINT, shell[0])
    places = Surroundings(request.context, rules.policy)
    items = list(_items(request, places))
    if request.changed_since:
        from lucid_audit.changed import since  # noqa: PLC0415  (it asks git)

        changed = since(request.changed_since, _start(request.paths))
        items = [item for item in items if item.data is None and os.path.realpath(item.name) in changed]
    examiner = _examiner(request) if any(one.rule.check_name == "shell-code" for one in active) else None
    return Prepared(rules.policy, active, _settings(request, rules), places, items, examiner)


def _examiner(request: Request) -> Examiner:
    from lucid_audit.shellcheck import ShellCheck, program  # noqa: PLC0415  (off by default)

    return ShellCheck(program(), request.jobs or parallel.available())


def _examine(prepared: Prepared, jobs: int) -> None:
    """Examine the scripts of all files at once: one after the other, each would cost a process."""
    from lucid_audit.dockerfile.graph import build_graph  # noqa: PLC0415
    from lucid_audit.dockerfile.scripts import shell_scripts  # noqa: PLC0415

    def texts(at: int) -> list[str]:
        problem, data = content(prepared.items[at])
        if problem:
            return []
        try:
            dockerfile = parse(SourceText.decode(prepared.items[at].name, data))
            return [one.text for one in shell_scripts(dockerfile, build_graph(dockerfile, prepared.settings))]
        except Exception:  # noqa: BLE001  (judging the file says what is wrong)
            return []

    found = parallel.ordered(texts, [item.name for item in prepared.items], jobs)
    if prepared.examiner is not None:
        prepared.examiner.examine([text for one in found for text in one if text])


def _settings(request: Request, rules: RuleSet) -> Settings:
    return Settings(
        Bases(compiled()["bases"], rules.policy.bases),
        request.as_of,
        {**rules.policy.build_args, **request.build_args},
        request.platform,
        request.target,
        platforms(rules.policy, rules.profiles, request.profile),
    )


def _start(paths: Sequence[str]) -> str:
    """Return the folder from which a policy is looked for: the deepest one that holds all paths."""
    here = os.getcwd()
    files = [os.path.join(here, path).rstrip("/") for path in paths if path != STDIN]
    folders = [path if os.path.isdir(path) else os.path.dirname(path) for path in files]
    return os.path.commonpath(folders) if folders else here


def _items(request: Request, places: Surroundings) -> Iterator[Item]:
    """Yield what to judge, in the order it was named; a file that is named twice comes once."""
    seen: set[str] = set()
    for path in request.paths:
        if path == STDIN:
            data = request.stdin.read(SIZE_LIMIT + 1) if request.stdin is not None else b""
            yield Item(request.stdin_name, data)
            continue
        for item in _search(path, places):
            real = os.path.realpath(item.name)
            if real not in seen:
                seen.add(real)
                yield item


def _search(path: str, places: Surroundings) -> Iterator[Item]:
    empty = True
    beside: list[str] = []
    for found in discover.search(path, beside):
        empty = False
        yield Item(found.path, problem=found.reason if isinstance(found, discover.Unreadable) else "")
    if os.path.isdir(path) and not empty:
        places.walked(path, beside)
    if empty:
        yield Item(path, problem="no Dockerfile in this folder")


def _judge(item: Item, prepared: Prepared, request: Request) -> SubjectReport:
    """Read and judge one item."""
    problem, data = content(item)
    path = prepared.places.in_repository(item.name)
    if problem:
        return SubjectReport("dockerfile", item.name, problems=(Problem(problem, Location(item.name)),), path=path)
    report, _ = look(SourceText.decode(item.name, data), item.data is None, prepared, request)
    return replace(report, path=path)


def content(item: Item) -> tuple[str, bytes]:
    """Return why an item cannot be read, or "" and its content."""
    problem, data = item.problem, item.data or b""
    if item.data is None and not problem:
        problem, data = _read(item.name)
    if not problem and len(data) > SIZE_LIMIT:
        problem = f"larger than {SIZE_LIMIT >> 20} MiB"
    return problem, data


def look(source: SourceText, on_disk: bool, prepared: Prepared, request: Request) -> tuple[SubjectReport, list[Build]]:
    """Judge one text as each of its builds; return what they say together, and the builds.

    Raises:
        InternalError: a bug of ours; the message names the file.

    """
    try:
        dockerfile = parse(source)
        found = plans(dockerfile, source.path if on_disk else "", prepared.settings, prepared.places)
        builds = [Build(dockerfile, plan.settings, plan.contexts) for plan in found]
        for build in builds:
            build.examiner = prepared.examiner
        reports = [judge(build, prepared.rules, why=request.why, suppressions=request.suppressions) for build in builds]
        return merged(reports, found), builds
    except LucidError:
        raise
    except Exception as error:
        raise InternalError(f"{source.path}: {type(error).__name__}: {error}") from error


def _read(name: str) -> tuple[str, bytes]:
    """Return why a file cannot be read, or "" and its content: one byte more than the limit at most."""
    try:
        with open(name, "rb") as stream:
            return "", stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        return error.strerror or str(error), b""
