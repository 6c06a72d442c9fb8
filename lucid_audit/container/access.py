"""Whether the configured user may enter folders, and run and read files: the kernel's mode bits (path_resolution(7)).

Capabilities, access control lists and security modules are not looked at. Root enters and reads everything, and runs what has
any execute bit.
"""

from __future__ import annotations

from collections.abc import Iterable

from lucid_audit.container.accounts import account
from lucid_audit.container.config import Container
from lucid_audit.container.tree import Node
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

READ, WRITE, EXECUTE = 4, 2, 1
NAMES = {"root": 0, "nonroot": 65532}  # everybody's, and what every distroless base has in /etc/passwd


class Who(NamedTuple):
    """The numbers that a process runs with, None where they are not known. ``groups`` are those beside ``gid``."""

    uid: int | None
    gid: int | None
    groups: tuple[int, ...] | None = ()

    def may(self, node: Node, bit: int) -> bool | None:
        """Whether ``bit`` is granted on an entry; None when that is not known."""
        mode, uid = node.mode, self.uid
        if uid == 0 and (node.kind == "d" or bit != EXECUTE):
            return True
        if mode is None:
            return None
        if uid == 0:
            return bool(mode & 0o111)
        everybody = {bool(mode >> shift & bit) for shift in (6, 3, 0)}
        if len(everybody) == 1:
            return everybody.pop()
        if uid is None or node.uid is None:
            return None
        if uid == node.uid:
            return bool(mode >> 6 & bit)
        of_group, of_others = bool(mode >> 3 & bit), bool(mode & bit)
        member = self._member(node.gid)
        if member is None:
            return of_others if of_group == of_others else None
        return of_group if member else of_others

    def _member(self, gid: int | None) -> bool | None:
        """Whether a group is among those of the process."""
        if gid is None:
            return None
        if gid == self.gid or gid in (self.groups or ()):
            return True
        return None if self.gid is None or self.groups is None else False

    def enters(self, folders: Iterable[tuple[str, Node]]) -> tuple[str, Node] | None:
        """Return the first folder that is surely closed to this user."""
        return next(((path, node) for path, node in folders if self.may(node, EXECUTE) is False), None)


def who(container: Container) -> Who:
    """Return the numbers of the configured user."""
    found = account(container)
    if found is not None and not isinstance(found, Unknown):
        return Who(found.uid, found.gid, found.groups)
    user = container.user.known()
    if user is None:
        return Who(None, None)
    name, _, group = user.partition(":")
    uid = number(name)
    if group:
        return Who(uid, number(group))
    base = container.base  # nobody is in a further group in distroless images
    plain = base is not None and base.distroless and container.files.find("/etc/group").placed is None
    return Who(uid, uid if name in NAMES else None, () if plain else None)


def number(name: str) -> int | None:
    """Return the number of a user or group, None for a name that only the image's own passwd or group explains."""
    return int(name) if name.isascii() and name.isdigit() and len(name) < 11 else NAMES.get(name)
