"""The use case "lint": find the files, read them, judge each in its build context, collect one report.

This is where input happens; rules, parser and renderers see only what they are handed.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping, Sequence

from lucid_audit import parallel, ruleset
from lucid_audit.bases import Bases
from lucid_audit.catalogue import compiled
from lucid_audit.checks import AROUND, LINT
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.context import DiskContext
from lucid_audit.dockerfile.parser import parse
from lucid_audit.dockerfile.stages import Settings
from lucid_audit.engine.dockerfile import judge
from lucid_audit.errors import InternalError, LucidError
from lucid_audit.finding import Location, Problem, SubjectReport
from lucid_audit.items import STDIN, Item, content, deploys, loaded, wanted
from lucid_audit.outcome import Outcome, finished
from lucid_audit.plans import merged, plans
from lucid_audit.policy import Policy, platforms
from lucid_audit.record import replace
from lucid_audit.rules import ActiveRule
from lucid_audit.ruleset import RuleSet
from lucid_audit.surroundings import Surroundings, says_how_it_is_built
from lucid_audit.text import SourceText
from lucid_audit.tuples import NamedTuple
from lucid_audit.waived import waived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import date
    from typing import IO

    from lucid_audit.around.call import BuildCall
    from lucid_audit.around.service import Deployment
    from lucid_audit.dockerfile.disk import Notes
    from lucid_audit.dockerfile.scripts import Examiner
    from lucid_audit.remember import Past

SHELL = "tag:shell"  # the rules that want ShellCheck
PARALLEL_FROM = 60  # files; below that, forking costs more than it saves


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
    cache: str = ""  # the folder of the user's cache, "" to remember nothing


class Judged(NamedTuple):
    """A report; the contexts that it rests on, by their folders, None when on more than these; what contexts were asked for it."""

    report: SubjectReport
    contexts: tuple[str, ...] | None = None
    notes: Notes = {}  # noqa: RUF012  (nobody writes into it)


class Prepared(NamedTuple):
    """What all files of a run share, and the files."""

    policy: Policy
    rules: Sequence[ActiveRule]
    settings: Settings
    places: Surroundings
    items: Sequence[Item]
    examiner: Examiner | None = None  # of shell scripts, where a rule asks for one
    known: frozenset[str] = frozenset()  # ids of all rules, active or not
    lacking: tuple[Deployment | BuildCall, ...] = ()  # what is declared to be built and is not there

    def suppressions(self, request: Request) -> bool:
        """Whether comments silence findings."""
        return request.suppressions and self.policy.suppressions


def run(request: Request) -> Outcome:
    """Lint everything that was asked for. Files that cannot be read are part of the report; the others are judged.

    Raises:
        UsageError: an option, a rule or the policy is not valid.
        InternalError: a check crashed; the message names the rule and the file.

    """
    prepared = prepare(request)
    many = len(prepared.items) > PARALLEL_FROM
    items = [loaded(item) for item in prepared.items] if many and request.cache else prepared.items
    jobs = request.jobs or (parallel.available() if many else 1)
    if many and not gc.isenabled():  # the program starts without: see __main__
        gc.freeze()  # what is loaded now stays; what every file leaves behind does not
        gc.set_threshold(100_000)  # and nearly all of that goes without the collector
        gc.enable()
    past = _past(request, prepared, items) if many and request.cache else None
    found = [past.find(at) if past is not None else None for at in range(len(items))]
    left = [at for at, report in enumerate(found) if report is None]
    if prepared.examiner is not None and len(left) > 1:
        _examine(prepared, [items[at] for at in left], jobs)
    names = [items[at].name for at in left]
    judged = parallel.ordered(lambda at: _judge(items[left[at]], prepared, request), names, jobs)
    for at, one in zip(left, judged, strict=True):
        found[at] = one.report
    if past is not None:
        past.keep(left, judged)
    subjects = [report for report in found if report is not None]
    if prepared.lacking:
        from lucid_audit.engine import around  # noqa: PLC0415  (few repositories lack anything)

        how = around.Listening(prepared.suppressions(request), whole=False)
        lacking = around.judge(prepared.lacking, prepared.rules, how)
        subjects += [replace(one, path=prepared.places.in_repository(one.name)) for one in lacking]
    policy, active = prepared.policy, prepared.rules
    counted = waived(subjects, policy, active, request.as_of)
    return finished(counted, active, request.fail_on or policy.fail_on, nothing_is_fine=bool(request.changed_since))


def _past(request: Request, prepared: Prepared, items: Sequence[Item]) -> Past | None:
    """Return what earlier runs of this kind have found of these items; None where that cannot be known."""
    from lucid_audit import remember  # noqa: PLC0415  (only in runs of many files)

    if any(item.piped or deploys(item) for item in items):
        return None  # what a compose file is judged by are the Dockerfiles that it names
    policy, places = prepared.policy, prepared.places
    asked = (
        request.as_of,
        request.context,
        prepared.settings[1:],
        request.why,
        prepared.suppressions(request),
        request.profile,
    )
    key = remember.key(
        prepared.rules,
        *asked,
        policy.contexts,
        policy.bases,
        sorted(prepared.known),
        prepared.examiner.identity if prepared.examiner is not None else "",
    )
    if not key:
        return None
    places.notes = {}
    known = [
        remember.digest(places.in_repository(one.name), places.told(one.name), one.data or b"", one.problem)
        for one in items
    ]
    return remember.Past(remember.Memory(request.cache, key), [item.name for item in items], known)


def prepare(request: Request) -> Prepared:
    """Find the rules and the files of a run.

    Raises:
        UsageError: an option, a rule or the policy is not valid.

    """
    rules = ruleset.load(request.policy, _start(request.paths))
    shell = {True: ((SHELL,), ()), False: ((), (SHELL,)), None: ((), ())}[request.shellcheck]
    places = Surroundings(request.context, rules.policy)
    items = list(wanted(request.paths, request.stdin, request.stdin_name, places))
    lacking = _lacking(items, places)
    subjects = (*LINT, *(("compose",) if any(map(deploys, items)) else ()), *(AROUND if lacking else ()))
    active = rules.active(request.profile, request.select, (*request.ignore, *shell[1]), subjects, shell[0])
    if request.changed_since:
        from lucid_audit.changed import since  # noqa: PLC0415  (it asks git)

        changed = since(request.changed_since, _start(request.paths))
        items = [item for item in items if not item.piped and os.path.realpath(item.name) in changed]
        lacking = tuple(one for one in lacking if os.path.realpath(one.standing.path) in changed)
    examiner = _examiner(request) if any(one.rule.check_name == "shell-code" for one in active) else None
    known = frozenset(rules.rules)
    return Prepared(rules.policy, active, _settings(request, rules), places, items, examiner, known, lacking)


def _lacking(items: Sequence[Item], places: Surroundings) -> tuple[Deployment | BuildCall, ...]:
    """Return what compose and bake files of searched folders declare to be built and is not there."""
    if not places.lost():
        return ()
    from lucid_audit import deploying  # noqa: PLC0415  (few repositories lack anything)

    return deploying.lacking(places, {os.path.abspath(item.name) for item in items if deploys(item)})


def _examiner(request: Request) -> Examiner:
    from lucid_audit.shellcheck import ShellCheck, program  # noqa: PLC0415  (off by default)

    return ShellCheck(program(), request.jobs or parallel.available())


def _examine(prepared: Prepared, items: Sequence[Item], jobs: int) -> None:
    """Examine the scripts of several files at once: one after the other, each would cost a process."""
    from lucid_audit.dockerfile.graph import build_graph  # noqa: PLC0415
    from lucid_audit.dockerfile.scripts import shell_scripts  # noqa: PLC0415

    def texts(at: int) -> list[str]:
        problem, data = content(items[at])
        if problem or deploys(items[at]):
            return []
        try:
            dockerfile = parse(SourceText.decode(items[at].name, data))
            return [one.text for one in shell_scripts(dockerfile, build_graph(dockerfile, prepared.settings))]
        except Exception:  # noqa: BLE001  (judging the file says what is wrong)
            return []

    found = parallel.ordered(texts, [item.name for item in items], jobs)
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


def _judge(item: Item, prepared: Prepared, request: Request) -> Judged:
    """Read and judge one item."""
    problem, data = content(item)
    places = prepared.places
    path = places.in_repository(item.name)
    if problem:
        problems = (Problem(problem, Location(item.name)),)
        return Judged(SubjectReport("dockerfile", item.name, problems=problems, path=path))
    if deploys(item):
        from lucid_audit import deploying  # noqa: PLC0415  (few name a compose file)

        listens = prepared.suppressions(request)
        report = deploying.judge(item.name, prepared.rules, prepared.settings, places, listens, prepared.known)
        return Judged(replace(report, path=path))
    report, builds = look(SourceText.decode(item.name, data), not item.piped, prepared, request)
    report = replace(report, path=path)
    if places.notes is None:
        return Judged(report)
    notes = dict(places.notes)
    places.notes.clear()  # every context of this process writes into this one
    if says_how_it_is_built(builds[0].dockerfile):
        return Judged(report, None, notes)
    sets = [build.contexts for build in builds if build.contexts is not None]
    every = [context for one in sets for context in (*one.candidates, *one.between)]
    return Judged(report, tuple({one.root: None for one in every if isinstance(one, DiskContext)}), notes)


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
            build.examiner, build.known = prepared.examiner, prepared.known
        listen = prepared.suppressions(request)
        reports = [judge(build, prepared.rules, why=request.why, suppressions=listen) for build in builds]
        return merged(reports, found), builds
    except LucidError:
        raise
    except Exception as error:
        raise InternalError(f"{source.path}: {type(error).__name__}: {error}") from error
