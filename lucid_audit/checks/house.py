"""House rules: labels, environment and layout that a team demands of every image."""

from __future__ import annotations

from lucid_audit.checks import Answers, check
from lucid_audit.container.config import Argv, Container
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Command
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.values import Unknown


@record
class Labels:
    """``required``: label keys."""

    required: tuple[str, ...]


@check("labels-present")
def labels_present(container: Container, params: Labels) -> Answers:
    """Judge whether the container carries the demanded labels with a value."""
    missing = [key for key in params.required if key not in container.labels or container.labels[key].value == ""]
    if missing:
        yield Hit(container.stage_place, labels=", ".join(missing))


@record
class PlatformLabel:
    """``label``: the key whose value names the architecture or platform."""

    label: str


@check("platform-label-true")
def platform_label_true(container: Container, params: PlatformLabel) -> Answers:
    """Judge whether a label that names the platform agrees with the platform that is built."""
    label = container.labels.get(params.label)
    if label is None or container.platform is None:
        return
    value, platform = label.value, container.platform.value
    if isinstance(value, Unknown):
        yield Skip(label.place, value.reason)
    elif isinstance(platform, Unknown):
        yield Skip(label.place, platform.reason)
    elif value.rpartition("/")[2] not in platform.split("/"):
        yield Hit(label.place, label=params.label, value=value, platform=platform)


@record
class Environment:
    """``required``: variable to its value; "" wants any value, ``*x*`` one that contains x as an entry of a path list."""

    required: dict[str, str]


@check("environment-set")
def environment_set(container: Container, params: Environment) -> Answers:
    """Judge whether the demanded variables are set to the demanded values."""
    for name, wanted in params.required.items():
        traced = container.env.get(name)
        if traced is None:
            if container.env_open:
                yield Skip(container.stage_place, f"{name}: {container.env_open}")
            else:
                shown = wanted.strip("*")
                yield Hit(
                    container.stage_place, name=name, wanted=f"{name}={shown}" if shown else name, found="is not set"
                )
        elif isinstance(traced.value, Unknown):
            yield Skip(traced.place, traced.value.reason)
        elif not _satisfies(traced.value, wanted):
            yield Hit(traced.place, name=name, wanted=f"{name}={wanted.strip('*')}", found=f"is {traced.value!r}")


def _satisfies(value: str, wanted: str) -> bool:
    if wanted.startswith("*") and wanted.endswith("*") and len(wanted) > 2:
        return wanted.strip("*") in (entry.rstrip("/") for entry in value.split(":"))
    return wanted in ("", value)


@record
class Workdir:
    """``expected``: the working directory."""

    expected: str


@check("workdir-is")
def workdir_is(container: Container, params: Workdir) -> Answers:
    """Judge the working directory."""
    value = container.workdir.value
    if isinstance(value, Unknown):
        yield Skip(container.workdir.place, value.reason)
    elif value != params.expected:
        yield Hit(container.workdir.place, value=value, expected=params.expected)


@check("ports-declared")
def ports_declared(container: Container) -> Answers:
    """Judge whether the container says which port it serves."""
    if not container.ports:
        yield Hit(container.stage_place)


@check("several-stages")
def several_stages(build: Build) -> Answers:
    """Judge whether what is built and what runs are separate stages."""
    if build.target is not None and len(build.stages) == 1 and len(build.graph.stages) == 1:
        yield Hit(build.target.from_.span)


@record
class Words:
    """``allowed``: beginnings of an argument vector, words joined by blanks."""

    allowed: tuple[str, ...] = ()


def _starts(argv: Argv | None, allowed: tuple[str, ...]) -> bool:
    joined = " ".join(argv.known() or ()) if argv is not None else ""
    return any(joined == start or joined.startswith(start + " ") for start in allowed)


@check("entrypoint-is")
def entrypoint_is(container: Container, params: Words) -> Answers:
    """Judge whether ENTRYPOINT is empty or one of the allowed wrappers, so that CMD alone says what runs."""
    entrypoint = container.entrypoint.value
    if isinstance(entrypoint, Unknown):
        yield Skip(container.entrypoint.place, entrypoint.reason)
    elif entrypoint is not None and not entrypoint.shell and not _starts(entrypoint, params.allowed):
        shown = " ".join(entrypoint.known() or ("unknown",))
        inherited = "inherited from the base" if container.entrypoint.inherited else "set here"
        yield Hit(container.entrypoint.place, entrypoint=shown, how=inherited)


@check("command-starts-with")
def command_starts_with(container: Container, params: Words) -> Answers:
    """Judge whether CMD starts with one of the allowed interpreters."""
    cmd = container.cmd.value
    if isinstance(cmd, Unknown):
        yield Skip(container.cmd.place, cmd.reason)
    elif cmd is not None and not cmd.shell and cmd.args and not _starts(cmd, params.allowed):
        yield Hit(container.cmd.place, program=str(cmd.args[0]), allowed=", ".join(params.allowed))


@check("final-verification-run")
def final_verification_run(build: Build) -> Answers:
    """Judge whether the final stage runs the team's own verification, in exec form because there is no shell."""
    for _, step in build.final_steps("RUN"):
        if isinstance(step.instruction, Command) and step.instruction.command.exec_form:
            return
    if build.target is not None:
        yield Hit(build.target.from_.span)
