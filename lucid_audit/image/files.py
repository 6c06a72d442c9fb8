"""The files of a measured container: every path is known, and what was kept can be read."""

from __future__ import annotations

from lucid_audit.container.files import Answer, Files, State
from lucid_audit.image.rootfs import Rootfs
from lucid_audit.record import record
from lucid_audit.values import Unknown

# The runtime mounts these over whatever the image has (OCI runtime-spec v1.2, "Default Filesystems"; Docker's bind mounts).
MOUNTED = ("/proc", "/sys", "/dev", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf")


@record(eq=False)
class MeasuredFiles(Files):
    """The closed world of an image. ``volumes``: what lies there may come from outside, so nothing is surely absent."""

    rootfs: Rootfs
    volumes: tuple[str, ...] = ()

    def find(self, path: str) -> Answer:
        """Answer for one absolute path."""
        found = self.rootfs.resolve(path)
        if found.node is not None:
            return Answer(State.PRESENT)
        missing = found.broken
        for place in (*MOUNTED, *self.volumes):
            if missing == place or missing.startswith(place.rstrip("/") + "/"):
                return Answer(State.UNKNOWN, f"{missing} lies where the runtime mounts something")
        if found.loop:
            return Answer(State.ABSENT, f"{path} leads into a circle of links")
        if found.links:
            return Answer(State.ABSENT, f"the image has no {missing}, to which {found.links[0]} leads")
        return Answer(State.ABSENT, f"the image has no {missing}")

    def read(self, path: str) -> bytes | Unknown | None:
        """Return the content of a file that was kept."""
        node = self.rootfs.resolve(path).node
        if node is None:
            return None
        if node.entry.kind == "f" and not node.entry.size:
            return b""
        content = self.rootfs.content(node)
        return content if content is not None else Unknown(f"the content of {path} was not kept")

    def canonical(self, path: str) -> str:
        """Return where a path leads, as far as it leads."""
        found = self.rootfs.resolve(path)
        return found.path if found.node is not None else path
