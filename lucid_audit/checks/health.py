"""The health check: whether there is one, it can run, and it asks the service."""

from __future__ import annotations

from lucid_audit.checks import Answers, check
from lucid_audit.checks.asked import LOCAL, asks
from lucid_audit.checks.command import base_name, in_shell, program_found
from lucid_audit.checks.ports import port_range
from lucid_audit.checks.probe import code_of, does_nothing, third_party
from lucid_audit.container.accounts import measured
from lucid_audit.container.config import Argv, Container, Field, Health
from lucid_audit.container.execute import find_shell, shell_of, unwrapped
from lucid_audit.container.files import State
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.values import Unknown


def _probe(container: Container) -> Argv | None:
    health = container.health.known()
    return health.argv if health is not None else None


@check("health-given")
def health_given(container: Container) -> Answers:
    """Judge whether anything sets a health check; that of a base outside the catalogue is unknown."""
    value = container.health.value
    if isinstance(value, Unknown):
        yield Skip(container.health.place, value.reason)
    elif value is None and not _lost(container):
        yield Hit(container.stage_place)


def _lost(container: Container) -> bool:
    """Whether the image's history has a health check that its configuration lacks; that is a rule of its own."""
    place = container.health.place
    return isinstance(place, Field) and bool(place.created_by) and not place.created_by.rstrip().endswith("NONE")


@check("health-enabled")
def health_enabled(container: Container) -> Answers:
    """Judge HEALTHCHECK NONE."""
    health = container.health.known()
    if health is not None and health.argv is None:
        yield Hit(container.health.place)


@check("health-form")
def health_form(container: Container) -> Answers:
    """Judge a shell-form health check against the shell: without one every probe fails."""
    argv = _probe(container)
    if argv is None or not in_shell(argv):
        return
    answer = find_shell(container)
    if answer.state is State.ABSENT:
        yield Hit(container.health.place, shell=shell_of(container)[0], image=base_name(container))
    elif answer.state is State.UNKNOWN:
        yield Skip(container.health.place, answer.reason)


@check("health-resolves")
def health_resolves(container: Container) -> Answers:
    """Judge whether the probe's program is there, found as the runtime finds it."""
    argv = _probe(container)
    if argv is not None and argv.args and not argv.shell:
        yield from program_found(container, argv, container.health.place)
        started = unwrapped(argv.known() or ())
        if started and started != argv.args:
            yield from program_found(container, Argv(started), container.health.place)


@check("health-asks")
def health_asks(container: Container) -> Answers:
    """Judge probes that succeed whatever the service does."""
    argv = _probe(container)
    why = does_nothing(argv) if argv is not None else ""
    if why:
        yield Hit(container.health.place, why=why)


@check("health-port-named")
def health_port_named(container: Container) -> Answers:
    """Judge a probed local port that nothing else names, in containers that say which ports they serve."""
    argv = _probe(container)
    if argv is None or not container.ports:
        return
    asked = {one.port for one in asks(argv, container) if one.host in LOCAL and one.port is not None}
    if not asked:
        return
    exposed: list[tuple[int, int]] = []
    for port in container.ports:
        value = port.value
        if isinstance(value, Unknown):
            yield Skip(container.health.place, value.reason)
            return
        for word in value.split():
            ports = port_range(word.rpartition(":")[2].lower())
            if ports is not None:
                exposed.append(ports)
    said = _said(container)
    for port_number in sorted(asked):
        inside = any(first <= port_number <= last for first, last in exposed)
        if inside or str(port_number) in said:
            continue
        unknown = _unsaid(container)
        if unknown:
            yield Skip(container.health.place, unknown)
        else:
            shown = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in exposed)
            yield Hit(container.health.place, port=port_number, exposed=shown)


def _said(container: Container) -> set[str]:
    """Return every number that the environment, ENTRYPOINT and CMD name."""
    texts = [traced.known() or "" for traced in container.env.values()]
    for command in (container.entrypoint.known(), container.cmd.known()):
        if command is not None:
            texts.extend(word for word in command.args if isinstance(word, str))
    numbers: set[str] = set()
    for text in texts:
        numbers.update("".join(char if char.isdigit() else " " for char in text).split())
    return numbers


def _unsaid(container: Container) -> str:
    """Say what may name a port without our knowing, or return ""."""
    if container.base is None and not measured(container):
        return container.env_open or "the base image is not in the catalogue"
    for name, traced in container.env.items():
        if isinstance(traced.value, Unknown):
            return f"{name}: {traced.value.reason}"
    for command in (container.entrypoint.value, container.cmd.value):
        if isinstance(command, Unknown):
            return command.reason
    return ""


@check("health-self-contained")
def health_self_contained(container: Container) -> Answers:
    """Judge probes that import packages: a broken installation then looks like a broken service."""
    argv = _probe(container)
    code = code_of(argv) if argv is not None else None
    if code:
        for module in third_party(code):
            yield Hit(container.health.place, module=module)


@record
class Timings:
    """Expected durations in seconds and attempts; ``start_max`` bounds the start period from above."""

    interval: int = 30
    timeout: int = 10
    start_min: int = 40
    start_max: int = 60
    retries: int = 3


@check("health-timings")
def health_timings(container: Container, params: Timings) -> Answers:
    """Judge the timings of a health check; what is not set is the engine's default (30s, 30s, 0s, 3)."""
    health = container.health.known()
    if health is None or health.argv is None:
        return
    for name, found, wanted in _timings(health, params):
        if found != wanted:
            yield Hit(container.health.place, name=name, found=found, wanted=wanted)


def _timings(health: Health, params: Timings) -> list[tuple[str, str, str]]:
    """Return (flag, what it is, what is wanted) of every timing, in words."""

    def shown(value: float | None, default: str) -> str:
        return f"{value:g}s" if value is not None else default

    start = health.start_period
    inside = start is not None and params.start_min <= start <= params.start_max
    window = f"{params.start_min}s to {params.start_max}s"
    return [
        ("interval", shown(health.interval, "30s"), f"{params.interval}s"),
        ("timeout", shown(health.timeout, "30s"), f"{params.timeout}s"),
        ("start period", window if inside else shown(start, "0s"), window),
        ("retries", str(health.retries if health.retries is not None else 3), str(params.retries)),
    ]


@record
class HealthUrl:
    """``urls``: the value of ``label`` to the URL that the probe has to ask."""

    label: str
    urls: dict[str, str]


@check("health-url-is")
def health_url_is(container: Container, params: HealthUrl) -> Answers:
    """Judge the URL of a probe against the one documented for the service; a bare socket has no path to compare."""
    argv, label = _probe(container), container.labels.get(params.label)
    service = label.known() if label is not None else None
    wanted = params.urls.get(service) if service is not None else None
    if argv is None or wanted is None:
        return
    port, _, path = wanted.partition("://")[2].partition(":")[2].partition("/")
    asked = [one for one in asks(argv, container) if one.host in LOCAL]
    if asked and not any(str(one.port) == port and one.path in ("", f"/{path}") for one in asked):
        found = f"port {asked[0].port}{', path ' + asked[0].path if asked[0].path else ''}"
        yield Hit(container.health.place, service=service, found=found, wanted=wanted)
