"""A compose service as a compose file deploys it, and the container that comes of it.

Source: compose specification, chapter "services".
"""

from __future__ import annotations

from lucid_audit.around.call import Absent
from lucid_audit.container.config import Argv, Container, Health, Traced
from lucid_audit.record import record, replace
from lucid_audit.text import SourceText, Span
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Test(NamedTuple):
    """A ``healthcheck: test:``. ``shell``: a string or CMD-SHELL, so that a shell of the image runs it. ``disabled``: NONE."""

    words: tuple[Value, ...]
    shell: bool = False
    disabled: bool = False


@record(eq=False)
class Deployed:
    """One service of one compose file. ``spans`` say where each of its keys is, "" where the service itself is.

    None is what the file does not say. ``open``: why it may say more elsewhere, "" when it cannot.
    """

    name: str
    source: SourceText
    spans: Mapping[str, Span]
    image: Value | None = None
    builds: bool = False
    test: Test | None = None
    user: Value | None = None
    read_only: Value | None = None
    privileged: Value | None = None
    cap_drop: tuple[str, ...] | None = None
    cap_add: tuple[str, ...] | None = None
    security_opt: tuple[str, ...] | None = None
    tmpfs: tuple[str, ...] | None = None
    volumes: tuple[str, ...] = ()
    entrypoint: bool = False
    ports: tuple[int, ...] = ()
    environment: Mapping[str, Value] = {}
    open: str = ""

    def place(self, *keys: str) -> Span:
        """Return where the first of these keys is that the service has, else where its name is."""
        return next((self.spans[key] for key in keys if key in self.spans), self.spans[""])


@record(eq=False)
class Deployment:
    """A service with the container of its image, as the service changes it: the subject of checks.

    ``own`` is the image's container as it is. Both are None where the image is not known; ``reason`` says why. ``absent`` is
    what its build names and is not there.
    """

    service: Deployed
    own: Container | None = None
    deployed: Container | None = None
    reason: str = ""
    absent: Absent | None = None

    @property
    def standing(self) -> SourceText:
        """The file that it stands in."""
        return self.service.source


def deploy(service: Deployed, own: Container | None, reason: str = "", absent: Absent | None = None) -> Deployment:
    """Lay what a service says over the container of its image: user, environment, health check."""
    if own is None:
        return Deployment(service, None, None, reason, absent)
    found = own
    place = service.place
    if service.user is not None:
        found = replace(found, user=Traced(service.user, place("user")))
    if service.environment:
        added = {name: Traced(value, place("environment")) for name, value in service.environment.items()}
        found = replace(found, env={**found.env, **added})
    test = service.test
    if test is not None:
        argv = None if test.disabled else Argv(test.words, test.shell)
        health: Health | Unknown = Health(argv)
        found = replace(found, health=Traced(health, place("healthcheck.test", "healthcheck")))
    return Deployment(service, own, found, reason, absent)
