"""How compose files deploy images: the probe has to run in the image, and the container to keep what the image gives up.

Only services whose image is known are judged, predicted from its Dockerfile or measured: of others nobody here decides.
"""

from __future__ import annotations

from lucid_audit.around.service import Deployment
from lucid_audit.checks import Answers, check
from lucid_audit.checks.around.calls import lost
from lucid_audit.checks.health import health_asks, health_form, health_port_named, health_resolves
from lucid_audit.checks.user import is_root
from lucid_audit.container.writes import unmounted, writes
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.values import Unknown


def _probes(one: Deployment) -> bool:
    """Whether the service brings a health check of its own for an image that is known."""
    test = one.service.test
    return one.deployed is not None and test is not None and not test.disabled


@check("deployed-build-there")
def deployed_build_there(one: Deployment) -> Answers:
    """Judge whether what the service builds is there."""
    if one.absent is not None:
        key = "build.dockerfile" if one.absent.what == "Dockerfile" else "build.context"
        yield from lost(one.service.place(key, "build"), one.absent)


@check("deployed-health-form")
def deployed_health_form(one: Deployment) -> Answers:
    """Judge a string or CMD-SHELL against the image's shell."""
    if one.deployed is not None and _probes(one):
        yield from health_form(one.deployed)


@check("deployed-health-resolves")
def deployed_health_resolves(one: Deployment) -> Answers:
    """Judge whether the probe's program is in the image."""
    if one.deployed is not None and _probes(one):
        yield from health_resolves(one.deployed)


@check("deployed-health-asks")
def deployed_health_asks(one: Deployment) -> Answers:
    """Judge probes that succeed whatever the service does."""
    if one.deployed is not None and _probes(one):
        yield from health_asks(one.deployed)


@check("deployed-health-port")
def deployed_health_port(one: Deployment) -> Answers:
    """Judge a probed port that neither the image nor the service names."""
    if one.deployed is None or not _probes(one):
        return
    for answer in health_port_named(one.deployed):
        port = answer.values.get("port") if isinstance(answer, Hit) else None
        if port is None or port not in one.service.ports:
            yield answer


@check("deployed-health-off")
def deployed_health_off(one: Deployment) -> Answers:
    """Judge a service that turns its image's health check off."""
    test = one.service.test
    if one.own is None or test is None or not test.disabled:
        return
    health = one.own.health.known()
    if health is not None and health.argv is not None:
        yield Hit(one.service.place("healthcheck.test", "healthcheck.disable", "healthcheck"))


@check("deployed-user")
def deployed_user(one: Deployment) -> Answers:
    """Judge the user that the service runs as where the service itself says so; the image's own is judged with the image."""
    user = one.service.user
    if one.deployed is None or user is None:
        return
    if isinstance(user, Unknown):
        yield Skip(one.service.place("user"), user.reason)
    elif is_root(user):
        yield Hit(one.service.place("user"), user=user)


@record
class DeployedUser:
    """``allowed``: the spellings that pass."""

    allowed: tuple[str, ...]


@check("deployed-user-is")
def deployed_user_is(one: Deployment, params: DeployedUser) -> Answers:
    """Judge the service's user against a list; what it leaves out is the image's, unless it extends another service."""
    user = one.service.user
    if one.deployed is None:
        return
    if isinstance(user, Unknown):
        yield Skip(one.service.place("user"), user.reason)
    elif user is None:
        if one.service.open:
            yield Skip(one.service.place(), one.service.open)
        else:
            yield Hit(one.service.place(), found="says no user", wanted=params.allowed[0])
    elif user not in params.allowed and not is_root(user):
        yield Hit(one.service.place("user"), found=f"runs as {user}", wanted=params.allowed[0])


@check("deployed-read-only")
def deployed_read_only(one: Deployment) -> Answers:
    """Judge whether the root file system is mounted read-only."""
    value = one.service.read_only
    if one.deployed is None:
        return
    if isinstance(value, Unknown):
        yield Skip(one.service.place("read_only"), value.reason)
    elif value is None and one.service.open:
        yield Skip(one.service.place(), one.service.open)
    elif value != "true":
        yield Hit(one.service.place("read_only"))


@check("deployed-capabilities")
def deployed_capabilities(one: Deployment) -> Answers:
    """Judge whether all capabilities are dropped."""
    dropped = one.service.cap_drop
    if one.deployed is None:
        return
    if dropped is None and one.service.open:
        yield Skip(one.service.place(), one.service.open)
    elif "ALL" not in {name.upper().removeprefix("CAP_") for name in dropped or ()}:
        yield Hit(one.service.place("cap_drop"))


@check("deployed-privileges")
def deployed_privileges(one: Deployment) -> Answers:
    """Judge whether set-user-id programs and file capabilities are without effect."""
    options = one.service.security_opt
    if one.deployed is None:
        return
    if options is None and one.service.open:
        yield Skip(one.service.place(), one.service.open)
        return
    words = {option.replace("=", ":").removesuffix(":true") for option in options or ()}
    if "no-new-privileges" not in words:
        yield Hit(one.service.place("security_opt"))


@check("deployed-confined")
def deployed_confined(one: Deployment) -> Answers:
    """Judge what takes the engine's own confinement away, whatever the image."""
    if one.deployed is None:
        return
    if one.service.privileged == "true":
        yield Hit(one.service.place("privileged"), what="privileged: true")
    for option in one.service.security_opt or ():
        if option.replace("=", ":") in ("seccomp:unconfined", "apparmor:unconfined", "systempaths:unconfined"):
            yield Hit(one.service.place("security_opt"), what=option)


@record
class Writable:
    """``paths``: folders that programs expect to write to."""

    paths: tuple[str, ...]


@check("deployed-writable")
def deployed_writable(one: Deployment, params: Writable) -> Answers:
    """Judge whether what is mounted read-only leaves the folders for temporary files writable."""
    service = one.service
    if one.deployed is None or service.read_only != "true" or service.open:
        return
    mounted = _mounted(one)
    for path in params.paths:
        if path not in mounted:
            yield Hit(service.place("tmpfs", "read_only"), path=path)


@record
class Written:
    """``variables``: those whose value is a folder that the service writes to. ``elsewhere``: folders of another rule."""

    variables: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


@check("deployed-writes")
def deployed_writes(one: Deployment, params: Written) -> Answers:
    """Judge the folders that the command and variables name for writing, where the root file system is read-only."""
    service, container = one.service, one.deployed
    if container is None or service.read_only != "true" or service.open:
        return
    own = service.entrypoint or "command" in service.spans  # the image's command is not what starts
    found = (one for one in writes(container, params.variables) if not own or one.why in params.variables)
    for folder, write in unmounted(container, found, (*_mounted(one), *params.elsewhere)).items():
        yield Hit(service.place("tmpfs", "read_only"), path=folder, why=write.why)


def _mounted(one: Deployment) -> set[str]:
    """Return the folders that the service mounts something over."""
    return {path.partition(":")[0].rstrip("/") for path in (*(one.service.tmpfs or ()), *one.service.volumes)}
