"""What os-release(5) says of the system that a container is of."""

from __future__ import annotations

PATHS = ("/etc/os-release", "/usr/lib/os-release")  # the first that is there counts


def read_os_release(content: bytes) -> dict[str, str]:
    """Return its settings, quotes taken off."""
    found = {}
    for line in content.decode("utf-8", "replace").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[name.strip()] = value.strip().strip("\"'")
    return found
