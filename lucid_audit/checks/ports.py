"""Ports: how EXPOSE is written, who may bind them, and whether everything that names the service's port agrees."""

from __future__ import annotations

from collections.abc import Iterator

from lucid_audit.checks import Answers, check
from lucid_audit.checks.user import runs_as_root
from lucid_audit.container.config import Argv, Container, Place
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Plain
from lucid_audit.dockerfile.stages import Step
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.regex import rx
from lucid_audit.text import Span
from lucid_audit.values import Unknown

_PORT = r"(\d+)(?:-(\d+))?(?:/(\w+))?"
PRIVILEGED = 1024
HIGHEST = 65535


def port_range(text: str) -> tuple[int, int] | None:
    """Return the first and last port of an EXPOSE word, or None when it is no port."""
    match = rx(_PORT).fullmatch(text)
    if match is None:
        return None
    first = int(match[1])
    last = int(match[2]) if match[2] else first
    return (first, last) if first <= last <= HIGHEST else None


def _exposed(build: Build) -> Iterator[tuple[Step, Span, str | Unknown]]:
    """Yield the words of EXPOSE with their values; one value may be several words."""
    for _, step in build.steps("EXPOSE"):
        if isinstance(step.instruction, Plain):
            for word in step.instruction.words:
                value = step.scope.value(word)
                for part in value.split() if isinstance(value, str) else (value,):
                    yield step, word.span, part


@check("expose-valid")
def expose_valid(build: Build) -> Answers:
    """Judge EXPOSE after variables are expanded; the builder refuses anything that is no port, range and protocol."""
    for _, span, value in _exposed(build):
        if isinstance(value, Unknown):
            yield Skip(span, value.reason)
        elif ":" not in value:
            match = rx(_PORT).fullmatch(value)
            protocol = match[3] if match is not None else None
            if port_range(value) is None or (protocol and protocol.lower() not in ("tcp", "udp", "sctp")):
                yield Hit(span, value=value)


@check("expose-host-mapping")
def expose_host_mapping(build: Build) -> Answers:
    """Judge EXPOSE with an address or a host's port, which only ``docker run -p`` knows (BuildKit ExposeInvalidFormat)."""
    for _, span, value in _exposed(build):
        if isinstance(value, str) and ":" in value:
            yield Hit(span, value=value, port=value.rpartition(":")[2])


@check("expose-protocol-casing")
def expose_protocol_casing(build: Build) -> Answers:
    """Judge protocols in capitals (BuildKit ExposeProtoCasing)."""
    for _, span, value in _exposed(build):
        protocol = value.partition("/")[2] if isinstance(value, str) else ""
        if protocol != protocol.lower():
            yield Hit(span, value=value, lower=str(value).lower())


@check("ssh-port")
def ssh_port(container: Container) -> Answers:
    """Judge whether the container offers port 22."""
    for port in container.ports:
        value = port.known()
        ports = port_range(value.lower()) if value else None
        if ports is not None and ports[0] <= 22 <= ports[1]:
            yield Hit(port.place, value=value)


@check("port-privileged")
def port_privileged(container: Container) -> Answers:
    """Judge ports below 1024 against the user: binding one needs a capability, unless the runtime lifts the limit."""
    user = container.user.value
    low = []
    for port in container.ports:
        value = port.known()
        ports = port_range(value.lower()) if value else None
        if ports is not None and ports[0] < PRIVILEGED:
            low.append((port.place, ports[0]))
    if not low:
        return
    if isinstance(user, Unknown):
        yield Skip(low[0][0], user.reason)
    elif not runs_as_root(container):
        for place, number in low:
            yield Hit(place, port=number, user=user)


_LOCAL = r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?:['\"]?\s*,\s*|:)(\d{2,5})\b|--port[ =](\d{2,5})\b"
_SERVED = r"(?:--(?:http-)?port|-p)[ =](\d{2,5})\b|(?:--bind|-b|--listen|--host)[ =]\S*?:(\d{2,5})\b"


@record
class PortNames:
    """``names``: variables that hold the service's own port; the only ``*_PORT`` of an image is one too."""

    names: tuple[str, ...] = ("PORT",)


@check("ports-agree")
def ports_agree(container: Container, params: PortNames) -> Answers:
    """Judge whether EXPOSE, the port variable, the health check and the command name one port."""
    exposed = _exposed_ports(container)
    if exposed is None:
        return
    said = [*_environment(container, params.names), *_commands(container)]
    if exposed:
        for what, port, place in said:
            if port not in exposed:
                yield Hit(place, what=what, port=port, other=f"EXPOSE {', '.join(map(str, sorted(exposed)))}")
    else:
        for what, port, place in said[1:]:
            if port != said[0][1]:
                yield Hit(place, what=what, port=port, other=f"{said[0][0]} says {said[0][1]}")


def _exposed_ports(container: Container) -> set[int] | None:
    """Return all exposed ports, or None when one of them is not known."""
    found: set[int] = set()
    for port in container.ports:
        value = port.known()
        ports = port_range(value.rpartition(":")[2].lower()) if value else None
        if ports is None:
            return None
        found.update(range(ports[0], ports[1] + 1))
    return found


def _environment(container: Container, names: tuple[str, ...]) -> Iterator[tuple[str, int, Place]]:
    own = {name: traced for name, traced in container.env.items() if name in names}
    if not own:
        own = {name: traced for name, traced in container.env.items() if name.endswith("_PORT")}
        own = own if len(own) == 1 else {}
    for name, traced in own.items():
        value = traced.known()
        if value and value.isdigit():
            yield f"ENV {name}", int(value), traced.place


def _commands(container: Container) -> Iterator[tuple[str, int, Place]]:
    health = container.health.known()
    probe = health.argv if health is not None else None
    texts: tuple[tuple[str, Argv | None, Place, str], ...] = (
        ("the health check", probe, container.health.place, _LOCAL),
        ("ENTRYPOINT", container.entrypoint.known(), container.entrypoint.place, _SERVED),
        ("CMD", container.cmd.known(), container.cmd.place, _SERVED),
    )
    for what, argv, place, pattern in texts:
        for match in rx(pattern).finditer(" ".join(argv.known() or ()) if argv is not None else ""):
            yield what, int(match[1] or match[2]), place
