"""Calls in RUN that lack an option, have one that they should not, or should not be there at all."""

from __future__ import annotations

from itertools import dropwhile

from lucid_audit.checks import Answers, check
from lucid_audit.checks.runs import Ran, Run, calls, runs
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Flag
from lucid_audit.dockerfile.mounts import parse_mount
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.regex import rx


@record
class CallLacks:
    """``programs`` and their ``subcommands`` that want one of ``options``.

    An option ending in ``=`` may have any value. ``mounts``: a mount over one of these makes it needless; so does a variable of ``variables``.
    """

    programs: tuple[str, ...]
    options: tuple[str, ...]
    subcommands: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


@check("call-lacks-option")
def call_lacks_option(build: Build, params: CallLacks) -> Answers:
    """Judge calls that want an option. One that may be in a variable nobody knows is not judged."""
    for run, ran in calls(build, *params.programs):
        if _subcommand(ran) not in params.subcommands and params.subcommands:
            continue
        if any(run.mounted(path) for path in params.mounts) or _set(run, ran, params.variables):
            continue
        if has(ran, params.options):
            continue
        if None in ran.call.words and any(raw.startswith("$") for raw in ran.call.raw):
            yield Skip(ran.span, f"a word of {ran.call.name} is not known")
        else:
            yield Hit(ran.span, call=_named(ran), option=params.options[0].rstrip("="))


@record
class CallHas:
    """``programs`` and their ``subcommands`` (any when empty) with one of ``options``, or like one of ``patterns``; any call when both are empty.

    An option may be written with its program in front: ``curl -k``. Patterns are searched in the words of the whole call. ``mounts``: kinds of
    mounts with which the RUN is not judged.
    """

    programs: tuple[str, ...]
    options: tuple[str, ...] = ()
    subcommands: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()


@check("call-has")
def call_has(build: Build, params: CallHas) -> Answers:
    """Judge calls, or calls with an option, that should not be in a build."""
    for run, ran in calls(build, *params.programs):
        if params.subcommands and _subcommand(ran) not in params.subcommands:
            continue
        if params.mounts and any(_kind(flag) in params.mounts for flag in run.step.instruction.flags):
            continue
        if not params.options and not params.patterns:
            yield Hit(ran.span, call=_named(ran), option="")
            continue
        found = _option(ran, params.options) or _like(ran, params.patterns)
        if found:
            yield Hit(ran.span, call=ran.call.name, option=found)


def _option(ran: Ran, options: tuple[str, ...]) -> str:
    for option in options:
        program, _, only = option.rpartition(" ")
        if program in ("", ran.call.name) and has(ran, (only,)):
            return only.rstrip("=")
    return ""


def _like(ran: Ran, patterns: tuple[str, ...]) -> str:
    """Return the words of a call that is like one of the patterns, as far as it is; a word that is not known is as it is written."""
    words = [raw if word is None else word for word, raw in zip(ran.call.words, ran.call.raw, strict=True)]
    matches = (rx(pattern).search(" ".join((ran.call.name, *words))) for pattern in patterns)
    return next((match[0].partition(" ")[2] for match in matches if match is not None), "")


def _kind(flag: Flag) -> str:
    """Return the kind of mount that a flag asks for, "" when it is another flag."""
    return parse_mount(flag.value.raw).type if flag.name == "mount" and flag.value is not None else ""


@check("call-by-sudo")
def call_by_sudo(build: Build) -> Answers:
    """Judge sudo: RUN is root already unless USER says otherwise, and sudo has no terminal and its own ideas of signals."""
    for run in runs(build):
        for ran in run.calls:
            if ran.by == "sudo" or ran.call.name == "sudo":
                yield Hit(ran.span, call=ran.call.name)


@check("pipe-fails")
def pipe_fails(build: Build) -> Answers:
    """Judge pipes whose first command may fail unseen: the status of a pipe is its last command's (POSIX XCU 2.9.2)."""
    for run in runs(build):
        shell = _shell(run)
        if "pipefail" in shell or any(ran.call.name == "set" and "pipefail" in ran.call.words for ran in run.calls):
            continue
        for ran in run.calls:
            if ran.piped and ran.call.name not in ("echo", "printf", "cat", "yes", "true", ":"):
                yield Hit(ran.span, call=ran.call.name)
                break  # one finding for one SHELL


def _shell(run: Run) -> str:
    words = ""
    for step in run.stage.all_steps():
        if step.instruction is run.step.instruction:
            break
        if step.instruction.keyword == "SHELL":
            command = getattr(step.instruction, "command", None)
            words = " ".join(word.raw for word in command.args) if command is not None else ""
    return words


@check("folder-changed")
def folder_changed(build: Build) -> Answers:
    """Judge a RUN that is ``cd`` and what is done there: WORKDIR says so for all that follows."""
    for run in runs(build):
        started = list(dropwhile(lambda ran: ran.call.name == "set", run.calls))
        names = [ran.call.name for ran in started]
        if (
            names[:1] == ["cd"]
            and len(names) > 1
            and started[1].operator == "&&"
            and not {"cd", "popd"} & set(names[1:])
        ):
            first = started[0]
            yield Hit(first.span, folder=first.call.raw[0] if first.call.raw else "~")


@record
class Downloaders:
    """``programs``: of these one is enough."""

    programs: tuple[str, ...]


@check("one-of-programs")
def one_of_programs(build: Build, params: Downloaders) -> Answers:
    """Judge stages that call several programs for the same."""
    seen: dict[int, Ran] = {}
    told: set[int] = set()
    for run, ran in calls(build, *params.programs):
        first = seen.setdefault(run.stage.index, ran)
        if first.call.name != ran.call.name and run.stage.index not in told:
            told.add(run.stage.index)
            yield Hit(ran.span, program=ran.call.name, other=first.call.name)


@record
class UserId:
    """``digits``: user numbers of more digits than this are large."""

    digits: int


@check("useradd-sparse")
def useradd_sparse(build: Build, params: UserId) -> Answers:
    """Judge useradd with a large number and without ``-l``: the log of last logins grows to that many entries."""
    for _, ran in calls(build, "useradd"):
        uid = ran.call.value("-u", "--uid")
        if uid is not None and uid.isdigit() and len(uid) > params.digits and not has(ran, ("-l", "--no-log-init")):
            yield Hit(ran.span, uid=uid)


def has(ran: Ran, options: tuple[str, ...]) -> bool:
    """Whether a call has one of these options. Short ones may be bundled; one ending in ``=`` may have any value."""
    return any(_is(word, option) for word in ran.call.words if word is not None for option in options)


def _is(word: str, option: str) -> bool:
    if word == option or (option.endswith("=") and word.startswith(option)):
        return True
    if option.startswith("--"):
        return word.startswith(f"{option}=")
    return len(option) == 2 and option[0] == "-" and option[1] in word and rx(r"-[a-zA-Z]+").fullmatch(word) is not None


def _subcommand(ran: Ran) -> str:
    """Return the first word that is no option: ``install`` of ``apt-get -y install x``."""
    return next((word for word in ran.call.words if word is not None and not word.startswith("-")), "")


def _named(ran: Ran) -> str:
    return " ".join(filter(None, (ran.call.name, _subcommand(ran))))


def _set(run: Run, ran: Ran, names: tuple[str, ...]) -> bool:
    """Whether a variable that does the same is set, for the whole stage or this call, to anything but no."""
    values = {**run.step.scope.values, **{name: value for name, value in ran.sets if value is not None}}
    return any(str(values.get(name, "0")).lower() not in ("0", "false", "off", "no", "") for name in names)
